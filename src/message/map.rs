//! Properties in their order. Most objects have a few, and a list takes a third of the memory of a table and is searched
//! faster; more than that go into a table.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::{Key, Value};

/// Properties that a list takes.
pub(super) const FEW: usize = 12;

type Table = IndexMap<Key, Value, FxBuildHasher>;

/// Properties in their order.
#[derive(Clone)]
pub(super) enum Map {
    Few(Vec<(Key, Value)>),
    /// More than [`FEW`], at least once.
    Many(Box<Table>),
}

impl Default for Map {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Map {
    /// Room for so many properties.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        if capacity <= FEW {
            Self::Few(Vec::with_capacity(capacity))
        } else {
            Self::Many(Table::with_capacity_and_hasher(capacity, FxBuildHasher).into())
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(table) => table.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Few(list) => list
                .iter()
                .find(|(other, _)| other.as_str() == key)
                .map(|(_, value)| value),
            Self::Many(table) => table.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match self {
            Self::Few(list) => list
                .iter_mut()
                .find(|(other, _)| other.as_str() == key)
                .map(|(_, value)| value),
            Self::Many(table) => table.get_mut(key),
        }
    }

    /// Adds a key that is not there: behind all others, or in its place among the array indices, which stand first and
    /// in order.
    pub(super) fn add(&mut self, key: Key, value: Value) {
        let before =
            |index: u32| move |other: &Key| Key::index(other).is_some_and(|other| other < index);
        match (self.with_room(), Key::index(&key)) {
            (Self::Few(list), None) => list.push((key, value)),
            (Self::Many(table), None) => {
                table.insert(key, value);
            }
            (Self::Few(list), Some(index)) => {
                let place = list.partition_point(|(other, _)| before(index)(other));
                list.insert(place, (key, value));
            }
            (Self::Many(table), Some(index)) => {
                let place = table.partition_point(|other, _| before(index)(other));
                table.shift_insert(place, key, value);
            }
        }
    }

    /// Removes a key, keeping the order of the others.
    pub(super) fn remove(&mut self, key: &str) -> Option<Value> {
        match self {
            Self::Few(list) => {
                let place = list.iter().position(|(other, _)| other.as_str() == key)?;
                Some(list.remove(place).1)
            }
            Self::Many(table) => table.shift_remove(key),
        }
    }

    /// Gives memory back that no property uses.
    pub(super) fn shrink_to_fit(&mut self) {
        match self {
            Self::Few(list) => list.shrink_to_fit(),
            Self::Many(table) => table.shrink_to_fit(),
        }
    }

    pub(super) fn iter(&self) -> Properties<'_> {
        Properties(match self {
            Self::Few(list) => Entries::Few(list.iter()),
            Self::Many(table) => Entries::Many(table.iter()),
        })
    }

    /// Itself, as a table when one more is too much for a list.
    fn with_room(&mut self) -> &mut Self {
        if let Self::Few(list) = self
            && list.len() >= FEW
        {
            let mut table = Table::with_capacity_and_hasher(FEW * 2, FxBuildHasher);
            table.extend(list.drain(..));
            *self = Self::Many(table.into());
        }
        self
    }
}

impl PartialEq for Map {
    /// Equal properties, in any order.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|other| value == other))
    }
}

/// The properties of an object, one after the other.
pub struct Properties<'a>(Entries<'a>);

enum Entries<'a> {
    Few(std::slice::Iter<'a, (Key, Value)>),
    Many(indexmap::map::Iter<'a, Key, Value>),
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a Key, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Few(list) => list.next().map(|(key, value)| (key, value)),
            Entries::Many(table) => table.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Entries::Few(list) => list.size_hint(),
            Entries::Many(table) => table.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Properties<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Few(list) => list.next_back().map(|(key, value)| (key, value)),
            Entries::Many(table) => table.next_back(),
        }
    }
}

impl ExactSizeIterator for Properties<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Object;

    fn keys(object: &Object) -> Vec<&str> {
        object.keys().map(Key::as_str).collect()
    }

    /// With few properties and with many, and on the way from one to the other.
    #[test]
    fn order_is_javascripts_however_many_there_are() {
        for count in [3, FEW - 2, FEW - 1, FEW, FEW + 1, 40] {
            let names: Vec<String> = (0..count).map(|at| format!("n{at}")).collect();
            let mut object = Object::new();
            for (at, name) in names.iter().enumerate() {
                object.insert(name.as_str(), at.into());
            }
            object.insert("10", true.into());
            object.insert("007", true.into());
            object.insert("9", true.into());
            let mut expected = vec!["9", "10"];
            expected.extend(names.iter().map(String::as_str));
            expected.push("007");
            assert_eq!(keys(&object), expected);

            // A key that is there keeps its place.
            assert_eq!(object.insert("n1", "new".into()), Some(1.into()));
            assert_eq!(keys(&object), expected);
            assert_eq!(object.get("n1"), Some(&"new".into()));

            let whole = object.clone();
            assert_eq!(object.remove("n0"), Some(0.into()));
            assert_eq!(object.remove("n0"), None);
            expected.retain(|key| *key != "n0");
            assert_eq!(keys(&object), expected);
            object.insert("n0", 0.into());
            expected.push("n0");
            object.shrink_to_fit();
            assert_eq!(keys(&object), expected);
            let backwards: Vec<&str> = object.iter().rev().map(|(key, _)| key.as_str()).collect();
            expected.reverse();
            assert_eq!(backwards, expected);

            // Equal in any order; the clone did not change.
            assert_eq!(object, whole);
            assert_eq!(whole.len(), count + 3);
            object.remove("n0");
            object.insert("other", 0.into());
            assert_ne!(object, whole);
        }
    }

    #[test]
    fn a_list_equals_a_table() {
        let few: Object = [("a", Value::from(1)), ("b", Value::from(2))]
            .into_iter()
            .collect();
        let mut many: Object = (0..FEW * 2)
            .map(|at| (format!("x{at}"), at.into()))
            .collect();
        for at in 0..FEW * 2 {
            many.remove(&format!("x{at}"));
        }
        assert!(many.is_empty());
        many.insert("b", 2.into());
        many.insert("a", 1.into());
        assert_eq!(few, many);
        assert_eq!(many, few);
    }
}
