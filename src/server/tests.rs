//! Requests in, answers out, without a socket; and the two WebSockets over a real one.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{ServerState, router, serve};
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

#[tokio::test]
async fn flows_are_deployed_and_read_in_both_versions() {
    let state = local();
    assert_eq!(
        ask(&state, "GET", "/flows", &[], "").await,
        (StatusCode::OK, json!([]))
    );
    let (status, _) = ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&state, "GET", "/flows", &[], "").await.1, flows());
    let (_, read) = ask(&state, "GET", "/flows", &[V2], "").await;
    let rev = read["rev"].as_str().unwrap().to_owned();
    let body = json!({"flows": flows(), "rev": rev}).to_string();
    for kind in ["full", "flows", "nodes", "reload"] {
        let (status, answer) = ask(
            &state,
            "POST",
            "/flows",
            &[V2, ("Node-RED-Deployment-Type", kind)],
            &body,
        )
        .await;
        assert_eq!(
            (status, &answer["rev"]),
            (StatusCode::OK, &json!(rev)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn every_refusal_is_json_with_a_code_and_a_sentence() {
    let state = local();
    let large = format!("[\"{}\"]", "x".repeat(6 << 20));
    for (method, path, headers, body, status, code) in [
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [",
            400,
            "invalid_json",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"nodes\": []}",
            400,
            "invalid_flow",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [], \"rev\": \"old\"}",
            409,
            "version_mismatch",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [], \"credentials\": {\"a\": 1}}",
            400,
            "invalid_credentials",
        ),
        (
            "POST",
            "/flows",
            vec![("Node-RED-API-Version", "v9")],
            "[]",
            400,
            "invalid_api_version",
        ),
        (
            "POST",
            "/flows",
            vec![("Node-RED-Deployment-Type", "some")],
            "[]",
            400,
            "invalid_deployment_type",
        ),
        ("POST", "/flows", vec![], large.as_str(), 413, "too_large"),
        (
            "POST",
            "/flows",
            vec![
                ("Origin", "http://evil.example"),
                ("Host", "127.0.0.1:1880"),
            ],
            "[]",
            403,
            "foreign_origin",
        ),
        (
            "GET",
            "/flows",
            vec![("Host", "evil.example:1880")],
            "",
            403,
            "foreign_host",
        ),
        ("POST", "/inject/nobody", vec![], "", 404, "not_found"),
        ("POST", "/debug/nobody/enable", vec![], "", 404, "not_found"),
        ("POST", "/debug/enable", vec![], "{}", 400, "no_nodes"),
        ("DELETE", "/flows", vec![], "", 405, "method_not_allowed"),
        ("GET", "/no/such/thing", vec![], "", 404, "not_found"),
        (
            "GET",
            "/flowrill/history/none",
            vec![],
            "",
            404,
            "not_found",
        ),
    ] {
        let (got, answer) = ask(&state, method, path, &headers, body).await;
        assert_eq!(
            (got.as_u16(), answer["code"].as_str()),
            (status, Some(code)),
            "{method} {path} {answer}"
        );
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|text| text.len() > 20),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_own_page_may_change_things() {
    let state = local();
    let own = [
        ("Origin", "http://localhost:1880"),
        ("Host", "localhost:1880"),
    ];
    assert_eq!(
        ask(&state, "POST", "/flows", &own, "[]").await.0,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn buttons_answer_as_in_node_red() {
    let state = local();
    ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    for (path, body, status) in [
        ("/inject/d", "", 200),
        ("/inject/d", "{\"__user_inject_props__\": []}", 200),
        ("/debug/d/enable", "", 200),
        ("/debug/d/disable", "", 201),
        ("/debug/d/other", "", 404),
        ("/debug/enable", "{\"nodes\": [\"d\"]}", 200),
        ("/debug/disable", "{\"nodes\": [\"d\"]}", 201),
    ] {
        assert_eq!(
            ask(&state, "POST", path, &[], body).await.0.as_u16(),
            status,
            "{path}"
        );
    }
    assert_eq!(
        raw(&state, "GET", "/debug/view/view.html", &[], "")
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_server_tells_about_itself() {
    let state = local();
    ask(
        &state,
        "POST",
        "/flows",
        &[],
        &json!([{"id": "x", "type": "alien"}]).to_string(),
    )
    .await;
    assert_eq!(
        ask(&state, "GET", "/health", &[], "").await.1["status"],
        "ok"
    );
    assert_eq!(
        ask(&state, "GET", "/settings", &[], "").await.1["broker"],
        Json::Null
    );
    let (_, problems) = ask(&state, "GET", "/flowrill/problems", &[], "").await;
    assert_eq!(
        (
            &problems["problems"][0]["node"],
            &problems["problems"][0]["code"]
        ),
        (&json!("x"), &json!("missing_type"))
    );
    assert_eq!(
        ask(&state, "GET", "/flowrill/history", &[], "").await.1["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let types = ask(&state, "GET", "/flowrill/catalog", &[], "").await.1;
    assert!(
        types["types"]
            .as_array()
            .unwrap()
            .iter()
            .any(|known| known["type"] == "function" && known["texts"]["label"].is_string())
    );
    let tag = raw(&state, "GET", "/flowrill/catalog", &[], "")
        .await
        .headers()["etag"]
        .clone();
    let again = raw(
        &state,
        "GET",
        "/flowrill/catalog",
        &[("If-None-Match", tag.to_str().unwrap())],
        "",
    )
    .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let page = raw(&state, "GET", "/", &[], "").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
}

/// A WebSocket to a server of its own.
struct Socket {
    stream: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
    next_id: u64,
}

impl Socket {
    async fn open(path: &str, tap: bool) -> (Self, ServerState) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = state(address, tap);
        tokio_util::task::TaskTracker::new().spawn(serve(listener, state.clone()));
        let (stream, _) = tokio_tungstenite::connect_async(format!("ws://{address}{path}"))
            .await
            .unwrap();
        (Self { stream, next_id: 1 }, state)
    }

    async fn next(&mut self) -> Json {
        loop {
            if let Frame::Text(text) = self.stream.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next frame that fits.
    async fn find(&mut self, fits: impl Fn(&Json) -> bool) -> Json {
        loop {
            let frame = self.next().await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    async fn request(&mut self, mut request: Json) -> Json {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = id.into();
        self.stream
            .send(Frame::text(request.to_string()))
            .await
            .unwrap();
        let mut answer = self.find(|frame| frame["re"] == json!(id)).await;
        answer.as_object_mut().unwrap().remove("re");
        answer
    }
}

fn helpers() -> Json {
    json!([
        {"id": "n1", "type": "helper", "wires": [["n2"], ["n3"]], "name": "one"},
        {"id": "n2", "type": "helper", "z": "t"},
        {"id": "n3", "type": "helper", "z": "t"}
    ])
}

#[tokio::test]
async fn tap_does_what_its_contract_says() {
    let (mut tap, state) = Socket::open("/tap", true).await;
    assert_eq!(
        tap.request(json!({"op": "hello"})).await,
        json!({"contract": 1, "name": "flowrill", "version": env!("CARGO_PKG_VERSION")})
    );
    assert_eq!(
        tap.request(json!({"op": "nosuch"})).await,
        json!({"error": {"$t": "error", "name": "Error", "message": "unknown op nosuch"}})
    );
    let body = json!({"flows": helpers()}).to_string();
    let (_, deployed) = ask(&state, "POST", "/flows", &[V2], &body).await;
    let started = tap.find(|frame| frame["ev"] == "flows").await;
    assert_eq!(
        (&started["state"], &started["rev"]),
        (&json!("started"), &deployed["rev"])
    );
    assert_eq!(started["missing"], json!([]));
    let props = tap.request(json!({"op": "node", "node": "n1"})).await["props"].clone();
    assert_eq!(
        (
            &props["id"],
            &props["type"],
            &props["name"],
            &props["wires"]
        ),
        (
            &json!("n1"),
            &json!("helper"),
            &json!("one"),
            &json!([["n2"], ["n3"]])
        )
    );
    assert_eq!(
        tap.request(json!({"op": "node", "node": "no"})).await,
        json!({"props": null})
    );

    tap.request(json!({"op": "call", "node": "n1", "method": "send", "args": [[{"payload": {"$t": "date", "v": 0}}, {"payload": 2, "_msgid": "m"}]]})).await;
    let first = tap.find(|frame| frame["ev"] == "input").await;
    assert_eq!(
        (
            &first["node"],
            &first["msg"]["payload"],
            &first["msg"]["_msgid"]
        ),
        (&json!("n2"), &json!({"$t": "date", "v": 0}), &json!("m"))
    );
    assert_eq!(tap.find(|frame| frame["ev"] == "input").await["node"], "n3");

    let receive =
        |payload: u32| json!({"op": "receive", "node": "n2", "msg": {"payload": payload}});
    tap.request(json!({"op": "batch", "ops": [receive(1), receive(2), receive(3)]}))
        .await;
    for payload in 1..=3 {
        assert_eq!(
            tap.find(|frame| frame["ev"] == "input").await["msg"]["payload"],
            json!(payload)
        );
    }
    tap.request(json!({"op": "call", "node": "n1", "method": "status", "args": [{"fill": "red", "text": "x"}]})).await;
    assert_eq!(
        tap.find(|frame| frame["ev"] == "call").await["args"],
        json!([{"fill": "red", "text": "x"}])
    );
    tap.request(json!({"op": "call", "node": "n1", "method": "warn", "args": ["careful"]}))
        .await;
    let log = tap.find(|frame| frame["ev"] == "log").await;
    assert_eq!(
        (&log["rec"]["level"], &log["rec"]["msg"], &log["rec"]["id"]),
        (&json!(30), &json!("careful"), &json!("n1"))
    );

    for scope in ["node", "flow", "global"] {
        tap.request(json!({"op": "context.set", "node": "n2", "scope": scope, "key": "a.b", "value": [1, 2]})).await;
        let got = tap.request(json!({"op": "context.get", "node": "n2", "scope": scope, "key": ["a", "a.b[1]", "c"]})).await;
        assert_eq!(
            got,
            json!({"values": [{"b": [1, 2]}, 2, {"$t": "undefined"}]}),
            "{scope}"
        );
        assert_eq!(
            tap.request(json!({"op": "context.keys", "node": "n2", "scope": scope}))
                .await,
            json!({"values": [["a"]]})
        );
    }
    assert_eq!(tap.request(json!({"op": "reset"})).await, json!({}));
    let forgotten = tap
        .request(json!({"op": "context.get", "scope": "global", "key": "a"}))
        .await;
    assert_eq!(forgotten, json!({"values": [{"$t": "undefined"}]}));
    assert_eq!(
        tap.request(json!({"op": "call", "node": "n1", "method": "close"}))
            .await,
        json!({})
    );
    assert_eq!(
        tap.request(json!({"op": "node", "node": "n1"})).await,
        json!({"props": null})
    );
    assert_eq!(tap.request(json!({"op": "stop"})).await, json!({}));
    assert_eq!(
        tap.request(json!({"op": "node", "node": "n2"})).await,
        json!({"props": null})
    );
}

#[tokio::test]
async fn without_the_option_tap_only_looks() {
    let (mut tap, _) = Socket::open("/tap", false).await;
    assert_eq!(tap.request(json!({"op": "hello"})).await["contract"], 1);
    assert_eq!(
        tap.request(json!({"op": "node", "node": "x"})).await,
        json!({"props": null})
    );
    let refused = tap.request(json!({"op": "stop"})).await;
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("--tap"),
        "{refused}"
    );
}

#[tokio::test]
async fn comms_carries_debug_status_and_notifications() {
    let (mut comms, state) = Socket::open("/comms", false).await;
    // The heartbeat that comes at once says that it listens.
    comms.find(|frame| frame[0]["topic"] == "hb").await;
    let (_, _) = ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    comms
        .find(|frame| {
            frame
                .as_array()
                .unwrap()
                .iter()
                .any(|entry| entry["topic"] == "notification/runtime-deploy")
        })
        .await;
    ask(&state, "POST", "/inject/d", &[], "{}").await;
    let seen = comms.find(|frame| frame[0]["topic"] == "debug").await;
    assert_eq!(
        (&seen[0]["data"]["id"], &seen[0]["data"]["format"]),
        (&json!("d"), &json!("undefined"))
    );
    let node = state.runtime.engine().node("d").unwrap();
    node.status(crate::engine::Status::new("green", "dot", "fine"));
    let status = comms.find(|frame| frame[0]["topic"] == "status/d").await;
    assert_eq!(
        status[0]["data"],
        json!({"fill": "green", "shape": "dot", "text": "fine"})
    );
    node.warn("hot");
    let warning = comms.find(|frame| frame[0]["topic"] == "debug").await;
    assert_eq!(
        (&warning[0]["data"]["msg"], &warning[0]["data"]["level"]),
        (&json!("hot"), &json!(30))
    );
}
