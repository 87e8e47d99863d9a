//! An object with JavaScript's key order, shared until somebody writes.

use std::{fmt, sync::Arc};

use super::{
    Key, Value,
    map::{Map, Properties},
};

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
        Self(Arc::new(Map::with_capacity(capacity)))
    }

    /// How many properties it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of `key`, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get(key)?;
        Arc::make_mut(&mut self.0).get_mut(key)
    }

    /// Whether `key` is there, even as undefined.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.get(key).is_some()
    }

    /// Sets `key`; a new key goes to its place in JavaScript's order.
    pub fn insert(&mut self, key: impl Into<Key> + AsRef<str>, value: Value) -> Option<Value> {
        let map = Arc::make_mut(&mut self.0);
        if let Some(slot) = map.get_mut(key.as_ref()) {
            return Some(std::mem::replace(slot, value));
        }
        map.add(key.into(), value);
        None
    }

    /// Removes `key`, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.get(key)?;
        Arc::make_mut(&mut self.0).remove(key)
    }

    /// Its properties in order.
    pub fn iter(&self) -> Properties<'_> {
        self.0.iter()
    }

    /// Its keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Its values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Gives memory back that no property uses; for an object that was just made and is to stay as it is.
    pub fn shrink_to_fit(&mut self) {
        if let Some(map) = Arc::get_mut(&mut self.0) {
            map.shrink_to_fit();
        }
    }

    /// Whether both are the very same object in memory.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
    type IntoIter = Properties<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
