//! Values as bytes: the typed JSON of `/tap`, so that a Buffer comes back as a Buffer and a Date as a Date.

use crate::message::{ErrorValue, MAX_DEPTH, Object, Value, from_wire, to_wire};

/// A value in bytes.
#[derive(Default)]
pub(super) struct Encoded {
    /// None when nothing of it can be kept.
    pub(super) bytes: Option<Vec<u8>>,
    /// What is wrong with it, if anything is not kept: "holds …".
    pub(super) lost: Option<&'static str>,
}

/// Encodes a value; what has no bytes, such as a function, is left out as JSON leaves it out.
pub(super) fn encode(value: &Value) -> Encoded {
    let lost = match look(value, 0) {
        Ok(()) => return bytes(value, None),
        Err(TooDeep) => {
            return Encoded {
                bytes: None,
                lost: Some("is nested too deep to be kept on the disk"),
            };
        }
        Err(Opaque) => "holds a function or something else that can't be kept on the disk",
    };
    match without_opaque(value) {
        Value::Undefined => Encoded {
            bytes: None,
            lost: Some(lost),
        },
        value => bytes(&value, Some(lost)),
    }
}

fn bytes(value: &Value, lost: Option<&'static str>) -> Encoded {
    Encoded {
        bytes: serde_json::to_vec(&to_wire(value)).ok(),
        lost,
    }
}

/// Decodes what [`encode`] encodes; none when it is something else.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The depth was looked at when it was written, and `from_wire` looks again.
    reader.disable_recursion_limit();
    let json = serde::Deserialize::deserialize(&mut reader).ok()?;
    from_wire(&json).ok()
}

#[derive(Clone, Copy)]
enum Trouble {
    TooDeep,
    Opaque,
}
use Trouble::{Opaque, TooDeep};

/// Whether anything in a value has no bytes.
fn look(value: &Value, depth: usize) -> Result<(), Trouble> {
    if depth > MAX_DEPTH {
        return Err(TooDeep);
    }
    let mut trouble = None;
    let mut below = |value: &Value| match look(value, depth + 1) {
        Err(TooDeep) => Err(TooDeep),
        // Only the whole walk tells whether it is too deep as well.
        Err(Opaque) => {
            trouble = Some(Opaque);
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    match value {
        Value::Array(values) | Value::Set(values) => values.iter().try_for_each(below)?,
        Value::Object(object) => object.values().try_for_each(below)?,
        Value::Error(error) => error.properties.values().try_for_each(below)?,
        Value::Map(entries) => entries
            .iter()
            .try_for_each(|(key, value)| below(key).and_then(|()| below(value)))?,
        Value::Opaque(_) => return Err(Opaque),
        _ => {}
    }
    trouble.map_or(Ok(()), Err)
}

/// A copy without what has no bytes: a property of an object goes, an element of a list becomes null.
fn without_opaque(value: &Value) -> Value {
    let list = |values: &[Value]| -> Vec<Value> {
        let kept = values.iter().map(without_opaque);
        kept.zip(values)
            .map(|(kept, value)| match value {
                Value::Opaque(_) => Value::Null,
                _ => kept,
            })
            .collect()
    };
    match value {
        Value::Opaque(_) => Value::Undefined,
        Value::Array(values) => list(values).into(),
        Value::Set(values) => Value::Set(list(values).into()),
        Value::Map(entries) => {
            let kept = entries.iter().filter(|(key, value)| {
                !matches!(key, Value::Opaque(_)) && !matches!(value, Value::Opaque(_))
            });
            let kept = kept.map(|(key, value)| (without_opaque(key), without_opaque(value)));
            Value::Map(kept.collect::<Vec<_>>().into())
        }
        Value::Object(object) => without(object).into(),
        Value::Error(error) => ErrorValue {
            properties: without(&error.properties),
            ..(**error).clone()
        }
        .into(),
        other => other.clone(),
    }
}

fn without(object: &Object) -> Object {
    let kept = object
        .iter()
        .filter(|(_, value)| !matches!(value, Value::Opaque(_)));
    kept.map(|(key, value)| (key.clone(), without_opaque(value)))
        .collect()
}
