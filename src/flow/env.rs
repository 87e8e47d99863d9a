//! Environment variables at every level: node, group, tab, global, process (Node-RED's `env.get`).

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use serde_json::Value as Json;

use crate::message::{Kind, TypedInput, Value, parse_number};

/// The environment of the process, with what the runtime's owner changed.
#[derive(Clone, Default)]
pub struct ProcessEnv {
    changes: Arc<RwLock<HashMap<String, Option<String>>>>,
}

impl ProcessEnv {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        match self.changes.read().get(name) {
            Some(change) => change.clone(),
            None => std::env::var(name).ok(),
        }
    }

    /// Sets or removes a variable for the flows, from the next look-up on.
    pub fn set(&self, name: &str, value: Option<String>) {
        self.changes.write().insert(name.to_owned(), value);
    }
}

/// One definition in an `env` list.
#[derive(Clone, Debug)]
struct Definition {
    value: Json,
    kind: String,
}

/// One level of variables and the level around it.
#[derive(Default)]
pub struct EnvScope {
    /// `NR_…` names that the level itself gives.
    own: Vec<(&'static str, String)>,
    definitions: HashMap<String, Definition>,
    /// Node-RED counts a level for `$parent` only when it is a group, subflow or tab.
    parent: Option<Arc<EnvScope>>,
    process: Option<ProcessEnv>,
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

    /// A level within `parent`, with an `env` list as it stands in a flow file and the names that the level itself gives.
    pub fn within(
        parent: &Environment,
        own: Vec<(&'static str, String)>,
        env: Option<&Json>,
    ) -> Environment {
        let mut definitions = HashMap::new();
        for entry in env.and_then(Json::as_array).into_iter().flatten() {
            let Some(name) = entry.get("name").and_then(Json::as_str) else {
                continue;
            };
            let definition = Definition {
                value: entry.get("value").cloned().unwrap_or_default(),
                kind: entry
                    .get("type")
                    .and_then(Json::as_str)
                    .unwrap_or("str")
                    .to_owned(),
            };
            definitions.insert(name.to_owned(), definition);
        }
        Arc::new(Self {
            own,
            definitions,
            parent: Some(parent.clone()),
            process: None,
        })
    }

    /// The value of `name` seen from this level; none when no level has it.
    pub fn get(&self, name: &str) -> Option<Value> {
        if let Some(name) = name.strip_prefix("$parent.") {
            return self.above()?.get(name);
        }
        if let Some((_, value)) = self.own.iter().find(|(own, _)| *own == name) {
            return Some(value.as_str().into());
        }
        if let Some(definition) = self.definitions.get(name) {
            return Some(self.evaluate(name, definition));
        }
        match (&self.parent, &self.process) {
            (Some(parent), _) => parent.get(name),
            (None, Some(process)) => process.get(name).map(Value::from),
            (None, None) => None,
        }
    }

    /// The level around the nearest one that defines variables.
    fn above(&self) -> Option<&EnvScope> {
        let mut level = self;
        while level.definitions.is_empty() && level.process.is_none() {
            level = level.parent.as_deref()?;
        }
        level.parent.as_deref()
    }

    fn evaluate(&self, name: &str, definition: &Definition) -> Value {
        let text = match &definition.value {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        match definition.kind.as_str() {
            "num" => Value::Number(parse_number(&text)),
            "bool" => Value::Bool(text == "true"),
            "env" => {
                let inner = text
                    .strip_prefix("${")
                    .and_then(|text| text.strip_suffix('}'))
                    .unwrap_or(&text);
                // A variable that names itself means the one around it.
                let from = if inner == name {
                    self.parent.as_deref()
                } else {
                    Some(self)
                };
                from.and_then(|scope| scope.get(inner)).unwrap_or_default()
            }
            "json" | "bin" | "re" | "date" => {
                match TypedInput::parse(&text, Kind::from_name(&definition.kind)) {
                    Ok(TypedInput::Constant(value)) => value,
                    _ => Value::Undefined,
                }
            }
            _ => text.into(),
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
