//! From JavaScript to Rust. Not recursive, since the stack of a worker thread is small and scripts nest as they like.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rquickjs::{
    Array, Atom, Coerced, Exception, Filter, Object as JsObject, Result, Type, Value as JsValue,
    atom::PredefinedAtom, object::ObjectKeysIter,
};

use super::super::realm::{Realm, Tool};
use super::opaque::{self, Crossing};
use crate::message::{ErrorValue, Key, MAX_DEPTH, Message, Object, Regexp, TypedArray, Value};

/// Values that one conversion may make: beyond that a structure shares so much with itself that its copy would fill
/// the memory.
const MAX_VALUES: usize = 4_000_000;

/// What `value` is, copied out of the realm.
///
/// # Errors
/// A pending exception: what a getter threw, or that the value is nested too deep or too large.
pub(in crate::script) fn from_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    value: &JsValue<'js>,
) -> Result<Value> {
    let mut taker = Taker::new(realm, crossing);
    let first = taker.open(value)?;
    taker.finish(first)
}

/// As [`from_js`], with objects that went in before and have not been changed: they are not copied again.
pub(in crate::script) fn from_js_knowing<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    value: &JsValue<'js>,
    known: &[(JsValue<'js>, Value)],
) -> Result<Value> {
    let mut taker = Taker::new(realm, crossing);
    taker.known = known;
    let first = taker.open(value)?;
    taker.finish(first)
}

/// The own enumerable properties of `object`, whatever its class.
///
/// # Errors
/// As for [`from_js`].
pub(in crate::script) fn object_from_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    object: &JsObject<'js>,
) -> Result<Object> {
    let mut taker = Taker::new(realm, crossing);
    taker.push(object.as_value(), Parts::of_object(object.clone(), None));
    match taker.finish(None)? {
        Value::Object(properties) => Ok(properties),
        _ => Ok(Object::new()),
    }
}

/// An object as a message. A Date, a Map or an Error stays what it is.
///
/// # Errors
/// As for [`from_js`].
pub(in crate::script) fn message_from_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    object: &JsObject<'js>,
) -> Result<Message> {
    match Message::from_value(from_js(realm, crossing, object.as_value())?) {
        Some(msg) => Ok(msg),
        // What a wrapper such as `new String()` holds is no message, but its own properties are.
        None => object_from_js(realm, crossing, object).map(Message::new),
    }
}

struct Taker<'r, 'js> {
    realm: &'r Realm<'js>,
    crossing: &'r Crossing,
    /// The containers that are not finished, outermost first.
    open: Vec<Container<'js>>,
    left: usize,
    known: &'r [(JsValue<'js>, Value)],
}

struct Container<'js> {
    source: JsValue<'js>,
    parts: Parts<'js>,
}

/// What of a container has been taken, and where the rest is.
enum Parts<'js> {
    Array {
        from: JsObject<'js>,
        length: u32,
        next: u32,
        values: Vec<Value>,
    },
    Properties {
        from: JsObject<'js>,
        keys: ObjectKeysIter<'js, Atom<'js>>,
        key: Option<Key>,
        properties: Object,
        /// These are the extra properties of an error.
        error: Option<Box<ErrorValue>>,
    },
    /// Keys and values in turn.
    Map {
        from: Array<'js>,
        next: usize,
        values: Vec<Value>,
    },
    Set {
        from: Array<'js>,
        next: usize,
        values: Vec<Value>,
    },
}

impl<'js> Parts<'js> {
    fn of_object(from: JsObject<'js>, error: Option<Box<ErrorValue>>) -> Self {
        let keys = from.own_keys::<Atom>(Filter::default());
        Self::Properties {
            properties: Object::with_capacity(keys.len()),
            from,
            keys,
            key: None,
            error,
        }
    }

    /// The next part to be taken.
    fn next(&mut self, realm: &Realm<'js>, crossing: &Crossing) -> Result<Option<JsValue<'js>>> {
        match self {
            Self::Array {
                from, length, next, ..
            } => {
                if next == length {
                    return Ok(None);
                }
                *next += 1;
                from.get(*next - 1).map(Some)
            }
            Self::Properties {
                from, keys, key, ..
            } => match keys.next() {
                None => Ok(None),
                Some(atom) => {
                    let atom = atom?;
                    *key = Some(crossing.names.key(realm, &atom)?);
                    from.get(atom).map(Some)
                }
            },
            Self::Map { from, next, .. } | Self::Set { from, next, .. } => {
                if *next == from.len() {
                    return Ok(None);
                }
                *next += 1;
                from.get(*next - 1).map(Some)
            }
        }
    }

    /// The part that [`Parts::next`] gave, taken.
    fn accept(&mut self, value: Value) {
        match self {
            Self::Array { values, .. } | Self::Map { values, .. } | Self::Set { values, .. } => {
                values.push(value);
            }
            Self::Properties {
                key, properties, ..
            } => {
                if let Some(key) = key.take() {
                    properties.insert(key, value);
                }
            }
        }
    }

    fn finish(self) -> Value {
        match self {
            Self::Array { values, .. } => values.into(),
            Self::Set { values, .. } => Value::Set(Arc::new(values)),
            Self::Map { values, .. } => {
                let mut values = values.into_iter();
                let pairs = std::iter::from_fn(|| Some((values.next()?, values.next()?)));
                Value::Map(Arc::new(pairs.collect()))
            }
            Self::Properties {
                properties, error, ..
            } => match error {
                None => Value::Object(properties),
                Some(mut error) => {
                    error.properties = properties;
                    Value::Error(Arc::from(error))
                }
            },
        }
    }
}

impl<'r, 'js> Taker<'r, 'js> {
    fn new(realm: &'r Realm<'js>, crossing: &'r Crossing) -> Self {
        Self {
            realm,
            crossing,
            open: Vec::new(),
            left: MAX_VALUES,
            known: &[],
        }
    }

    /// Takes what is left of the open containers. `done` is a value that the innermost one waits for.
    fn finish(&mut self, mut done: Option<Value>) -> Result<Value> {
        loop {
            let Some(container) = self.open.last_mut() else {
                return Ok(done.unwrap_or_default());
            };
            if let Some(done) = done.take() {
                container.parts.accept(done);
            }
            done = match container.parts.next(self.realm, self.crossing)? {
                Some(part) => self.open(&part)?,
                None => self.open.pop().map(|container| container.parts.finish()),
            };
        }
    }

    /// The value, if it is one that has no parts. Otherwise it is an open container now.
    fn open(&mut self, value: &JsValue<'js>) -> Result<Option<Value>> {
        self.spend(1)?;
        Ok(Some(match value.type_of() {
            Type::Undefined | Type::Uninitialized => Value::Undefined,
            Type::Null => Value::Null,
            Type::Bool => Value::Bool(value.as_bool().unwrap_or_default()),
            Type::Int | Type::Float => Value::Number(value.as_number().unwrap_or(f64::NAN)),
            Type::String => match value.as_string() {
                Some(text) => Value::String(self.realm.shared_text(text)?),
                None => Value::Undefined,
            },
            Type::BigInt => Value::BigInt(value.get::<Coerced<String>>()?.0.into()),
            Type::Symbol | Type::Module | Type::Unknown => Value::Undefined,
            _ => match value.as_object() {
                Some(object) => return self.container(object),
                None => Value::Undefined,
            },
        }))
    }

    fn spend(&mut self, values: usize) -> Result<()> {
        match self.left.checked_sub(values) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Exception::throw_range(
                &self.realm.ctx,
                "The value is too large to be copied out of a function",
            )),
        }
    }

    fn push(&mut self, source: &JsValue<'js>, parts: Parts<'js>) {
        self.open.push(Container {
            source: source.clone(),
            parts,
        });
    }

    fn container(&mut self, object: &JsObject<'js>) -> Result<Option<Value>> {
        let value = object.as_value();
        if let Some((_, known)) = self.known.iter().find(|(made, _)| made == value) {
            return Ok(Some(known.clone()));
        }
        let levels = self
            .open
            .iter()
            .rev()
            .position(|above| above.source == *value);
        if let Some(levels) = levels {
            return Ok(Some(Value::Ancestor(levels as u32)));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Exception::throw_range(
                &self.realm.ctx,
                &format!("The value is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        let parts = if value.is_array() {
            let length = object.get::<_, f64>(PredefinedAtom::Length)? as u32;
            // Counted before they are made: a sparse array claims any length.
            self.spend(length as usize)?;
            self.left += length as usize;
            Parts::Array {
                from: object.clone(),
                length,
                next: 0,
                values: Vec::with_capacity((length as usize).min(1024)),
            }
        } else {
            let plain = match object.get_prototype() {
                Some(prototype) => *prototype.as_value() == self.realm.object_prototype,
                None => !value.is_function(),
            };
            if !plain {
                return self.special(object);
            }
            Parts::of_object(object.clone(), None)
        };
        self.push(value, parts);
        Ok(None)
    }

    fn special(&mut self, object: &JsObject<'js>) -> Result<Option<Value>> {
        let parts: Array = self.realm.tool(Tool::Classify)?.call((object.clone(),))?;
        let tag: String = parts.get(0)?;
        let container = match tag.as_str() {
            "Buffer" => return Ok(Some(bytes::Bytes::from(bytes(&parts, 1)?).into())),
            "typed" => {
                return Ok(Some(Value::TypedArray(Arc::new(TypedArray {
                    kind: parts.get::<String>(1)?.into(),
                    bytes: bytes(&parts, 2)?.into(),
                }))));
            }
            "Date" => return Ok(Some(Value::Date(parts.get(1)?))),
            "RegExp" => {
                return Ok(Some(Value::Regexp(Arc::new(Regexp {
                    source: self.text(&parts, 1)?.into(),
                    flags: self.text(&parts, 2)?.into(),
                }))));
            }
            "boxed" => return self.open(&parts.get(1)?),
            "function" => {
                let name = self.text(&parts, 2)?;
                return Ok(Some(Value::Opaque(
                    self.crossing.taken(parts.get(1)?, &name),
                )));
            }
            "opaque" => {
                let held = opaque::from_js(self.crossing, &parts.get(1)?)?;
                return Ok(Some(held.map_or(Value::Undefined, Value::Opaque)));
            }
            "Error" => Parts::of_object(parts.get(4)?, Some(Box::new(self.error(&parts)?))),
            "Map" => Parts::Map {
                from: parts,
                next: 1,
                values: Vec::new(),
            },
            "Set" => Parts::Set {
                from: parts,
                next: 1,
                values: Vec::new(),
            },
            _ => Parts::of_object(object.clone(), None),
        };
        self.push(object.as_value(), container);
        Ok(None)
    }

    /// An error but for its extra properties.
    fn error(&self, parts: &Array<'js>) -> Result<ErrorValue> {
        let stack: JsValue = parts.get(3)?;
        let stack = match stack.as_string() {
            Some(stack) => Some(self.realm.text(stack)?.into()),
            None => None,
        };
        Ok(ErrorValue {
            name: self.text(parts, 1)?.into(),
            message: self.text(parts, 2)?.into(),
            stack,
            properties: Object::new(),
        })
    }

    fn text(&self, parts: &Array<'js>, index: usize) -> Result<String> {
        self.realm.text(&parts.get(index)?)
    }
}

/// Bytes come as base64: reading a typed array's memory is unsafe, and its engine encodes at memory speed.
fn bytes(parts: &Array, index: usize) -> Result<Vec<u8>> {
    Ok(BASE64
        .decode(parts.get::<String>(index)?)
        .unwrap_or_default())
}
