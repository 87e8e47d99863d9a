//! Context in memory.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ContextStore;
use crate::message::{Object, PropertyPath, Value};

/// Context in memory, gone when the process ends.
#[derive(Default)]
pub struct MemoryStore {
    scopes: Mutex<HashMap<String, Object>>,
}

impl MemoryStore {
    /// The value of a top-level name; undefined when there is none.
    pub fn value(&self, scope: &str, name: &str) -> Value {
        let scopes = self.scopes.lock();
        let value = scopes.get(scope).and_then(|values| values.get(name));
        value.cloned().unwrap_or_default()
    }

    /// Sets the value of a top-level name.
    pub fn put(&self, scope: &str, name: &str, value: Value) {
        let mut scopes = self.scopes.lock();
        let values = scopes.entry(scope.to_owned()).or_default();
        values.insert(name, value);
    }

    /// The scopes that hold anything.
    pub fn scopes(&self) -> Vec<String> {
        self.scopes.lock().keys().cloned().collect()
    }
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
        if !scopes.contains_key(scope) {
            scopes.insert(scope.to_owned(), Object::new());
        }
        let Some(values) = scopes.get_mut(scope) else {
            return;
        };
        // Below a value that is no container nothing can be set; Node-RED keeps silent about it, too.
        let _ = match value {
            Value::Undefined => path.delete(values, &Object::new()),
            value => path.set(values, &Object::new(), value, true),
        };
        if values.is_empty() {
            scopes.remove(scope);
        }
    }

    fn keys(&self, scope: &str) -> Vec<String> {
        self.scopes
            .lock()
            .get(scope)
            .map(|values| values.keys().map(|key| key.as_str().to_owned()).collect())
            .unwrap_or_default()
    }

    fn delete(&self, scope: &str) {
        let forgotten = self.scopes.lock().remove(scope);
        // Dropped without the lock: it may be large.
        drop(forgotten);
    }

    fn retain(&self, keep: &dyn Fn(&str) -> bool) {
        self.scopes.lock().retain(|scope, _| keep(scope));
    }

    fn clear(&self) {
        self.scopes.lock().clear();
    }
}
