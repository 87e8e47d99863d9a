//! Who evaluates: what `$env`, `$flowContext` and `$globalContext` look at.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{
    engine::{Contexts, NodeContext, Scope},
    flow::Environment,
    message::{Object, Value},
};

/// A node, or a level of variables that is being worked out.
#[derive(Clone)]
pub(super) enum Surroundings {
    Node(NodeContext),
    Level {
        env: Environment,
        contexts: Arc<Contexts>,
    },
}

/// The evaluation that is under way.
#[derive(Default)]
pub(super) struct Evaluation {
    /// None while there is none.
    pub(super) around: Option<Surroundings>,
    /// Tells it from those before, whose functions may have been kept somewhere.
    pub(super) number: u32,
    pub(super) input: Object,
    /// Properties of the input that refer to it: they can't stand without it.
    pub(super) referring: Vec<String>,
}

/// The evaluation that is under way, for the functions that it calls.
pub(super) type Current = Arc<Mutex<Evaluation>>;

impl Surroundings {
    pub(super) fn env(&self, name: &str) -> Option<Value> {
        match self {
            Self::Node(node) => node.env(name),
            Self::Level { env, .. } => env.get(name),
        }
    }

    /// A value of the flow's context or of the global one.
    pub(super) fn context(
        &self,
        scope: Scope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, String> {
        match self {
            Self::Node(node) => node.store(scope).get(key, store),
            Self::Level { env, contexts } => {
                let id = match scope {
                    Scope::Flow => env.get("NR_FLOW_ID").unwrap_or_default(),
                    _ => Value::Undefined,
                };
                contexts.get(id.as_str().unwrap_or("global"), key, store)
            }
        }
    }
}
