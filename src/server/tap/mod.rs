//! `WS /tap`: sends messages into nodes and shows every message on every wire. The contract is in CONTRIBUTING.md.
//!
//! A connection is two loops in one task: one carries out requests in the order in which they come, the other writes
//! answers and events.

mod context;
mod events;
mod frame;
mod messages;
mod ops;
mod settings;

use std::{collections::HashSet, sync::Arc};

use axum::{
    extract::{
        State,
        ws::{Message as Frame, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use futures_util::{StreamExt, stream::SplitStream};
use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    ServerState,
    error::ApiError,
    sockets::{self, Ending, Gone, Sender},
};
use crate::engine::{Subscription, Watcher};
use events::{Filters, Watched};
use messages::Delivery;

/// Events that may wait for a client: a test looks at all of them, a live view does not fall that far behind.
const QUEUE_TAP: usize = 200_000;
const QUEUE: usize = 16_384;
/// Answers that may wait; after that no further request is read.
const ANSWERS: usize = 256;
/// Frames that are put together before they are handed to the network.
const BATCH: usize = 256;
/// A request may carry a large Buffer.
const MAX_MESSAGE_TAP: usize = 64 * 1024 * 1024;
const MAX_MESSAGE: usize = 5 * 1024 * 1024;

/// `GET /tap`
pub(super) async fn connect(
    State(state): State<ServerState>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let (queue, max_message) = match state.tap {
        true => (QUEUE_TAP, MAX_MESSAGE_TAP),
        false => (QUEUE, MAX_MESSAGE),
    };
    // Watching begins before the client learns that it is connected.
    let watched = Watched::all();
    let events = state
        .runtime
        .engine()
        .hub()
        .subscribe(watched.interest(), queue);
    let for_socket = state.clone();
    sockets::accept(upgrade, &state, max_message, move |socket| {
        talk(socket, for_socket, events)
    })
}

/// One client.
struct Connection {
    state: ServerState,
    watcher: Watcher,
    filters: Arc<Mutex<Filters>>,
    answers: mpsc::Sender<String>,
    /// Nodes that got messages since all of them were handled.
    touched: Mutex<HashSet<String>>,
}

impl Connection {
    /// Hands messages over.
    fn deliver(&self, deliveries: Vec<Delivery>) {
        let nodes = deliveries.iter().map(|delivery| delivery.node.clone());
        self.touched.lock().extend(nodes);
        messages::deliver(&self.state, deliveries);
    }

    /// Returns when the messages that were handed over are handled. What is asked for next then sees what they did, as if
    /// the nodes had been called at once.
    async fn catch_up(&self) {
        let touched = std::mem::take(&mut *self.touched.lock());
        if !touched.is_empty() {
            self.state.runtime.engine().caught_up(touched).await;
        }
    }
}

async fn talk(socket: WebSocket, state: ServerState, events: Subscription) {
    let (sender, receiver) = socket.split();
    let (answers, waiting) = mpsc::channel(ANSWERS);
    let connection = Connection {
        watcher: events.watcher(),
        filters: Arc::default(),
        answers,
        touched: Mutex::default(),
        state: state.clone(),
    };
    let filters = connection.filters.clone();
    let ended = tokio::select! {
        () = read(receiver, connection) => return,
        ended = write(sender, waiting, events, &filters, &state.shutdown) => ended,
    };
    if let Some((sender, ending)) = ended {
        sockets::end(sender, ending).await;
    }
}

async fn read(mut receiver: SplitStream<WebSocket>, connection: Connection) {
    while let Some(Ok(received)) = receiver.next().await {
        let answer = match received {
            Frame::Text(text) => match frame::parse(text.as_str()) {
                Ok(request) => ops::carry_out(&connection, request).await,
                Err(error) => {
                    let id = frame::id_of(text.as_str());
                    Some(frame::refusal(id, &error))
                }
            },
            Frame::Binary(_) => Some(frame::refusal(
                Json::Null,
                "Requests are text frames, each one JSON object",
            )),
            Frame::Close(_) => return,
            Frame::Ping(_) | Frame::Pong(_) => None,
        };
        if let Some(answer) = answer
            && connection.answers.send(answer.to_string()).await.is_err()
        {
            return;
        }
    }
}

/// Writes until the client is gone (none), or until there is a reason to end the connection and somebody to tell it.
async fn write(
    mut sender: Sender,
    mut answers: mpsc::Receiver<String>,
    mut events: Subscription,
    filters: &Mutex<Filters>,
    shutdown: &CancellationToken,
) -> Option<(Sender, Ending)> {
    loop {
        // An answer goes before the events of its request, which most clients find easier.
        let first = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Some((sender, Ending::Stopping)),
            Some(answer) = answers.recv() => Some(answer),
            event = events.next() => match event {
                Some(event) => filters.lock().encode(&event),
                None => return Some((sender, Ending::TooSlow)),
            },
        };
        let waiting = std::iter::from_fn(|| match answers.try_recv() {
            Ok(answer) => Some(Some(answer)),
            Err(_) => Some(filters.lock().encode(&events.try_next()?)),
        });
        let batch: Vec<String> = first
            .into_iter()
            .chain(waiting.take(BATCH).flatten())
            .collect();
        if write_batch(&mut sender, batch).await.is_err() {
            return None;
        }
    }
}

async fn write_batch(sender: &mut Sender, batch: Vec<String>) -> Result<(), Gone> {
    for text in batch {
        sockets::feed(sender, text).await?;
    }
    sockets::flush(sender).await
}
