//! Keeps other people's web pages out: they may neither change anything nor open a socket, whatever name they reach us by.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{ServerState, error::ApiError};

/// Refuses foreign pages, and adds the headers that every answer has.
pub(super) async fn check(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match refusal(&state, &request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn refusal(state: &ServerState, request: &Request) -> Option<ApiError> {
    let headers = request.headers();
    let host = text(headers, header::HOST);
    // A page of another site whose name was made to point to this machine sends that site's name (DNS rebinding).
    if state.address.ip().is_loopback() && host.is_some_and(|host| !is_this_machine(host, state)) {
        return Some(ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_host",
            format!(
                "This address is for this machine only: open http://{}",
                state.address
            ),
        ));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let is_socket = headers.contains_key(header::UPGRADE);
    let origin = text(headers, header::ORIGIN)?;
    let own = origin.split_once("://").map(|(_, address)| address) == host;
    let foreign = (changes || is_socket) && !own;
    foreign.then(|| {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "A page of another site tried to use Flowrill; only its own editor and programs without an Origin may",
        )
    })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_this_machine(host: &str, state: &ServerState) -> bool {
    let name = match host.rsplit_once(':') {
        // The last part of an IPv6 address is no port.
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        || name.trim_matches(['[', ']']) == state.address.ip().to_string()
}
