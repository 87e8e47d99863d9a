//! Requests in, answers out, without a socket; and the two WebSockets over a real one.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

mod broker_live;
mod http;
mod sockets;
mod tap;

use super::{ServerState, router, serve};
use crate::{
    catalog::Catalog,
    engine::{Clock, Contexts, Registry, RuntimeSettings},
    flow::ProcessEnv,
    nodes,
    runtime::{Runtime, RuntimeConfig},
    services::Services,
    store::MemoryFlowStore,
};

fn state(address: SocketAddr, tap: bool) -> ServerState {
    let mut registry = Registry::default();
    nodes::register(&mut registry, &Services::default());
    nodes::register_helper(&mut registry);
    let runtime = Runtime::open(RuntimeConfig {
        catalog: Arc::new(Catalog::builtin("en").unwrap()),
        registry,
        store: Box::<MemoryFlowStore>::default(),
        process_env: ProcessEnv::default(),
        settings: RuntimeSettings::default(),
        clock: Clock::System,
        expressions: Arc::new(crate::script::Jsonata),
        contexts: Arc::new(Contexts::default()),
    });
    let runtime = Arc::new(runtime.unwrap());
    let starting = runtime.clone();
    TaskTracker::new().spawn(async move { starting.start().await });
    ServerState::new(runtime, None, None, tap, address, CancellationToken::new())
}

fn local() -> ServerState {
    state(([127, 0, 0, 1], 1880).into(), false)
}

async fn ask(
    state: &ServerState,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, Json) {
    let response = raw(state, method, path, headers, body).await;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 10 << 20)
        .await
        .unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
}

async fn raw(
    state: &ServerState,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router(state.clone())
        .oneshot(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .unwrap()
}

const V2: (&str, &str) = ("Node-RED-API-Version", "v2");

fn flows() -> Json {
    json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "d", "type": "debug", "z": "t", "x": 1, "y": 2, "wires": [], "unheard": {"of": 1.5}}
    ])
}

/// How long a frame that has to come is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// A WebSocket to a server of its own.
struct Socket {
    stream: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
    next_id: u64,
}

impl Socket {
    async fn open(path: &str, tap: bool) -> (Self, ServerState) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = state(address, tap);
        tokio_util::task::TaskTracker::new().spawn(serve(listener, state.clone()));
        (Self::connect(path, &state).await, state)
    }

    /// A further client of the same server.
    async fn connect(path: &str, state: &ServerState) -> Self {
        let url = format!("ws://{}{path}", state.address);
        let (stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self { stream, next_id: 1 }
    }

    async fn next(&mut self) -> Json {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next());
            let frame = next.await.expect("nothing came").unwrap().unwrap();
            if let Frame::Text(text) = frame {
                let mut reader = serde_json::Deserializer::from_str(&text);
                reader.disable_recursion_limit();
                return serde::Deserialize::deserialize(&mut reader).unwrap();
            }
        }
    }

    /// The next frame that fits.
    async fn find(&mut self, fits: impl Fn(&Json) -> bool) -> Json {
        loop {
            let frame = self.next().await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    async fn say(&mut self, message: &Json) {
        let frame = Frame::text(message.to_string());
        self.stream.send(frame).await.unwrap();
    }

    async fn request(&mut self, mut request: Json) -> Json {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        self.say(&request).await;
        let mut answer = self.find(|frame| frame["re"] == json!(id)).await;
        answer.as_object_mut().unwrap().remove("re");
        answer
    }
}
