//! What a client of `/tap` can ask for.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use super::events::Filter;
use crate::{
    engine::{
        ContextStore, LogLevel, MemoryStore, NodeContext, NodeError, RuntimeSettings, Scope, new_id,
    },
    flow::GLOBAL,
    message::{Message, Value, from_wire, to_wire},
    server::ServerState,
};

/// Version of the contract.
const CONTRACT: u32 = 1;
/// There without `--tap`, too: they look, or do what a wire could do.
const ALWAYS: [&str; 6] = [
    "hello",
    "watch",
    "node",
    "receive",
    "context.get",
    "context.keys",
];

type Outcome = Result<Json, String>;

pub(super) struct Operations<'a> {
    pub(super) state: &'a ServerState,
}

impl Operations<'_> {
    /// Carries one request out.
    pub(super) async fn carry_out(&self, request: &Json, filter: &mut Filter) -> Outcome {
        let name = text(request, "op")?;
        if name == "batch" {
            return self.batch(request, filter).await;
        }
        self.single(name, request, filter).await
    }

    async fn single(&self, name: &str, request: &Json, filter: &mut Filter) -> Outcome {
        if !self.state.tap && !ALWAYS.contains(&name) {
            return Err(format!(
                "the operation {name} is there only when Flowrill was started with --tap"
            ));
        }
        let runtime = &self.state.runtime;
        match name {
            "hello" => Ok(
                json!({ "contract": CONTRACT, "name": "flowrill", "version": env!("CARGO_PKG_VERSION") }),
            ),
            "watch" => filter.watch(request).map(|()| json!({})),
            "node" => {
                let props = runtime.engine().props(text(request, "node")?).await;
                Ok(json!({ "props": props.map(|props| to_wire(&Value::Object(props))) }))
            }
            "receive" => self.receive(std::slice::from_ref(request)),
            "call" => self.call(request).await,
            "context.get" => self.context_get(request),
            "context.set" => self.context_set(request),
            "context.keys" => self.context_keys(request),
            "context.stores" => self.context_stores(request.get("stores").unwrap_or(&Json::Null)),
            "settings" => self.settings(request),
            "env" => self.env(request),
            "stop" => {
                runtime.stop_flows().await;
                Ok(json!({}))
            }
            "reset" => {
                self.context_stores(&Json::Null)?;
                Ok(json!({}))
            }
            other => Err(format!("unknown op {other}")),
        }
    }

    /// Several `receive` in a row reach their nodes before anything else is handled.
    async fn batch(&self, request: &Json, filter: &mut Filter) -> Outcome {
        let list = request
            .get("ops")
            .and_then(Json::as_array)
            .ok_or("\"ops\" is a list of requests")?;
        let mut rest = list.as_slice();
        while let Some(first) = rest.first() {
            let is_receive =
                |request: &&Json| request.get("op").and_then(Json::as_str) == Some("receive");
            let together = rest.iter().take_while(is_receive).count();
            if together > 0 {
                self.receive(&rest[..together])?;
                rest = &rest[together..];
            } else {
                self.single(text(first, "op")?, first, filter).await?;
                rest = &rest[1..];
            }
        }
        Ok(json!({}))
    }

    fn receive(&self, requests: &[Json]) -> Outcome {
        let mut deliveries = Vec::with_capacity(requests.len());
        for request in requests {
            let mut msg = message(request.get("msg").unwrap_or(&Json::Null))?;
            let raw = request.get("raw").and_then(Json::as_bool).unwrap_or(false);
            if !raw && msg.get("_msgid").is_undefined() {
                msg.set("_msgid", new_id());
            }
            deliveries.push((text(request, "node")?, msg));
        }
        match self.state.runtime.engine().receive(deliveries) {
            true => Ok(json!({})),
            false => Err("no such node is running".into()),
        }
    }

    fn node(&self, request: &Json) -> Result<NodeContext, String> {
        let id = text(request, "node")?;
        self.state
            .runtime
            .engine()
            .node(id)
            .ok_or_else(|| format!("no node {id} is running"))
    }

    async fn call(&self, request: &Json) -> Outcome {
        let node = self.node(request)?;
        let args = request
            .get("args")
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut args: Vec<Value> = args.iter().map(from_wire).collect::<Result<_, _>>()?;
        let second = if args.len() > 1 {
            args.swap_remove(1)
        } else {
            Value::Undefined
        };
        let first = args.into_iter().next().unwrap_or_default();
        match text(request, "method")? {
            "send" => node.send_value(first),
            "error" => {
                let msg = match second {
                    Value::Object(fields) => Some(Message::new(fields)),
                    _ => None,
                };
                node.error(NodeError::from_value(first), msg.as_ref());
            }
            "warn" => node.warn(first),
            "log" => node.log(LogLevel::Info, first),
            "debug" => node.log(LogLevel::Debug, first),
            "trace" => node.log(LogLevel::Trace, first),
            "status" => node.status_value(first),
            "close" => {
                self.state
                    .runtime
                    .engine()
                    .close_node(&node.info().id)
                    .await
            }
            other => return Err(format!("a node has no method {other} to call")),
        }
        Ok(json!({}))
    }

    /// Calls `each` with the node's scope and every key of the request.
    fn with_keys<T>(
        &self,
        request: &Json,
        mut each: impl FnMut(&dyn ScopeAccess, &str, usize) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let keys: Vec<&str> = match request.get("key") {
            Some(Json::String(key)) => vec![key],
            Some(Json::Array(keys)) => keys.iter().filter_map(Json::as_str).collect(),
            _ => return Err("\"key\" is a text or a list of texts".into()),
        };
        let access = self.scope(request)?;
        keys.into_iter()
            .enumerate()
            .map(|(index, key)| each(&*access, key, index))
            .collect()
    }

    fn scope(&self, request: &Json) -> Result<Box<dyn ScopeAccess + '_>, String> {
        let scope = match text(request, "scope")? {
            "node" => Scope::Node,
            "flow" => Scope::Flow,
            "global" => return Ok(Box::new(Global(self.state))),
            other => return Err(format!("there is no scope {other}")),
        };
        Ok(Box::new(OfNode(self.node(request)?, scope)))
    }

    fn context_get(&self, request: &Json) -> Outcome {
        let store = request.get("store").and_then(Json::as_str);
        let values = self.with_keys(request, |scope, key, _| {
            Ok(to_wire(&scope.get(key, store)?))
        })?;
        Ok(json!({ "values": values }))
    }

    fn context_set(&self, request: &Json) -> Outcome {
        let store = request.get("store").and_then(Json::as_str);
        let several = request.get("key").is_some_and(Json::is_array);
        let given = request.get("value").unwrap_or(&Json::Null);
        self.with_keys(request, |scope, key, index| {
            // As in Node-RED: too few values leave null for the rest, a single one goes to the first key.
            let value = match given {
                Json::Array(values) if several => {
                    values.get(index).map_or(Ok(Value::Null), from_wire)?
                }
                value if index == 0 => from_wire(value)?,
                _ => Value::Null,
            };
            scope.set(key, value, store)
        })?;
        Ok(json!({}))
    }

    fn context_keys(&self, request: &Json) -> Outcome {
        let store = request.get("store").and_then(Json::as_str);
        Ok(json!({ "values": [self.scope(request)?.keys(store)] }))
    }

    fn context_stores(&self, wanted: &Json) -> Outcome {
        let mut stores: Vec<(String, Arc<dyn ContextStore>)> = Vec::new();
        for (name, settings) in wanted.as_object().into_iter().flatten() {
            match settings.get("module").and_then(Json::as_str) {
                Some("memory") => stores.push((name.clone(), Arc::new(MemoryStore::default()))),
                other => {
                    return Err(format!(
                        "there is no context store module {other:?} yet: use memory"
                    ));
                }
            }
        }
        if stores.is_empty() {
            stores.push(("memory".into(), Arc::new(MemoryStore::default())));
        }
        // The one named "default" goes before the first.
        if let Some(place) = stores.iter().position(|(name, _)| name == "default") {
            stores[..=place].rotate_right(1);
        }
        self.state.runtime.engine().contexts().replace(stores);
        Ok(json!({}))
    }

    fn settings(&self, request: &Json) -> Outcome {
        let engine = self.state.runtime.engine();
        let mut settings = (*engine.settings()).clone();
        let usual = RuntimeSettings::default();
        let values = request
            .get("values")
            .and_then(Json::as_object)
            .ok_or("\"values\" is an object")?;
        for (name, value) in values {
            let number = from_wire(value)?.as_number();
            let count = |default: usize| number.map_or(default, |number| number.max(0.0) as usize);
            let milliseconds = |default: Duration| {
                number.map_or(default, |number| {
                    Duration::from_millis(number.max(0.0) as u64)
                })
            };
            match name.as_str() {
                "nodeMessageBufferMaxLength" => {
                    settings.message_buffer_max_length = count(usual.message_buffer_max_length)
                }
                "debugMaxLength" => settings.debug_max_length = count(usual.debug_max_length),
                "debugStatusLength" => {
                    settings.debug_status_length = count(usual.debug_status_length)
                }
                "mqttReconnectTime" => settings.mqtt_reconnect = milliseconds(usual.mqtt_reconnect),
                "nodeCloseTimeout" => settings.close_timeout = milliseconds(usual.close_timeout),
                "globalFunctionTimeout" => {
                    settings.function_timeout = number
                        .filter(|seconds| *seconds > 0.0)
                        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                        .unwrap_or(usual.function_timeout);
                }
                // Settings of nodes that are not there yet have nobody who reads them.
                _ => {}
            }
        }
        engine.change_settings(settings);
        Ok(json!({}))
    }

    fn env(&self, request: &Json) -> Outcome {
        let values = request
            .get("values")
            .and_then(Json::as_object)
            .ok_or("\"values\" is an object")?;
        for (name, value) in values {
            self.state
                .runtime
                .process_env()
                .set(name, value.as_str().map(str::to_owned));
        }
        Ok(json!({}))
    }
}

/// One scope's values, whether a node runs or not.
trait ScopeAccess {
    fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String>;
    fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String>;
    fn keys(&self, store: Option<&str>) -> Vec<String>;
}

struct Global<'a>(&'a ServerState);

impl ScopeAccess for Global<'_> {
    fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String> {
        self.0.runtime.engine().contexts().get(GLOBAL, key, store)
    }
    fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String> {
        self.0
            .runtime
            .engine()
            .contexts()
            .set(GLOBAL, key, value, store)
    }
    fn keys(&self, store: Option<&str>) -> Vec<String> {
        self.0.runtime.engine().contexts().keys(GLOBAL, store)
    }
}

struct OfNode(NodeContext, Scope);

impl ScopeAccess for OfNode {
    fn get(&self, key: &str, store: Option<&str>) -> Result<Value, String> {
        self.0.store(self.1).get(key, store)
    }
    fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), String> {
        self.0.store(self.1).set(key, value, store)
    }
    fn keys(&self, store: Option<&str>) -> Vec<String> {
        self.0.store(self.1).keys(store)
    }
}

fn text<'a>(request: &'a Json, key: &str) -> Result<&'a str, String> {
    request
        .get(key)
        .and_then(Json::as_str)
        .ok_or_else(|| format!("\"{key}\" is missing, or no text"))
}

/// A message as a client sends it; nothing is an empty one.
fn message(json: &Json) -> Result<Message, String> {
    match from_wire(json)? {
        Value::Object(fields) => Ok(Message::new(fields)),
        Value::Null | Value::Undefined => Ok(Message::default()),
        other => Err(format!("a message is an object, not a {}", other.type_of())),
    }
}
