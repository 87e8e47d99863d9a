//! Keeps other people's web pages out: they may neither change anything nor open a socket, whatever name they reach us by.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority},
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
        header::HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
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
    let host = host(request);
    // A page of another site whose name was made to point to this machine sends that site's name (DNS rebinding).
    if state.address.ip().is_loopback()
        && host
            .as_ref()
            .is_some_and(|host| !is_this_machine(host, state.address))
    {
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
    let is_socket = request.headers().contains_key(header::UPGRADE);
    let foreign = (changes || is_socket) && is_foreign(request.headers(), host.as_deref());
    foreign.then(|| {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "A page of another site tried to use Flowrill; only its own editor and programs without an Origin may",
        )
    })
}

/// The host and port that the client asked for.
fn host(request: &Request) -> Option<String> {
    let named = request.headers().get(header::HOST);
    // Bytes that are no text are no name of ours.
    let named = named.map(|host| host.to_str().unwrap_or("?").to_owned());
    named.or_else(|| request.uri().authority().map(Authority::to_string))
}

fn is_this_machine(host: &str, address: SocketAddr) -> bool {
    let name = without_port(host);
    let ip = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match ip {
        Ok(ip) => ip.is_loopback() || ip == address.ip(),
        Err(_) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// Whether a browser says that the request comes from a page that we did not serve. Other clients send no `Origin`.
fn is_foreign(headers: &HeaderMap, host: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let (Some((scheme, origin)), Some(host)) = (
        origin.to_str().ok().and_then(|text| text.split_once("://")),
        host,
    ) else {
        return true;
    };
    // A browser leaves out the port that goes with the scheme.
    let port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    plain(origin) != plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let address = "127.0.0.1:1880".parse().unwrap();
        for (host, ours) in [
            ("localhost:1880", true),
            ("LOCALHOST", true),
            ("flows.localhost:1880", true),
            ("127.0.0.1:5173", true),
            ("[::1]:1880", true),
            ("[::1]", true),
            ("evil.example:1880", false),
            ("127.0.0.1.evil.example", false),
            ("192.0.2.1:1880", false),
            ("", false),
            ("?", false),
        ] {
            assert_eq!(is_this_machine(host, address), ours, "{host}");
        }
    }

    #[test]
    fn origins() {
        for (origin, host, foreign) in [
            (None, "localhost:1880", false),
            (Some("http://localhost:1880"), "localhost:1880", false),
            (Some("http://localhost"), "localhost:80", false),
            (Some("https://flows.example"), "flows.example", false),
            (Some("http://localhost:5173"), "localhost:1880", true),
            (Some("http://evil.example"), "localhost:1880", true),
            (Some("null"), "localhost:1880", true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_foreign(&headers, Some(host)), foreign, "{origin:?}");
        }
    }
}
