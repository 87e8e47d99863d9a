//! Context: values that nodes keep between messages, for themselves, their flow or everybody.
//!
//! A [`ContextStore`] keeps values, [`Contexts`] holds the stores by name, and a [`ScopeStore`] is one scope as a node sees it.

mod memory;
mod stores;
mod view;

use crate::message::{PropertyPath, Value};

pub use memory::MemoryStore;
pub use stores::Contexts;
pub use view::ScopeStore;

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
    /// Forgets the scopes that are not to be kept.
    fn retain(&self, keep: &dyn Fn(&str) -> bool);
    /// Forgets everything.
    fn clear(&self);
    /// Writes down what has changed, for stores that outlive the process. It may wait for the disk.
    fn flush(&self) {}
}

/// The name of a node's own scope.
pub(super) fn node_scope(node: &str, flow: &str) -> String {
    format!("{node}:{flow}")
}
