//! MQTT over WebSocket on the HTTP port: the built-in broker's clients come in at `/mqtt`, too.

use std::{io, net::SocketAddr};

use axum::{
    extract::{
        ConnectInfo, State,
        ws::{Message, WebSocketUpgrade},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future};

use super::{ServerState, error::ApiError};

/// What may come in one frame besides a packet of the largest size.
const SLACK: usize = 64 << 10;

/// `GET /mqtt`
pub(super) async fn connect(
    State(state): State<ServerState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let Some(broker) = state.broker.clone() else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no_broker",
            "Flowrill runs without its broker (--no-broker)",
        ));
    };
    let limit = broker.config().max_packet_size + SLACK;
    let upgrade = upgrade
        .protocols(["mqtt", "mqttv3.1"])
        .max_message_size(limit)
        .max_frame_size(limit);
    let tasks = state.tasks;
    Ok(upgrade
        .on_upgrade(async move |socket| {
            let (sink, frames) = socket.split();
            let frames = frames.filter_map(|frame| {
                future::ready(match frame {
                    Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
                    // Only binary frames may come [MQTT-6.0.0-1].
                    Ok(Message::Text(_)) => Some(Err(io::ErrorKind::InvalidData.into())),
                    Ok(_) => None,
                    Err(error) => Some(Err(io::Error::other(error))),
                })
            });
            let sink = sink
                .sink_map_err(io::Error::other)
                .with(|bytes: Bytes| future::ready(Ok::<_, io::Error>(Message::Binary(bytes))));
            let client = broker.serve_websocket(sink, frames, address);
            tasks.track_future(client).await;
        })
        .into_response())
}
