//! MQTT over WebSocket (section 6 of the standard): the bytes within binary frames, wherever the frames begin and end.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream as Frames, StreamExt, future};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        Error as WebSocketError, Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{
            HeaderMap, HeaderValue, StatusCode,
            header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::WebSocketConfig,
    },
};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};
use url::{Host, Url};

use crate::broker::stream::{Socket, Stream};

/// What may come in one frame besides a packet of the largest size.
const SLACK: usize = 64 << 10;

/// A stream of which some bytes were read already.
pub(super) fn behind(read: BytesMut, stream: Stream) -> impl Socket {
    let (reader, writer) = tokio::io::split(stream);
    tokio::io::join(io::Cursor::new(read).chain(reader), writer)
}

/// Answers a client's HTTP request, and gives the bytes in its frames. `limit` is for the size of a packet, `origins` for
/// the pages that it may come from; none: any.
///
/// # Errors
/// It is no request for a WebSocket that carries MQTT, or none of a page that may make it.
pub(super) async fn accept(
    stream: impl Socket,
    limit: usize,
    origins: Option<&[String]>,
) -> io::Result<Box<dyn Socket>> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit + SLACK))
        .max_frame_size(Some(limit + SLACK));
    #[expect(clippy::result_large_err, reason = "the type of the library")]
    let answer = |request: &Request, response: Response| match origins {
        Some(origins) if !may_connect(request.headers(), origins) => Err(refusal(
            StatusCode::FORBIDDEN,
            "A page of another site tried to use this broker; its owner can allow that under \"origins\"",
        )),
        _ => choose_protocol(request, response),
    };
    let socket = accept_hdr_async_with_config(stream, answer, Some(config));
    let (sink, frames) = socket.await.map_err(broken)?.split();
    let frames = frames.filter_map(|frame| future::ready(content(frame)));
    let sink = sink
        .sink_map_err(broken)
        .with(|bytes: Bytes| future::ready(Ok::<_, io::Error>(Message::Binary(bytes))));
    Ok(socket_of(sink, frames))
}

/// The bytes within frames as one stream.
pub(in crate::broker) fn socket_of(
    sink: impl Sink<Bytes, Error = io::Error> + Send + Unpin + 'static,
    frames: impl Frames<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) -> Box<dyn Socket> {
    let writer: Box<dyn AsyncWrite + Send + Unpin> =
        Box::new(SinkWriter::new(CopyToBytes::new(sink)));
    Box::new(tokio::io::join(StreamReader::new(frames), writer))
}

/// The subprotocol is `mqtt` [MQTT-6.0.0-3], or what MQTT 3.1 called it. Clients that name none are let in.
#[expect(clippy::result_large_err, reason = "the type of the library")]
fn choose_protocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim);
    let mut offers_any = false;
    for protocol in offered {
        offers_any = true;
        if let Some(known) = ["mqtt", "mqttv3.1"]
            .into_iter()
            .find(|known| protocol == *known)
        {
            let chosen = HeaderValue::from_static(known);
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, chosen);
            return Ok(response);
        }
    }
    if offers_any {
        return Err(refusal(
            StatusCode::BAD_REQUEST,
            "This is an MQTT broker: ask for the WebSocket subprotocol \"mqtt\"",
        ));
    }
    Ok(response)
}

fn refusal(status: StatusCode, text: &str) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(Some(text.to_owned()));
    *refusal.status_mut() = status;
    refusal
}

/// Whether a page may connect without a login: a browser lets every page of the world try. Those are let in that come from
/// this machine or from the very address that was asked for; a name could have been made to point here (DNS rebinding).
/// Other programs send no `Origin`.
fn may_connect(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if origins
        .iter()
        .any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    {
        return true;
    }
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = asked.and_then(|host| Url::parse(&format!("http://{host}")).ok());
    let asked = asked.as_ref().and_then(Url::host);
    let Ok(page) = Url::parse(origin) else {
        return false;
    };
    match page.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || asked == page.host(),
        Some(Host::Ipv6(address)) => address.is_loopback() || asked == page.host(),
        None => false,
    }
}

/// Only binary frames may come [MQTT-6.0.0-1].
fn content(frame: Result<Message, WebSocketError>) -> Option<io::Result<Bytes>> {
    match frame {
        Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
        Ok(Message::Text(_)) => Some(Err(io::Error::other("a text came over the WebSocket"))),
        // The library answers pings, and ends the stream behind a close.
        Ok(_) => None,
        Err(error) => Some(Err(broken(error))),
    }
}

fn broken(error: WebSocketError) -> io::Error {
    match error {
        WebSocketError::Io(error) => error,
        other => io::Error::other(other),
    }
}
