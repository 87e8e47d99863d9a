//! HTTP and WebSockets: Node-RED's admin API, our own API, the editor's files, `/comms` and `/tap`. See docs/http.md.

mod admin;
mod api;
mod assets;
mod broker;
mod broker_live;
mod comms;
mod error;
mod guard;
mod json;
mod mqtt;
mod sockets;
mod tap;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware, serve::ListenerExt};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{broker::Broker, engine::RuntimeSettings, mqtt::Bridges, runtime::Runtime};
use error::ApiError;

/// Node-RED's `apiMaxLength`: how large a request may be.
const MAX_BODY: usize = 5 << 20;
/// WebSockets that may be open at the same time.
const MAX_SOCKETS: usize = 256;
/// How long open requests and sockets may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What the handlers need.
#[derive(Clone)]
pub struct ServerState {
    pub runtime: Arc<Runtime>,
    /// None with `--no-broker`.
    pub broker: Option<Broker>,
    /// Of the broker, to other ones.
    pub bridges: Option<Arc<Bridges>>,
    /// All operations of `/tap` are there.
    pub tap: bool,
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Ends the sockets.
    pub shutdown: CancellationToken,
    /// Places for WebSockets.
    sockets: Arc<Semaphore>,
    /// The open WebSockets and what they still do.
    tasks: TaskTracker,
    /// What holds again when `/tap` takes a setting away.
    first_settings: Arc<RuntimeSettings>,
}

impl ServerState {
    /// A server that listens on `address` until `shutdown`.
    pub fn new(
        runtime: Arc<Runtime>,
        broker: Option<Broker>,
        bridges: Option<Arc<Bridges>>,
        tap: bool,
        address: SocketAddr,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            first_settings: runtime.engine().settings(),
            runtime,
            broker,
            bridges,
            tap,
            address,
            shutdown,
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
            tasks: TaskTracker::new(),
        }
    }
}

/// Everything that is served, as a function, so that tests need no socket.
pub fn router(state: ServerState) -> Router {
    Router::new()
        .merge(admin::routes())
        .merge(api::routes())
        .merge(broker::routes())
        .route("/comms", axum::routing::get(comms::connect))
        .route("/mqtt", axum::routing::get(mqtt::connect))
        .route("/tap", axum::routing::get(tap::connect))
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::map_response(error::as_json))
        .layer(middleware::from_fn_with_state(state.clone(), guard::check))
        .layer(CatchPanicLayer::custom(error::panicked))
        .with_state(state)
}

/// Serves until `state.shutdown`; what is open then has two seconds to end.
pub async fn serve(listener: tokio::net::TcpListener, state: ServerState) {
    let shutdown = state.shutdown.clone();
    let listener = listener.tap_io(|stream| {
        // Small frames should not wait for each other.
        let _ = stream.set_nodelay(true);
    });
    let stopped = shutdown.clone();
    let tasks = state.tasks.clone();
    let serving = async {
        let router = router(state).into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, router)
            .with_graceful_shutdown(async move { stopped.cancelled().await });
        if let Err(error) = serve.await {
            tracing::error!("The web server ended: {error}");
        }
        tasks.close();
        tasks.wait().await;
    };
    let limit = async {
        shutdown.cancelled().await;
        tokio::time::sleep(CLOSE_LIMIT).await;
    };
    tokio::select! {
        () = serving => {}
        () = limit => tracing::debug!("Open connections were cut"),
    }
}
