//! The sources of settings, and which of them counts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::SettingsError;

/// The options of the command line. Each is also `FLOWRILL_…` in the environment and, except `config`, a line of the file.
pub const OPTIONS: [&str; 12] = [
    "config",
    "data",
    "http",
    "mqtt",
    "flows",
    "nodes",
    "no-broker",
    "no-sample",
    "tap",
    "lang",
    "log",
    "auth",
];

/// Those that are only said or not.
const SWITCHES: [&str; 3] = ["no-broker", "no-sample", "tap"];

/// What stands in the table `[runtime]` of the file, under Node-RED's names.
pub(super) const RUNTIME: [&str; 7] = [
    "globalFunctionTimeout",
    "nodeMessageBufferMaxLength",
    "debugMaxLength",
    "debugStatusLength",
    "mqttReconnectTime",
    "nodeCloseTimeout",
    "exportGlobalContextKeys",
];

/// What stands there besides, and is more than one text or number.
pub(super) const RUNTIME_LISTS: [&str; 2] = ["envVarExcludes", "functionGlobalContext"];

/// The command line: option → its text; a switch that is given has the text `true`.
pub type Flags = BTreeMap<&'static str, String>;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag(String),
    Env(String),
    File {
        path: PathBuf,
        line: usize,
        name: String,
    },
}

impl Origin {
    /// Where a path leads that stands there.
    fn place(&self, path: PathBuf) -> PathBuf {
        match self {
            Self::File { path: file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
            _ => path,
        }
    }
}

/// A setting as it was written, and where.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// All that was set, by option.
pub(super) struct Layers {
    settings: BTreeMap<String, Setting>,
}

impl Layers {
    /// Command line over environment.
    ///
    /// # Errors
    /// When the environment has a `FLOWRILL_…` switch that is neither on nor off.
    pub(super) fn new(
        flags: &Flags,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut settings = BTreeMap::new();
        for name in OPTIONS {
            let variable = format!("FLOWRILL_{}", name.replace('-', "_").to_uppercase());
            let setting = match flags.get(name) {
                Some(text) => Setting {
                    text: text.clone(),
                    origin: Origin::Flag(name.into()),
                },
                // An empty variable is how many tools say "not set".
                None => match env(&variable).filter(|text| !text.is_empty()) {
                    Some(text) => Setting {
                        text,
                        origin: Origin::Env(variable),
                    },
                    None => continue,
                },
            };
            settings.insert(name.to_owned(), setting);
        }
        let layers = Self { settings };
        for switch in SWITCHES {
            layers.bool(switch)?;
        }
        Ok(layers)
    }

    /// Adds what the file says about options that are not set yet.
    pub(super) fn add_file(&mut self, entries: Vec<(String, Setting)>) {
        for (name, setting) in entries {
            self.settings.entry(name).or_insert(setting);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Setting> {
        self.settings.get(name).cloned()
    }

    /// The setting, if it is the file's that counts.
    pub(super) fn set_in_file(&self, name: &str) -> Option<Setting> {
        self.get(name)
            .filter(|setting| matches!(setting.origin, Origin::File { .. }))
    }

    /// A path; one in the file is meant relative to the file.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        let setting = self.get(name)?;
        Some(setting.origin.place(setting.text.into()))
    }

    /// A list of paths, as the system writes one in `PATH`.
    pub(super) fn paths(&self, name: &str) -> Vec<PathBuf> {
        let Some(setting) = self.get(name) else {
            return Vec::new();
        };
        std::env::split_paths(&setting.text)
            .filter(|path| !path.as_os_str().is_empty())
            .map(|path| setting.origin.place(path))
            .collect()
    }

    /// A switch.
    ///
    /// # Errors
    /// When it is neither on nor off.
    pub(super) fn bool(&self, name: &str) -> Result<bool, SettingsError> {
        let Some(setting) = self.settings.get(name) else {
            return Ok(false);
        };
        match setting.text.as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            other => Err(setting.error(&format!("\"{other}\" must be true or false"))),
        }
    }
}
