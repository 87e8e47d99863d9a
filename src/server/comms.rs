//! `/comms`: debug messages, statuses and notifications for editors, in arrays of `{topic, data}`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{
    extract::{
        State,
        ws::{Message as Frame, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde_json::{Value as Json, json};

use super::ServerState;
use crate::{
    engine::{Event, Interest, LogLevel, Record, Status},
    message::debug_encode,
};

/// Events that may wait for a slow editor; one that is slower is cut off and connects anew.
const MAX_WAITING: usize = 10_000;
/// Events in one frame.
const MAX_BATCH: usize = 500;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What an editor may send is tiny.
const MAX_INCOMING: usize = 64 << 10;

pub(super) async fn connect(
    State(state): State<ServerState>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(MAX_INCOMING)
        .on_upgrade(move |socket| talk(socket, state))
}

async fn talk(mut socket: WebSocket, state: ServerState) {
    let hub = state.runtime.engine().hub();
    let interest = Interest::DEBUG
        .and(Interest::STATUS)
        .and(Interest::NOTIFICATION)
        .and(Interest::LOG);
    let mut events = hub.subscribe(interest, MAX_WAITING);
    let statuses: Vec<Json> = hub
        .statuses()
        .iter()
        .map(|(id, status)| status_frame(id, status))
        .collect();
    if !statuses.is_empty() && send(&mut socket, statuses).await.is_err() {
        return;
    }
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let frames = tokio::select! {
            () = state.shutdown.cancelled() => break,
            _ = heartbeat.tick() => vec![json!({ "topic": "hb", "data": now_ms() })],
            incoming = socket.recv() => match incoming {
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                // Subscriptions: everybody gets everything anyway.
                Some(Ok(_)) => continue,
            },
            event = events.next() => {
                let Some(first) = event else { break };
                let max_length = state.runtime.engine().settings().debug_max_length;
                let mut frames: Vec<Json> = frame(&first.event, max_length).into_iter().collect();
                while frames.len() < MAX_BATCH && let Some(next) = events.try_next() {
                    frames.extend(frame(&next.event, max_length));
                }
                frames
            }
        };
        if !frames.is_empty() && send(&mut socket, frames).await.is_err() {
            return;
        }
    }
    // The other side may be gone already.
    let _ = socket.send(Frame::Close(None)).await;
}

async fn send(socket: &mut WebSocket, frames: Vec<Json>) -> Result<(), axum::Error> {
    socket
        .send(Frame::Text(Json::Array(frames).to_string().into()))
        .await
}

fn frame(event: &Event, max_length: usize) -> Option<Json> {
    match event {
        Event::Debug(data) => Some(json!({ "topic": "debug", "data": data })),
        Event::Status { node, status } => Some(status_frame(node, status)),
        Event::Notification { topic, data } => {
            Some(json!({ "topic": format!("notification/{topic}"), "data": data }))
        }
        Event::Log(record) if record.level <= LogLevel::Warn => log_frame(record, max_length),
        _ => None,
    }
}

fn status_frame(node: &str, status: &Status) -> Json {
    let data: serde_json::Map<String, Json> = [
        ("fill", &status.fill),
        ("shape", &status.shape),
        ("text", &status.text),
    ]
    .into_iter()
    .filter_map(|(key, part)| Some((key.to_owned(), part.as_deref()?.into())))
    .collect();
    json!({ "topic": format!("status/{node}"), "data": data })
}

/// A warning or an error of a node, for the debug panel.
fn log_frame(record: &Record, max_length: usize) -> Option<Json> {
    let node = record.node.as_ref()?;
    let (text, format) = debug_encode(&record.msg, max_length);
    let mut data = json!({
        "id": &*node.id,
        "type": &*node.type_name,
        "path": &*node.flow,
        "msg": text,
        "format": format,
        "level": record.level as u8,
        "timestamp": record.time,
    });
    for (key, value) in [("z", &node.z), ("name", &node.name)] {
        if let Some(value) = value {
            data[key] = (**value).into();
        }
    }
    Some(json!({ "topic": "debug", "data": data }))
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |past| past.as_millis() as u64)
}
