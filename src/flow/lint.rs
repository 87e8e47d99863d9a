//! What is wrong with a flow file, as a list: it never stops at the first and never refuses to run the rest.

use std::borrow::Cow;

use rustc_hash::FxHashMap as HashMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Flows, Id, Item, graph::text};
use crate::catalog::{Catalog, NodeType, Property};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The node cannot do its work.
    Error,
    Warning,
}

/// One thing that is wrong, on one node or on the whole file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    pub node: Option<Id>,
    pub level: Level,
    /// Stable, for programs.
    pub code: &'static str,
    /// A sentence that says what to do.
    pub message: String,
}

impl Problem {
    fn new(item: Option<&Item>, level: Level, code: &'static str, message: String) -> Self {
        Self {
            node: item.and_then(|item| text(item, "id")).map(Id::from),
            level,
            code,
            message,
        }
    }
}

const KNOWN_STRUCTURE: [&str; 4] = ["tab", "group", "subflow", "global-config"];

/// All problems of a flow file, in file order.
pub fn lint(flows: &Flows, catalog: &Catalog) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ids: HashMap<&str, &Item> = HashMap::default();
    for (index, item) in flows.items.iter().enumerate() {
        let place = || format!("Entry {}", index + 1);
        match (text(item, "id"), text(item, "type")) {
            (None, _) => problems.push(Problem::new(
                None,
                Level::Error,
                "no_id",
                format!("{} has no \"id\", so it is left out", place()),
            )),
            (Some(id), None) => {
                let message = format!("{} (\"{id}\") has no \"type\", so it is left out", place());
                problems.push(Problem::new(Some(item), Level::Error, "no_type", message));
            }
            (Some(id), Some(_)) => {
                if ids.insert(id, item).is_some() {
                    let message = format!(
                        "{}: the id \"{id}\" is used twice; only the last of them runs. Give one of them another id",
                        place()
                    );
                    problems.push(Problem::new(
                        Some(item),
                        Level::Error,
                        "duplicate_id",
                        message,
                    ));
                }
            }
        }
    }

    for item in &flows.items {
        let (Some(_), Some(type_name)) = (text(item, "id"), text(item, "type")) else {
            continue;
        };
        if KNOWN_STRUCTURE.contains(&type_name) {
            continue;
        }
        if let Some(definition) = type_name.strip_prefix("subflow:") {
            problems.extend(subflow_problem(item, definition, &ids, flows));
            continue;
        }
        let Some(known) = catalog.get(type_name) else {
            let message = format!(
                "Flowrill has no node type \"{type_name}\": the node is kept as it is and does nothing"
            );
            problems.push(Problem::new(
                Some(item),
                Level::Warning,
                "missing_type",
                message,
            ));
            continue;
        };
        for property in &known.manifest.properties {
            property_problem(item, property, known, &ids, &mut problems);
        }
        for target in item
            .get("wires")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_array)
            .flatten()
        {
            if let Some(target) = target.as_str().filter(|target| !ids.contains_key(target)) {
                let message = format!(
                    "A wire leads to \"{target}\", which is not in the file; it carries nothing"
                );
                problems.push(Problem::new(
                    Some(item),
                    Level::Warning,
                    "dangling_wire",
                    message,
                ));
            }
        }
    }
    problems
}

/// An instance whose definition is not there, or that stands within itself.
fn subflow_problem(
    item: &Item,
    definition: &str,
    ids: &HashMap<&str, &Item>,
    flows: &Flows,
) -> Option<Problem> {
    let is_definition =
        |id: &str| ids.get(id).and_then(|item| text(item, "type")) == Some("subflow");
    if !is_definition(definition) {
        let message = format!(
            "The subflow \"{definition}\" is not in the file: bring it in, or take this node out"
        );
        return Some(Problem::new(
            Some(item),
            Level::Warning,
            "missing_subflow",
            message,
        ));
    }
    // Every subflow that stands within the one that this instance is of, directly or deeper.
    let mut within = vec![definition];
    let mut next = 0;
    while let Some(inside) = within.get(next).copied() {
        next += 1;
        let inner = flows
            .items
            .iter()
            .filter(|item| text(item, "z") == Some(inside))
            .filter_map(|item| text(item, "type")?.strip_prefix("subflow:"));
        for id in inner {
            if !within.contains(&id) {
                within.push(id);
            }
        }
    }
    let around = text(item, "z").filter(|z| is_definition(z))?;
    within.contains(&around).then(|| {
        let message = "This subflow contains itself, which would never end: the instance is left out. Take it out of the subflow".to_owned();
        Problem::new(Some(item), Level::Error, "endless_subflow", message)
    })
}

fn property_problem(
    item: &Item,
    property: &Property,
    known: &NodeType,
    ids: &HashMap<&str, &Item>,
    problems: &mut Vec<Problem>,
) {
    if !property.required && property.config_type.is_none() {
        return;
    }
    let value = item.get(&property.name).unwrap_or(&property.default);
    let is_empty = || value.is_null() || value.as_str() == Some("");
    let is_shown = || {
        property.when.iter().flatten().all(|(other, wanted)| {
            let default = || {
                known
                    .manifest
                    .properties
                    .iter()
                    .find(|property| property.name == *other)
                    .map(|property| &property.default)
            };
            let value = item
                .get(other)
                .or_else(default)
                .map(plain)
                .unwrap_or_default();
            match wanted {
                Json::Array(any) => any.iter().any(|wanted| plain(wanted) == value),
                wanted => plain(wanted) == value,
            }
        })
    };
    if property.required && is_empty() && is_shown() {
        let label = known.texts.property(&property.name);
        let message = format!("\"{label}\" is empty; open the node and fill it in");
        problems.push(Problem::new(Some(item), Level::Error, "required", message));
    }
    let Some(wanted) = &property.config_type else {
        return;
    };
    let Some(named) = value
        .as_str()
        .filter(|named| !named.is_empty() && !named.starts_with('$'))
    else {
        return;
    };
    let found = ids
        .get(named)
        .map(|config| text(config, "type").unwrap_or_default());
    if found != Some(wanted.as_str()) {
        let label = known.texts.property(&property.name);
        let message = format!(
            "\"{label}\" names {named}, and there is no {wanted} with this id; choose one in the node"
        );
        problems.push(Problem::new(
            Some(item),
            Level::Error,
            "missing_config",
            message,
        ));
    }
}

fn plain(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => text.into(),
        Json::Null => "".into(),
        other => other.to_string().into(),
    }
}
