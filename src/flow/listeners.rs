//! Who hears of a node's errors, statuses and completed messages: catch, status and complete nodes.

use std::sync::Arc;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use serde_json::Value as Json;

use super::{Graph, Id, NodeDef};

/// The listening nodes of a graph, by the flow they are in.
pub(super) struct Listeners<'a> {
    graph: &'a Graph,
    catches: HashMap<&'a str, Vec<Listener<'a>>>,
    statuses: HashMap<&'a str, Vec<Listener<'a>>>,
    /// By the node that a complete node watches.
    completes: HashMap<(&'a str, &'a str), Vec<&'a NodeDef>>,
}

/// A catch or status node.
struct Listener<'a> {
    node: &'a NodeDef,
    scope: Scope<'a>,
    uncaught: bool,
}

enum Scope<'a> {
    All,
    /// The group that the listener is in.
    Group,
    Nodes(HashSet<&'a str>),
}

impl<'a> Listeners<'a> {
    pub(super) fn of(graph: &'a Graph) -> Self {
        let mut listeners = Self {
            graph,
            catches: HashMap::default(),
            statuses: HashMap::default(),
            completes: HashMap::default(),
        };
        for node in graph.nodes.values() {
            match &*node.type_name {
                "catch" => listeners
                    .catches
                    .entry(&node.flow)
                    .or_default()
                    .push(Listener::of(node)),
                "status" => listeners
                    .statuses
                    .entry(&node.flow)
                    .or_default()
                    .push(Listener::of(node).but_not_its_targets()),
                "complete" => {
                    let wired: HashSet<&str> =
                        node.wires.iter().flatten().map(|id| &**id).collect();
                    for id in ids(node).unwrap_or_default() {
                        // A complete node that is wired to what it watches would hear itself for ever.
                        if !wired.contains(id) {
                            listeners
                                .completes
                                .entry((&node.flow, id))
                                .or_default()
                                .push(node);
                        }
                    }
                }
                _ => {}
            }
        }
        listeners
    }

    /// The catch nodes that hear a node, in the order in which they are asked, with their `uncaught`. In an instance of a
    /// subflow without any, those around it that hear the instance.
    pub(super) fn catches(&self, reporter: &NodeDef) -> Vec<(Id, bool)> {
        let mut reporter = reporter;
        loop {
            let chosen = choose(self.catches.get(&*reporter.flow), reporter, |one| {
                one.rank()
            });
            if !chosen.is_empty() {
                return chosen;
            }
            match self.instance_around(reporter) {
                Some(instance) => reporter = instance,
                None => return Vec::new(),
            }
        }
    }

    /// The status nodes that hear a node. As for errors, but an instance with a status output keeps to itself what
    /// nobody in it hears.
    pub(super) fn statuses(&self, reporter: &NodeDef) -> Vec<Id> {
        let mut reporter = reporter;
        loop {
            let chosen = choose(self.statuses.get(&*reporter.flow), reporter, |_| 0);
            if !chosen.is_empty() {
                return chosen.into_iter().map(|(id, _)| id).collect();
            }
            let around = self.graph.instances.get(&reporter.flow);
            if around.is_none_or(super::Instance::has_status_output) {
                return Vec::new();
            }
            match self.instance_around(reporter) {
                Some(instance) => reporter = instance,
                None => return Vec::new(),
            }
        }
    }

    /// The complete nodes that hear a node.
    pub(super) fn completes(&self, node: &NodeDef) -> Vec<Id> {
        let found = self.completes.get(&(&*node.flow, &*node.id));
        found
            .into_iter()
            .flatten()
            .map(|listener| listener.id.clone())
            .collect()
    }

    fn instance_around(&self, node: &NodeDef) -> Option<&'a NodeDef> {
        self.graph.instances.get(&node.flow)?;
        self.graph.nodes.get(&node.flow).map(Arc::as_ref)
    }
}

impl<'a> Listener<'a> {
    fn of(node: &'a NodeDef) -> Self {
        let by_group = node.config.get("scope").and_then(Json::as_str) == Some("group");
        Self {
            node,
            scope: match ids(node) {
                Some(ids) => Scope::Nodes(ids),
                None if by_group => Scope::Group,
                None => Scope::All,
            },
            uncaught: node
                .config
                .get("uncaught")
                .and_then(Json::as_bool)
                .unwrap_or(false),
        }
    }

    /// Without what it is wired to: a status node would hear for ever what it causes itself.
    fn but_not_its_targets(mut self) -> Self {
        if let Scope::Nodes(ids) = &mut self.scope {
            for target in self.node.wires.iter().flatten() {
                ids.remove(&**target);
            }
        }
        self
    }

    /// How many groups lie between the listener and the node that reports; none when it does not hear it.
    fn distance(&self, reporter: &NodeDef) -> Option<usize> {
        let group = self.node.groups.first();
        let around = group.and_then(|group| reporter.groups.iter().position(|g| g == group));
        let hears = match &self.scope {
            Scope::All => true,
            // A listener that is in no group hears everybody, as in Node-RED.
            Scope::Group => around.is_some() || !names_group(self.node),
            Scope::Nodes(ids) => ids.contains(&*reporter.id),
        };
        hears.then(|| around.unwrap_or(reporter.groups.len()))
    }

    /// Among catch nodes those with a scope go first, those that only take what is left go last.
    fn rank(&self) -> u8 {
        match (&self.scope, self.uncaught) {
            (Scope::Group | Scope::Nodes(_), _) => 0,
            (Scope::All, false) => 1,
            (Scope::All, true) => 2,
        }
    }
}

/// The listeners that hear a node: nearest group first, then by rank, then in file order.
fn choose(
    listeners: Option<&Vec<Listener>>,
    reporter: &NodeDef,
    rank: impl Fn(&Listener) -> u8,
) -> Vec<(Id, bool)> {
    let mut chosen: Vec<(usize, u8, &Listener)> = listeners
        .into_iter()
        .flatten()
        .filter(|listener| listener.node.id != reporter.id)
        .filter_map(|listener| Some((listener.distance(reporter)?, rank(listener), listener)))
        .collect();
    chosen.sort_by_key(|(distance, rank, _)| (*distance, *rank));
    chosen
        .into_iter()
        .map(|(_, _, listener)| (listener.node.id.clone(), listener.uncaught))
        .collect()
}

fn names_group(node: &NodeDef) -> bool {
    super::graph::text(&node.item, "g").is_some_and(|group| !group.is_empty())
}

/// The ids in a listener's scope; none when it is no list.
fn ids(node: &NodeDef) -> Option<HashSet<&str>> {
    let scope = node.config.get("scope")?.as_array()?;
    Some(scope.iter().filter_map(Json::as_str).collect())
}
