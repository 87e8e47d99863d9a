//! `flowrill.toml`: the same options as on the command line, and the tables `[runtime]`, `[context]`, `[nodes]` and `[broker]`.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    SettingsError, broker,
    layers::{OPTIONS, Origin, RUNTIME, RUNTIME_LISTS, Setting},
};
use crate::{
    message::{Object, Value},
    store::ContextConfig,
};

/// What the file says.
#[derive(Default)]
pub(super) struct Content {
    /// Options and settings of one text or number each.
    pub(super) entries: Vec<(String, Setting)>,
    pub(super) context: ContextConfig,
    pub(super) broker: broker::Found,
    pub(super) env_var_excludes: Vec<String>,
    pub(super) global_context: Object,
}

/// Reads the file; none when it is not there and was not asked for by name.
///
/// # Errors
/// When it can't be read, and for the first line in it that is not understood.
pub(super) fn read(path: &Path, asked_for: bool) -> Result<Option<Content>, SettingsError> {
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
    Source { path, text: &text }.content().map(Some)
}

/// The text and where it comes from, for errors.
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn content(&self) -> Result<Content, SettingsError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(&span));
            self.error(line, error.message())
        })?;
        let mut content = Content::default();
        for (key, value) in table.get_ref() {
            if key.get_ref() == "runtime" {
                self.runtime(self.table(key, value)?, &mut content)?;
            } else if key.get_ref() == "context" {
                content.context = self.context(self.table(key, value)?)?;
            } else if key.get_ref() == "broker" {
                content.broker = self.broker(key, value)?;
            } else if key.get_ref() == "nodes" {
                let nodes = self.nodes(key, self.table(key, value)?)?;
                content.entries.push(nodes);
            } else if OPTIONS.contains(&&**key.get_ref()) && key.get_ref() != "config" {
                content.entries.push(self.entry(key, value)?);
            } else {
                let options: Vec<&str> = OPTIONS
                    .into_iter()
                    .filter(|name| !["config", "nodes"].contains(name))
                    .collect();
                return Err(self.unknown(
                    key,
                    "",
                    &format!(
                        "{} and the tables [runtime], [context], [nodes] and [broker]",
                        options.join(", ")
                    ),
                ));
            }
        }
        Ok(content)
    }

    /// `[nodes] dirs = ["…", "…"]`, as the command line has it: folders in one text.
    fn nodes(
        &self,
        key: &Spanned<DeString>,
        table: &DeTable,
    ) -> Result<(String, Setting), SettingsError> {
        let line = self.line(&key.span());
        let mut dirs = Vec::new();
        for (key, value) in table {
            if key.get_ref() != "dirs" {
                return Err(self.unknown(key, " in [nodes]", "dirs"));
            }
            dirs = self.names(key, value)?;
        }
        let text = std::env::join_paths(dirs)
            .map_err(|error| self.error(line, &format!("a folder can't be named so: {error}")))?
            .to_string_lossy()
            .into_owned();
        let origin = Origin::File {
            path: self.path.to_owned(),
            line,
            name: "nodes".into(),
        };
        Ok(("nodes".into(), Setting { text, origin }))
    }

    fn runtime(&self, table: &DeTable, content: &mut Content) -> Result<(), SettingsError> {
        for (key, value) in table {
            match &**key.get_ref() {
                "envVarExcludes" => content.env_var_excludes = self.names(key, value)?,
                "functionGlobalContext" => {
                    content.global_context = message_object(self.table(key, value)?);
                }
                name if RUNTIME.contains(&name) => content.entries.push(self.entry(key, value)?),
                _ => {
                    let known = [&RUNTIME[..], &RUNTIME_LISTS[..]].concat().join(", ");
                    return Err(self.unknown(key, " in [runtime]", &known));
                }
            }
        }
        Ok(())
    }

    /// The table of this key.
    pub(super) fn table<'v>(
        &self,
        key: &Spanned<DeString>,
        value: &'v Spanned<DeValue<'v>>,
    ) -> Result<&'v DeTable<'v>, SettingsError> {
        value.get_ref().as_table().ok_or_else(|| {
            let name = key.get_ref();
            let reason =
                format!("{name} is a table: write [{name}] on a line of its own, or {{ … }}");
            self.error(self.line(&value.span()), &reason)
        })
    }

    fn names(
        &self,
        key: &Spanned<DeString>,
        value: &Spanned<DeValue>,
    ) -> Result<Vec<String>, SettingsError> {
        let list = value.get_ref().as_array().and_then(|list| {
            let names = list.iter().map(|name| name.get_ref().as_str());
            names.map(|name| name.map(str::to_owned)).collect()
        });
        list.ok_or_else(|| {
            let reason = format!("{} is a list of texts", key.get_ref());
            self.error(self.line(&key.span()), &reason)
        })
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

    pub(super) fn path(&self) -> &Path {
        self.path
    }

    /// Where a path in the file leads.
    pub(super) fn place(&self, path: PathBuf) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    pub(super) fn error(&self, line: usize, reason: &str) -> SettingsError {
        SettingsError(format!(
            "{}, line {line}: {}",
            self.path.display(),
            reason.trim_end()
        ))
    }
}

/// A value of the file as flows get it.
fn message_value(value: &Spanned<DeValue>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(bool) => Value::Bool(*bool),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Number(f64::NAN), |number| {
                Value::Number(number as f64)
            }),
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Datetime(time) => date(&time.to_string()),
        DeValue::Array(list) => list.iter().map(message_value).collect::<Vec<_>>().into(),
        DeValue::Table(table) => message_object(table).into(),
    }
}

fn message_object(table: &DeTable) -> Object {
    in_order(table)
        .into_iter()
        .map(|(key, value)| (key.get_ref().to_string(), message_value(value)))
        .collect()
}

/// A line of a table.
pub(super) type Line<'t, 'a> = (&'t Spanned<DeString<'a>>, &'t Spanned<DeValue<'a>>);

/// The lines of a table as they stand in the file.
pub(super) fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<Line<'t, 'a>> {
    let mut lines: Vec<_> = table.iter().collect();
    lines.sort_by_key(|(key, _)| key.span().start);
    lines
}

/// A point in time is a Date; a time of day, or one without its zone, stays text.
fn date(text: &str) -> Value {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => Value::Date(time.timestamp_millis() as f64),
        Err(_) => text.into(),
    }
}
