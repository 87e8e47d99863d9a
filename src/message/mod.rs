//! What travels along wires: [`Message`], and the values it is made of.
//!
//! Every level is shared and copied on write, so a clone costs a counter and a change costs only the path it touches.
//! Nothing here knows of flows, nodes or the network.

mod compare;
mod date;
mod debug;
mod depth;
mod inspect;
mod json_error;
mod key;
mod map;
mod number;
mod object;
mod path;
mod pattern;
mod read_json;
mod text;
mod typed;
mod typed_array;
mod value;
mod wire;

#[cfg(test)]
mod tests;

pub use compare::{compare, loosely_equal, same_content, strictly_equal};
pub use debug::debug_encode;
pub use inspect::inspect;
pub use json_error::JsonError;
pub use key::{Key, Keys};
pub use map::Properties;
pub use number::{parse_float, parse_number, round, trim};
pub use object::Object;
pub use path::{PathError, PathPart, PropertyPath};
pub use pattern::{Pattern, PatternError, Replacement};
pub use read_json::parse_json;
pub use text::{number_text, stringify, stringify_pretty, truncate};
pub use typed::{Kind, TypedInput};
pub use typed_array::TypedArray;
pub use value::{ErrorValue, Opaque, OpaqueValue, Regexp, Value};
pub use wire::{from_wire, to_wire};

/// Values nested deeper than this are refused where they come in, so that nothing later recurses without bound.
pub const MAX_DEPTH: usize = 500;

/// A message: an object with, by custom, `_msgid`, `topic` and `payload`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    fields: Object,
    /// The object that was handed on as a message and is no plain one: an Error, a Date.
    class: Option<std::sync::Arc<Value>>,
}

impl Message {
    /// A message with these fields.
    pub fn new(fields: Object) -> Self {
        Self {
            fields,
            class: None,
        }
    }

    /// A value that was sent as a message: any object but an array will do, as in Node-RED. None for other values.
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self::new(fields)),
            Value::Error(error) => Some(Self {
                fields: error.properties.clone(),
                class: Some(Value::Error(error).into()),
            }),
            Value::Null | Value::Array(_) => None,
            other if other.type_of() == "object" => Some(Self {
                fields: Object::new(),
                class: Some(other.into()),
            }),
            _ => None,
        }
    }

    /// A message with only a payload.
    pub fn with_payload(payload: impl Into<Value>) -> Self {
        let mut fields = Object::new();
        fields.insert("payload", payload.into());
        Self::new(fields)
    }

    /// The fields, for reading.
    pub fn fields(&self) -> &Object {
        &self.fields
    }

    /// Whether it is a plain object, and not an error or the like that was handed in as a message.
    pub fn is_plain(&self) -> bool {
        self.class.is_none()
    }

    /// The fields, for changing; copies them first if another message shares them.
    pub fn fields_mut(&mut self) -> &mut Object {
        &mut self.fields
    }

    /// The fields themselves.
    pub fn into_fields(self) -> Object {
        self.fields
    }

    /// The field `key`, or undefined.
    pub fn get(&self, key: &str) -> &Value {
        self.fields.get(key).unwrap_or(&Value::Undefined)
    }

    /// Sets the field `key`.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key, value.into());
    }

    /// Removes the field `key`.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key)
    }

    /// The payload, or undefined.
    pub fn payload(&self) -> &Value {
        self.get("payload")
    }

    /// Its `_msgid`, if it has one that is text.
    pub fn id(&self) -> Option<&str> {
        match self.get("_msgid") {
            Value::String(id) => Some(id),
            _ => None,
        }
    }

    /// The message as one value.
    pub fn to_value(&self) -> Value {
        match self.class.as_deref() {
            None => Value::Object(self.fields.clone()),
            Some(Value::Error(error)) => {
                let mut error = (**error).clone();
                error.properties = self.fields.clone();
                Value::Error(error.into())
            }
            Some(other) => other.clone(),
        }
    }

    /// Whether something in it lies deeper than [`MAX_DEPTH`] levels. A node that wraps a message into itself, in a loop of
    /// wires, makes such messages; working on them, and even dropping them, would need too much stack.
    pub fn is_too_deep(&self) -> bool {
        depth::exceeds(&self.fields, MAX_DEPTH)
    }

    /// A rough count of the bytes it holds in memory; stops counting at `limit`.
    pub fn estimated_size(&self, limit: usize) -> usize {
        let mut left = limit;
        text::count_object(&self.fields, &mut left, 0);
        limit - left
    }
}

impl From<Object> for Message {
    fn from(fields: Object) -> Self {
        Self::new(fields)
    }
}
