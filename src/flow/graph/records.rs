//! The records of a flow file beside the graph before: which of them are running nodes already.

use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{GLOBAL, Graph, Id, NodeDef};
use crate::flow::{EnvScope, Environment, Flows, Item, ProcessEnv};

/// Running nodes by the place of their record in memory, which is theirs as long as they have it.
#[derive(Default)]
pub(super) struct ByRecord(FxHashMap<usize, Arc<NodeDef>>);

impl ByRecord {
    /// Of these nodes those that are what their record alone says: not of a subflow, and without variables in their
    /// properties, for those may have changed.
    pub(super) fn of<'a>(nodes: impl ExactSizeIterator<Item = &'a Arc<NodeDef>>) -> Self {
        let mut known = FxHashMap::with_capacity_and_hasher(nodes.len(), FxBuildHasher);
        let plain = nodes.filter(|node| {
            node.instances.is_empty() && !node.is_of_subflow() && !node.names_variables
        });
        known.extend(plain.map(|node| (place(&node.item), node.clone())));
        Self(known)
    }
}

fn place(item: &Arc<Item>) -> usize {
    Arc::as_ptr(item) as usize
}

/// The records of a flow file, each with its running node if it has one.
pub(in crate::flow) struct Records<'a> {
    items: &'a [Arc<Item>],
    known: Vec<Option<&'a Arc<NodeDef>>>,
}

impl<'a> Records<'a> {
    pub(super) fn of(flows: &'a Flows, before: &'a Graph) -> Self {
        let known = |item| before.by_record.0.get(&place(item));
        Self {
            items: &flows.items,
            known: flows.items.iter().map(known).collect(),
        }
    }

    /// All, in file order.
    pub(in crate::flow) fn iter(
        &self,
    ) -> impl Iterator<Item = (&'a Arc<Item>, Option<&'a Arc<NodeDef>>)> {
        self.items.iter().zip(self.known.iter().copied())
    }

    /// Those that are no running node: new ones, tabs, groups, subflows, what is disabled.
    pub(in crate::flow) fn not_known(&self) -> impl Iterator<Item = &'a Arc<Item>> {
        let records = self.iter();
        records.filter_map(|(item, known)| known.is_none().then_some(item))
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> {
        let records = self.iter();
        records.filter_map(|(item, known)| match known {
            Some(node) => Some(&*node.id),
            None => super::text(item, "id"),
        })
    }

    /// Those of one type.
    pub(in crate::flow) fn of_type(&self, wanted: &str) -> impl Iterator<Item = &'a Arc<Item>> {
        let records = self.iter();
        records.filter_map(move |(item, known)| {
            let is_it = match known {
                Some(node) => &*node.type_name == wanted,
                None => super::text(item, "type") == Some(wanted),
            };
            is_it.then_some(item)
        })
    }
}

impl Graph {
    /// The outermost level of variables: the one that there is, if it belongs to this process.
    pub(super) fn outermost(&self, process: &ProcessEnv) -> Environment {
        let global = self.flows.get(GLOBAL);
        global
            .and_then(|global| global.env.outermost(process))
            .unwrap_or_else(|| EnvScope::process(process.clone()))
    }

    /// The variables that this graph has for a flow, group or instance if they are the same as these.
    pub(super) fn shared_env(&self, id: &str, env: Environment) -> Environment {
        let of_flow = self.flows.get(id).map(|flow| &flow.env);
        let before = of_flow.or_else(|| self.inner_env.get(id));
        before
            .filter(|before| before.same(&env))
            .cloned()
            .unwrap_or(env)
    }
}

impl NodeDef {
    /// Whether it is the same with these groups and variables around it.
    pub(super) fn holds_in(&self, chain: &[Id], around: &Environment) -> bool {
        self.groups == chain && self.env.is_within(around)
    }
}
