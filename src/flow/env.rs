//! Environment variables at every level: node, group, tab, global, process (Node-RED's `env.get`).

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use indexmap::IndexMap;
use parking_lot::RwLock;
use serde_json::Value as Json;

use super::Item;
use crate::message::{Kind, TypedInput, Value, parse_number};

/// Works out variables that need more than their text. `script` implements it; flows know no JavaScript.
pub trait EnvExpressions: Send + Sync {
    /// The value of a JSONata expression; `around` is what `$env` sees.
    ///
    /// # Errors
    /// What is wrong with it.
    fn evaluate(&self, source: &str, around: &Environment) -> Result<Value, String>;

    /// A time in a format of moment.js.
    ///
    /// # Errors
    /// When the format can't be used.
    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        around: &Environment,
    ) -> Result<String, String>;
}

/// The environment of the process, with what the runtime's owner changed.
#[derive(Clone, Default)]
pub struct ProcessEnv {
    changes: Arc<RwLock<HashMap<String, Option<String>>>>,
    expressions: Option<Arc<dyn EnvExpressions>>,
    hidden: Arc<RwLock<HashSet<String>>>,
}

impl ProcessEnv {
    /// With something that works out expressions; without it they are errors.
    pub fn with_expressions(expressions: Arc<dyn EnvExpressions>) -> Self {
        Self {
            expressions: Some(expressions),
            ..Self::default()
        }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        if self.hidden.read().contains(name) {
            return None;
        }
        match self.changes.read().get(name) {
            Some(change) => change.clone(),
            None => std::env::var(name).ok(),
        }
    }

    /// Hides these variables from flows, and no others (Node-RED's `envVarExcludes`).
    pub fn hide(&self, names: impl IntoIterator<Item = String>) {
        *self.hidden.write() = names.into_iter().collect();
    }

    /// Sets or removes a variable for the flows, from the next look-up on.
    pub fn set(&self, name: &str, value: Option<String>) {
        self.changes.write().insert(name.to_owned(), value);
    }
}

/// What a level of variables is made of.
#[derive(Default)]
pub struct Level<'a> {
    /// `NR_…` names that the level itself gives; none for a name that it does not have.
    pub own: Vec<(&'static str, Option<String>)>,
    /// Lists as they stand in a flow file; a later one goes over an earlier one.
    pub env: &'a [Option<&'a Json>],
    /// The values of variables of type `cred`.
    pub secrets: BTreeMap<String, String>,
}

/// One level of variables and the level around it.
#[derive(Default)]
pub struct EnvScope {
    own: Vec<(&'static str, Option<String>)>,
    values: HashMap<String, Value>,
    errors: Vec<String>,
    parent: Option<Arc<EnvScope>>,
    process: Option<ProcessEnv>,
    /// A node's own names: `$parent` does not count it as a level.
    is_node: bool,
}

/// How a node sees the variables.
pub type Environment = Arc<EnvScope>;

impl EnvScope {
    /// The outermost level.
    pub fn process(process: ProcessEnv) -> Environment {
        Arc::new(Self {
            process: Some(process),
            ..Self::default()
        })
    }

    /// The names of a node itself, within a group or flow.
    pub fn of_node(parent: &Environment, own: Vec<(&'static str, Option<String>)>) -> Environment {
        Arc::new(Self {
            own,
            parent: Some(parent.clone()),
            is_node: true,
            ..Self::default()
        })
    }

    /// A level within `parent`. Its variables are worked out now, those of type `env` after the others, as Node-RED does.
    pub fn within(parent: &Environment, level: Level) -> Environment {
        let mut definitions: IndexMap<&str, (&Json, &str)> = IndexMap::new();
        let lists = level
            .env
            .iter()
            .flatten()
            .filter_map(|list| list.as_array());
        for entry in lists.flatten() {
            let Some(name) = entry.get("name").and_then(Json::as_str) else {
                continue;
            };
            let value = entry.get("value").unwrap_or(&Json::Null);
            let kind = entry.get("type").and_then(Json::as_str).unwrap_or("str");
            definitions.insert(name, (value, kind));
        }
        let mut scope = Self {
            own: level.own,
            parent: Some(parent.clone()),
            ..Self::default()
        };
        let (later, now): (Vec<_>, Vec<_>) = definitions
            .into_iter()
            .partition(|(_, (_, kind))| *kind == "env");
        for (name, (value, kind)) in now {
            let value = match (kind, level.secrets.get(name)) {
                ("cred", Some(secret)) => secret.as_str().into(),
                _ => scope.evaluate(name, value, kind),
            };
            scope.values.insert(name.to_owned(), value);
        }
        // Until its turn comes, a variable stands for its own text, which is also how a circle of them ends.
        for (name, (value, _)) in &later {
            scope
                .values
                .insert((*name).to_owned(), as_text(value).into());
        }
        for (name, (value, _)) in later {
            let text = as_text(value);
            let value = if bare(&text) == name {
                // A variable that names itself means the one around it.
                parent.get(name).unwrap_or_else(|| "".into())
            } else {
                scope.evaluate_text(&text)
            };
            scope.values.insert(name.to_owned(), value);
        }
        Arc::new(scope)
    }

    /// Whether this level gives the same variables as another one: the same names and values within the same level.
    pub(super) fn same(&self, other: &Self) -> bool {
        let around = match (&self.parent, &other.parent) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        around
            && self.own == other.own
            && self.values == other.values
            && self.errors == other.errors
            && self.is_node == other.is_node
    }

    /// Whether `around` is the level directly around this one.
    pub(super) fn is_within(&self, around: &Environment) -> bool {
        self.parent
            .as_ref()
            .is_some_and(|parent| Arc::ptr_eq(parent, around))
    }

    /// The outermost level around this one, if it belongs to this process.
    pub(super) fn outermost(&self, process: &ProcessEnv) -> Option<Environment> {
        let mut outermost = self.parent.as_ref()?;
        while let Some(parent) = &outermost.parent {
            outermost = parent;
        }
        let own = outermost.process.as_ref()?;
        Arc::ptr_eq(&own.changes, &process.changes).then(|| outermost.clone())
    }

    /// What could not be evaluated, as sentences.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// The value of `name` seen from this level; none when no level has it.
    pub fn get(&self, name: &str) -> Option<Value> {
        let mut level = self;
        let mut name = name;
        loop {
            if let Some(inner) = name.strip_prefix("$parent.") {
                if level.is_node {
                    level = level.parent.as_deref()?;
                }
                level = level.parent.as_deref()?;
                name = inner;
                continue;
            }
            if let Some((_, value)) = level.own.iter().find(|(own, _)| *own == name) {
                return value.as_deref().map(Value::from);
            }
            if let Some(value) = level.values.get(name) {
                return (!value.is_undefined()).then(|| value.clone());
            }
            match (&level.parent, &level.process) {
                (Some(parent), _) => level = parent,
                (None, Some(process)) => return process.get(name).map(Value::from),
                (None, None) => return None,
            }
        }
    }

    fn expressions(&self) -> Option<Arc<dyn EnvExpressions>> {
        let mut level = self;
        while let Some(parent) = &level.parent {
            level = parent;
        }
        level.process.as_ref()?.expressions.clone()
    }

    /// A variable whose value has to be worked out. `around` is this level without its variables, as Node-RED has it.
    fn work_out(&mut self, name: &str, text: &str, kind: &str, around: &Environment) -> Value {
        let now = || chrono::Utc::now().timestamp_millis() as f64;
        let worked_out = match (kind, text, self.expressions()) {
            ("date", "", _) => Ok(Value::Number(now())),
            ("date", "object", _) => Ok(Value::Date(now())),
            ("date", "iso", _) => Ok(chrono::Utc::now()
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
                .into()),
            (_, _, None) => Err("no expressions can be evaluated here".to_owned()),
            ("date", format, Some(own)) => own.format_date(now(), format, around).map(Value::from),
            (_, source, Some(own)) => own.evaluate(source, around),
        };
        worked_out.unwrap_or_else(|error| {
            self.errors
                .push(format!("Error evaluating env property '{name}': {error}"));
            Value::Undefined
        })
    }

    fn evaluate(&mut self, name: &str, value: &Json, kind: &str) -> Value {
        let text = as_text(value);
        match kind {
            "str" | "cred" => text.into(),
            "num" => Value::Number(parse_number(&text)),
            "bool" => Value::Bool(text == "true"),
            "json" | "bin" | "re" => match TypedInput::parse(&text, Kind::from_name(kind)) {
                Ok(TypedInput::Constant(value)) => value,
                Ok(_) => Value::Undefined,
                Err(error) => {
                    self.errors
                        .push(format!("Error evaluating env property '{name}': {error}"));
                    Value::Undefined
                }
            },
            "date" | "jsonata" => {
                let around = Arc::new(Self {
                    own: self.own.clone(),
                    parent: self.parent.clone(),
                    ..Self::default()
                });
                self.work_out(name, &text, kind, &around)
            }
            // A config node; within a subflow it may be named by a variable of where the instance stands.
            "conf-type" if bare(&text).len() < text.len() => self
                .parent
                .as_ref()
                .and_then(|parent| parent.get(bare(&text)))
                .unwrap_or_default(),
            _ => value.clone().into(),
        }
    }

    /// A typed input of type `env`: a bare name or `${NAME}` gives the value itself, other text has its `${NAME}` replaced.
    pub fn evaluate_text(&self, text: &str) -> Value {
        let whole = text
            .strip_prefix("${")
            .and_then(|text| text.strip_suffix('}'))
            .filter(|name| !name.contains("${"));
        if let Some(name) = whole {
            return self.get(name).unwrap_or_else(|| "".into());
        }
        if !text.contains("${") {
            return self.get(text).unwrap_or_else(|| "".into());
        }
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start + 2..].find('}') else {
                break;
            };
            result.push_str(&rest[..start]);
            if let Some(value) = self.get(&rest[start + 2..start + 2 + length]) {
                result.push_str(&value.to_text());
            }
            rest = &rest[start + 3 + length..];
        }
        result.push_str(rest);
        result.into()
    }

    /// The record with its variables replaced, as [`EnvScope::expand`] does. Most records name none and are not copied.
    pub fn expanded<'i>(&self, item: &'i Item) -> Cow<'i, Item> {
        if !Self::names_any(item) {
            return Cow::Borrowed(item);
        }
        let mut item = item.clone();
        item.values_mut().for_each(|value| self.expand(value));
        Cow::Owned(item)
    }

    /// Whether a record may name variables.
    pub(super) fn names_any(item: &Item) -> bool {
        fn named(value: &Json) -> bool {
            match value {
                Json::String(text) => text.starts_with("${") || text.starts_with("$("),
                Json::Array(list) => list.iter().any(named),
                Json::Object(object) => object.values().any(named),
                _ => false,
            }
        }
        item.values().any(named)
    }

    /// Replaces every string that is wholly `${NAME}` or `$(NAME)` by that variable, where there is one, at any depth.
    pub fn expand(&self, value: &mut Json) {
        match value {
            Json::String(text) => {
                let name = text
                    .strip_prefix("${")
                    .and_then(|rest| rest.strip_suffix('}'))
                    .or_else(|| {
                        text.strip_prefix("$(")
                            .and_then(|rest| rest.strip_suffix(')'))
                    })
                    .filter(|name| !name.is_empty() && !name.contains([' ', '\t', '\n', '{', '}']));
                if let Some(found) = name.and_then(|name| self.get(name)) {
                    *value = crate::message::to_wire(&found);
                }
            }
            Json::Array(list) => list.iter_mut().for_each(|entry| self.expand(entry)),
            Json::Object(object) => object.values_mut().for_each(|entry| self.expand(entry)),
            _ => {}
        }
    }
}

/// The text of a value as it stands in a flow file.
fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// `${NAME}` → `NAME`; any other text as it is.
fn bare(text: &str) -> &str {
    text.strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text)
}
