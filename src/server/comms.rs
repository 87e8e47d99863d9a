//! `WS /comms`: debug messages, statuses and notifications for editors (Node-RED's comms socket).

use std::time::Duration;

use axum::{
    extract::{
        State,
        ws::{WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use futures_util::{StreamExt, stream::SplitStream};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    ServerState,
    error::ApiError,
    sockets::{self, Ending, Gone, Sender},
};
use crate::{
    engine::{Event, Interest, LogLevel, Record, Stamped, Status, Subscription},
    message::debug_encode,
};

/// A client shall hear something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that may wait for one client.
const QUEUE: usize = 8_192;
/// Frames in one array.
const BATCH: usize = 500;
/// What clients say is short.
const MAX_MESSAGE: usize = 64 * 1024;

/// `GET /comms`
pub(super) async fn connect(
    State(state): State<ServerState>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let interest = Interest::DEBUG
        .and(Interest::STATUS)
        .and(Interest::NOTIFICATION)
        .and(Interest::LOG);
    // It hears everything from before it learns that it is connected.
    let events = state.runtime.engine().hub().subscribe(interest, QUEUE);
    let for_socket = state.clone();
    sockets::accept(upgrade, &state, MAX_MESSAGE, move |socket| {
        talk(socket, for_socket, events)
    })
}

async fn talk(socket: WebSocket, state: ServerState, mut events: Subscription) {
    let (mut sender, mut receiver) = socket.split();
    let statuses = state.runtime.engine().hub().statuses();
    let shown = statuses
        .iter()
        .map(|(node, status)| status_frame(node, status));
    if send(&mut sender, shown.collect()).await.is_err() {
        return;
    }
    // The first one goes out at once and says that everything from here on is heard.
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let sent = tokio::select! {
            biased;
            () = state.shutdown.cancelled() => return sockets::end(sender, Ending::Stopping).await,
            () = hung_up(&mut receiver) => return,
            event = events.next() => match event {
                None => return sockets::end(sender, Ending::TooSlow).await,
                Some(event) => send(&mut sender, batch(event, &mut events, &state)).await,
            },
            _ = heartbeat.tick() => {
                let time = chrono::Utc::now().timestamp_millis();
                send(&mut sender, vec![json!({ "topic": "hb", "data": time })]).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Returns when the client is gone. What it says, "subscribe", changes nothing: everybody gets everything.
async fn hung_up(receiver: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = receiver.next().await {}
}

async fn send(sender: &mut Sender, frames: Vec<Value>) -> Result<(), Gone> {
    if frames.is_empty() {
        return Ok(());
    }
    sockets::send(sender, Value::Array(frames).to_string()).await
}

/// This event and those that wait behind it, as frames.
fn batch(first: Stamped, events: &mut Subscription, state: &ServerState) -> Vec<Value> {
    let longest = state.runtime.engine().settings().debug_max_length;
    let more = std::iter::from_fn(|| events.try_next());
    std::iter::once(first)
        .chain(more.take(BATCH - 1))
        .filter_map(|stamped| frame(&stamped.event, longest))
        .collect()
}

fn frame(event: &Event, longest: usize) -> Option<Value> {
    match event {
        Event::Debug(data) => Some(json!({ "topic": "debug", "data": data })),
        Event::Status { node, status } => Some(status_frame(node, status)),
        Event::Notification { topic, data } => {
            Some(json!({ "topic": format!("notification/{topic}"), "data": data }))
        }
        Event::Log(record) if record.level <= LogLevel::Warn => Some(log_frame(record, longest)),
        _ => None,
    }
}

fn status_frame(node: &str, status: &Status) -> Value {
    let mut data = json!({});
    let parts = [
        ("fill", &status.fill),
        ("shape", &status.shape),
        ("text", &status.text),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            data[name] = (**part).into();
        }
    }
    json!({ "topic": format!("status/{node}"), "data": data })
}

/// A warning or an error, which the debug panel shows, too.
fn log_frame(record: &Record, longest: usize) -> Value {
    let (msg, format) = debug_encode(&record.msg, longest);
    let mut data = json!({
        "level": record.level as u8,
        "msg": msg,
        "format": format,
        "timestamp": record.time,
    });
    if let Some(node) = &record.node {
        data["id"] = (*node.id).into();
        data["type"] = (*node.type_name).into();
        let more = [
            ("path", node.flow_path()),
            ("_alias", node.alias()),
            ("z", node.z.as_deref()),
            ("name", node.shown_name().map(|name| &**name)),
        ];
        for (member, value) in more {
            if let Some(value) = value {
                data[member] = value.into();
            }
        }
    }
    json!({ "topic": "debug", "data": data })
}
