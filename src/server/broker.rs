//! `/flowrill/broker`: what the built-in broker does, and a hand on it.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ServerState, error::ApiError};
use crate::broker::{Broker, Qos, is_filter};

/// Retained messages in one answer.
const MOST_RETAINED: usize = 1000;
/// Topics in the answer to a search.
const MOST_FOUND: usize = 200;

pub(super) fn routes() -> Router<ServerState> {
    Router::new()
        .route("/flowrill/broker", get(overview))
        .route("/flowrill/broker/clients", get(clients))
        .route("/flowrill/broker/clients/{id}", delete(disconnect))
        .route("/flowrill/broker/bridges", get(bridges))
        .route("/flowrill/broker/retained", get(retained).delete(clear))
        .route("/flowrill/broker/publish", post(publish))
        .route("/flowrill/broker/topics", get(topics))
        .route("/flowrill/broker/live", get(super::broker_live::connect))
}

/// The built-in broker.
///
/// # Errors
/// Flowrill runs without it.
pub(super) fn broker(state: &ServerState) -> Result<&Broker, ApiError> {
    state.broker.as_ref().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no_broker",
            "Flowrill runs without its broker (--no-broker)",
        )
    })
}

async fn overview(State(state): State<ServerState>) -> Result<Json<Value>, ApiError> {
    let broker = broker(&state)?;
    let listeners: Vec<Value> = broker
        .listeners()
        .iter()
        .map(|(listener, address)| {
            json!({
                "at": address.map_or_else(|| listener.at.to_string(), |address| address.to_string()),
                "tls": listener.tls.is_some(),
                "websocket": listener.websocket,
                "anonymous": listener.anonymous,
            })
        })
        .collect();
    let (stats, access) = (broker.stats(), broker.access());
    let limits = broker.config();
    Ok(Json(json!({
        "listeners": listeners,
        "users": access.users.len(),
        "clients": stats.clients,
        "sessions": stats.sessions,
        "subscriptions": stats.subscriptions,
        "retained": stats.retained,
        "received": stats.received,
        "delivered": stats.delivered,
        "dropped": stats.dropped,
        "exceeded": stats.exceeded,
        "limits": {
            "connections": limits.max_connections,
            "connectionsPerAddress": limits.max_connections_per_address,
            "connectionsPerUser": limits.max_connections_per_user,
            "connectRate": limits.max_connect_rate,
            "failedLogins": limits.max_failed_logins,
            "messageRate": limits.max_message_rate,
            "byteRate": limits.max_byte_rate,
            "sessions": limits.max_sessions,
            "subscriptions": limits.max_subscriptions,
            "inflight": limits.max_inflight,
            "keepAlive": limits.max_keep_alive,
            "packetSize": limits.max_packet_size,
            "memory": limits.max_memory,
            "retained": limits.max_retained,
            "retainedBytes": limits.max_retained_bytes,
            "offlineMessages": limits.offline_messages,
            "offlineBytes": limits.offline_bytes,
        },
    })))
}

async fn clients(State(state): State<ServerState>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "clients": broker(&state)?.clients() })))
}

async fn bridges(State(state): State<ServerState>) -> Result<Json<Value>, ApiError> {
    broker(&state)?;
    let bridges = state
        .bridges
        .map_or_else(Vec::new, |bridges| bridges.list());
    Ok(Json(json!({ "bridges": bridges })))
}

async fn disconnect(
    State(state): State<ServerState>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match broker(&state)?.disconnect(&id) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(format!(
            "No client \"{id}\" is connected"
        ))),
    }
}

#[derive(Deserialize)]
struct Retained {
    /// `#` if it is missing.
    filter: Option<String>,
    limit: Option<usize>,
}

async fn retained(
    State(state): State<ServerState>,
    Query(asked): Query<Retained>,
) -> Result<Json<Value>, ApiError> {
    let filter = asked.filter.as_deref().unwrap_or("#");
    if !is_filter(filter) {
        return Err(ApiError::bad_request(
            "invalid_filter",
            format!("\"{filter}\" is no topic filter"),
        ));
    }
    let limit = asked.limit.unwrap_or(MOST_RETAINED).min(MOST_RETAINED);
    let messages = broker(&state)?.retained(filter, limit);
    Ok(Json(json!({ "messages": messages })))
}

#[derive(Deserialize)]
struct Topic {
    topic: String,
}

async fn clear(
    State(state): State<ServerState>,
    Query(Topic { topic }): Query<Topic>,
) -> Result<StatusCode, ApiError> {
    let broker = broker(&state)?;
    let is_there = broker
        .retained(&topic, 1)
        .iter()
        .any(|kept| kept.topic == topic);
    if is_there && broker.publish(&topic, b"", Qos::AtMostOnce, true).await {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(format!(
        "Nothing is retained under \"{topic}\""
    )))
}

#[derive(Deserialize)]
struct Topics {
    /// The root if it is missing.
    #[serde(default)]
    below: String,
    /// Instead: all topics with this in their name or last value.
    find: Option<String>,
}

async fn topics(
    State(state): State<ServerState>,
    Query(asked): Query<Topics>,
) -> Result<Json<Value>, ApiError> {
    let broker = broker(&state)?;
    if let Some(text) = asked.find {
        let found = broker.find_topics(&text, MOST_FOUND);
        return Ok(Json(json!({ "found": found })));
    }
    Ok(Json(json!(broker.branches(&[&asked.below]).pop())))
}

#[derive(Deserialize)]
struct Message {
    topic: String,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    qos: u8,
    #[serde(default)]
    retain: bool,
}

async fn publish(
    State(state): State<ServerState>,
    Json(message): Json<Message>,
) -> Result<StatusCode, ApiError> {
    let qos = Qos::from_bits(message.qos).ok_or_else(|| {
        ApiError::bad_request("invalid_qos", "The quality of service is 0, 1 or 2")
    })?;
    let Message {
        topic,
        payload,
        retain,
        ..
    } = message;
    match broker(&state)?
        .publish(&topic, payload.as_bytes(), qos, retain)
        .await
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::bad_request(
            "invalid_topic",
            format!(
                "\"{topic}\" is no topic that can be published to, or the payload is too large"
            ),
        )),
    }
}
