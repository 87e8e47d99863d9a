//! Requests in, answers out: HTTP without a socket, the two WebSockets over a real one.

mod http;
mod sockets;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{ServerState, router};
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
        contexts: Arc::new(Contexts::default()),
    });
    let runtime = Arc::new(runtime.unwrap());
    ServerState {
        runtime,
        broker: None,
        tap,
        address,
        shutdown: CancellationToken::new(),
    }
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
