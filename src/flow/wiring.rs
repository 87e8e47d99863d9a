//! Who hears whom: wires, link nodes, subflow ports and listening nodes, worked out once per deploy.

use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap, FxHashSet as HashSet};
use serde_json::Value as Json;

use super::{GLOBAL, Graph, Id, NodeDef, listeners::Listeners};

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

impl Wiring {
    /// Whether it names a node of these.
    pub fn leads_to(&self, these: &impl Fn(&Id) -> bool) -> bool {
        self.outputs.iter().flatten().any(these)
            || self.catch.iter().any(|(id, _)| these(id))
            || self.status.iter().chain(&self.complete).any(these)
    }
}

/// Works out the wiring of every node.
pub fn wire(graph: &Graph) -> IndexMap<Id, Wiring, FxBuildHasher> {
    let mut outputs = outputs(graph);
    let listeners = Listeners::of(graph);
    let users = users(graph);
    let mut wiring = IndexMap::with_capacity_and_hasher(graph.nodes.len(), FxBuildHasher);
    for node in graph.nodes.values() {
        let mut entry = Wiring {
            outputs: outputs.remove(&*node.id).unwrap_or_default(),
            catch: listeners.catches(node),
            status: listeners.statuses(node),
            complete: listeners.completes(node),
        };
        // A global config node reports to the flows of those that use it, with the user as the reporting node.
        if &*node.flow == GLOBAL && node.is_config {
            let users = users.get(&*node.id);
            if users.is_some() {
                entry.catch.clear();
                entry.status.clear();
            }
            for user in users.into_iter().flatten() {
                entry.catch.extend(takers(listeners.catches(user)));
                entry.status.extend(listeners.statuses(user));
            }
        }
        wiring.insert(node.id.clone(), entry);
    }
    wiring
}

/// Those of one flow that take an error, whatever those of other flows do.
fn takers(catches: Vec<(Id, bool)>) -> impl Iterator<Item = (Id, bool)> {
    let (mut handled, mut by_uncaught) = (false, false);
    catches.into_iter().filter_map(move |(id, uncaught)| {
        if uncaught && handled && !by_uncaught {
            return None;
        }
        handled = true;
        by_uncaught |= uncaught;
        Some((id, false))
    })
}

/// By node and output, the nodes it leads to.
fn outputs(graph: &Graph) -> HashMap<&str, Vec<Vec<Id>>> {
    // What the wires of the file say. An instance's wires are those of its outputs: nodes inside feed them.
    let mut wires: HashMap<&str, Vec<Vec<Id>>> = graph
        .nodes
        .values()
        .map(|node| (&*node.id, node.wires.clone()))
        .collect();
    for (source, targets) in merged_links(graph) {
        wires.insert(source, vec![targets]);
    }
    let mut inputs: HashMap<&str, Vec<Vec<Id>>> = HashMap::default();
    for instance in graph.instances.values() {
        // Outer instances come first, so that the wires of this one are complete.
        let outside = wires.remove(&*instance.id).unwrap_or_default();
        inputs.insert(&instance.id, instance.inputs.clone());
        let status = instance.status_node();
        let fed = instance
            .outputs
            .iter()
            .enumerate()
            .map(|(port, feeds)| (feeds, outside.get(port).cloned().unwrap_or_default()));
        let fed_status = instance
            .status
            .iter()
            .map(|feeds| (feeds, vec![status.clone()]));
        for (feeds, targets) in fed.chain(fed_status) {
            for (source, port) in feeds {
                let own = if *source == instance.id {
                    inputs.get_mut(&**source)
                } else {
                    wires.get_mut(&**source)
                };
                let Some(own) = own else { continue };
                if own.len() <= *port {
                    own.resize(*port + 1, Vec::new());
                }
                own[*port].extend(targets.iter().cloned());
            }
        }
    }
    wires.extend(inputs);
    for outputs in wires.values_mut() {
        if outputs.iter().all(Vec::is_empty) {
            outputs.clear();
        }
        for targets in outputs.iter_mut() {
            targets.retain(|id| graph.nodes.contains_key(id));
        }
    }
    wires
}

/// `link out` → the union of its own links and of the `link in`s that name it. Only in mode "link".
fn merged_links(graph: &Graph) -> HashMap<&str, Vec<Id>> {
    let list = |node: &NodeDef| -> Vec<Id> {
        let links = node.item.get("links").and_then(Json::as_array);
        links
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(Id::from)
            .collect()
    };
    let mut merged: HashMap<&str, Vec<Id>> = HashMap::default();
    for node in graph.nodes.values() {
        match &*node.type_name {
            // One that says nothing of links keeps the wires that it has.
            "link out" if node.item.get("links").is_some_and(Json::is_array) => {
                let own = merged.entry(&node.id).or_default();
                list(node)
                    .into_iter()
                    .for_each(|target| push_new(own, target));
            }
            "link in" => {
                for source in list(node) {
                    let from = graph.nodes.get(&source);
                    if let Some(from) = from.filter(|from| &*from.type_name == "link out") {
                        push_new(merged.entry(&from.id).or_default(), node.id.clone());
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
fn users(graph: &Graph) -> HashMap<&str, Vec<&NodeDef>> {
    let configs: HashSet<&str> = graph
        .nodes
        .values()
        .filter(|node| node.is_config && &*node.flow == GLOBAL)
        .map(|node| &*node.id)
        .collect();
    let mut users: HashMap<&str, Vec<&NodeDef>> = HashMap::default();
    if configs.is_empty() {
        return users;
    }
    for node in graph.nodes.values() {
        for named in named(node) {
            if let Some(config) = configs.get(named).filter(|config| **config != &*node.id) {
                users.entry(config).or_default().push(node);
            }
        }
    }
    users
}

/// The texts in a node's properties that may be the id of a config node.
fn named(node: &NodeDef) -> impl Iterator<Item = &str> {
    node.item.iter().filter_map(|(key, value)| {
        let text = value.as_str()?;
        (!matches!(key.as_str(), "id" | "z" | "g" | "type" | "name")).then_some(text)
    })
}

/// Whether the wiring of both graphs is the same because nothing that it is made of has changed. No is no promise.
pub fn same_wiring(old: &Graph, new: &Graph) -> bool {
    let is_id = |text: &&str| new.nodes.contains_key(*text) || old.nodes.contains_key(*text);
    let same = |one: &Arc<NodeDef>, other: &Arc<NodeDef>| {
        let matters = ["catch", "status", "complete", "link in", "link out"];
        Arc::ptr_eq(one, other)
            || (one.id == other.id
                && one.type_name == other.type_name
                && !matters.contains(&&*one.type_name)
                && one.flow == other.flow
                && one.wires == other.wires
                && one.groups == other.groups
                && one.instances == other.instances
                && one.is_config == other.is_config
                && named(one).filter(is_id).eq(named(other).filter(is_id)))
    };
    old.nodes.len() == new.nodes.len()
        && old.instances == new.instances
        && old
            .nodes
            .values()
            .zip(new.nodes.values())
            .all(|(one, other)| same(one, other))
}
