//! One flow of the running ones, and whether they run at all.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use crate::{
    flow::Item,
    server::{ServerState, error::ApiError, json::JsonBody},
};

/// `GET /flow/:id`: a tab and what stands in it, or `global`.
pub(super) async fn one(
    State(state): State<ServerState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let version = state.runtime.current();
    let items = || version.flows.items.iter().map(Arc::as_ref);
    let text = |item: &Item, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_tab = |item: &&Item| text(item, "type").as_deref() == Some("tab");
    if id == "global" {
        let of_type =
            |item: &&Item, wanted: &str| text(item, "type").is_some_and(|name| name == wanted);
        let configs: Vec<&Item> = items()
            .filter(|item| !item.contains_key("z") && !is_tab(item) && !of_type(item, "subflow"))
            .collect();
        let subflows: Vec<&Item> = items().filter(|item| of_type(item, "subflow")).collect();
        return Ok(Json(
            json!({ "id": "global", "configs": configs, "subflows": subflows }),
        ));
    }
    let tab = items().find(|item| is_tab(item) && text(item, "id").as_deref() == Some(&id));
    let Some(tab) = tab else {
        return Err(ApiError::not_found(format!("There is no flow \"{id}\"")));
    };
    let (nodes, configs): (Vec<&Item>, Vec<&Item>) = items()
        .filter(|item| text(item, "z").as_deref() == Some(&id))
        .partition(|item| item.contains_key("x") && item.contains_key("y"));
    let mut answer = json!({ "id": id });
    for (key, value) in tab.iter().filter(|(key, _)| *key != "type") {
        answer[key.as_str()] = value.clone();
    }
    answer["nodes"] = json!(nodes);
    answer["configs"] = json!(configs);
    Ok(Json(answer))
}

/// `GET /flows/state`
pub(super) async fn state(State(state): State<ServerState>) -> Json<Value> {
    let running = state.runtime.is_running();
    Json(json!({ "state": if running { "start" } else { "stop" } }))
}

/// `POST /flows/state`: starts or stops all flows; what is deployed stays.
pub(super) async fn set_state(
    State(state): State<ServerState>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    match body.get("state").and_then(Value::as_str) {
        Some("start") if !state.runtime.is_running() => state.runtime.start().await,
        Some("start") => {}
        Some("stop") => state.runtime.stop_flows().await,
        _ => {
            return Err(ApiError::bad_request(
                "invalid_state",
                "The body is {\"state\": \"start\"} or {\"state\": \"stop\"}",
            ));
        }
    }
    let running = state.runtime.is_running();
    Ok(Json(
        json!({ "state": if running { "start" } else { "stop" } }),
    ))
}
