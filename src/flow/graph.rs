//! From the flow file to what runs: every enabled node with its strict configuration, its flow, its groups and its wires.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{EnvScope, Environment, Flows, Id, Item, ProcessEnv, group::Groups};
use crate::catalog::{Catalog, strict_config};

/// The id of the global scope: config nodes without a tab, and nodes without a `z`.
pub const GLOBAL: &str = "global";

/// A tab, or the global scope.
pub struct FlowDef {
    pub id: Id,
    pub label: Option<String>,
    pub env: Environment,
    /// The tab's own record; none for the global scope and for a tab that is only implied by its nodes.
    pub item: Option<Item>,
}

/// One node to run.
pub struct NodeDef {
    pub id: Id,
    pub type_name: Id,
    pub name: Option<Id>,
    /// The flow it runs in: a tab's id or [`GLOBAL`].
    pub flow: Id,
    /// Its `z` as the file has it.
    pub z: Option<Id>,
    /// The groups around it, the innermost first.
    pub groups: Vec<Id>,
    /// By output, the ids that its wires name.
    pub wires: Vec<Vec<Id>>,
    /// Every property of its manifest, strict. For a type without a manifest its own properties, expanded but as they came.
    pub config: Map<String, Json>,
    /// Its record as it stands in the file.
    pub item: Item,
    /// A config node in the sense of the file: it has no place on a canvas.
    pub is_config: bool,
    pub env: Environment,
}

impl NodeDef {
    /// The path of Node-RED's records: flow id / node id.
    pub fn path(&self) -> String {
        match &self.z {
            Some(z) => format!("{z}/{}", self.id),
            None => format!("{GLOBAL}/{}", self.id),
        }
    }

    /// The name, or the type.
    pub fn title(&self) -> &str {
        self.name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.type_name)
    }
}

/// All that runs, in the order in which it starts.
#[derive(Default)]
pub struct Graph {
    /// The global scope first, then the tabs in file order.
    pub flows: IndexMap<Id, FlowDef>,
    /// Config nodes before the nodes that use them, else file order.
    pub nodes: IndexMap<Id, NodeDef>,
    /// By group, what its members depend on: its record without place and size.
    pub groups: HashMap<Id, Item>,
    /// Types without a node behind them, once each.
    pub missing: Vec<Id>,
}

const STRUCTURE: [&str; 3] = ["tab", "subflow", "group"];

impl Graph {
    /// Works out what runs. Disabled nodes and tabs, subflow definitions and what stands in them are left out.
    pub fn resolve(flows: &Flows, catalog: &Catalog, process: &ProcessEnv) -> Self {
        let outermost = EnvScope::process(process.clone());
        let global_env = flows
            .items
            .iter()
            .find(|item| text(item, "type") == Some("global-config") && !is_true(item, "d"));
        let global = EnvScope::within(
            &outermost,
            Vec::new(),
            global_env.and_then(|item| item.get("env")),
        );
        let groups = Groups::of(&flows.items);
        let (mut tabs, off) = tabs(flows, &global);
        let mut group_envs = HashMap::new();
        let mut missing: Vec<Id> = Vec::new();
        let mut nodes: Vec<NodeDef> = Vec::new();
        for item in &flows.items {
            let (Some(id), Some(type_name)) = (text(item, "id"), text(item, "type")) else {
                continue;
            };
            let z = text(item, "z").filter(|z| !z.is_empty());
            if STRUCTURE.contains(&type_name)
                || is_true(item, "d")
                || z.is_some_and(|z| off.contains(&z))
            {
                continue;
            }
            let flow: Id = z.unwrap_or(GLOBAL).into();
            let tab = tabs
                .entry(flow.clone())
                .or_insert_with(|| FlowDef::implied(&flow, &global));
            let chain = groups.chain(text(item, "g"));
            let around = group_env(&groups, &chain, &tab.env, &mut group_envs);
            let own = vec![
                (
                    "NR_NODE_NAME",
                    text(item, "name").unwrap_or_default().to_owned(),
                ),
                ("NR_NODE_ID", id.to_owned()),
                ("NR_NODE_PATH", format!("{flow}/{id}")),
            ];
            let env = EnvScope::within(&around, own, None);
            let mut expanded = Json::Object(item.clone());
            env.expand(&mut expanded);
            let Json::Object(expanded) = expanded else {
                continue;
            };
            let config = match catalog.get(type_name) {
                Some(known) => strict_config(&known.manifest.properties, &expanded),
                None => without_place(expanded),
            };
            if catalog.get(type_name).is_none() && !missing.iter().any(|seen| &**seen == type_name)
            {
                missing.push(type_name.into());
            }
            nodes.push(NodeDef {
                id: id.into(),
                type_name: type_name.into(),
                name: text(item, "name")
                    .filter(|name| !name.is_empty())
                    .map(Id::from),
                flow,
                z: z.map(Id::from),
                groups: chain,
                wires: wires(item),
                config,
                is_config: !(item.contains_key("x") && item.contains_key("y")),
                item: item.clone(),
                env,
            });
        }
        Self {
            nodes: in_order(nodes, &tabs, catalog),
            flows: tabs,
            groups: groups.relevant(),
            missing,
        }
    }

    /// The nodes of one flow, in the order in which they start.
    pub fn nodes_of<'a>(&'a self, flow: &'a str) -> impl Iterator<Item = &'a NodeDef> {
        self.nodes.values().filter(move |node| &*node.flow == flow)
    }
}

impl FlowDef {
    fn implied(id: &Id, global: &Environment) -> Self {
        let own = vec![
            ("NR_FLOW_ID", id.to_string()),
            ("NR_FLOW_NAME", String::new()),
        ];
        Self {
            id: id.clone(),
            label: None,
            env: EnvScope::within(global, own, None),
            item: None,
        }
    }
}

/// The flows that run, and the ids of disabled tabs and of subflow definitions.
fn tabs<'a>(flows: &'a Flows, global: &Environment) -> (IndexMap<Id, FlowDef>, Vec<&'a str>) {
    let global_id: Id = GLOBAL.into();
    let mut tabs = IndexMap::new();
    let whole = FlowDef {
        id: global_id.clone(),
        label: None,
        env: global.clone(),
        item: None,
    };
    tabs.insert(global_id, whole);
    let mut off = Vec::new();
    for item in &flows.items {
        let Some(id) = text(item, "id") else { continue };
        match text(item, "type") {
            Some("tab") if is_true(item, "disabled") => off.push(id),
            Some("subflow") => off.push(id),
            Some("tab") => {
                let label = text(item, "label").unwrap_or_default().to_owned();
                let own = vec![
                    ("NR_FLOW_NAME", label.clone()),
                    ("NR_FLOW_ID", id.to_owned()),
                ];
                let env = EnvScope::within(global, own, item.get("env"));
                tabs.insert(
                    id.into(),
                    FlowDef {
                        id: id.into(),
                        label: Some(label),
                        env,
                        item: Some(item.clone()),
                    },
                );
            }
            _ => {}
        }
    }
    (tabs, off)
}

/// The variables inside the innermost group of a chain.
fn group_env(
    groups: &Groups,
    chain: &[Id],
    tab: &Environment,
    made: &mut HashMap<Id, Environment>,
) -> Environment {
    let Some((innermost, outer)) = chain.split_first() else {
        return tab.clone();
    };
    if let Some(env) = made.get(innermost) {
        return env.clone();
    }
    let around = group_env(groups, outer, tab, made);
    let item = groups.get(innermost);
    let name = item.and_then(|item| text(item, "name")).unwrap_or_default();
    let own = vec![
        ("NR_GROUP_NAME", name.to_owned()),
        ("NR_GROUP_ID", innermost.to_string()),
    ];
    let env = EnvScope::within(&around, own, item.and_then(|item| item.get("env")));
    made.insert(innermost.clone(), env.clone());
    env
}

/// Global scope first, then the tabs; within each, config nodes (used before user) and then the others in file order.
fn in_order(
    nodes: Vec<NodeDef>,
    tabs: &IndexMap<Id, FlowDef>,
    catalog: &Catalog,
) -> IndexMap<Id, NodeDef> {
    let is_service = |node: &NodeDef| {
        catalog
            .get(&node.type_name)
            .is_some_and(|known| known.manifest.config)
    };
    let mut places: Vec<(usize, usize, usize)> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let flow = tabs.get_index_of(&node.flow).unwrap_or(usize::MAX);
            (flow, usize::from(!is_service(node)), index)
        })
        .collect();
    places.sort_unstable();
    let mut nodes: Vec<Option<NodeDef>> = nodes.into_iter().map(Some).collect();
    let mut ordered = IndexMap::with_capacity(nodes.len());
    let mut waiting: Vec<usize> = places.into_iter().map(|(_, _, index)| index).collect();
    // A config node that names another waits for it; what is left when nobody can go first is a circle, and goes as it stands.
    while !waiting.is_empty() {
        let before = waiting.len();
        let ids: Vec<Id> = waiting
            .iter()
            .filter_map(|index| nodes[*index].as_ref())
            .map(|node| node.id.clone())
            .collect();
        let blocked = |node: &NodeDef| {
            is_service(node)
                && node.item.iter().any(|(key, value)| {
                    key != "id"
                        && value.as_str().is_some_and(|text| {
                            ids.iter().any(|id| &**id == text && *id != node.id)
                        })
                })
        };
        let mut later = Vec::new();
        for index in waiting {
            match nodes[index].take() {
                Some(node) if blocked(&node) => {
                    nodes[index] = Some(node);
                    later.push(index);
                }
                Some(node) => drop(ordered.insert(node.id.clone(), node)),
                None => {}
            }
        }
        if later.len() == before {
            for index in later.drain(..) {
                if let Some(node) = nodes[index].take() {
                    ordered.insert(node.id.clone(), node);
                }
            }
        }
        waiting = later;
    }
    ordered
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

fn is_true(item: &Item, key: &str) -> bool {
    item.get(key).and_then(Json::as_bool).unwrap_or(false)
}
