//! Names of properties that a context has met: turning one into a [`Key`] again is then a look-up, without a copy.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use parking_lot::Mutex;
use rquickjs::{Atom, Result, object::Property};
use rustc_hash::FxHashMap;

use super::super::realm::{Realm, Tool};
use crate::message::Key;

/// Names that are kept; objects that are used as tables could bring any number.
const MAX_NAMES: usize = 500;

/// The names by the engine's number for them. Each is also a property of an object in the kit, so that its number stays its own.
#[derive(Clone, Default)]
pub(super) struct Names(Arc<Mutex<FxHashMap<u64, Key>>>);

impl Names {
    pub(super) fn key<'js>(&self, realm: &Realm<'js>, atom: &Atom<'js>) -> Result<Key> {
        let number = number(atom);
        if let Some(key) = self.0.lock().get(&number) {
            return Ok(key.clone());
        }
        let key: Key = realm.text(&atom.to_js_string()?)?.into();
        if self.0.lock().len() < MAX_NAMES {
            realm
                .table(Tool::Names)?
                .prop(atom.clone(), Property::from(true))?;
            self.0.lock().insert(number, key.clone());
        }
        Ok(key)
    }
}

/// The engine's number for a name, which rquickjs gives away only as what it hashes.
fn number(atom: &Atom) -> u64 {
    struct Number(u64);
    impl Hasher for Number {
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = self.0 << 8 | u64::from(*byte);
            }
        }
        fn write_u32(&mut self, number: u32) {
            self.0 = u64::from(number);
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut number = Number(0);
    atom.hash(&mut number);
    number.finish()
}
