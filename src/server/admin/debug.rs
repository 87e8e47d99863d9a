//! Buttons of nodes: inject, and switching debug nodes on and off. And Node-RED's separate debug window.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    engine::{Engine, SetActive},
    message::{Message, from_wire},
    server::{ServerState, error::ApiError, json::JsonBody},
};

pub(super) async fn inject(
    State(state): State<ServerState>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<StatusCode, ApiError> {
    let engine = state.runtime.engine();
    let node = match engine.node(&id) {
        Some(node) => Some(node),
        None => {
            state.runtime.settled().await;
            engine.node(&id)
        }
    };
    let node = node.ok_or_else(|| ApiError::no_node(&id))?;
    // As in Node-RED: the body is the message, but only if it names properties.
    let msg = match body.get("__user_inject_props__") {
        Some(Value::Null | Value::Bool(false)) | None => Message::default(),
        Some(_) => {
            let given = from_wire(&body);
            let given = given.map_err(|error| ApiError::bad_request("invalid_props", error))?;
            Message::from_value(given).unwrap_or_default()
        }
    };
    node.receive(msg);
    Ok(StatusCode::OK)
}

pub(super) async fn switch(
    State(state): State<ServerState>,
    Path((id, to)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (active, status) = wanted(&to)?;
    match set_active(state.runtime.engine(), &id, active) {
        true => Ok(status),
        false => Err(ApiError::no_node(&id)),
    }
}

pub(super) async fn switch_several(
    State(state): State<ServerState>,
    Path(to): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<StatusCode, ApiError> {
    let (active, status) = wanted(&to)?;
    let ids = body.get("nodes").and_then(Value::as_array);
    let ids = ids
        .ok_or_else(|| ApiError::bad_request("no_nodes", "The body is {\"nodes\": [\"id\", …]}"))?;
    for id in ids.iter().filter_map(Value::as_str) {
        // Node-RED passes over what does not run, too.
        set_active(state.runtime.engine(), id, active);
    }
    Ok(status)
}

/// Node-RED answers 200 to enable and 201 to disable.
fn wanted(to: &str) -> Result<(bool, StatusCode), ApiError> {
    match to {
        "enable" => Ok((true, StatusCode::OK)),
        "disable" => Ok((false, StatusCode::CREATED)),
        other => Err(ApiError::not_found(format!(
            "A debug node can't be set to \"{other}\": use enable or disable"
        ))),
    }
}

fn set_active(engine: &Engine, id: &str, active: bool) -> bool {
    let node = engine.node(id);
    if let Some(node) = &node {
        node.post(Box::new(SetActive(active)));
    }
    node.is_some()
}

pub(super) async fn view(Path(file): Path<String>) -> Result<Response, ApiError> {
    let (kind, text) = match file.as_str() {
        "view.html" => ("text/html; charset=utf-8", include_str!("debug_view.html")),
        "view.js" => (
            "text/javascript; charset=utf-8",
            include_str!("debug_view.js"),
        ),
        _ => {
            return Err(ApiError::not_found(format!(
                "The debug window has no file \"{file}\""
            )));
        }
    };
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";
    Ok((
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        text,
    )
        .into_response())
}
