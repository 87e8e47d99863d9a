//! The input of an expression: most expressions look at little of a message, so what is large in it is made on demand.

use rquickjs::{Array, Object as JsObject, Result, Value as JsValue, object::Property};

use super::runtime::{Session, Tool};
use crate::{
    message::{Object, Value},
    script::convert::{part_to_js, to_js},
};

/// A value with more parts than this is made on demand: about what the preparation costs.
const MAX_PARTS: usize = 16;
/// The same for the bytes of a text or buffer.
const MAX_BYTES: usize = 1024;

/// An input as an expression gets it.
pub(super) struct Input<'js> {
    pub(super) value: JsValue<'js>,
    deferred: bool,
}

impl<'js> Session<'_, 'js> {
    pub(super) fn input(&self, value: &Value) -> Result<Input<'js>> {
        let (realm, crossing) = (&self.inside.realm, self.inside.crossing);
        let object = match value {
            Value::Object(object) if object.values().any(is_large) => object,
            value => {
                return Ok(Input {
                    value: to_js(realm, crossing, value)?,
                    deferred: false,
                });
            }
        };
        let made = JsObject::new(realm.ctx.clone())?;
        let number = self.begin(object)?;
        let defer = self.function(Tool::Defer)?;
        for (key, value) in object {
            if is_large(value) {
                defer.call::<_, ()>((made.clone(), key.as_str(), number))?;
            } else {
                let (part, _) = part_to_js(realm, crossing, value, made.clone())?;
                let property = Property::from(part).writable().enumerable().configurable();
                made.prop(key.as_str(), property)?;
            }
        }
        Ok(Input {
            value: made.into_value(),
            deferred: true,
        })
    }

    /// What of the input was made meanwhile and can be taken for the value that it was made from.
    pub(super) fn known(&self, input: &Input<'js>) -> Result<Vec<(JsValue<'js>, Value)>> {
        if !input.deferred {
            return Ok(Vec::new());
        }
        let made: Array = self.function(Tool::TakeMade)?.call(())?;
        let current = self.current.lock();
        let mut known = vec![(input.value.clone(), current.input.clone().into())];
        for at in 0..made.len() / 2 {
            let key: String = made.get(2 * at)?;
            let made: JsValue = made.get(2 * at + 1)?;
            match current.input.get(&key) {
                Some(Value::String(text)) => self.inside.realm.remember(&made, text),
                Some(value) if !current.referring.contains(&key) => {
                    known.push((made, value.clone()));
                }
                _ => {}
            }
        }
        Ok(known)
    }

    /// Lets the parts of this object be asked for.
    fn begin(&self, object: &Object) -> Result<u32> {
        self.function(Tool::TakeMade)?.call::<_, ()>(())?;
        let mut current = self.current.lock();
        current.number = current.number.wrapping_add(1);
        current.input = object.clone();
        current.referring.clear();
        Ok(current.number)
    }
}

fn is_large(value: &Value) -> bool {
    let mut left = MAX_PARTS;
    !count(value, &mut left)
}

/// Counts down the parts of a value; false when there are too many. Not deeper than there are parts.
fn count(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(values) => values.iter().all(|value| count(value, left)),
        Value::Set(values) => values.iter().all(|value| count(value, left)),
        Value::Object(object) => object.values().all(|value| count(value, left)),
        Value::Map(entries) => entries
            .iter()
            .all(|(key, value)| count(key, left) && count(value, left)),
        Value::String(text) => text.len() <= MAX_BYTES,
        Value::Bytes(bytes) => bytes.len() <= MAX_BYTES,
        Value::TypedArray(array) => array.bytes.len() <= MAX_BYTES,
        _ => true,
    }
}
