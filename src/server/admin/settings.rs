//! What the server tells about itself, its node types and which credentials are set.

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Map, Value, json};

use crate::{broker::Broker, engine::RuntimeSettings, message::to_wire, server::ServerState};

pub(super) async fn settings(State(state): State<ServerState>) -> Json<Value> {
    let runtime = &state.runtime;
    let stores = runtime.engine().contexts().names();
    let broker = state.broker.as_ref().and_then(Broker::address);
    let broker =
        broker.map(|address| json!({ "host": address.ip().to_string(), "port": address.port() }));
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "httpNodeRoot": "/",
        "flowFilePretty": true,
        "flowEncryptionType": "system",
        "lang": runtime.catalog().lang(),
        "context": { "default": stores.first(), "stores": stores },
        "codeEditor": { "lib": "codemirror" },
        "externalModules": {},
        "editorTheme": {},
        "diagnostics": { "enabled": true, "ui": false },
        "runtimeState": { "enabled": true, "ui": false },
        "tap": state.tap,
        "functionTimeout": function_timeout(&runtime.engine().settings()),
        "functionExternalModules": false,
        "debugMaxLength": runtime.engine().settings().debug_max_length,
        "libraries": [],
        "broker": broker,
    }))
}

/// What new functions get in Node-RED's editor, if that is set; else how long any may run.
fn function_timeout(settings: &RuntimeSettings) -> Value {
    match settings.others.get("functionTimeout") {
        Some(set) => to_wire(set),
        None => settings.function_timeout.as_secs_f64().into(),
    }
}

pub(super) async fn nodes(State(state): State<ServerState>) -> Json<Value> {
    let sets = state.runtime.catalog().iter().map(|known| {
        let name = &known.manifest.type_name;
        json!({
            "id": format!("flowrill/{name}"),
            "name": name,
            "types": [name],
            "enabled": true,
            "local": false,
            "user": false,
            "module": "flowrill",
            "version": env!("CARGO_PKG_VERSION"),
        })
    });
    Json(sets.collect())
}

pub(super) async fn credentials(
    State(state): State<ServerState>,
    Path((type_name, id)): Path<(String, String)>,
) -> Json<Map<String, Value>> {
    Json(state.runtime.credentials_state(&type_name, &id))
}

/// Nothing has to be filled in: there is no login.
pub(super) async fn login() -> Json<Value> {
    Json(json!({}))
}

/// `GET /diagnostics`
pub(super) async fn diagnostics(State(state): State<ServerState>) -> Json<Value> {
    let version = state.runtime.current();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Json(json!({
        "report": "diagnostics",
        "scope": "basic",
        "time": { "utc": chrono::Utc::now().to_rfc3339() },
        "os": {
            "platform": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
            "cpus": cores,
        },
        "runtime": {
            "version": env!("CARGO_PKG_VERSION"),
            "isRunning": state.runtime.is_running(),
            "flows": { "rev": version.rev, "nodes": version.flows.items.len(), "deployed": version.time },
            "settings": { "contextStorage": state.runtime.engine().contexts().names(), "tap": state.tap },
            "problems": state.runtime.problems().len(),
        },
    }))
}
