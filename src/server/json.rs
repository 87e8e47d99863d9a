//! JSON bodies, read so that an error names line and column.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use serde_json::Value as Json;

use super::{MAX_BODY, error::ApiError};

/// So much of a body that is too large is still read, so that the client gets the answer and not a broken connection.
const MAX_DISCARDED: usize = 64 << 20;

/// A body that is JSON; an empty one is null.
pub(super) struct JsonBody(pub(super) Json);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Json::Null));
        }
        if is_something_else(&parts.headers) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "The body has to be JSON, sent with the header Content-Type: application/json",
            ));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            ApiError::bad_request(
                "invalid_json",
                format!("The body is not valid JSON: {error}"),
            )
        })
    }
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut discarded = 0;
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            ApiError::bad_request("incomplete", "The request ended too early; send it again")
        })?;
        if discarded == 0 && bytes.len() + chunk.len() <= MAX_BODY {
            bytes.extend_from_slice(&chunk);
            continue;
        }
        discarded += std::mem::take(&mut bytes).len() + chunk.len();
        if discarded > MAX_DISCARDED {
            break;
        }
    }
    if discarded > 0 {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The request is larger than 5 MB; send it in parts",
        ));
    }
    Ok(bytes)
}

/// Whether the client says that the body is not JSON. Saying nothing is fine, for Node-RED's tools do so.
fn is_something_else(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    let mime = content_type.to_str().unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let mime = mime.to_ascii_lowercase();
    !(mime == "application/json" || (mime.starts_with("application/") && mime.ends_with("+json")))
}
