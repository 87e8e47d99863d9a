//! JSON schemas of draft 7 and 6, with the words, the order and the strictness of Ajv 8, which Node-RED uses and whose
//! list of mistakes flows read in `msg.schemaError`.

mod check;
mod evaluate;
mod lists;
mod mistake;
mod objects;
mod reference;
mod scalars;

use std::collections::HashMap;

pub(super) use mistake::Mistake;

use self::reference::References;
use crate::message::{Pattern, Value};

/// A schema that was found good.
pub(super) struct Schema {
    root: Value,
    references: References,
    /// The regular expressions in it, by their text.
    patterns: HashMap<String, Pattern>,
}

impl Schema {
    /// Checks a schema.
    ///
    /// # Errors
    /// What is wrong with it: a keyword that is not known, a value of the wrong kind, a reference to nothing.
    pub(super) fn compile(root: Value) -> Result<Self, String> {
        let mut schema = Self {
            references: References::find(&root)?,
            root,
            patterns: HashMap::new(),
        };
        check::check(&mut schema)?;
        Ok(schema)
    }

    /// Whether it was made of this value.
    pub(super) fn is(&self, value: &Value) -> bool {
        self.root == *value
    }

    /// What is wrong with a value, in Ajv's order.
    ///
    /// # Errors
    /// When the schema refers to itself without end.
    pub(super) fn validate(&self, value: &Value) -> Result<Vec<Mistake>, String> {
        evaluate::evaluate(self, value)
    }
}

/// The JSON type names that a value has: `1` is a number and an integer.
fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => matches!(value, Value::Null),
        "boolean" => matches!(value, Value::Bool(_)),
        "string" => matches!(value, Value::String(_)),
        "array" => matches!(value, Value::Array(_)),
        "number" => value.as_number().is_some_and(f64::is_finite),
        "integer" => value
            .as_number()
            .is_some_and(|number| number.is_finite() && number.fract() == 0.0),
        "object" => value.type_of() == "object" && !matches!(value, Value::Null | Value::Array(_)),
        _ => false,
    }
}
