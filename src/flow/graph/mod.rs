//! From the flow file to what runs: every enabled node with its strict configuration, its flow, its groups and its wires.

mod order;
mod records;
mod scopes;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde_json::{Map, Value as Json};

use super::{
    EnvScope, Environment, Flows, Id, Instance, Item, ProcessEnv,
    group::Groups,
    subflow::{Placed, Running, SUBFLOW_STATUS, expand},
};
use crate::catalog::{Catalog, strict_config};
use records::ByRecord;
pub(in crate::flow) use records::Records;
use scopes::Scopes;

/// The id of the global scope: config nodes without a tab, and nodes without a `z`.
pub const GLOBAL: &str = "global";

/// Gives the credentials of a record, decrypted, by its id in the file.
pub type CredentialsOf<'a> = &'a (dyn Fn(&str) -> BTreeMap<String, String> + Send + Sync);

/// A tab, or the global scope.
pub struct FlowDef {
    pub id: Id,
    pub label: Option<String>,
    pub env: Environment,
    /// The tab's own record; none for the global scope and for a tab that is only implied by its nodes.
    pub item: Option<Arc<Item>>,
}

/// One node to run.
pub struct NodeDef {
    /// Within a subflow's instance: `<instance>-<id in the definition>`.
    pub id: Id,
    /// Its id in the file, if it stands in an instance.
    pub alias: Option<Id>,
    pub type_name: Id,
    pub name: Option<Id>,
    /// The flow it belongs to: a tab, a subflow's instance, or [`GLOBAL`].
    pub flow: Id,
    /// The tab whose task runs it.
    pub tab: Id,
    /// The instances around it, the innermost first.
    pub instances: Vec<Id>,
    /// Its `z`: as the file has it, or the instance.
    pub z: Option<Id>,
    /// The groups around it, the innermost first.
    pub groups: Vec<Id>,
    /// By output, the ids that its wires name.
    pub wires: Vec<Vec<Id>>,
    /// Every property of its manifest, strict. For a type without a manifest its own properties, expanded but as they came.
    pub config: Map<String, Json>,
    /// Its record as it stands in the file, with an instance's ids if it stands in one.
    pub item: Arc<Item>,
    /// A config node in the sense of the file: it has no place on a canvas.
    pub is_config: bool,
    pub env: Environment,
    /// The path of Node-RED's records: flow id / instance ids / node id.
    pub path: String,
    /// Its record names variables, so that it may be another node when those change.
    names_variables: bool,
}

impl NodeDef {
    /// Its id in the file.
    pub fn file_id(&self) -> &Id {
        self.alias.as_ref().unwrap_or(&self.id)
    }

    /// The name, or the type.
    pub fn title(&self) -> &str {
        self.name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.type_name)
    }

    /// Whether it is an instance of a subflow, or what stands behind its status output.
    pub fn is_of_subflow(&self) -> bool {
        self.type_name.starts_with("subflow:") || &*self.type_name == SUBFLOW_STATUS
    }
}

/// All that runs, in the order in which it starts.
#[derive(Default)]
pub struct Graph {
    /// The global scope first, then the tabs in file order.
    pub flows: IndexMap<Id, FlowDef, FxBuildHasher>,
    /// Subflows in use, an outer one before those within it.
    pub instances: IndexMap<Id, Instance>,
    /// Config nodes before the nodes that use them, else file order.
    pub nodes: IndexMap<Id, Arc<NodeDef>, FxBuildHasher>,
    /// By group, what its members depend on: its record without place and size.
    pub groups: HashMap<Id, Item>,
    /// Types without a node behind them, once each.
    pub missing: Vec<Id>,
    /// Variables that can't be evaluated: the flow or group they stand in, and why.
    pub env_errors: Vec<(Id, String)>,
    /// The ids of what is in the file and does not run as it stands there.
    other_ids: FxHashSet<Id>,
    /// The variables within instances and groups.
    inner_env: FxHashMap<Id, Environment>,
    by_record: ByRecord,
}

impl Graph {
    /// Works out what runs. Disabled nodes and tabs are left out; of subflows only the instances run.
    pub fn resolve(
        flows: &Flows,
        catalog: &Catalog,
        process: &ProcessEnv,
        credentials: CredentialsOf,
    ) -> Self {
        Self::default().resolve_after(flows, catalog, process, credentials)
    }

    /// The graph of the flows that come after these. What stands in records that both share ([`Flows::share`]), with the
    /// same variables around it, is taken over: of many nodes a deploy changes few.
    pub fn resolve_after(
        &self,
        flows: &Flows,
        catalog: &Catalog,
        process: &ProcessEnv,
        credentials: CredentialsOf,
    ) -> Self {
        let records = Records::of(flows, self);
        let tabs = scopes::tabs(&records, process, credentials, self);
        let expanded = expand(&records, &tabs.off);
        let groups = Groups::of(&expanded.groups);
        let mut scopes = Scopes::new(tabs.flows, &groups, credentials, self);
        for instance in &expanded.instances {
            scopes.add_instance(instance);
        }
        let mut missing: Vec<Id> = Vec::new();
        let mut nodes: Vec<Arc<NodeDef>> = Vec::with_capacity(expanded.nodes.len());
        for running in expanded.nodes {
            let (item, flow) = match &running {
                Running::New(placed) => (&placed.item, &placed.flow),
                Running::Known(node) => (&node.item, &node.flow),
            };
            let chain = groups.chain(text(item, "g"));
            let around = scopes.around(flow, &chain);
            let placed = match running {
                Running::Known(node) if node.holds_in(&chain, &around) => {
                    nodes.push(node);
                    continue;
                }
                Running::Known(node) => Placed::again(&node),
                Running::New(placed) => placed,
            };
            let Some(node) = node(placed, chain, &around, catalog) else {
                continue;
            };
            nodes.push(Arc::new(node));
        }
        for node in &nodes {
            if catalog.get(&node.type_name).is_none()
                && !scopes.is_instance(&node.id)
                && &*node.type_name != SUBFLOW_STATUS
                && !missing.contains(&node.type_name)
            {
                missing.push(node.type_name.clone());
            }
        }
        let relevant = groups.relevant();
        let (flows, inner_env) = scopes.finish();
        let of_flows = flows.iter().map(|(id, flow)| (id, &flow.env));
        let errors = |(id, env): (&Id, &Environment)| -> Vec<(Id, String)> {
            let errors = env.errors().iter();
            errors.map(|error| (id.clone(), error.clone())).collect()
        };
        let env_errors = of_flows.chain(&inner_env).flat_map(errors).collect();
        let nodes = order::in_order(nodes, &flows, catalog);
        let other = records.ids().filter(|id| !nodes.contains_key(*id));
        let other_ids = other.map(Id::from).collect();
        Self {
            by_record: ByRecord::of(nodes.values()),
            nodes,
            flows,
            instances: expanded
                .instances
                .into_iter()
                .map(|instance| (instance.id.clone(), instance))
                .collect(),
            groups: relevant,
            missing,
            env_errors,
            other_ids,
            inner_env,
        }
    }

    /// The nodes of one flow, in the order in which they start.
    pub fn nodes_of<'a>(&'a self, flow: &'a str) -> impl Iterator<Item = &'a NodeDef> {
        let nodes = self.nodes.values().map(Arc::as_ref);
        nodes.filter(move |node| &*node.flow == flow)
    }

    /// Whether what the context `scope` belongs to still exists, even if it does not run: `<node>:<flow>`, or a flow's id.
    pub fn has_scope(&self, scope: &str) -> bool {
        let has_flow = |id: &str| {
            self.flows.contains_key(id) || self.instances.contains_key(id) || self.has(id)
        };
        has_flow(scope)
            || scope.match_indices(':').any(|(at, _)| {
                let (node, flow) = (&scope[..at], &scope[at + 1..]);
                has_flow(flow) && (self.nodes.contains_key(node) || self.has(node))
            })
    }

    /// Whether the file has this id, or all those that the id of something in a subflow's instance is made of
    /// (`<instance>-<node>`).
    fn has(&self, id: &str) -> bool {
        let known = |id: &str| self.other_ids.contains(id) || self.nodes.contains_key(id);
        known(id)
            || id
                .match_indices('-')
                .any(|(at, _)| known(&id[..at]) && self.has(&id[at + 1..]))
    }

    /// The flows around a flow, the innermost first: none for a tab.
    pub fn around(&self, flow: &Id) -> Vec<Id> {
        let mut around = Vec::new();
        let mut flow = flow;
        while let Some(instance) = self.instances.get(flow) {
            flow = &instance.flow;
            around.push(flow.clone());
        }
        around
    }
}

fn node(
    placed: Placed,
    chain: Vec<Id>,
    around: &Environment,
    catalog: &Catalog,
) -> Option<NodeDef> {
    let item = placed.item;
    let (id, type_name) = (text(&item, "id")?, text(&item, "type")?);
    let own = vec![
        ("NR_NODE_NAME", text(&item, "name").map(str::to_owned)),
        ("NR_NODE_ID", Some(id.to_owned())),
        ("NR_NODE_PATH", Some(placed.path.clone())),
    ];
    let env = EnvScope::of_node(around, own);
    let expanded = env.expanded(&item);
    let known = catalog.get(type_name);
    let config = match known {
        Some(known) => strict_config(&known.manifest.properties, &expanded),
        None => without_place(expanded.into_owned()),
    };
    Some(NodeDef {
        id: id.into(),
        alias: placed.alias,
        type_name: type_name.into(),
        name: text(&item, "name")
            .filter(|name| !name.is_empty())
            .map(Id::from),
        flow: placed.flow,
        tab: placed.tab,
        instances: placed.instances,
        z: text(&item, "z").filter(|z| !z.is_empty()).map(Id::from),
        groups: chain,
        wires: wires(&item),
        config,
        is_config: !(item.contains_key("x") && item.contains_key("y")),
        names_variables: EnvScope::names_any(&item),
        item,
        env,
        path: placed.path,
    })
}

/// A node without a manifest keeps all its properties but those that no node's work depends on.
fn without_place(mut item: Item) -> Item {
    item.retain(|key, _| !matches!(key.as_str(), "x" | "y" | "wires"));
    item
}

fn wires(item: &Item) -> Vec<Vec<Id>> {
    let outputs = item.get("wires").and_then(Json::as_array);
    let ids = |output: &Json| match output {
        Json::Array(targets) => targets
            .iter()
            .filter_map(Json::as_str)
            .map(Id::from)
            .collect(),
        Json::String(target) => vec![Id::from(target.as_str())],
        _ => Vec::new(),
    };
    outputs
        .map(|outputs| outputs.iter().map(ids).collect())
        .unwrap_or_default()
}

/// A text property.
pub(super) fn text<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Json::as_str)
}

pub(super) fn is_true(item: &Item, key: &str) -> bool {
    item.get(key).and_then(Json::as_bool).unwrap_or(false)
}
