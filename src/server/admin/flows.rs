//! `GET` and `POST /flows`, in both versions of Node-RED's API.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{
    engine::Event,
    flow::{DeployMode, Flows},
    runtime::{Deploy, DeployError, Runtime},
    server::{ServerState, error::ApiError, json::JsonBody},
};

/// What the header `Node-RED-API-Version` asks for.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

fn version(headers: &HeaderMap) -> Result<Version, ApiError> {
    match headers
        .get("Node-RED-API-Version")
        .map(|value| value.to_str().unwrap_or_default())
    {
        None | Some("v1") => Ok(Version::V1),
        Some("v2") => Ok(Version::V2),
        Some(other) => Err(ApiError::bad_request(
            "invalid_api_version",
            format!("There is no version \"{other}\" of this API: use v1 or v2"),
        )),
    }
}

pub(super) async fn read(
    State(state): State<ServerState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let current = state.runtime.current();
    Ok(match version(&headers)? {
        Version::V1 => Json(&*current.flows).into_response(),
        Version::V2 => {
            Json(json!({ "flows": &*current.flows, "rev": current.rev })).into_response()
        }
    })
}

/// What a client wants done.
enum Asked {
    Deploy(Deploy),
    Reload,
}

pub(super) async fn deploy(
    State(state): State<ServerState>,
    headers: HeaderMap,
    body: Result<JsonBody, ApiError>,
) -> Result<Response, ApiError> {
    let runtime = &state.runtime;
    let (version, asked) = body
        .and_then(|JsonBody(body)| asked(&headers, body))
        .inspect_err(|error| tell_refused(runtime, error.message()))?;
    let deployed = match asked {
        Asked::Deploy(deploy) => runtime.deploy(deploy).await,
        Asked::Reload => runtime.reload().await,
    };
    let deployed = deployed.inspect_err(|error| {
        // Of what could not be stored the runtime tells.
        if matches!(error, DeployError::Stale { .. } | DeployError::Invalid(_)) {
            tell_refused(runtime, &error.to_string());
        }
    })?;
    Ok(answer(version, &deployed.rev))
}

fn asked(headers: &HeaderMap, body: Value) -> Result<(Version, Asked), ApiError> {
    let version = version(headers)?;
    let kind = headers
        .get("Node-RED-Deployment-Type")
        .map_or("full", |value| value.to_str().unwrap_or_default());
    let mode = match kind {
        "full" => DeployMode::Full,
        "flows" => DeployMode::Flows,
        "nodes" => DeployMode::Nodes,
        "reload" => return Ok((version, Asked::Reload)),
        other => {
            return Err(ApiError::bad_request(
                "invalid_deployment_type",
                format!(
                    "There is no deployment type \"{other}\": use full, flows, nodes or reload"
                ),
            ));
        }
    };
    Ok((version, Asked::Deploy(request(body, mode)?)))
}

/// Those who watch hear of every deploy, also of one that was refused.
fn tell_refused(runtime: &Runtime, why: &str) {
    runtime.engine().hub().publish(Event::Flows {
        rev: runtime.current().rev.clone(),
        missing: Vec::new(),
        error: Some(why.to_owned()),
    });
}

fn answer(version: Version, rev: &str) -> Response {
    match version {
        Version::V1 => StatusCode::NO_CONTENT.into_response(),
        Version::V2 => Json(json!({ "rev": rev })).into_response(),
    }
}

/// The body is a list of nodes, or an object with that list, the revision it was made from and credentials.
fn request(mut body: Value, mode: DeployMode) -> Result<Deploy, ApiError> {
    let mut base = None;
    let mut credentials = None;
    if let Value::Object(object) = &mut body {
        base = match object.remove("rev") {
            Some(Value::String(rev)) => Some(rev),
            _ => None,
        };
        credentials = object.remove("credentials").map(by_node).transpose()?;
    }
    let flows =
        Flows::from_value(body).map_err(|error| ApiError::bad_request("invalid_flow", error))?;
    Ok(Deploy {
        flows,
        base,
        credentials,
        mode,
    })
}

fn by_node(credentials: Value) -> Result<BTreeMap<String, Map<String, Value>>, ApiError> {
    serde_json::from_value(credentials).map_err(|_| {
        ApiError::bad_request(
            "invalid_credentials",
            "\"credentials\" is an object with one object for each node's id",
        )
    })
}
