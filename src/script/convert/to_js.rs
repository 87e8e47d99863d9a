//! From Rust to JavaScript. Not recursive, for the same reason as the other direction.

use rquickjs::{Array, Object as JsObject, Result, TypedArray, Value as JsValue, object::Property};

use super::super::realm::{Realm, Tool};
use super::opaque::{self, Crossing};
use crate::message::{ErrorValue, Message, Object, Properties, Value};

/// A value of the realm that equals `value`.
pub(in crate::script) fn to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    value: &Value,
) -> Result<JsValue<'js>> {
    let mut maker = Maker::new(realm, crossing);
    let first = maker.open(value)?;
    maker.finish(first)
}

/// As [`to_js`] for a property of `around`, which was made without it. Also tells whether the value refers to `around`.
pub(in crate::script) fn part_to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    value: &Value,
    around: JsObject<'js>,
) -> Result<(JsValue<'js>, bool)> {
    let mut maker = Maker::new(realm, crossing);
    maker.around = Some(around);
    let first = maker.open(value)?;
    let made = maker.finish(first)?;
    Ok((made, maker.refers_to_around))
}

/// As [`to_js`] for a value that is taken out of what is around it; none if it refers to that.
pub(super) fn lone_to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    value: &Value,
) -> Result<Option<JsValue<'js>>> {
    let mut maker = Maker::new(realm, crossing);
    let first = maker.open(value)?;
    let made = maker.finish(first)?;
    Ok((!maker.refers_to_around).then_some(made))
}

/// An object of the realm with these properties.
pub(in crate::script) fn object_to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    object: &Object,
) -> Result<JsObject<'js>> {
    let made = JsObject::new(realm.ctx.clone())?;
    let mut maker = Maker::new(realm, crossing);
    maker.push_properties(made.clone(), object);
    maker.finish(None)?;
    Ok(made)
}

/// A message as a script finds it.
pub(in crate::script) fn message_to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    msg: &Message,
) -> Result<JsObject<'js>> {
    if msg.is_plain() {
        return object_to_js(realm, crossing, msg.fields());
    }
    let made = to_js(realm, crossing, &msg.to_value())?;
    let Some(object) = made.into_object() else {
        return object_to_js(realm, crossing, msg.fields());
    };
    if let Some(id) = msg.id() {
        object.set("_msgid", id)?;
    }
    Ok(object)
}

struct Maker<'r, 'v, 'js> {
    realm: &'r Realm<'js>,
    crossing: &'r Crossing,
    /// The containers that are not finished, outermost first.
    open: Vec<Container<'v, 'js>>,
    /// What holds the outermost one.
    around: Option<JsObject<'js>>,
    refers_to_around: bool,
}

struct Container<'v, 'js> {
    made: JsObject<'js>,
    parts: Parts<'v, 'js>,
}

/// What of a container is still to be made.
enum Parts<'v, 'js> {
    Array {
        values: std::slice::Iter<'v, Value>,
        next: u32,
    },
    Properties {
        entries: Properties<'v>,
        key: &'v str,
    },
    Map {
        entries: std::slice::Iter<'v, (Value, Value)>,
        /// The value that follows once its key is made.
        value: Option<&'v Value>,
        key: Option<JsValue<'js>>,
    },
    Set {
        values: std::slice::Iter<'v, Value>,
    },
}

impl<'v, 'js> Container<'v, 'js> {
    /// The next part to be made.
    fn next(&mut self) -> Option<&'v Value> {
        match &mut self.parts {
            Parts::Array { values, .. } | Parts::Set { values } => values.next(),
            Parts::Properties { entries, key } => {
                let (name, value) = entries.next()?;
                *key = name.as_str();
                Some(value)
            }
            Parts::Map { entries, value, .. } => match value.take() {
                Some(value) => Some(value),
                None => {
                    let (key, own) = entries.next()?;
                    *value = Some(own);
                    Some(key)
                }
            },
        }
    }

    /// The part that [`Container::next`] named, made.
    fn accept(&mut self, realm: &Realm<'js>, part: JsValue<'js>) -> Result<()> {
        match &mut self.parts {
            Parts::Array { next, .. } => {
                *next += 1;
                self.made.set(*next - 1, part)
            }
            Parts::Properties { key, .. } => {
                let property = Property::from(part).writable().enumerable().configurable();
                self.made.prop(*key, property)
            }
            Parts::Map { key, .. } => match key.take() {
                None => {
                    *key = Some(part);
                    Ok(())
                }
                Some(key) => {
                    realm
                        .tool(Tool::Make)?
                        .call::<_, ()>(("Map.set", self.made.clone(), key, part))
                }
            },
            Parts::Set { .. } => {
                realm
                    .tool(Tool::Make)?
                    .call::<_, ()>(("Set.add", self.made.clone(), part))
            }
        }
    }
}

impl<'r, 'v, 'js> Maker<'r, 'v, 'js> {
    fn new(realm: &'r Realm<'js>, crossing: &'r Crossing) -> Self {
        Self {
            realm,
            crossing,
            open: Vec::new(),
            around: None,
            refers_to_around: false,
        }
    }

    /// The container that stands this many levels above what is made now.
    fn above(&mut self, levels: usize) -> Option<JsValue<'js>> {
        if levels >= self.open.len() {
            self.refers_to_around = true;
            let around = self.around.clone().map(JsObject::into_value);
            return around.filter(|_| levels == self.open.len());
        }
        let container = self.open.iter().rev().nth(levels)?;
        Some(container.made.as_value().clone())
    }

    /// Makes what is left of the open containers. `done` is a value that the innermost one waits for.
    fn finish(&mut self, mut done: Option<JsValue<'js>>) -> Result<JsValue<'js>> {
        loop {
            let Some(container) = self.open.last_mut() else {
                return Ok(done.unwrap_or_else(|| JsValue::new_undefined(self.realm.ctx.clone())));
            };
            if let Some(done) = done.take() {
                container.accept(self.realm, done)?;
            }
            done = match container.next() {
                Some(part) => self.open(part)?,
                None => self.open.pop().map(|container| container.made.into_value()),
            };
        }
    }

    /// The value, if it is one that has no parts. Otherwise it is an open container now.
    fn open(&mut self, value: &'v Value) -> Result<Option<JsValue<'js>>> {
        let ctx = self.realm.ctx.clone();
        Ok(Some(match value {
            Value::Undefined => JsValue::new_undefined(ctx),
            Value::Null => JsValue::new_null(ctx),
            Value::Bool(bool) => JsValue::new_bool(ctx, *bool),
            // An integer in QuickJS has no negative zero.
            Value::Number(number) if *number == 0.0 && number.is_sign_negative() => {
                JsValue::new_float(ctx, *number)
            }
            Value::Number(number) => JsValue::new_number(ctx, *number),
            Value::String(text) => {
                let made = rquickjs::String::from_str(ctx, text)?.into_value();
                self.realm.remember(&made, text);
                made
            }
            Value::Array(values) => {
                let parts = Parts::Array {
                    values: values.iter(),
                    next: 0,
                };
                let made = Array::new(ctx)?.into_object();
                self.open.push(Container { made, parts });
                return Ok(None);
            }
            Value::Object(object) => {
                self.push_properties(JsObject::new(ctx)?, object);
                return Ok(None);
            }
            Value::Ancestor(levels) => self
                .above(*levels as usize)
                .unwrap_or_else(|| JsValue::new_undefined(ctx)),
            special => return self.special(special),
        }))
    }

    fn push_properties(&mut self, made: JsObject<'js>, object: &'v Object) {
        let parts = Parts::Properties {
            entries: object.into_iter(),
            key: "",
        };
        self.open.push(Container { made, parts });
    }

    fn special(&mut self, value: &'v Value) -> Result<Option<JsValue<'js>>> {
        let ctx = self.realm.ctx.clone();
        let make = self.realm.tool(Tool::Make)?;
        match value {
            Value::Bytes(bytes) => {
                make.call(("Buffer", TypedArray::<u8>::new_copy(ctx, &**bytes)?))
            }
            Value::TypedArray(array) => make.call((
                "typed",
                &*array.kind,
                TypedArray::<u8>::new_copy(ctx, &array.bytes)?,
            )),
            Value::Date(time) => make.call(("Date", *time)),
            Value::BigInt(digits) => make.call(("BigInt", &**digits)),
            Value::Regexp(regexp) => make.call(("RegExp", &*regexp.source, &*regexp.flags)),
            Value::Opaque(opaque) => opaque::to_js(self.realm, self.crossing, opaque),
            Value::Error(error) => {
                let made = self.error(error)?;
                self.push_properties(made, &error.properties);
                return Ok(None);
            }
            Value::Map(entries) => {
                let parts = Parts::Map {
                    entries: entries.iter(),
                    value: None,
                    key: None,
                };
                let made = make.call(("Map",))?;
                self.open.push(Container { made, parts });
                return Ok(None);
            }
            Value::Set(values) => {
                let parts = Parts::Set {
                    values: values.iter(),
                };
                let made = make.call(("Set",))?;
                self.open.push(Container { made, parts });
                return Ok(None);
            }
            _ => Ok(JsValue::new_undefined(ctx)),
        }
        .map(Some)
    }

    fn error(&self, error: &ErrorValue) -> Result<JsObject<'js>> {
        self.realm.tool(Tool::Make)?.call((
            "Error",
            &*error.name,
            &*error.message,
            error.stack.as_deref(),
        ))
    }
}
