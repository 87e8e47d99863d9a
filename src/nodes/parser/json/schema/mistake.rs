//! One thing that is wrong with a value, as Ajv tells it.

use std::fmt::Write;

use crate::message::{Object, Value};

/// A mistake.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::nodes::parser::json) struct Mistake {
    /// Where in the value, as a JSON pointer.
    pub(super) instance_path: String,
    /// Which keyword of the schema says so.
    pub(super) schema_path: String,
    pub(super) keyword: &'static str,
    pub(super) params: Object,
    pub(super) message: String,
    /// The name that is wrong, for mistakes of names.
    pub(super) property_name: Option<String>,
}

impl Mistake {
    /// An entry of `msg.schemaError`.
    pub(in crate::nodes::parser::json) fn to_value(&self) -> Value {
        let mut value = Object::new();
        value.insert("instancePath", self.instance_path.as_str().into());
        value.insert("schemaPath", self.schema_path.as_str().into());
        value.insert("keyword", self.keyword.into());
        value.insert("params", self.params.clone().into());
        value.insert("message", self.message.as_str().into());
        if let Some(name) = &self.property_name {
            value.insert("propertyName", name.as_str().into());
        }
        value.into()
    }

    /// Its part of the error's text.
    pub(in crate::nodes::parser::json) fn text(&self) -> String {
        format!("data{} {}", self.instance_path, self.message)
    }
}

/// A name as a step of a JSON pointer.
pub(super) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A name as a step of a path in a schema: `encodeURIComponent` of the pointer's step.
pub(super) fn schema_step(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in pointer_step(name).bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
