//! HTTP and WebSockets: Node-RED's admin API, our own API, the editor's files, `/comms` and `/tap`. See docs/http.md.

mod admin;
mod api;
mod assets;
mod comms;
mod error;
mod guard;
mod json;
mod tap;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware, serve::ListenerExt};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{broker::Broker, runtime::Runtime};
use error::ApiError;

/// Node-RED's `apiMaxLength`: how large a request may be.
const MAX_BODY: usize = 5 << 20;
/// How long open requests and sockets may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What the handlers need.
#[derive(Clone)]
pub struct ServerState {
    pub runtime: Arc<Runtime>,
    /// None with `--no-broker`.
    pub broker: Option<Broker>,
    /// All operations of `/tap` are there.
    pub tap: bool,
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Ends the sockets.
    pub shutdown: CancellationToken,
}

/// Everything that is served, as a function, so that tests need no socket.
pub fn router(state: ServerState) -> Router {
    Router::new()
        .merge(admin::routes())
        .merge(api::routes())
        .route("/comms", axum::routing::get(comms::connect))
        .route("/tap", axum::routing::get(tap::connect))
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
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
    let serving = axum::serve(listener, router(state))
        .with_graceful_shutdown(async move { stopped.cancelled().await });
    let limit = async {
        shutdown.cancelled().await;
        tokio::time::sleep(CLOSE_LIMIT).await;
    };
    tokio::select! {
        outcome = serving => if let Err(error) = outcome {
            tracing::error!("The web server ended: {error}");
        },
        () = limit => tracing::debug!("Open connections were cut"),
    }
}
