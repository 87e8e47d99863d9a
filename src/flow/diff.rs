//! What a deploy stops, starts and rewires: a pure function of the old and the new graph (Node-RED's deploy types).

use std::collections::HashSet;

use super::{Graph, Id, Item, NodeDef};

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
    let restart: HashSet<Id> = if everything {
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
        }
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

fn global_config(graph: &Graph) -> Vec<&Item> {
    graph
        .nodes
        .values()
        .filter(|node| &*node.type_name == "global-config")
        .map(|node| &node.item)
        .collect()
}

/// Nodes with another configuration, in a changed group or tab, or with a property that names a node which is changed or gone.
fn changed(old: &Graph, new: &Graph, new_credentials: &HashSet<Id>) -> HashSet<Id> {
    let tab_changed = |flow: &Id| {
        let env = |graph: &Graph| {
            graph
                .flows
                .get(flow)
                .and_then(|tab| tab.item.as_ref()?.get("env").cloned())
        };
        env(old) != env(new)
    };
    let mut changed: HashSet<Id> = new_credentials.clone();
    for node in new.nodes.values() {
        let same = old
            .nodes
            .get(&node.id)
            .is_some_and(|before| same_config(before, node) && before.groups == node.groups);
        // The environment of a group or a tab is part of what the node was built with, as is an expanded ${…}.
        if !same || tab_changed(&node.flow) || group_changed(old, new, node) {
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
        let users = new
            .nodes
            .values()
            .filter(|node| names_any(node, &changed))
            .map(|node| node.id.clone());
        let users: Vec<Id> = users.collect();
        changed.extend(users);
        if changed.len() == before {
            return changed;
        }
    }
}

fn same_config(before: &NodeDef, after: &NodeDef) -> bool {
    let relevant = |item: &Item| {
        item.keys()
            .filter(|key| !matches!(key.as_str(), "x" | "y" | "wires"))
            .count()
    };
    relevant(&before.item) == relevant(&after.item)
        && before.config == after.config
        && after.item.iter().all(|(key, value)| {
            matches!(key.as_str(), "x" | "y" | "wires") || before.item.get(key) == Some(value)
        })
        && before.is_config == after.is_config
}

fn group_changed(old: &Graph, new: &Graph, node: &NodeDef) -> bool {
    node.groups
        .iter()
        .any(|group| old.groups.get(group) != new.groups.get(group))
}

fn names_any(node: &NodeDef, changed: &HashSet<Id>) -> bool {
    node.item.iter().any(|(key, value)| {
        !matches!(
            key.as_str(),
            "id" | "wires" | "x" | "y" | "z" | "name" | "type"
        ) && value
            .as_str()
            .is_some_and(|text| changed.contains(text) && text != &*node.id)
    })
}

fn rewired(old: &Graph, node: &NodeDef) -> bool {
    old.nodes
        .get(&node.id)
        .is_some_and(|before| before.wires != node.wires)
}

/// Adds everything that is linked by wires, in either direction, in any of the graphs.
fn spread_along_wires(restart: &mut HashSet<Id>, graphs: &[&Graph]) {
    loop {
        let before = restart.len();
        for graph in graphs {
            for node in graph.nodes.values() {
                let targets = || {
                    node.wires
                        .iter()
                        .flatten()
                        .filter(|target| graph.nodes.contains_key(*target))
                };
                if restart.contains(&node.id) {
                    let targets: Vec<Id> = targets().cloned().collect();
                    restart.extend(targets);
                } else if targets().any(|target| restart.contains(target)) {
                    restart.insert(node.id.clone());
                }
            }
        }
        if restart.len() == before {
            return;
        }
    }
}
