//! An object with JavaScript's key order, shared until somebody writes.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::Value;

/// The name of a property. Cloning it is a counter.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// Whether it is an array index in JavaScript's sense.
    pub fn is_index(text: &str) -> bool {
        Self::index(text).is_some()
    }

    /// The number, when this is an array index in JavaScript's sense ("0", "17", not "007").
    fn index(text: &str) -> Option<u32> {
        let bytes = text.as_bytes();
        match bytes.first()? {
            b'0' if bytes.len() == 1 => Some(0),
            b'1'..=b'9' if bytes.len() <= 10 && bytes.iter().all(u8::is_ascii_digit) => {
                text.parse().ok().filter(|&number| number != u32::MAX)
            }
            _ => None,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

type Map = IndexMap<Key, Value, FxBuildHasher>;

/// Properties in JavaScript's order: array indices ascending, then the rest as they were added.
#[derive(Clone, Default)]
pub struct Object(Arc<Map>);

impl Object {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty object with room for `capacity` properties.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Map::with_capacity_and_hasher(
            capacity,
            FxBuildHasher,
        )))
    }

    /// How many properties it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of `key`, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        if !self.0.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.0).get_mut(key)
    }

    /// Whether `key` is there, even as undefined.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets `key`; a new key goes to its place in JavaScript's order.
    pub fn insert(&mut self, key: impl Into<Key> + AsRef<str>, value: Value) -> Option<Value> {
        let map = Arc::make_mut(&mut self.0);
        if let Some(slot) = map.get_mut(key.as_ref()) {
            return Some(std::mem::replace(slot, value));
        }
        match Key::index(key.as_ref()) {
            None => map.insert(key.into(), value),
            Some(index) => {
                // Indices stand first and in order, so the place is found by halving.
                let place = map.partition_point(|other, _| {
                    Key::index(other).is_some_and(|other| other < index)
                });
                map.shift_insert(place, key.into(), value)
            }
        }
    }

    /// Removes `key`, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if !self.0.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.0).shift_remove(key)
    }

    /// Its properties in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> + DoubleEndedIterator {
        self.0.iter()
    }

    /// Its keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.0.keys()
    }

    /// Its values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.values()
    }

    /// Whether both are the very same object in memory.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Object {
    /// Equal properties, in any order.
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || *self.0 == *other.0
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Key> + AsRef<str>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut object = Self::with_capacity(entries.size_hint().0);
        for (key, value) in entries {
            object.insert(key, value);
        }
        object
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Key, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, Key, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
