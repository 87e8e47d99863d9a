//! JavaScript for flows: one QuickJS runtime per tab, made for the first node that needs it.
//!
//! The runtime lives with its tab ([`Scripts::of`]); nodes of the tab share one context, each as a closure in it, except
//! those whose code could disturb the others. A node opens its code as a [`Script`] and hands it messages; what the
//! code sends, logs, remembers and schedules goes through the [`NodeContext`](crate::engine::NodeContext) of its own
//! node: every call from JavaScript names the node, there is no "current" one.
//!
//! No JavaScript value is ever held by Rust between two calls. Functions, promises and timers stay in tables on the
//! JavaScript side and are named by number, so a runtime can be dropped at any time.

mod analysis;
mod code;
mod context_values;
mod convert;
mod deadline;
mod failure;
mod host;
mod jsonata;
mod kept;
mod library;
mod machine;
mod modules;
mod node;
mod os;
mod outcome;
mod own;
mod reach;
mod realm;
mod rejections;
mod results;
mod shared;
mod url;

#[cfg(test)]
mod tests;

pub use code::{Code, Options};
pub use jsonata::{Jsonata, Variables};
pub(crate) use kept::Kept;
pub use modules::{Module, is_taken};
pub use node::{Script, ScriptEvent, Started};
pub use own::{OwnValues, check_module};

/// Names that code is handed besides the language's own, as parameters of the function around it.
pub(crate) const API_NAMES: &[&str] = &[
    "node",
    "context",
    "flow",
    "global",
    "env",
    "RED",
    "console",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
];
