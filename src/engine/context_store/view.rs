//! One scope as a node, or somebody outside, sees it.

use std::sync::Arc;

use super::{ContextStore, Scope, node_scope, stores::split_store};
use crate::{
    engine::{
        context::NodeContext,
        events::LogLevel,
        running::{Engine, Shared},
    },
    flow::{GLOBAL, Id},
    message::{PropertyPath, Value},
};

/// The values of one scope.
pub struct ScopeStore<'a> {
    shared: &'a Shared,
    scope: String,
    /// The flows around it, the nearest first: where `$parent.` leads.
    around: &'a [Id],
}

/// A key, taken apart: where it points to.
struct Place {
    scope: String,
    store: Arc<dyn ContextStore>,
    /// Or what is wrong with the expression.
    path: Result<PropertyPath, String>,
}

impl ScopeStore<'_> {
    /// Reads a value: `key` is a property expression, which may begin with `#:(store)::` and then with `$parent.`.
    ///
    /// # Errors
    /// `Invalid context key` or what is wrong with the expression. As in Node-RED the latter is not looked at as long as the
    /// scope of a node or a flow holds nothing.
    pub fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String> {
        let Some(Place { scope, store, path }) = self.place(key, store)? else {
            return Ok(Value::Undefined);
        };
        match path {
            Ok(path) => Ok(self.shared.contexts.read(&*store, &scope, &path)),
            Err(_) if scope != GLOBAL && store.keys(&scope).is_empty() => Ok(Value::Undefined),
            Err(error) => Err(error),
        }
    }

    /// Writes a value; undefined deletes it.
    ///
    /// # Errors
    /// As for [`ScopeStore::get`].
    pub fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String> {
        if let Some(place) = self.place(key, store)? {
            place.store.set(&place.scope, &place.path?, value);
        }
        Ok(())
    }

    /// The top-level names; for the global scope those of the seeds first, unless they are not to be shown.
    pub fn keys(&self, store: Option<&str>) -> Vec<String> {
        let stored = self.store(store).map(|store| store.keys(&self.scope));
        let stored = stored.unwrap_or_default();
        if self.scope != GLOBAL || !self.shared.settings.load().export_global_context_keys {
            return stored;
        }
        let seeds = self.shared.contexts.seeds();
        let seeded = seeds.keys().map(|key| key.as_str().to_owned());
        let more = stored.into_iter().filter(|key| !seeds.contains_key(key));
        seeded.chain(more).collect()
    }

    /// None when the key leads above the outermost flow, where there is nothing.
    fn place(&self, key: &str, store: Option<&str>) -> Result<Option<Place>, String> {
        if key.is_empty() {
            return Err("Invalid context key".into());
        }
        let (named, key) = split_store(key);
        if key.is_empty() {
            return Err("Invalid context key".into());
        }
        let Some((scope, key)) = climb(&self.scope, self.around, key) else {
            return Ok(None);
        };
        let path = PropertyPath::parse(key).map_err(|error| error.to_string());
        let store = store.filter(|store| !store.is_empty()).or(named);
        Ok(self.store(store).map(|store| Place {
            scope: scope.to_owned(),
            store,
            path,
        }))
    }

    fn store(&self, name: Option<&str>) -> Option<Arc<dyn ContextStore>> {
        let found = self.shared.contexts.store(name)?;
        if found.unknown {
            let name = name.unwrap_or_default();
            let english = format!(
                "There is no context store \"{name}\": the default store is used. Name the store in [context] of flowrill.toml, or choose another one"
            );
            let text = self.shared.runtime_text("context.unknown-store", &english);
            self.shared.log_own(LogLevel::Warn, &text);
        }
        Some(found.store)
    }
}

/// `$parent.$parent.key` → the scope that this leads to, and `key`. None above the outermost flow.
fn climb<'s, 'k>(own: &'s str, around: &'s [Id], key: &'k str) -> Option<(&'s str, &'k str)> {
    let (mut scope, mut key) = (own, key);
    let mut around = around.iter();
    while let Some(rest) = key.strip_prefix("$parent.") {
        scope = around.next()?;
        key = rest;
    }
    (key != "$parent").then_some((scope, key))
}

impl NodeContext {
    /// The values of a scope as this node sees them.
    pub fn store(&self, scope: Scope) -> ScopeStore<'_> {
        let info = self.info();
        let (scope, around): (String, &[Id]) = match scope {
            Scope::Node => (node_scope(&info.id, &info.flow), &[]),
            Scope::Flow => (info.flow.to_string(), &info.around),
            Scope::Global => (GLOBAL.to_owned(), &[]),
        };
        ScopeStore {
            shared: self.shared(),
            scope,
            around,
        }
    }
}

impl Engine {
    /// The global values, for which no node has to run.
    pub fn global_context(&self) -> ScopeStore<'_> {
        ScopeStore {
            shared: &self.shared,
            scope: GLOBAL.to_owned(),
            around: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_leads_to_the_flow_around() {
        let around = ["outer".into(), "tab".into()];
        for (key, expected) in [
            ("a.b", Some(("inner", "a.b"))),
            ("$parents.a", Some(("inner", "$parents.a"))),
            ("$parent.a", Some(("outer", "a"))),
            ("$parent.$parent.a[0]", Some(("tab", "a[0]"))),
            ("$parent.$parent.$parent.a", None),
            ("$parent", None),
            ("$parent.$parent", None),
        ] {
            assert_eq!(climb("inner", &around, key), expected, "{key}");
        }
        assert_eq!(climb("tab", &[], "$parent.a"), None);
    }
}
