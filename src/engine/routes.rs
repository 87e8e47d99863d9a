//! Where a node's messages go, as handles that a send needs no look-up for. Immutable; a deploy swaps them.

use std::sync::Arc;

use super::queue::{FlowShared, InstanceKey};
use crate::flow::Id;

/// One end of a wire: a running node and the queue that it is served from.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) flow: Arc<FlowShared>,
    pub(super) key: InstanceKey,
    pub(super) id: Id,
}

/// The routes of one node.
#[derive(Clone, Default)]
pub(super) struct NodeRoutes {
    /// By output.
    pub(super) outputs: Vec<Vec<Target>>,
    /// In the order in which they are asked; true: takes only what nobody caught before.
    pub(super) catch: Vec<(Target, bool)>,
    pub(super) status: Vec<Target>,
    pub(super) complete: Vec<Target>,
}
