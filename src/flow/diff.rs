//! What a deploy stops, starts and rewires: a pure function of the old and the new graph (Node-RED's deploy types).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Graph, Id, Item, NodeDef};
use rustc_hash::FxHashSet;

/// How much of the running flows a deploy restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// Everything.
    Full,
    /// What changed, was rewired, or is linked to such a node by wires.
    Flows,
    /// Only the nodes that changed; the others keep running and get their new wires.
    Nodes,
}

/// The outcome. Ids are in the order of the graph they come from.
#[derive(Debug, Default, PartialEq)]
pub struct Diff {
    /// Running nodes to stop, and whether each is gone from the new flows.
    pub stop: Vec<(Id, bool)>,
    /// Nodes of the new graph to build and start.
    pub start: Vec<Id>,
}

/// Compares two graphs. `new_credentials` are the nodes whose credentials this deploy changes.
pub fn diff(old: &Graph, new: &Graph, mode: DeployMode, new_credentials: &HashSet<Id>) -> Diff {
    let everything = mode == DeployMode::Full || global_config(old) != global_config(new);
    let restart: FxHashSet<Id> = if everything {
        old.nodes.keys().chain(new.nodes.keys()).cloned().collect()
    } else {
        let mut restart = changed(old, new, new_credentials);
        if mode == DeployMode::Flows {
            restart.extend(
                new.nodes
                    .values()
                    .filter(|node| rewired(old, node))
                    .map(|node| node.id.clone()),
            );
            spread_along_wires(&mut restart, &[old, new]);
            changed_instances(old, new, &mut restart);
        }
        // Other variables of a tab restart its nodes, and nothing that is linked to them.
        restart.extend(in_changed_tabs(old, new));
        restart
    };
    let stop = old
        .nodes
        .keys()
        .filter(|id| restart.contains(*id) || !new.nodes.contains_key(*id));
    let start = new
        .nodes
        .keys()
        .filter(|id| restart.contains(*id) || !old.nodes.contains_key(*id));
    Diff {
        stop: stop
            .map(|id| (id.clone(), !new.nodes.contains_key(id)))
            .collect(),
        start: start.cloned().collect(),
    }
}

fn global_config(graph: &Graph) -> Vec<&Arc<Item>> {
    graph
        .nodes
        .values()
        .filter(|node| &*node.type_name == "global-config")
        .map(|node| &node.item)
        .collect()
}

/// Nodes of tabs whose variables are others now.
fn in_changed_tabs(old: &Graph, new: &Graph) -> Vec<Id> {
    fn env<'a>(graph: &'a Graph, tab: &Id) -> Option<&'a serde_json::Value> {
        graph.flows.get(tab)?.item.as_ref()?.get("env")
    }
    let tabs = new.flows.keys();
    let changed: FxHashSet<&Id> = tabs.filter(|tab| env(old, tab) != env(new, tab)).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let nodes = new.nodes.values();
    nodes
        .filter(|node| changed.contains(&node.tab))
        .map(|node| node.id.clone())
        .collect()
}

/// Nodes with another configuration, in a changed group, or with a property that names a node which is changed or gone.
fn changed(old: &Graph, new: &Graph, new_credentials: &HashSet<Id>) -> FxHashSet<Id> {
    let mut changed: FxHashSet<Id> = new_credentials.iter().cloned().collect();
    for node in new.nodes.values() {
        let same = old
            .nodes
            .get(&node.id)
            .is_some_and(|before| Arc::ptr_eq(before, node) || same_config(before, node));
        // The environment of a group is part of what the node was built with, as is an expanded ${…}.
        if !same || group_changed(old, new, node) {
            changed.insert(node.id.clone());
        }
    }
    changed.extend(
        old.nodes
            .keys()
            .filter(|id| !new.nodes.contains_key(*id))
            .cloned(),
    );
    loop {
        let before = changed.len();
        changed_instances(old, new, &mut changed);
        let users = new
            .nodes
            .values()
            .filter(|node| !changed.contains(&node.id) && names_any(node, &changed))
            .map(|node| node.id.clone());
        let users: Vec<Id> = users.collect();
        changed.extend(users);
        if changed.len() == before {
            return changed;
        }
    }
}

/// An instance of a subflow restarts as a whole, when anything in it has changed or was rewired.
fn changed_instances(old: &Graph, new: &Graph, changed: &mut FxHashSet<Id>) {
    if old.instances.is_empty() && new.instances.is_empty() {
        return;
    }
    let inner = |graph: &'_ Graph| -> Vec<Id> {
        let nodes = graph.nodes.values();
        nodes
            .filter(|node| changed.contains(&node.id) || rewired(old, node))
            .flat_map(|node| node.instances.iter().cloned())
            .collect()
    };
    let redefined = new
        .instances
        .values()
        .filter(|instance| old.instances.get(&instance.id) != Some(instance))
        .map(|instance| instance.id.clone());
    let instances: Vec<Id> = inner(old)
        .into_iter()
        .chain(inner(new))
        .chain(redefined)
        .collect();
    changed.extend(instances);
    let members: Vec<Id> = new
        .nodes
        .values()
        .filter(|node| node.instances.iter().any(|id| changed.contains(id)))
        .map(|node| node.id.clone())
        .collect();
    changed.extend(members);
}

fn same_config(before: &NodeDef, after: &NodeDef) -> bool {
    let own = |key: &str| !matches!(key, "x" | "y" | "wires");
    before.is_config == after.is_config
        && before.groups == after.groups
        && same(&before.item, &after.item, own)
        && same(&before.config, &after.config, |_| true)
}

/// Whether two records have the same properties, of those that count. Nearly all stand in the same order.
fn same(before: &Item, after: &Item, counts: impl Fn(&str) -> bool) -> bool {
    let relevant = |item: &'_ Item| item.keys().filter(|key| counts(key)).count();
    let side_by_side = before.len() == after.len()
        && before
            .iter()
            .zip(after)
            .all(|((key, value), (other, after))| key == other && (value == after || !counts(key)));
    side_by_side
        || (relevant(before) == relevant(after)
            && after
                .iter()
                .all(|(key, value)| !counts(key) || before.get(key) == Some(value)))
}

fn group_changed(old: &Graph, new: &Graph, node: &NodeDef) -> bool {
    node.groups
        .iter()
        .any(|group| old.groups.get(group) != new.groups.get(group))
}

fn names_any(node: &NodeDef, changed: &FxHashSet<Id>) -> bool {
    let is_name = |key: &str| !matches!(key, "id" | "wires" | "x" | "y" | "z" | "name" | "type");
    node.item.iter().any(|(key, value)| {
        only_text(value)
            .is_some_and(|text| changed.contains(text) && text != &*node.id && is_name(key))
    })
}

/// The text of a property: a list of one text counts as that text, as JavaScript has it.
fn only_text(value: &serde_json::Value) -> Option<&str> {
    match value {
        serde_json::Value::Array(list) => match list.as_slice() {
            [only] => only_text(only),
            _ => None,
        },
        other => other.as_str(),
    }
}

fn rewired(old: &Graph, node: &NodeDef) -> bool {
    old.nodes
        .get(&node.id)
        .is_some_and(|before| before.wires != node.wires)
}

/// Adds everything that is linked by wires, in either direction, in any of the graphs.
fn spread_along_wires(restart: &mut FxHashSet<Id>, graphs: &[&Graph]) {
    let mut linked: HashMap<&Id, Vec<&Id>> = HashMap::new();
    for graph in graphs {
        for node in graph.nodes.values() {
            let known = |target: &&Id| graph.nodes.contains_key(*target);
            for target in node.wires.iter().flatten().filter(known) {
                linked.entry(&node.id).or_default().push(target);
                linked.entry(target).or_default().push(&node.id);
            }
        }
    }
    let mut reached: Vec<Id> = restart.iter().cloned().collect();
    while let Some(id) = reached.pop() {
        for other in linked.get(&id).into_iter().flatten() {
            if restart.insert((*other).clone()) {
                reached.push((*other).clone());
            }
        }
    }
}
