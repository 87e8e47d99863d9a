//! The order in which nodes start.

use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{FlowDef, Id, NodeDef};
use crate::catalog::Catalog;

/// Global scope first, then the tabs; within each, config nodes (used before user) and then the others in file order.
/// Config nodes that name each other in a circle go as they stand.
pub(super) fn in_order(
    nodes: Vec<Arc<NodeDef>>,
    flows: &IndexMap<Id, FlowDef, FxBuildHasher>,
    catalog: &Catalog,
) -> IndexMap<Id, Arc<NodeDef>, FxBuildHasher> {
    let is_service = |node: &NodeDef| {
        catalog
            .get(&node.type_name)
            .is_some_and(|known| known.manifest.config)
    };
    let mut places: Vec<(usize, bool, usize)> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let flow = flows.get_index_of(&node.tab).unwrap_or(usize::MAX);
            (flow, !is_service(node), index)
        })
        .collect();
    places.sort_unstable();
    let services: FxHashMap<&str, usize> = places
        .iter()
        .filter(|(_, not_service, _)| !not_service)
        .map(|(.., index)| (&*nodes[*index].id, *index))
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    let mut seen = vec![false; nodes.len()];
    for (_, not_service, index) in &places {
        if *not_service {
            order.push(*index);
        } else {
            visit(*index, &nodes, &services, &mut seen, &mut order);
        }
    }
    drop(services);
    let mut nodes: Vec<Option<Arc<NodeDef>>> = nodes.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|index| nodes[index].take())
        .map(|node| (node.id.clone(), node))
        .collect()
}

/// Adds a config node after those that it names. A stack of its own, for a file may hold a chain of any length.
fn visit(
    first: usize,
    nodes: &[Arc<NodeDef>],
    services: &FxHashMap<&str, usize>,
    seen: &mut [bool],
    order: &mut Vec<usize>,
) {
    let mut stack = vec![(first, false)];
    while let Some((index, done)) = stack.pop() {
        if done {
            order.push(index);
            continue;
        }
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        stack.push((index, true));
        let node = &nodes[index];
        let named = node
            .item
            .iter()
            .filter(|(key, _)| key.as_str() != "id")
            .filter_map(|(_, value)| services.get(value.as_str()?))
            .filter(|named| !seen[**named]);
        stack.extend(named.map(|named| (*named, false)));
    }
}
