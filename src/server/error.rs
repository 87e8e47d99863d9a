//! The one form of every error that a client gets: `{"code": "stable_code", "message": "what to do"}`.

use std::any::Any;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{flow::Problem, runtime::DeployError, store::StoreError};

/// An error for a client.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    problems: Vec<Problem>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            problems: Vec::new(),
        }
    }

    /// What is wrong, in a sentence.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    pub(super) fn no_node(id: &str) -> Self {
        Self::not_found(format!(
            "No node with the id \"{id}\" is running; deploy it first"
        ))
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path does not take that method; docs/http.md lists what there is",
        )
    }
}

impl From<DeployError> for ApiError {
    fn from(error: DeployError) -> Self {
        let message = error.to_string();
        match error {
            DeployError::Stale { .. } => {
                Self::new(StatusCode::CONFLICT, "version_mismatch", message)
            }
            DeployError::Invalid(problems) => Self {
                problems,
                ..Self::bad_request("invalid_flow", message)
            },
            DeployError::Store(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", message)
            }
            DeployError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message)
            }
            DeployError::Interrupted => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "interrupted", message)
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "store_failed",
            error.to_string(),
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.problems.is_empty() {
            body["problems"] = json!(self.problems);
        }
        (
            self.status,
            [(header::CACHE_CONTROL, "no-store")],
            Json(body),
        )
            .into_response()
    }
}

/// The answer when a handler failed inside: the connection and everything else go on.
pub(super) fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Flowrill failed inside while it answered this; its log says where. Please report it",
    )
    .into_response()
}

/// Turns the framework's own refusals, which are plain text, into the one form; other answers pass.
pub(super) async fn as_json(response: Response) -> Response {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error())
        || content_type == Some(&HeaderValue::from_static("application/json"))
    {
        return response;
    }
    let (code, message) = match status {
        StatusCode::UPGRADE_REQUIRED => (
            "websocket_only",
            "Only WebSockets are spoken here; connect with a WebSocket client",
        ),
        status if status.is_client_error() => (
            "bad_request",
            "The request can't be understood; docs/http.md says what there is",
        ),
        _ => ("unavailable", "This can't be done now; try again later"),
    };
    let mut answer = ApiError::new(status, code, message).into_response();
    for name in [header::ALLOW, header::UPGRADE, header::CONNECTION] {
        if let Some(value) = response.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}
