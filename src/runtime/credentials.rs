//! Which credentials a deploy leaves, and what may be shown of them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value as Json};

use crate::{
    catalog::{Catalog, Property, PropertyKind},
    flow::{Flows, Item, Level, Problem},
    store::Credentials,
};

/// Takes the credentials out of a deploy's nodes and works out the new full set: `given` replaces what is stored,
/// a node's own `credentials` change it, and those of nodes that are gone go.
///
/// # Errors
/// The nodes whose `credentials` are not an object.
pub(super) fn take(
    flows: &mut Flows,
    given: Option<BTreeMap<String, Map<String, Json>>>,
    stored: &Credentials,
    catalog: &Catalog,
) -> Result<Credentials, Vec<Problem>> {
    if given.is_none()
        && !flows
            .items
            .iter()
            .any(|item| item.contains_key("credentials"))
    {
        return Ok(without_gone(stored.clone(), flows));
    }
    let types: HashMap<String, String> = flows
        .items
        .iter()
        .filter_map(|item| Some((text(item, "id")?, text(item, "type")?)))
        .collect();
    let known = |id: &str| {
        let type_name = types.get(id)?;
        let fields = &catalog.get(type_name)?.manifest.credentials;
        // Variables of type `cred` have names of their own, so a type that declares none may have any.
        (!fields.is_empty()).then_some(fields)
    };
    let mut credentials = match given {
        None => stored.clone(),
        Some(given) => {
            let mut full = Credentials::default();
            for (id, values) in given {
                full.merge(&id, only_known(values, known(&id)), stored);
            }
            full
        }
    };
    let mut problems = Vec::new();
    for item in &mut flows.items {
        let own = match item.contains_key("credentials") {
            true => Arc::make_mut(item).shift_remove("credentials"),
            false => None,
        };
        let Some(id) = text(item, "id") else {
            continue;
        };
        match own {
            None | Some(Json::Null) => {}
            Some(Json::Object(own)) => {
                credentials.merge(&id, only_known(own, known(&id)), stored);
            }
            Some(_) => problems.push(Problem {
                message: format!(
                    "The \"credentials\" of node \"{id}\" must be an object of names and values"
                ),
                node: Some(id.into()),
                level: Level::Error,
                code: "credentials",
            }),
        }
    }
    match problems.is_empty() {
        true => Ok(without_gone(credentials, flows)),
        false => Err(problems),
    }
}

/// Without those of nodes that these flows do not have.
fn without_gone(mut credentials: Credentials, flows: &Flows) -> Credentials {
    if credentials.ids().next().is_some() {
        let records = flows.items.iter();
        let whole = records.filter(|item| item.get("type").is_some_and(Json::is_string));
        let ids: HashSet<&str> = whole.filter_map(|item| item.get("id")?.as_str()).collect();
        credentials.retain(|id| ids.contains(id));
    }
    credentials
}

/// What may be shown: texts as they are, of secrets only that they are set. Of a type without a manifest all are secrets.
pub(super) fn visible(
    catalog: &Catalog,
    type_name: &str,
    values: Option<&Map<String, Json>>,
) -> Map<String, Json> {
    let fields = catalog
        .get(type_name)
        .map(|known| known.manifest.credentials.as_slice())
        .unwrap_or_default();
    let is_text = |name: &str| {
        fields
            .iter()
            .any(|field| field.name == name && field.kind != PropertyKind::Secret)
    };
    values
        .into_iter()
        .flatten()
        .map(|(name, value)| match is_text(name) {
            true => (name.clone(), value.clone()),
            false => (format!("has_{name}"), true.into()),
        })
        .collect()
}

/// Without what the type's manifest does not name. Of a type without a manifest all but an editor's `has_…` marks.
fn only_known(mut values: Map<String, Json>, fields: Option<&Vec<Property>>) -> Map<String, Json> {
    values.retain(|name, value| match fields {
        Some(fields) => fields.iter().any(|field| field.name == *name),
        None => !(name.starts_with("has_") && value.is_boolean()),
    });
    values
}

fn text(item: &Item, key: &str) -> Option<String> {
    item.get(key).and_then(Json::as_str).map(str::to_owned)
}
