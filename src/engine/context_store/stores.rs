//! The context stores by name.

use std::{collections::HashSet, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::{ContextStore, MemoryStore};
use crate::{
    flow::GLOBAL,
    message::{Object, PropertyPath, Value},
};

/// Unknown names that are remembered as warned about. Names may be made by scripts, so their number has no bound of its own.
const MAX_WARNED: usize = 1_000;
/// The name of the store that is there when none was configured.
const MEMORY: &str = "memory";

/// The context stores by name; the one that is taken when no name is given comes first.
pub struct Contexts {
    inner: RwLock<Inner>,
    /// What the global scope holds where nothing was stored.
    seeds: ArcSwap<Object>,
}

struct Inner {
    stores: Vec<(String, Arc<dyn ContextStore>)>,
    /// Stores were chosen: then a node's own context outlives the node's run.
    configured: bool,
    /// Unknown names that somebody asked for.
    warned: HashSet<String>,
}

/// A store that was asked for by name.
pub(super) struct Found {
    pub(super) store: Arc<dyn ContextStore>,
    /// This name is not known, and is asked for for the first time; the store is the default one.
    pub(super) unknown: bool,
}

impl Default for Contexts {
    /// Only memory.
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner::new(Vec::new())),
            seeds: ArcSwap::default(),
        }
    }
}

impl Inner {
    fn new(mut stores: Vec<(String, Arc<dyn ContextStore>)>) -> Self {
        let configured = !stores.is_empty();
        if !configured {
            stores.push((MEMORY.to_owned(), Arc::new(MemoryStore::default())));
        }
        Self {
            stores,
            configured,
            warned: HashSet::new(),
        }
    }
}

impl Contexts {
    /// These stores, the default one first. None: only the built-in memory store, which is not counted as configured.
    pub fn with(stores: Vec<(String, Arc<dyn ContextStore>)>) -> Self {
        Self {
            inner: RwLock::new(Inner::new(stores)),
            seeds: ArcSwap::default(),
        }
    }

    /// Replaces the stores while flows run, as [`Contexts::with`] would set them up.
    pub fn replace(&self, stores: Vec<(String, Arc<dyn ContextStore>)>) {
        let before = std::mem::replace(&mut *self.inner.write(), Inner::new(stores));
        drop(before);
    }

    /// The names of the stores, the default one first.
    pub fn names(&self) -> Vec<String> {
        let inner = self.inner.read();
        inner.stores.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The store of this name; the default one for no name, and for one that is not known.
    pub(super) fn store(&self, name: Option<&str>) -> Option<Found> {
        let inner = self.inner.read();
        let named = name.filter(|name| !name.is_empty() && *name != "_");
        let known = named.and_then(|name| inner.stores.iter().find(|(known, _)| known == name));
        let (_, store) = known.or(inner.stores.first())?;
        let found = Found {
            store: store.clone(),
            unknown: false,
        };
        let unknown = match (named, known) {
            (Some(name), None) => name.to_owned(),
            _ => return Some(found),
        };
        drop(inner);
        Some(Found {
            unknown: self.first_time(unknown),
            ..found
        })
    }

    fn first_time(&self, name: String) -> bool {
        if self.inner.read().warned.contains(&name) {
            return false;
        }
        let warned = &mut self.inner.write().warned;
        warned.len() < MAX_WARNED && warned.insert(name)
    }

    /// From here on the global scope holds these values where nothing was stored.
    pub(in crate::engine) fn seed(&self, seeds: Object) {
        self.seeds.store(Arc::new(seeds));
    }

    /// What the global scope holds where nothing was stored.
    pub(super) fn seeds(&self) -> Arc<Object> {
        self.seeds.load_full()
    }

    /// Reads a value for somebody who is no node. `key` may begin with `#:(store)::`; an unknown store is the default one.
    ///
    /// # Errors
    /// `Invalid context key` or what is wrong with the expression.
    pub fn get(&self, scope: &str, key: &str, store: Option<&str>) -> Result<Value, String> {
        let (named, path) = parse_key(key)?;
        let found = self.store(store.or(named));
        Ok(found.map_or(Value::Undefined, |found| {
            self.read(&*found.store, scope, &path)
        }))
    }

    /// The value in a store, else the seed.
    pub(super) fn read(&self, store: &dyn ContextStore, scope: &str, path: &PropertyPath) -> Value {
        match store.get(scope, path) {
            Value::Undefined if scope == GLOBAL => path
                .get(&self.seeds.load(), &Object::new())
                .unwrap_or_default(),
            value => value,
        }
    }

    /// A node stopped: its own context goes, unless stores were chosen.
    pub(in crate::engine) fn node_stopped(&self, scope: &str) {
        let configured = self.inner.read().configured;
        if !configured {
            self.all().iter().for_each(|store| store.delete(scope));
        }
    }

    /// Forgets, in every store, the scopes that are not to be kept.
    pub(in crate::engine) fn retain(&self, keep: &dyn Fn(&str) -> bool) {
        self.all().iter().for_each(|store| store.retain(keep));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.all().iter().for_each(|store| store.clear());
    }

    /// Writes down what has changed. It may wait for the disk.
    pub fn flush(&self) {
        self.all().iter().for_each(|store| store.flush());
    }

    fn all(&self) -> Vec<Arc<dyn ContextStore>> {
        let inner = self.inner.read();
        inner
            .stores
            .iter()
            .map(|(_, store)| store.clone())
            .collect()
    }
}

/// `#:(store)::key` → store and key.
pub(super) fn split_store(key: &str) -> (Option<&str>, &str) {
    let named = key
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"));
    named.map_or((None, key), |(store, key)| (Some(store), key))
}

fn parse_key(key: &str) -> Result<(Option<&str>, PropertyPath), String> {
    if key.is_empty() {
        return Err("Invalid context key".into());
    }
    let (store, key) = split_store(key);
    let path = PropertyPath::parse(key).map_err(|error| error.to_string())?;
    Ok((store, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_name_its_store() {
        for (key, expected) in [
            ("a", (None, "a")),
            ("#:(disk)::a.b", (Some("disk"), "a.b")),
            ("#:(disk)::$parent.a", (Some("disk"), "$parent.a")),
            ("#:(disk):a", (None, "#:(disk):a")),
        ] {
            assert_eq!(split_store(key), expected);
        }
    }
}
