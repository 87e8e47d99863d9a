//! What only Flowrill has: the catalogue, problems, history, topics, health.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ServerState, error::ApiError};

pub(super) fn routes() -> Router<ServerState> {
    Router::new()
        .route("/flowrill/catalog", get(catalog))
        .route("/flowrill/problems", get(problems))
        .route("/flowrill/history", get(history))
        .route("/flowrill/history/{rev}", get(version))
        .route("/flowrill/topics", get(topics))
        .route("/health", get(health))
}

#[derive(Deserialize)]
struct Language {
    lang: Option<String>,
}

async fn catalog(
    State(state): State<ServerState>,
    Query(Language { lang }): Query<Language>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let known = state.runtime.catalog();
    let body = match lang.filter(|lang| lang != known.lang()) {
        None => known.to_json(),
        // What is no language has no texts, and English stands in.
        Some(lang) => known
            .translated(&lang)
            .map_err(|error| {
                ApiError::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "catalog",
                    error.to_string(),
                )
            })?
            .to_json(),
    }
    .to_string();
    let tag = format!("\"{}\"", hex(&Sha256::digest(body.as_bytes())[..12]));
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|seen| seen.as_bytes() == tag.as_bytes())
    {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn problems(State(state): State<ServerState>) -> Json<Value> {
    Json(json!({ "problems": state.runtime.problems() }))
}

async fn history(State(state): State<ServerState>) -> Result<Json<Value>, ApiError> {
    let versions = state.runtime.history().await?;
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({ "rev": version.rev, "time": version.time, "nodes": version.nodes }))
        .collect();
    Ok(Json(json!({ "versions": versions })))
}

async fn version(
    State(state): State<ServerState>,
    Path(rev): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let version = state.runtime.version(&rev).await?;
    let version = version.ok_or_else(|| {
        ApiError::not_found(format!(
            "There is no version \"{rev}\" any more; the last 50 are kept"
        ))
    })?;
    Ok(Json(
        json!({ "rev": version.rev, "time": version.time, "flows": &*version.flows }),
    ))
}

async fn topics(State(state): State<ServerState>) -> Json<Value> {
    let seen = state
        .broker
        .as_ref()
        .map(|broker| broker.recent_topics(500))
        .unwrap_or_default();
    let topics: Vec<Value> = seen
        .iter()
        .map(|topic| {
            json!({
                "topic": topic.topic,
                "payload": String::from_utf8_lossy(&topic.payload),
                "retained": topic.retained,
                "time": topic.time_ms,
            })
        })
        .collect();
    Json(json!({ "topics": topics }))
}

async fn health(State(state): State<ServerState>) -> Json<Value> {
    let current = state.runtime.current();
    let is_tab =
        |item: &&Arc<crate::flow::Item>| item.get("type").and_then(Value::as_str) == Some("tab");
    Json(json!({
        "status": "ok",
        "rev": current.rev,
        "flows": current.flows.items.iter().filter(is_tab).count(),
        "broker": if state.broker.is_some() { "running" } else { "off" },
    }))
}
