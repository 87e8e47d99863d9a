//! `/tap` and `/comms` over a real socket.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::{V2, ask, flows, state};
use crate::server::{ServerState, serve};

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
