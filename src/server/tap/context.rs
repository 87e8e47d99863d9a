//! Context seen from outside: values, names, stores.

use serde_json::{Map, Value as Json};

use super::{
    frame::Request,
    messages::node,
    ops::{Outcome, done, text},
};
use crate::{
    engine::{NodeContext, Scope, ScopeStore},
    message::{Value, from_wire, to_wire},
    server::ServerState,
    store::{ContextConfig, ContextModule, Place as Folder},
};

/// The values that a request is about: those that a node sees, or the global ones, for which no node is needed.
enum Place {
    Node(Box<NodeContext>, Scope),
    Global(ServerState),
}

impl Place {
    fn of(state: &ServerState, request: &Request) -> Result<Self, String> {
        let scope = match text(request, "scope")? {
            "node" => Scope::Node,
            "flow" => Scope::Flow,
            "global" => return Ok(Self::Global(state.clone())),
            other => return Err(format!("\"scope\" is node, flow or global, not {other}")),
        };
        Ok(Self::Node(Box::new(node(state, request)?), scope))
    }

    fn values(&self) -> ScopeStore<'_> {
        match self {
            Self::Node(node, scope) => node.store(*scope),
            Self::Global(state) => state.runtime.engine().global_context(),
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
            let keys = keys.ok_or_else(wrong)?;
            match keys.is_empty() {
                true => Err("Invalid context key".into()),
                false => Ok((keys, true)),
            }
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
        .map(|key| Ok(to_wire(&place.values().get(key, store(request))?)));
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
        place.values().set(key, value, store(request))?;
    }
    done()
}

/// The request `context.keys`
pub(super) fn keys(state: &ServerState, request: &Request) -> Result<Json, String> {
    let names = Place::of(state, request)?.values().keys(store(request));
    Ok(Json::Array(vec![names.into()]))
}

/// The request `context.stores`: replaces the stores, as Node-RED's setting `contextStorage` does. What is on the disk lies in
/// a temporary folder, for nothing that is done with `--tap` outlives the process.
pub(super) async fn stores(state: &ServerState, request: &Request) -> Outcome {
    let config = match request.get("stores") {
        None | Some(Json::Null) => ContextConfig::default(),
        Some(Json::Object(given)) => config(given)?,
        Some(_) => return Err("\"stores\" is an object or null".into()),
    };
    let opened = tokio::task::spawn_blocking(move || config.open(Folder::Temporary)).await;
    let (stores, _) = opened
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    state.runtime.engine().contexts().replace(stores);
    done()
}

fn config(given: &Map<String, Json>) -> Result<ContextConfig, String> {
    let mut stores = Vec::new();
    let mut default = None;
    for (name, store) in given {
        match store.as_str() {
            // `default` may name one of the others.
            Some(other) if name == "default" => default = Some(other),
            module => {
                let module = module.or_else(|| store.get("module")?.as_str());
                let interval = store
                    .get("config")
                    .and_then(|config| config.get("flushInterval"));
                let module = ContextModule::named(
                    module.unwrap_or_default(),
                    interval.and_then(Json::as_f64),
                )?;
                stores.push((name.clone(), module));
            }
        }
    }
    ContextConfig::new(stores, default)
}

/// The request `reset`
pub(super) fn reset(state: &ServerState) -> Outcome {
    state.runtime.engine().contexts().replace(Vec::new());
    done()
}
