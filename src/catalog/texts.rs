//! The texts of a node type: under Node-RED's keys, in a language, with English beside it.

use serde_json::{Map, Value};

/// The texts of one type.
#[derive(Debug, Default)]
pub struct Texts {
    english: Value,
    local: Option<Value>,
    /// `--lang cimode`: a key is its own text, which is what conformance tests compare.
    keys_only: bool,
}

impl Texts {
    /// Texts read from `texts/en.json` and, if there is one, the file of another language.
    pub fn new(english: Value, local: Option<Value>, keys_only: bool) -> Self {
        Self {
            english,
            local,
            keys_only,
        }
    }

    /// A message of the node at run time, with `{name}` replaced from `params`. An unknown key is its own text.
    pub fn message(&self, key: &str, params: &[(&str, &str)]) -> String {
        if self.keys_only {
            return key.to_owned();
        }
        let find = |texts: &Value| texts.get("messages")?.get(key)?.as_str().map(str::to_owned);
        let mut text = self
            .local
            .as_ref()
            .and_then(find)
            .or_else(|| find(&self.english))
            .unwrap_or_else(|| key.into());
        for (name, value) in params {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// Takes over the messages of another type that this one lacks.
    pub(super) fn add_messages(&mut self, other: &Self) {
        for (own, other) in [
            (Some(&mut self.english), Some(&other.english)),
            (self.local.as_mut(), other.local.as_ref()),
        ] {
            let (Some(Value::Object(own)), Some(other)) = (own, other) else {
                continue;
            };
            let Some(messages) = other.get("messages").and_then(Value::as_object) else {
                continue;
            };
            let own = own
                .entry("messages")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(own) = own {
                for (key, text) in messages {
                    own.entry(key.clone()).or_insert_with(|| text.clone());
                }
            }
        }
    }

    /// The type's name in the palette.
    pub fn label(&self) -> Option<&str> {
        self.english.get("label").and_then(Value::as_str)
    }

    /// What a property is called in the form; its own name if it has no label.
    pub fn property<'a>(&'a self, name: &'a str) -> &'a str {
        let label = self.english["properties"][name]["label"].as_str();
        label.unwrap_or(name)
    }

    /// All texts for the editor, the local ones over the English.
    pub fn to_json(&self) -> Value {
        let mut texts = self.english.clone();
        if let Some(local) = &self.local {
            merge(&mut texts, local);
        }
        texts
    }
}

fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}
