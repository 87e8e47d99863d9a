//! `flowrill.toml`: the same options as on the command line, and a table `[runtime]`.

use std::{fs, io, ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    SettingsError,
    layers::{OPTIONS, Origin, RUNTIME, Setting},
};

/// Reads the file; none when it is not there and was not asked for by name.
///
/// # Errors
/// When it can't be read, and for the first line in it that is not understood.
pub(super) fn read(
    path: &Path,
    asked_for: bool,
) -> Result<Option<Vec<(String, Setting)>>, SettingsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !asked_for => return Ok(None),
        // A data folder that can't be read or that is a file is reported as that, by the one who opens it.
        Err(_) if !asked_for && !path.is_file() => return Ok(None),
        Err(error) => {
            return Err(SettingsError(format!(
                "The settings file {} can't be read: {error}. Name another one with --config, or make it readable",
                path.display()
            )));
        }
    };
    Source { path, text: &text }.entries().map(Some)
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn entries(&self) -> Result<Vec<(String, Setting)>, SettingsError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(&span));
            self.error(line, error.message())
        })?;
        let mut entries = Vec::new();
        for (key, value) in table.get_ref() {
            if key.get_ref() == "runtime" {
                self.runtime(value, &mut entries)?;
            } else if OPTIONS.contains(&&**key.get_ref()) && key.get_ref() != "config" {
                entries.push(self.entry(key, value)?);
            } else {
                let options: Vec<&str> = OPTIONS
                    .into_iter()
                    .filter(|name| *name != "config")
                    .collect();
                return Err(self.unknown(
                    key,
                    "",
                    &format!("{} and the table [runtime]", options.join(", ")),
                ));
            }
        }
        Ok(entries)
    }

    fn runtime(
        &self,
        value: &Spanned<DeValue>,
        entries: &mut Vec<(String, Setting)>,
    ) -> Result<(), SettingsError> {
        let Some(table) = value.get_ref().as_table() else {
            let line = self.line(&value.span());
            return Err(self.error(
                line,
                "runtime is a table: write [runtime] on a line of its own",
            ));
        };
        for (key, value) in table {
            if !RUNTIME.contains(&&**key.get_ref()) {
                return Err(self.unknown(key, " in [runtime]", &RUNTIME.join(", ")));
            }
            entries.push(self.entry(key, value)?);
        }
        Ok(())
    }

    fn entry(
        &self,
        key: &Spanned<DeString>,
        value: &Spanned<DeValue>,
    ) -> Result<(String, Setting), SettingsError> {
        let line = self.line(&key.span());
        let name = key.get_ref().to_string();
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Boolean(bool) => bool.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => {
                let reason =
                    format!("{name} takes one text, number or true/false, not a list or a table");
                return Err(self.error(line, &reason));
            }
        };
        let origin = Origin::File {
            path: self.path.to_owned(),
            line,
            name: name.clone(),
        };
        Ok((name, Setting { text, origin }))
    }

    fn unknown(&self, key: &Spanned<DeString>, place: &str, known: &str) -> SettingsError {
        let name = key.get_ref();
        let reason = format!("there is no setting \"{name}\"{place}; there are {known}");
        self.error(self.line(&key.span()), &reason)
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    fn error(&self, line: usize, reason: &str) -> SettingsError {
        SettingsError(format!(
            "{}, line {line}: {}",
            self.path.display(),
            reason.trim_end()
        ))
    }
}
