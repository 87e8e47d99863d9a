//! Typed inputs: a text in a node's settings and the type that says how to read it (Node-RED's `evaluateNodeProperty`).

use std::sync::Arc;

use super::{ErrorValue, Pattern, PropertyPath, Regexp, Value, parse_json, parse_number};

/// The type of a typed input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    String,
    Number,
    Bool,
    Json,
    Regexp,
    Date,
    Buffer,
    Message,
    Flow,
    Global,
    Env,
    Jsonata,
    /// Any other: the text is the value.
    Other,
}

impl Kind {
    /// The kind that a `…Type` property names.
    pub fn from_name(name: &str) -> Self {
        match name {
            "str" => Self::String,
            "num" => Self::Number,
            "bool" => Self::Bool,
            "json" => Self::Json,
            "re" => Self::Regexp,
            "date" => Self::Date,
            "bin" => Self::Buffer,
            "msg" => Self::Message,
            "flow" => Self::Flow,
            "global" => Self::Global,
            "env" => Self::Env,
            "jsonata" => Self::Jsonata,
            _ => Self::Other,
        }
    }
}

/// A typed input, read once when the node is built. What needs the message, a context or the clock is worked out later, by the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum TypedInput {
    Constant(Value),
    Message(PropertyPath),
    /// The whole key, with `#:(store)::` if it has one.
    Flow(Arc<str>),
    Global(Arc<str>),
    Env(Arc<str>),
    Jsonata(Arc<str>),
    /// Now: "" is milliseconds, `object` a Date, `iso` text; anything else a format.
    Date(Arc<str>),
}

impl TypedInput {
    /// Reads the text by its kind.
    ///
    /// # Errors
    /// The error that JavaScript throws when the text is no JSON, buffer or property expression.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, ErrorValue> {
        Ok(match kind {
            Kind::String | Kind::Other => Self::Constant(text.into()),
            Kind::Number => Self::Constant(Value::Number(parse_number(text))),
            Kind::Bool => Self::Constant(Value::Bool(text.eq_ignore_ascii_case("true"))),
            Kind::Json => Self::Constant(parse_json(text)?),
            Kind::Regexp => {
                // One that only we can't run is one all the same.
                if let Err(error) = Pattern::new(text, "")
                    && error.is_syntax()
                {
                    return Err(error.to_error());
                }
                let (source, flags) = (text.into(), "".into());
                Self::Constant(Value::Regexp(Regexp { source, flags }.into()))
            }
            Kind::Buffer => Self::Constant(bytes::Bytes::from(buffer(text)?).into()),
            Kind::Message => Self::Message(PropertyPath::parse_message(text)?),
            Kind::Flow => Self::Flow(text.into()),
            Kind::Global => Self::Global(text.into()),
            Kind::Env => Self::Env(text.into()),
            Kind::Jsonata => Self::Jsonata(text.into()),
            Kind::Date => Self::Date(text.into()),
        })
    }
}

/// The bytes that a `bin` input names: a JSON list of numbers, or a JSON string.
fn buffer(text: &str) -> Result<Vec<u8>, ErrorValue> {
    match parse_json(text)? {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Array(values) => Ok(values.iter().map(Value::to_byte).collect()),
        _ => {
            Err(ErrorValue::named("Error", "Not string or array").with_code("INVALID_BUFFER_DATA"))
        }
    }
}
