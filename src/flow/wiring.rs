//! Who hears whom: wires, link nodes, catch, status and complete nodes, worked out once per deploy.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{GLOBAL, Graph, Id, NodeDef};

/// Where a node's messages, errors, statuses and completions go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wiring {
    /// By output, the nodes it leads to. Empty when the node has no wires at all.
    pub outputs: Vec<Vec<Id>>,
    /// Catch nodes in the order in which they are asked, and whether each takes only what nobody else caught.
    pub catch: Vec<(Id, bool)>,
    pub status: Vec<Id>,
    pub complete: Vec<Id>,
}

/// Works out the wiring of every node.
pub fn wire(graph: &Graph) -> IndexMap<Id, Wiring> {
    let links = merged_links(graph);
    let of_type = |name: &'static str| {
        graph
            .nodes
            .values()
            .filter(move |node| &*node.type_name == name)
            .collect::<Vec<_>>()
    };
    let (catches, statuses, completes) = (of_type("catch"), of_type("status"), of_type("complete"));
    let users = users(graph);
    let mut wiring = IndexMap::with_capacity(graph.nodes.len());
    for node in graph.nodes.values() {
        let known = |id: &Id| graph.nodes.contains_key(id);
        let mut outputs: Vec<Vec<Id>> = node
            .wires
            .iter()
            .map(|targets| targets.iter().filter(|id| known(id)).cloned().collect())
            .collect();
        if let Some(targets) = links.get(&node.id) {
            outputs = vec![targets.clone()];
        }
        // A global config node reports to the flows of those that use it, with the user as the reporting node.
        let mut reporters = vec![node];
        if &*node.flow == GLOBAL && node.is_config {
            reporters.extend(
                users
                    .get(&node.id)
                    .into_iter()
                    .flatten()
                    .filter_map(|id| graph.nodes.get(id)),
            );
        }
        let mut entry = Wiring {
            outputs,
            ..Wiring::default()
        };
        for reporter in reporters {
            entry.catch.extend(
                listeners(&catches, reporter)
                    .into_iter()
                    .filter(|(id, _)| *id != node.id),
            );
            entry.status.extend(
                listeners(&statuses, reporter)
                    .into_iter()
                    .map(|(id, _)| id)
                    .filter(|id| *id != node.id),
            );
        }
        entry.complete = completes
            .iter()
            .filter(|listener| {
                ids(listener, "scope").is_some_and(|scope| scope.contains(&*node.id))
            })
            .filter(|listener| {
                !listener
                    .wires
                    .iter()
                    .flatten()
                    .any(|target| *target == node.id)
            })
            .map(|listener| listener.id.clone())
            .collect();
        wiring.insert(node.id.clone(), entry);
    }
    wiring
}

/// The catch or status nodes that hear a node, nearest group first (Node-RED's order), with their `uncaught`.
fn listeners(candidates: &[&NodeDef], reporter: &NodeDef) -> Vec<(Id, bool)> {
    let mut chosen: Vec<(usize, u8, usize, Id, bool)> = Vec::new();
    for (index, listener) in candidates
        .iter()
        .enumerate()
        .filter(|(_, listener)| listener.flow == reporter.flow)
    {
        let uncaught = listener
            .config
            .get("uncaught")
            .and_then(Json::as_bool)
            .unwrap_or(false);
        let by_group = listener.config.get("scope").and_then(Json::as_str) == Some("group");
        let scope = ids(listener, "scope");
        let hears = match (&scope, by_group) {
            (_, true) => listener
                .groups
                .first()
                .is_some_and(|group| reporter.groups.contains(group)),
            // A status node that is wired to what it watches would hear itself for ever.
            (Some(scope), _) => scope.contains(&*reporter.id),
            (None, _) => true,
        };
        if !hears {
            continue;
        }
        let distance = listener
            .groups
            .first()
            .and_then(|group| reporter.groups.iter().position(|around| around == group))
            .unwrap_or(reporter.groups.len());
        let rank = if uncaught {
            2
        } else {
            u8::from(scope.is_none())
        };
        chosen.push((distance, rank, index, listener.id.clone(), uncaught));
    }
    chosen.sort();
    chosen
        .into_iter()
        .map(|(_, _, _, id, uncaught)| (id, uncaught))
        .collect()
}

/// The ids in a list property; none when the property is null or no list.
fn ids<'a>(node: &'a NodeDef, property: &str) -> Option<HashSet<&'a str>> {
    Some(
        node.config
            .get(property)?
            .as_array()?
            .iter()
            .filter_map(Json::as_str)
            .collect(),
    )
}

/// `link out` → the union of its own links and of the `link in`s that name it. Only in mode "link".
fn merged_links(graph: &Graph) -> HashMap<Id, Vec<Id>> {
    let list = |node: &NodeDef| -> Vec<Id> {
        let links = node.item.get("links").and_then(Json::as_array);
        links
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(Id::from)
            .collect()
    };
    let mut merged: HashMap<Id, Vec<Id>> = HashMap::new();
    for node in graph.nodes.values() {
        match &*node.type_name {
            "link out"
                if node
                    .item
                    .get("mode")
                    .and_then(Json::as_str)
                    .unwrap_or("link")
                    == "link" =>
            {
                let targets = list(node)
                    .into_iter()
                    .filter(|id| graph.nodes.contains_key(id));
                let own = merged.entry(node.id.clone()).or_default();
                targets.for_each(|target| push_new(own, target));
            }
            "link in" => {
                for source in list(node) {
                    let is_link_out = graph.nodes.get(&source).is_some_and(|from| {
                        &*from.type_name == "link out"
                            && from
                                .item
                                .get("mode")
                                .and_then(Json::as_str)
                                .unwrap_or("link")
                                == "link"
                    });
                    if is_link_out {
                        push_new(merged.entry(source).or_default(), node.id.clone());
                    }
                }
            }
            _ => {}
        }
    }
    merged
}

fn push_new(list: &mut Vec<Id>, id: Id) {
    if !list.contains(&id) {
        list.push(id);
    }
}

/// For each config node, the nodes with a property that names it.
fn users(graph: &Graph) -> HashMap<Id, Vec<Id>> {
    let mut users: HashMap<Id, Vec<Id>> = HashMap::new();
    for node in graph.nodes.values() {
        for (key, value) in &node.item {
            let Some(named) = value
                .as_str()
                .filter(|_| !matches!(key.as_str(), "id" | "z" | "g" | "type" | "name"))
            else {
                continue;
            };
            if let Some(config) = graph
                .nodes
                .get(named)
                .filter(|config| config.is_config && config.id != node.id)
            {
                users
                    .entry(config.id.clone())
                    .or_default()
                    .push(node.id.clone());
            }
        }
    }
    users
}
