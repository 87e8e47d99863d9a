//! The names of properties.

use std::{borrow::Borrow, collections::HashSet, fmt, ops::Deref, sync::Arc};

use rustc_hash::FxBuildHasher;

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
    pub(super) fn index(text: &str) -> Option<u32> {
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
impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
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

/// A text with more distinct keys uses its keys for data; those behind these are not looked up.
const MOST_SHARED: usize = 4096;

/// The keys of one text that is read: each distinct one is in memory once, however many objects have it.
#[derive(Default)]
pub struct Keys(HashSet<Key, FxBuildHasher>);

impl Keys {
    /// The key of this name.
    pub fn get(&mut self, name: &str) -> Key {
        if let Some(key) = self.0.get(name) {
            return key.clone();
        }
        let key = Key::from(name);
        if self.0.len() < MOST_SHARED {
            self.0.insert(key.clone());
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse_json;

    #[test]
    fn the_objects_of_a_text_share_their_keys() {
        let value = parse_json(r#"[{"a": {"b": 1}}, {"b": 2, "a": 3}, {"\u0061": 4}]"#).unwrap();
        let objects = value
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_object().unwrap());
        let names: Vec<Arc<str>> = objects
            .flat_map(|object| object.keys().filter(|key| key.as_str() == "a"))
            .map(Key::shared)
            .collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| Arc::ptr_eq(name, &names[0])));
    }

    #[test]
    fn keys_that_are_data_are_not_kept() {
        let mut keys = Keys::default();
        for at in 0..MOST_SHARED * 2 {
            assert_eq!(keys.get(&at.to_string()).as_str(), at.to_string());
        }
        assert_eq!(keys.0.len(), MOST_SHARED);
    }
}
