//! Runs flows: one actor per tab that owns its nodes and handles their messages first in, first out.
//!
//! It names neither HTTP nor MQTT nor JavaScript nor a database; nodes see the world through [`NodeContext`]
//! and the one service that their constructor was handed.

mod actor;
mod clock;
mod context;
mod context_store;
mod events;
mod expressions;
mod links;
mod node;
mod queue;
mod registry;
mod routes;
mod running;
mod settings;
mod subflow;

pub use clock::Clock;
pub use context::{Busy, Completion, NodeContext, NodeInfo, Timer, context_key, new_id};
pub use context_store::{ContextStore, Contexts, MemoryStore, Scope, ScopeStore};
pub use events::{Event, Hub, Interest, LogLevel, Record, Stamped, Status, Subscription, Watcher};
pub use expressions::{ExpressionError, Expressions};
pub use links::LinkReturn;
pub use node::{AnyEvent, Closing, Failed, Node, NodeError, Parcel, SetActive};
pub use registry::{Build, Built, ConfigError, Registry};
pub use running::{Engine, EngineConfig};
pub use settings::RuntimeSettings;
