//! What all WebSockets have in common: how many there may be, how they end, how long a slow one is waited for.

use std::time::Duration;

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
};
use futures_util::{SinkExt, stream::SplitSink};

use super::{ServerState, error::ApiError};

/// A client that takes longer to take what it is sent is cut off.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// The sending half of a socket.
pub(super) type Sender = SplitSink<WebSocket, Message>;

/// The client is gone, or too slow.
pub(super) struct Gone;

/// Why the server ends a connection.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// The server stops.
    Stopping,
    /// The client did not keep up; it may connect again.
    TooSlow,
}

/// Accepts a WebSocket if there may be another one; `talk` has it until it returns.
pub(super) fn accept<F>(
    upgrade: WebSocketUpgrade,
    state: &ServerState,
    max_message: usize,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let Ok(place) = state.sockets.clone().try_acquire_owned() else {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_sockets",
            "Too many WebSockets are open; close some and try again",
        ));
    };
    let tasks = state.tasks.clone();
    let upgrade = upgrade
        .max_message_size(max_message)
        .max_frame_size(max_message);
    Ok(upgrade.on_upgrade(async move |socket| {
        let _place = place;
        tasks.track_future(talk(socket)).await;
    }))
}

/// Sends one message now.
pub(super) async fn send(sender: &mut Sender, text: String) -> Result<(), Gone> {
    within_limit(sender.send(Message::text(text))).await
}

/// Puts a message behind those that wait to be sent.
pub(super) async fn feed(sender: &mut Sender, text: String) -> Result<(), Gone> {
    within_limit(sender.feed(Message::text(text))).await
}

/// Sends what waits.
pub(super) async fn flush(sender: &mut Sender) -> Result<(), Gone> {
    within_limit(sender.flush()).await
}

/// Tells the client why, and closes.
pub(super) async fn end(mut sender: Sender, ending: Ending) {
    let (code, reason) = match ending {
        Ending::Stopping => (1001, "Flowrill is stopping"),
        Ending::TooSlow => (1013, "too slow to keep up"),
    };
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let close = sender.send(Message::Close(Some(frame)));
    // The client may be gone already.
    let _ = tokio::time::timeout(Duration::from_millis(200), close).await;
}

async fn within_limit<E>(sending: impl Future<Output = Result<(), E>>) -> Result<(), Gone> {
    match tokio::time::timeout(SEND_LIMIT, sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone),
    }
}
