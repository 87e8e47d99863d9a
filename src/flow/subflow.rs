//! Subflows: every instance becomes nodes of its own, with ids `<instance>-<node>` (Node-RED's).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value as Json;

use super::{
    GLOBAL, Id, Item, NodeDef,
    graph::{Records, text},
    rename::Rename,
};

/// The type of the node behind an instance's status output.
pub const SUBFLOW_STATUS: &str = "subflow-status";

/// Nodes that all instances together may become; more is taken for a mistake, such as ten levels of ten instances.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 50;

/// What runs: a record that has to be worked out, or a node that is known from the graph before.
pub(super) enum Running {
    New(Placed),
    Known(Arc<NodeDef>),
}

/// A record and where it runs.
pub(super) struct Placed {
    pub(super) item: Arc<Item>,
    /// The flow that it belongs to: a tab, an instance, or the global scope.
    pub(super) flow: Id,
    /// The tab whose task runs it.
    pub(super) tab: Id,
    /// Its id in the definition, if it stands in an instance.
    pub(super) alias: Option<Id>,
    /// The instances around it, the innermost first.
    pub(super) instances: Vec<Id>,
    /// flow id / instance ids / node id, each as the file has it.
    pub(super) path: String,
}

impl Placed {
    /// A node that is to be worked out anew.
    pub(super) fn again(node: &NodeDef) -> Self {
        Self {
            item: node.item.clone(),
            flow: node.flow.clone(),
            tab: node.tab.clone(),
            alias: node.alias.clone(),
            instances: node.instances.clone(),
            path: node.path.clone(),
        }
    }
}

/// One use of a subflow.
#[derive(PartialEq)]
pub struct Instance {
    pub id: Id,
    /// Its id in the file: another one when it stands within an instance.
    pub alias: Id,
    pub definition: Id,
    /// The flow that it stands in.
    pub flow: Id,
    pub(super) name: Option<String>,
    pub(super) group: Option<Id>,
    pub(super) path: String,
    /// By input, the inner nodes that it leads to.
    pub(super) inputs: Vec<Vec<Id>>,
    /// By output, the inner nodes and their ports that feed it; the instance's own id stands for its input.
    pub(super) outputs: Vec<Vec<(Id, usize)>>,
    pub(super) status: Option<Vec<(Id, usize)>>,
    /// The definition's other properties: what changes there restarts its instances.
    pub(super) definition_item: Arc<Item>,
    /// The definition's variables, and those of the instance.
    pub(super) env: [Option<Json>; 2],
}

impl Instance {
    /// Whether its status is what a node inside says, not what its nodes show.
    pub fn has_status_output(&self) -> bool {
        self.status.is_some()
    }

    /// The id of the node behind its status output.
    pub(super) fn status_node(&self) -> Id {
        format!("{}:status", self.id).into()
    }
}

/// All that runs, instances expanded.
#[derive(Default)]
pub(super) struct Expanded {
    pub(super) nodes: Vec<Running>,
    /// Groups, with the flow they are in.
    pub(super) groups: Vec<Placed>,
    /// An outer instance before those within it.
    pub(super) instances: Vec<Instance>,
}

/// Expands the records of a flow file. What stands on a tab in `off`, or is disabled itself, is left out.
pub(super) fn expand(records: &Records, off: &HashSet<&str>) -> Expanded {
    let definitions: HashMap<&str, Definition> = definitions(records);
    let mut expander = Expander {
        definitions,
        out: Expanded::default(),
    };
    for (item, known) in records.iter() {
        if let Some(node) = known
            && !expander.definitions.contains_key(&*node.flow)
            && !off.contains(&*node.flow)
        {
            expander.out.nodes.push(Running::Known(node.clone()));
            continue;
        }
        let Some(place) = Place::of(item) else {
            continue;
        };
        if expander.definitions.contains_key(place.z) || off.contains(place.z) {
            continue;
        }
        let flow: Id = if place.z.is_empty() { GLOBAL } else { place.z }.into();
        let placed = Placed {
            path: format!("{flow}/{}", place.id),
            item: item.clone(),
            tab: flow.clone(),
            flow,
            alias: None,
            instances: Vec::new(),
        };
        expander.place(placed, &mut Vec::new());
    }
    expander.out
}

struct Place<'a> {
    id: &'a str,
    z: &'a str,
}

impl<'a> Place<'a> {
    /// None for what is no node or group, or is disabled.
    fn of(item: &'a Item) -> Option<Self> {
        let (id, type_name) = (text(item, "id")?, text(item, "type")?);
        let disabled = item.get("d").and_then(Json::as_bool).unwrap_or(false);
        let structure = matches!(type_name, "tab" | "subflow");
        (!disabled && !structure).then(|| Self {
            id,
            z: text(item, "z").unwrap_or_default(),
        })
    }
}

#[derive(Default)]
struct Definition<'a> {
    item: Option<&'a Item>,
    /// The same, for the instances to keep.
    properties: Arc<Item>,
    members: Vec<&'a Item>,
}

fn definitions<'a>(records: &Records<'a>) -> HashMap<&'a str, Definition<'a>> {
    let mut definitions: HashMap<&str, Definition> = HashMap::new();
    for item in records.not_known() {
        if let (Some("subflow"), Some(id)) = (text(item, "type"), text(item, "id")) {
            let definition = definitions.entry(id).or_default();
            definition.item = Some(item);
            definition.properties = item.clone();
        }
    }
    if definitions.is_empty() {
        return definitions;
    }
    for (item, _) in records.iter() {
        if let Some(definition) = Place::of(item).and_then(|place| definitions.get_mut(place.z)) {
            definition.members.push(item);
        }
    }
    definitions
}

struct Expander<'a> {
    definitions: HashMap<&'a str, Definition<'a>>,
    out: Expanded,
}

impl Expander<'_> {
    /// Takes a record in. An instance brings its nodes with it; `within` are the definitions that are being expanded.
    fn place(&mut self, placed: Placed, within: &mut Vec<String>) {
        let type_name = text(&placed.item, "type").unwrap_or_default();
        if type_name == "group" {
            self.out.groups.push(placed);
            return;
        }
        let definition = type_name
            .strip_prefix("subflow:")
            .filter(|definition| self.definitions.contains_key(definition))
            .map(str::to_owned);
        let Some(definition) = definition else {
            self.out.nodes.push(Running::New(placed));
            return;
        };
        // A subflow within itself has no end: it is left out, and lint says so.
        let endless = within.contains(&definition) || within.len() >= MAX_DEPTH;
        if endless || self.out.nodes.len() >= MAX_NODES {
            return;
        }
        within.push(definition.clone());
        self.instance(placed, &definition, within);
        within.pop();
    }

    fn instance(&mut self, placed: Placed, definition: &str, within: &mut Vec<String>) {
        let Some(id) = text(&placed.item, "id").map(Id::from) else {
            return;
        };
        let found = &self.definitions[definition];
        let Some(record) = found.item else {
            return;
        };
        let rename = Rename::new(&id, &found.members);
        let instance = Instance {
            alias: placed.alias.clone().unwrap_or_else(|| id.clone()),
            definition: definition.into(),
            flow: placed.flow.clone(),
            name: text(&placed.item, "name").map(str::to_owned),
            group: text(&placed.item, "g").map(Id::from),
            path: placed.path.clone(),
            inputs: inputs(record, &rename),
            outputs: ports(record.get("out"), definition, &id, &rename),
            status: record
                .get("status")
                .filter(|status| status.is_object())
                .map(|status| feeds(status, definition, &id, &rename)),
            definition_item: found.properties.clone(),
            env: [record.get("env").cloned(), placed.item.get("env").cloned()],
            id: id.clone(),
        };
        let around: Vec<Id> = std::iter::once(id.clone())
            .chain(placed.instances.iter().cloned())
            .collect();
        let members: Vec<Placed> = found
            .members
            .iter()
            .filter_map(|member| {
                let alias = text(member, "id")?;
                Some(Placed {
                    item: Arc::new(rename.item(member, &id)),
                    flow: id.clone(),
                    tab: placed.tab.clone(),
                    alias: Some(alias.into()),
                    instances: around.clone(),
                    path: format!("{}/{alias}", placed.path),
                })
            })
            .collect();
        let status = instance.has_status_output().then(|| Placed {
            item: Arc::new(status_item(&instance)),
            flow: placed.flow.clone(),
            tab: placed.tab.clone(),
            alias: None,
            instances: around.clone(),
            path: format!("{}:status", placed.path),
        });
        self.out.instances.push(instance);
        self.out.nodes.push(Running::New(placed));
        self.out.nodes.extend(status.map(Running::New));
        for member in members {
            self.place(member, within);
        }
    }
}

fn status_item(instance: &Instance) -> Item {
    let mut item = Item::new();
    item.insert("id".into(), (&*instance.status_node()).into());
    item.insert("type".into(), SUBFLOW_STATUS.into());
    item.insert("z".into(), (&*instance.id).into());
    item
}

fn inputs(record: &Item, rename: &Rename) -> Vec<Vec<Id>> {
    let inputs = record.get("in").and_then(Json::as_array);
    let targets = |input: &Json| {
        let wires = input.get("wires").and_then(Json::as_array);
        wires
            .into_iter()
            .flatten()
            .filter_map(|wire| rename.id(wire.get("id")?.as_str()?))
            .collect()
    };
    inputs.into_iter().flatten().map(targets).collect()
}

fn ports(
    outputs: Option<&Json>,
    definition: &str,
    instance: &Id,
    rename: &Rename,
) -> Vec<Vec<(Id, usize)>> {
    let outputs = outputs.and_then(Json::as_array).into_iter().flatten();
    outputs
        .map(|output| feeds(output, definition, instance, rename))
        .collect()
}

fn feeds(output: &Json, definition: &str, instance: &Id, rename: &Rename) -> Vec<(Id, usize)> {
    let wires = output.get("wires").and_then(Json::as_array);
    let feed = |wire: &Json| {
        let named = wire.get("id")?.as_str()?;
        let port = wire.get("port").and_then(Json::as_u64).unwrap_or(0);
        let source = if named == definition {
            instance.clone()
        } else {
            rename.id(named)?
        };
        // No node has so many outputs; the number must not decide how much memory is taken.
        Some((
            source,
            usize::try_from(port).ok().filter(|port| *port < 1000)?,
        ))
    };
    wires.into_iter().flatten().filter_map(feed).collect()
}
