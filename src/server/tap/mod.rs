//! `/tap`: hands messages to any node and shows every message on every wire, for tests and tools.
//!
//! All operations are there with `--tap` only; without it those that look, and `receive`.

mod events;
mod operations;

use axum::{
    extract::{
        State,
        ws::{Message as Frame, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde_json::{Value as Json, json};

use super::ServerState;
use crate::engine::{Stamped, Subscription};
use events::Filter;
use operations::Operations;

/// Events that may wait for a slow client; one that is slower is cut off.
const MAX_WAITING: usize = 100_000;
const MAX_INCOMING: usize = 64 << 20;

pub(super) async fn connect(
    State(state): State<ServerState>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(MAX_INCOMING)
        .max_frame_size(MAX_INCOMING)
        .on_upgrade(move |socket| talk(socket, state))
}

async fn talk(mut socket: WebSocket, state: ServerState) {
    let mut filter = Filter::default();
    let mut events = state
        .runtime
        .engine()
        .hub()
        .subscribe(filter.interest(), MAX_WAITING);
    let operations = Operations { state: &state };
    loop {
        tokio::select! {
            biased;
            () = state.shutdown.cancelled() => break,
            event = events.next() => {
                let Some(event) = event else { break };
                if show(&mut socket, &filter, event, &mut events).await.is_err() {
                    return;
                }
            }
            incoming = socket.recv() => {
                let text = match incoming {
                    Some(Ok(Frame::Text(text))) => text,
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                };
                let answer = answer(&operations, &mut filter, &text).await;
                events.watch(filter.interest());
                if let Some(answer) = answer && socket.send(Frame::Text(answer.to_string().into())).await.is_err() {
                    return;
                }
            }
        }
    }
    // The other side may be gone already.
    let _ = socket.send(Frame::Close(None)).await;
}

/// Sends an event, and those that wait behind it.
async fn show(
    socket: &mut WebSocket,
    filter: &Filter,
    first: Stamped,
    events: &mut Subscription,
) -> Result<(), axum::Error> {
    let mut next = Some(first);
    while let Some(event) = next {
        if let Some(frame) = filter.frame(&event) {
            socket.send(Frame::Text(frame.to_string().into())).await?;
        }
        next = events.try_next();
    }
    Ok(())
}

/// Carries a request out; none when it has no `id` and so wants no answer.
async fn answer(operations: &Operations<'_>, filter: &mut Filter, text: &str) -> Option<Json> {
    let request: Json = match serde_json::from_str(text) {
        Ok(request) => request,
        Err(error) => {
            return Some(
                json!({ "re": null, "error": error_value(&format!("this is not JSON: {error}")) }),
            );
        }
    };
    let outcome = operations.carry_out(&request, filter).await;
    let id = request.get("id")?;
    let mut answer = match outcome {
        Ok(answer) => answer,
        Err(message) => json!({ "error": error_value(&message) }),
    };
    // The contract's examples begin with `re`; order carries no meaning.
    answer["re"] = id.clone();
    Some(answer)
}

fn error_value(message: &str) -> Json {
    json!({ "$t": "error", "name": "Error", "message": message })
}
