//! Context seen from outside: values, names, stores.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{
    frame::Request,
    messages::node,
    ops::{Outcome, done, text},
};
use crate::{
    engine::{ContextStore, Contexts, MemoryStore, NodeContext, Scope},
    flow::GLOBAL,
    message::{Value, from_wire, to_wire},
    server::ServerState,
};

/// The values that a request is about: those that a node sees, or the global ones, for which no node is needed.
enum Place {
    Node(Box<NodeContext>, Scope),
    Global(Arc<Contexts>),
}

impl Place {
    fn of(state: &ServerState, request: &Request) -> Result<Self, String> {
        let scope = match text(request, "scope")? {
            "node" => Scope::Node,
            "flow" => Scope::Flow,
            "global" => return Ok(Self::Global(state.runtime.engine().contexts().clone())),
            other => return Err(format!("\"scope\" is node, flow or global, not {other}")),
        };
        Ok(Self::Node(Box::new(node(state, request)?), scope))
    }

    fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String> {
        match self {
            Self::Node(node, scope) => node.store(*scope).get(key, store),
            Self::Global(contexts) => contexts.get(GLOBAL, key, store),
        }
    }

    fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String> {
        match self {
            Self::Node(node, scope) => node.store(*scope).set(key, value, store),
            Self::Global(contexts) => contexts.set(GLOBAL, key, value, store),
        }
    }

    fn keys(&self, store: Option<&str>) -> Vec<String> {
        match self {
            Self::Node(node, scope) => node.store(*scope).keys(store),
            Self::Global(contexts) => contexts.keys(GLOBAL, store),
        }
    }
}

fn store(request: &Request) -> Option<&str> {
    request.get("store").and_then(Json::as_str)
}

/// The keys, and whether there is a list of them.
fn keys_of(request: &Request) -> Result<(Vec<&str>, bool), String> {
    let wrong = || "\"key\" is a text or a list of texts".to_owned();
    match request.get("key") {
        Some(Json::String(key)) => Ok((vec![key], false)),
        Some(Json::Array(keys)) => {
            let keys: Option<Vec<&str>> = keys.iter().map(Json::as_str).collect();
            Ok((keys.ok_or_else(wrong)?, true))
        }
        _ => Err(wrong()),
    }
}

/// The request `context.get`
pub(super) fn get(state: &ServerState, request: &Request) -> Result<Json, String> {
    let place = Place::of(state, request)?;
    let (keys, _) = keys_of(request)?;
    let values = keys
        .into_iter()
        .map(|key| Ok(to_wire(&place.get(key, store(request))?)));
    values
        .collect::<Result<Vec<Json>, String>>()
        .map(Json::Array)
}

/// The request `context.set`
pub(super) fn set(state: &ServerState, request: &Request) -> Outcome {
    let place = Place::of(state, request)?;
    let (keys, is_list) = keys_of(request)?;
    let given = request.get("value").map(from_wire).transpose()?;
    let given = given.unwrap_or_default();
    let values = match given {
        Value::Array(values) if is_list => values.to_vec(),
        one => vec![one],
    };
    // Node-RED's rule: keys beyond the values are set to null.
    let values = values.into_iter().chain(std::iter::repeat(Value::Null));
    for (key, value) in keys.into_iter().zip(values) {
        place.set(key, value, store(request))?;
    }
    done()
}

/// The request `context.keys`
pub(super) fn keys(state: &ServerState, request: &Request) -> Result<Json, String> {
    let names = Place::of(state, request)?.keys(store(request));
    Ok(Json::Array(vec![names.into()]))
}

type Stores = Vec<(String, Arc<dyn ContextStore>)>;

fn memory() -> Arc<dyn ContextStore> {
    Arc::new(MemoryStore::default())
}

/// The request `context.stores`: replaces the stores, as Node-RED's setting `contextStorage` does.
pub(super) fn stores(state: &ServerState, request: &Request) -> Outcome {
    let mut stores = Stores::new();
    let mut default = None;
    match request.get("stores") {
        None | Some(Json::Null) => {}
        Some(Json::Object(given)) => {
            for (name, store) in given {
                match (store.as_str(), store.get("module").and_then(Json::as_str)) {
                    // `default` may name one of the others.
                    (Some(other), _) if name == "default" && given.contains_key(other) => {
                        default = Some(other.to_owned());
                    }
                    (Some("memory"), _) | (_, Some("memory")) => {
                        stores.push((name.clone(), memory()));
                    }
                    (other, module) => {
                        let module = module.or(other).unwrap_or_default();
                        return Err(format!(
                            "There is no context store of the module \"{module}\"; there is memory"
                        ));
                    }
                }
            }
        }
        Some(_) => return Err("\"stores\" is an object or null".into()),
    }
    if stores.is_empty() {
        stores.push(("memory".into(), memory()));
    }
    let default = default.as_deref().unwrap_or("default");
    if let Some(place) = stores.iter().position(|(name, _)| name == default) {
        let first = stores.remove(place);
        stores.insert(0, first);
    }
    state.runtime.engine().contexts().replace(stores);
    done()
}

/// The request `reset`
pub(super) fn reset(state: &ServerState) -> Outcome {
    let contexts = state.runtime.engine().contexts();
    contexts.clear();
    contexts.replace(vec![("memory".into(), memory())]);
    done()
}
