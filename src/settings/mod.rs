//! What the owner of this instance has set: on the command line, in the environment, in `flowrill.toml`; in this order of weight.

mod bridge;
mod broker;
mod context;
mod file;
mod layers;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

pub use layers::{Flags, OPTIONS, Origin};

use crate::{
    broker::{At, BrokerConfig, ListenerConfig},
    engine::RuntimeSettings,
    mqtt::BridgeConfig,
    store::ContextConfig,
};
use layers::{Layers, Setting};

/// The name of the settings file in the data folder.
pub const FILE_NAME: &str = "flowrill.toml";

/// Settings of one run, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where flows, their history, credentials and context lie.
    pub data: PathBuf,
    pub http: SocketAddr,
    /// The built-in broker with its listeners, that of `mqtt` first; none without it.
    pub broker: Option<BrokerConfig>,
    /// Its bridges to other brokers.
    pub bridges: Vec<BridgeConfig>,
    /// A flow file to deploy at start.
    pub flows: Option<PathBuf>,
    /// Folders with node types of the user's own, besides `nodes` in the data folder.
    pub nodes: Vec<PathBuf>,
    /// Whether a first start gets the sample flow.
    pub sample: bool,
    /// Everything on `/tap` is allowed.
    pub tap: bool,
    pub lang: String,
    pub log: LogLevel,
    /// `--auth none` was given.
    pub open_to_all: bool,
    pub runtime: RuntimeSettings,
    /// The context stores.
    pub context: ContextConfig,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
}

/// How much is logged.
pub type LogLevel = tracing::level_filters::LevelFilter;

/// What is wrong with a setting: one sentence that says where it stands and what to change.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub(crate) String);

impl Settings {
    /// Works out the settings from the three sources.
    ///
    /// # Errors
    /// The first one that can't be used.
    pub fn resolve(
        flags: &Flags,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut layers = Layers::new(flags, env)?;
        let (file, found) = match layers.get("config") {
            Some(named) => (PathBuf::from(named.text), true),
            None => (data_folder(&layers)?.join(FILE_NAME), false),
        };
        let read = file::read(&file, found)?;
        let file = read.is_some().then_some(file);
        let mut content = read.unwrap_or_default();
        if file.is_some() {
            layers.add_file(std::mem::take(&mut content.entries));
            if let (Some(data), false) = (layers.set_in_file("data"), found) {
                return Err(data.error("this file was found in the data folder, so it can't name another one; start with --data instead"));
            }
        }
        let tap = layers.bool("tap")?;
        let broker = !layers.bool("no-broker")?;
        let open_to_all = match layers.get("auth") {
            None => false,
            Some(auth) if auth.text == "none" => true,
            Some(auth) => {
                return Err(auth.error(
                    "the only value there is so far is \"none\": everyone who can reach the addresses may do everything",
                ));
            }
        };
        let reach = Reach { tap, open_to_all };
        let settings = Self {
            http: reach.address(&layers, "http", 1880)?,
            bridges: match broker {
                true => std::mem::take(&mut content.broker.bridges),
                false => Vec::new(),
            },
            broker: match broker {
                true => Some(reach.broker(&layers, content.broker)?),
                false => None,
            },
            flows: layers.path("flows"),
            nodes: layers.paths("nodes"),
            sample: !tap && !layers.bool("no-sample")?,
            tap,
            lang: lang(&layers)?,
            log: log(&layers)?,
            open_to_all,
            runtime: RuntimeSettings {
                env_var_excludes: content.env_var_excludes,
                global_context: content.global_context,
                ..runtime(&layers)?
            },
            context: content.context,
            data: data_folder(&layers)?,
            file,
        };
        Ok(settings)
    }
}

fn data_folder(layers: &Layers) -> Result<PathBuf, SettingsError> {
    if let Some(path) = layers.path("data") {
        return Ok(path);
    }
    let platform = directories::ProjectDirs::from("", "", "flowrill");
    let platform = platform.map(|folders| folders.data_dir().to_owned());
    platform.ok_or_else(|| {
        SettingsError(
            "This user has no home folder to keep data in; name a folder with --data".into(),
        )
    })
}

/// Who may reach the listeners.
struct Reach {
    tap: bool,
    open_to_all: bool,
}

impl Reach {
    /// An address to listen on.
    fn address(&self, layers: &Layers, name: &str, port: u16) -> Result<SocketAddr, SettingsError> {
        let given = layers.get(name);
        let address = address(given.as_ref(), port)?;
        let wrong = |reason: String| match &given {
            Some(given) => given.error(&reason),
            None => SettingsError(reason),
        };
        self.check(address).map_err(wrong)?;
        Ok(address)
    }

    /// Without a login nothing is opened to the network unless somebody said so.
    fn check(&self, address: SocketAddr) -> Result<(), String> {
        match address.ip().is_loopback() {
            true => Ok(()),
            false if self.tap => Err(format!(
                "--tap lets everyone who can connect do everything, so it listens only on this machine; use 127.0.0.1:{}",
                address.port()
            )),
            false if !self.open_to_all => Err(format!(
                "Flowrill has no login yet, so it does not listen on {address}, where others could reach it. Use 127.0.0.1:{}, or add --auth none if everyone on that network may do everything",
                address.port()
            )),
            false => Ok(()),
        }
    }

    /// As [`Reach::check`] for the broker, which has a login: only letting in everybody needs a word.
    fn check_mqtt(&self, address: SocketAddr, anonymous: Option<bool>) -> Result<(), String> {
        let is_near = address.ip().is_loopback();
        match anonymous {
            _ if self.tap => self.check(address),
            Some(true) if !is_near && !self.open_to_all => Err(format!(
                "with anonymous = true everybody who can reach {address} could publish and subscribe; leave it out, or add --auth none if that is what you want"
            )),
            _ => Ok(()),
        }
    }

    /// The broker as the file has it, with the listener of `mqtt` before the others.
    fn broker(&self, layers: &Layers, found: broker::Found) -> Result<BrokerConfig, SettingsError> {
        let mut config = found.config;
        config.open_to_all = self.open_to_all;
        for (listener, line) in config.listeners.iter().zip(found.lines) {
            if let At::Tcp(address) = listener.at {
                let file = found.path.display();
                self.check_mqtt(address, listener.anonymous)
                    .map_err(|reason| SettingsError(format!("{file}, line {line}: {reason}")))?;
            }
        }
        let given = layers.get("mqtt");
        let first = address(given.as_ref(), 1883)?;
        self.check_mqtt(first, None).map_err(|reason| {
            given.as_ref().map_or_else(
                || SettingsError(reason.clone()),
                |given| given.error(&reason),
            )
        })?;
        // Who names no address, and has a listener at the usual port, means that one.
        let is_usual = |listener: &ListenerConfig| matches!(listener.at, At::Tcp(at) if at.port() == first.port());
        if given.is_some() || !config.listeners.iter().any(is_usual) {
            config.listeners.insert(0, ListenerConfig::tcp(first));
        }
        Ok(config)
    }
}

/// An address as it was given, or the port of this machine.
fn address(given: Option<&Setting>, port: u16) -> Result<SocketAddr, SettingsError> {
    let Some(given) = given else {
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    };
    parse_address(&given.text).ok_or_else(|| {
        given.error(&format!(
            "\"{}\" is no address to listen on; give it as ADDRESS:PORT, for example 127.0.0.1:{port} (port 0 picks a free one)",
            given.text
        ))
    })
}

fn parse_address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let port = text.strip_prefix("localhost:")?.parse().ok()?;
    Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

fn lang(layers: &Layers) -> Result<String, SettingsError> {
    let Some(lang) = layers.get("lang") else {
        return Ok("en".into());
    };
    let sound = !lang.text.is_empty()
        && lang
            .text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-');
    match sound {
        true => Ok(lang.text),
        false => Err(lang.error(&format!(
            "\"{}\" is no language; give its code, for example en or de",
            lang.text
        ))),
    }
}

fn log(layers: &Layers) -> Result<LogLevel, SettingsError> {
    let Some(log) = layers.get("log") else {
        return Ok(LogLevel::INFO);
    };
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    match known.contains(&log.text.as_str()) {
        true => Ok(log.text.parse().unwrap_or(LogLevel::INFO)),
        false => Err(log.error(&format!(
            "\"{}\" is no log level; choose one of {}",
            log.text,
            known.join(", ")
        ))),
    }
}

/// `[runtime]`, under Node-RED's names and in its units.
fn runtime(layers: &Layers) -> Result<RuntimeSettings, SettingsError> {
    let mut settings = RuntimeSettings::default();
    let number = |name: &str| -> Result<Option<f64>, SettingsError> {
        let Some(given) = layers.get(name) else {
            return Ok(None);
        };
        let number = given.text.parse::<f64>().ok();
        let number = number.filter(|number| (0.0..=1e12).contains(number));
        number
            .map(Some)
            .ok_or_else(|| given.error("this must be a number, 0 or more"))
    };
    // 0 is Node-RED's "no limit of my own"; the built-in limit stays then.
    if let Some(seconds) = number("globalFunctionTimeout")?.filter(|seconds| *seconds > 0.0) {
        settings.function_timeout = Duration::from_secs_f64(seconds);
    }
    if let Some(count) = number("nodeMessageBufferMaxLength")? {
        settings.message_buffer_max_length = count as usize;
    }
    if let Some(length) = number("debugMaxLength")? {
        settings.debug_max_length = length as usize;
    }
    if let Some(length) = number("debugStatusLength")? {
        settings.debug_status_length = length as usize;
    }
    if let Some(milliseconds) = number("mqttReconnectTime")? {
        settings.mqtt_reconnect = Duration::from_secs_f64(milliseconds / 1000.0);
    }
    if let Some(milliseconds) = number("nodeCloseTimeout")? {
        settings.close_timeout = Duration::from_secs_f64(milliseconds / 1000.0);
    }
    if layers.get("exportGlobalContextKeys").is_some() {
        settings.export_global_context_keys = layers.bool("exportGlobalContextKeys")?;
    }
    Ok(settings)
}

impl Setting {
    fn error(&self, reason: &str) -> SettingsError {
        SettingsError(format!("{}: {reason}", self.origin))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(out, "--{name}"),
            Self::Env(name) => out.write_str(name),
            Self::File { path, line, name } => {
                write!(out, "{}, line {line}: {name}", Path::display(path))
            }
        }
    }
}
