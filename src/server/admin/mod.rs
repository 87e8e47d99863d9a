//! Node-RED's admin API, under its own paths, so that its tools work.

mod debug;
mod flow;
mod flows;
mod settings;

use axum::{
    Router,
    routing::{get, post},
};

use super::ServerState;

pub(super) fn routes() -> Router<ServerState> {
    Router::new()
        .route("/flows", get(flows::read).post(flows::deploy))
        .route("/flows/state", get(flow::state).post(flow::set_state))
        .route("/flow/{id}", get(flow::one))
        .route("/diagnostics", get(settings::diagnostics))
        .route("/inject/{id}", post(debug::inject))
        .route("/debug/view/{file}", get(debug::view))
        .route("/debug/{state}", post(debug::switch_several))
        .route("/debug/{id}/{state}", post(debug::switch))
        .route("/settings", get(settings::settings))
        .route("/nodes", get(settings::nodes))
        .route("/credentials/{type_name}/{id}", get(settings::credentials))
        .route("/auth/login", get(settings::login))
}
