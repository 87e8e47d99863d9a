//! Context: values that nodes keep between messages, for themselves, their flow or everybody.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::context::NodeContext;
use crate::message::{Object, PropertyPath, Value};

/// Whose context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Node,
    Flow,
    Global,
}

/// Where context values are kept. `scope` names whose they are: `<node>:<flow>`, a flow's id, or `global`.
pub trait ContextStore: Send + Sync {
    /// The value at a path; undefined when there is none.
    fn get(&self, scope: &str, path: &PropertyPath) -> Value;
    /// Sets the value at a path, making what is missing on the way; undefined deletes it.
    fn set(&self, scope: &str, path: &PropertyPath, value: Value);
    /// The top-level names.
    fn keys(&self, scope: &str) -> Vec<String>;
    /// Forgets a scope.
    fn delete(&self, scope: &str);
    /// Forgets everything.
    fn clear(&self);
}

/// Context in memory, gone when the process ends.
#[derive(Default)]
pub struct MemoryStore {
    scopes: Mutex<HashMap<String, Object>>,
}

impl ContextStore for MemoryStore {
    fn get(&self, scope: &str, path: &PropertyPath) -> Value {
        let values = self.scopes.lock().get(scope).cloned();
        values
            .and_then(|values| path.get(&values, &values).ok())
            .unwrap_or_default()
    }

    fn set(&self, scope: &str, path: &PropertyPath, value: Value) {
        let mut scopes = self.scopes.lock();
        let values = scopes.entry(scope.to_owned()).or_default();
        // Below a value that is no container nothing can be set; Node-RED keeps silent about it, too.
        let _ = match value {
            Value::Undefined => path.delete(values, &Object::new()),
            value => path.set(values, &Object::new(), value, true),
        };
    }

    fn keys(&self, scope: &str) -> Vec<String> {
        self.scopes
            .lock()
            .get(scope)
            .map(|values| values.keys().map(|key| key.as_str().to_owned()).collect())
            .unwrap_or_default()
    }

    fn delete(&self, scope: &str) {
        self.scopes.lock().remove(scope);
    }

    fn clear(&self) {
        self.scopes.lock().clear();
    }
}

/// The context stores by name; the one that is taken when no name is given comes first.
pub struct Contexts {
    stores: Mutex<Vec<(String, Arc<dyn ContextStore>)>>,
}

impl Default for Contexts {
    fn default() -> Self {
        Self::with(vec![("memory".into(), Arc::new(MemoryStore::default()))])
    }
}

impl Contexts {
    /// These stores, the default one first.
    pub fn with(stores: Vec<(String, Arc<dyn ContextStore>)>) -> Self {
        Self {
            stores: Mutex::new(stores),
        }
    }

    /// Replaces the stores while flows run.
    pub fn replace(&self, stores: Vec<(String, Arc<dyn ContextStore>)>) {
        *self.stores.lock() = stores;
    }

    /// The names of the stores, the default one first.
    pub fn names(&self) -> Vec<String> {
        let stores = self.stores.lock();
        stores.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The store of this name, else the default one, and whether the name was known.
    fn store(&self, name: Option<&str>) -> (Option<Arc<dyn ContextStore>>, bool) {
        let stores = self.stores.lock();
        let default = || stores.first().map(|(_, store)| store.clone());
        match name.filter(|name| !name.is_empty() && *name != "default" && *name != "_") {
            None => (default(), true),
            Some(name) => match stores.iter().find(|(known, _)| known == name) {
                Some((_, store)) => (Some(store.clone()), true),
                None => (default(), false),
            },
        }
    }

    /// Forgets a scope in every store.
    pub fn delete(&self, scope: &str) {
        self.all().iter().for_each(|store| store.delete(scope));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.all().iter().for_each(|store| store.clear());
    }

    fn all(&self) -> Vec<Arc<dyn ContextStore>> {
        self.stores
            .lock()
            .iter()
            .map(|(_, store)| store.clone())
            .collect()
    }

    /// Reads a value: `key` is a property expression, which may begin with `#:(store)::`.
    ///
    /// # Errors
    /// `Invalid context key` or what is wrong with the expression.
    pub fn get(&self, scope: &str, key: &str, store: Option<&str>) -> Result<Value, String> {
        let (named, key) = split_store(key);
        let path = parse_key(key)?;
        let (store, _) = self.store(store.or(named));
        Ok(store
            .map(|store| store.get(scope, &path))
            .unwrap_or_default())
    }

    /// Writes a value; undefined deletes it.
    ///
    /// # Errors
    /// As for [`Contexts::get`].
    pub fn set(
        &self,
        scope: &str,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), String> {
        let (named, key) = split_store(key);
        let path = parse_key(key)?;
        if let (Some(store), _) = self.store(store.or(named)) {
            store.set(scope, &path, value);
        }
        Ok(())
    }

    /// The top-level names of a scope.
    pub fn keys(&self, scope: &str, store: Option<&str>) -> Vec<String> {
        self.store(store)
            .0
            .map(|store| store.keys(scope))
            .unwrap_or_default()
    }
}

fn parse_key(key: &str) -> Result<PropertyPath, String> {
    if key.is_empty() {
        return Err("Invalid context key".into());
    }
    PropertyPath::parse(key).map_err(|error| error.to_string())
}

/// `#:(store)::key` → store and key.
fn split_store(key: &str) -> (Option<&str>, &str) {
    let named = key
        .strip_prefix("#:(")
        .and_then(|rest| rest.split_once(")::"));
    named.map_or((None, key), |(store, key)| (Some(store), key))
}

/// One scope as a node sees it.
pub struct ScopeStore<'a> {
    pub(super) contexts: &'a Contexts,
    pub(super) scope: String,
}

impl ScopeStore<'_> {
    /// Reads a value.
    ///
    /// # Errors
    /// `Invalid context key` or what is wrong with the expression.
    pub fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String> {
        match key.strip_prefix("$parent") {
            // A tab has nothing above it.
            Some(_) => Ok(Value::Undefined),
            None => self.contexts.get(&self.scope, key, store),
        }
    }

    /// Writes a value; undefined deletes it.
    ///
    /// # Errors
    /// As for [`ScopeStore::get`].
    pub fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String> {
        match key.strip_prefix("$parent") {
            Some(_) => Ok(()),
            None => self.contexts.set(&self.scope, key, value, store),
        }
    }

    /// The top-level names.
    pub fn keys(&self, store: Option<&str>) -> Vec<String> {
        self.contexts.keys(&self.scope, store)
    }
}

impl NodeContext {
    /// The values of a scope as this node sees them.
    pub fn store(&self, scope: Scope) -> ScopeStore<'_> {
        let info = self.info();
        let scope = match scope {
            Scope::Node => node_scope(&info.id, &info.flow),
            Scope::Flow => info.flow.to_string(),
            Scope::Global => crate::flow::GLOBAL.to_owned(),
        };
        ScopeStore {
            contexts: &self.shared().contexts,
            scope,
        }
    }
}

/// The name of a node's own scope.
pub(super) fn node_scope(node: &str, flow: &str) -> String {
    format!("{node}:{flow}")
}
