//! Flows as data: the file as it is, the graph that runs, and what a deploy changes. Nothing here runs anything.

mod diff;
mod env;
mod flows;
mod graph;
mod group;
mod lint;
mod listeners;
mod rename;
mod subflow;
mod wiring;

#[cfg(test)]
mod tests;

pub use diff::{DeployMode, Diff, diff};
pub use env::{EnvExpressions, EnvScope, Environment, ProcessEnv};
pub use flows::{Flows, Item, Rev};
pub use graph::{CredentialsOf, FlowDef, GLOBAL, Graph, NodeDef};
pub use lint::{Level, Problem, lint};
pub use subflow::{Instance, SUBFLOW_STATUS};
pub use wiring::{Wiring, same_wiring, wire};

/// The id of a node, tab, group or subflow.
pub type Id = std::sync::Arc<str>;
