//! A message of which only those parts become JavaScript values that the code reaches, and the way back: what the code did
//! to them is done to the message, and the rest of it stays as it is.

use rquickjs::{Atom, Filter, Object as JsObject, Result, Value as JsValue};

use super::{
    super::{
        reach::{Part, Reach},
        realm::Realm,
    },
    Crossing, from_js,
    to_js::lone_to_js,
};
use crate::message::{Key, Object, Value};

/// An object that holds only some properties of the one that it was made from.
pub(in crate::script) struct PartialObject<'r, 'js> {
    pub(in crate::script) object: JsObject<'js>,
    reach: &'r Reach,
    /// Properties whose objects were made in part, too.
    inner: Vec<(&'r Key, PartialObject<'r, 'js>)>,
}

/// What has to be done to the original.
#[derive(Default)]
struct Changes<'r> {
    /// Properties to set, or to remove.
    own: Vec<(&'r Key, Option<Value>)>,
    inner: Vec<(&'r Key, Changes<'r>)>,
}

impl<'r, 'js> PartialObject<'r, 'js> {
    /// The parts of `from` that are in reach. None when one of them refers to what is around it, so that all has to be made.
    ///
    /// # Errors
    /// A pending exception, when the memory of the runtime is full.
    pub(in crate::script) fn of(
        realm: &Realm<'js>,
        crossing: &Crossing,
        from: &Object,
        reach: &'r Reach,
    ) -> Result<Option<Self>> {
        let mut made = Self {
            object: JsObject::new(realm.ctx.clone())?,
            reach,
            inner: Vec::new(),
        };
        for (key, part) in &reach.parts {
            let value = match (part, from.get(key)) {
                (_, None) => continue,
                (Part::Object(reach), Some(Value::Object(from))) => {
                    let Some(inner) = Self::of(realm, crossing, from, reach)? else {
                        return Ok(None);
                    };
                    let value = inner.object.as_value().clone();
                    made.inner.push((key, inner));
                    value
                }
                (_, Some(value)) => match lone_to_js(realm, crossing, value)? {
                    Some(value) => value,
                    None => return Ok(None),
                },
            };
            // No name in reach is one that the prototype answers to, so that this sets a property of its own.
            made.object.set(key.as_str(), value)?;
        }
        Ok(Some(made))
    }

    /// Whether a value of the code is this object.
    pub(in crate::script) fn is(&self, value: &JsValue<'js>) -> bool {
        self.object.as_value() == value
    }

    /// The original with what the code has done to this object.
    ///
    /// # Errors
    /// A pending exception, as for [`from_js`].
    pub(in crate::script) fn back(
        &self,
        realm: &Realm<'js>,
        crossing: &Crossing,
        mut original: Object,
    ) -> Result<Object> {
        self.changes(realm, crossing, &original)?
            .apply(&mut original);
        Ok(original)
    }

    fn changes(
        &self,
        realm: &Realm<'js>,
        crossing: &Crossing,
        original: &Object,
    ) -> Result<Changes<'r>> {
        let mut changes = Changes::default();
        let mut new = Vec::new();
        let mut inner = self.inner.iter().peekable();
        for key in self.reach.parts.keys() {
            let before = original.get(key);
            // Code that reaches only parts of an object can't put something else in its place.
            if let Some((_, inner)) = inner.next_if(|(name, _)| *name == key) {
                if let Some(Value::Object(before)) = before {
                    let inner = inner.changes(realm, crossing, before)?;
                    if !inner.is_empty() {
                        changes.inner.push((key, inner));
                    }
                }
                continue;
            }
            let now: JsValue = self.object.get(key.as_str())?;
            if now.is_undefined() && !self.object.contains_key(key.as_str())? {
                if before.is_some() {
                    changes.own.push((key, None));
                }
                continue;
            }
            let now = from_js(realm, crossing, &now)?;
            match before {
                None => new.push((key, Some(now))),
                Some(before) if is_surely_the_same(before, &now) => {}
                Some(_) => changes.own.push((key, Some(now))),
            }
        }
        if new.len() > 1 {
            // In the order in which the code has set them.
            let keys = self.object.own_keys::<Atom>(Filter::default());
            let names = keys.map(|atom| crossing.names.key(realm, &atom?));
            let names = names.collect::<Result<Vec<Key>>>()?;
            new.sort_by_key(|(key, _)| names.iter().position(|name| name == *key));
        }
        changes.own.append(&mut new);
        Ok(changes)
    }
}

impl Changes<'_> {
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.inner.is_empty()
    }

    fn apply(self, to: &mut Object) {
        for (key, inner) in self.inner {
            if let Some(Value::Object(object)) = to.get_mut(key) {
                inner.apply(object);
            }
        }
        for (key, value) in self.own {
            match value {
                Some(value) => drop(to.insert(key.clone(), value)),
                None => drop(to.remove(key)),
            }
        }
    }
}

/// Told without looking into containers.
fn is_surely_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one.to_bits() == other.to_bits(),
        (Value::String(one), Value::String(other)) => std::sync::Arc::ptr_eq(one, other),
        _ => false,
    }
}
