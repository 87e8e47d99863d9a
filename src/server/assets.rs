//! The editor's files, out of the binary: compressed beforehand, and cached for good where their names carry a hash.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// `web/dist`, which build.rs builds.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Editor;

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Flowrill</title>\
<p>Flowrill is running, but this binary was built without its editor. Install Node.js 20.19 or newer and build it again with <code>make run</code>.";

/// What the page may load: its own files, and the one script that stands in it.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let index = Editor::get("index.html");
    let html = index
        .as_ref()
        .map(|file| String::from_utf8_lossy(&file.data))
        .unwrap_or_default();
    let scripts: String = html
        .split("<script>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</script>"))
        .map(|(script, _)| {
            format!(
                " 'sha256-{}'",
                BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()))
            )
        })
        .collect();
    // The code editor writes its styles into the page.
    let policy = format!(
        "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(
        "default-src 'self'; frame-ancestors 'none'",
    ))
});

/// Whatever no other route takes.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    if !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::not_found(format!(
            "There is nothing at {} that could be changed",
            uri.path()
        ))
        .into_response();
    }
    match Editor::get(path) {
        Some(file) => answer(path, file, &headers),
        None if path == "index.html" => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            NOT_BUILT,
        )
            .into_response(),
        None => ApiError::not_found(format!(
            "There is nothing at {}; docs/http.md lists what there is",
            uri.path()
        ))
        .into_response(),
    }
}

fn answer(path: &str, plain: EmbeddedFile, headers: &HeaderMap) -> Response {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepts = |wanted: &str| {
        accepted.split(',').any(|part| {
            let mut part = part.split(';').map(str::trim);
            part.next() == Some(wanted) && part.next().is_none_or(|quality| quality != "q=0")
        })
    };
    let tag = format!(
        "\"{}\"",
        BASE64_STANDARD.encode(&plain.metadata.sha256_hash()[..12])
    );
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(encoding))
        .find_map(|(encoding, ending)| Some((encoding, Editor::get(&format!("{path}.{ending}"))?)));
    let caching = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let unchanged = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let (encoding, data) = match compressed {
        Some((encoding, file)) => (Some(encoding), file.data),
        None => (None, plain.data),
    };
    let mut response = match unchanged {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => data.into_owned().into_response(),
    };
    let set = response.headers_mut();
    set.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    set.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        set.insert(header::ETAG, tag);
    }
    if let Some(encoding) = encoding {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if path == "index.html" {
        set.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
