//! JSON bodies, read so that an error names line and column.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use serde_json::Value as Json;

use super::error::ApiError;

/// A body that is JSON; an empty one is null.
pub(super) struct JsonBody(pub(super) Json);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "too_large",
                        "The request is larger than 5 MB; send it in parts",
                    ),
                    _ => ApiError::bad_request(
                        "incomplete",
                        "The request ended too early; send it again",
                    ),
                })?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Json::Null));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            ApiError::bad_request(
                "invalid_json",
                format!("The body is not valid JSON: {error}"),
            )
        })
    }
}
