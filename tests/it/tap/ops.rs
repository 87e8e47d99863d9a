//! Requests and their answers, the stream of events, batches, and what is no request.

use serde_json::{Value as Json, json};

use super::{Socket, Tap, helper, node, outline};

#[tokio::test]
async fn it_says_what_it_is() {
    let mut tap = Tap::start().await;
    let hello = tap.ask("hello", json!({})).await;
    assert_eq!(
        hello,
        json!({"contract": 1, "name": "flowrill", "version": env!("CARGO_PKG_VERSION")})
    );
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_the_next_is_carried_out() {
    let mut tap = Tap::start().await;
    let error =
        |message: &str| json!({"error": {"$t": "error", "name": "Error", "message": message}});
    assert_eq!(
        tap.ask("nosuch", json!({})).await,
        error("unknown op nosuch")
    );
    for malformed in ["{", "[]", "1", "\"hello\"", "null", ""] {
        tap.socket.send(malformed).await;
        let refused = tap.socket.next().await.unwrap();
        assert_eq!(
            (&refused["re"], &refused["error"]["$t"]),
            (&Json::Null, &json!("error")),
            "{malformed}"
        );
    }
    for (op, fields) in [
        ("watch", json!({"events": "input"})),
        ("watch", json!({"nodes": {}})),
        ("batch", json!({})),
        ("batch", json!({"ops": [1]})),
        ("batch", json!({"ops": [{"op": "nosuch"}]})),
        ("node", json!({})),
        ("receive", json!({"node": "none", "msg": {}})),
        ("call", json!({"node": "none", "method": "warn"})),
        ("context.get", json!({"scope": "global"})),
        ("context.get", json!({"scope": "nowhere", "key": "a"})),
        (
            "context.get",
            json!({"scope": "node", "node": "none", "key": "a"}),
        ),
        ("context.keys", json!({})),
        ("context.stores", json!({"stores": []})),
        (
            "context.stores",
            json!({"stores": {"a": {"module": "no such module"}}}),
        ),
        ("settings", json!({})),
        ("env", json!({"values": {"A": []}})),
    ] {
        let message = tap.refused(op, fields.clone()).await;
        assert!(!message.is_empty(), "{op} {fields}");
    }
    assert_eq!(tap.ask("hello", json!({})).await["contract"], 1);
}

#[tokio::test]
async fn a_request_without_id_gets_no_answer() {
    let mut tap = Tap::running(json!([helper("n1")])).await;
    for request in [
        json!({"op": "hello"}),
        json!({"op": "nosuch"}),
        json!({"op": "receive", "node": "n1", "msg": {"payload": "taken"}}),
        json!({"op": "receive", "node": "none", "msg": {}}),
    ] {
        tap.socket.send(&request.to_string()).await;
    }
    // The next frame that is an answer is this one's.
    let id = tap.request("hello", json!({})).await;
    let answer = loop {
        let frame = tap.socket.next().await.unwrap();
        match frame.get("ev") {
            Some(_) => tap.events.push_back(frame),
            None => break frame,
        }
    };
    assert_eq!(answer["re"], id);
    assert_eq!(tap.input("n1").await["payload"], "taken");
}

#[tokio::test]
async fn any_number_is_an_id() {
    let mut tap = Tap::start().await;
    for id in [
        json!(0),
        json!(-3),
        json!(1.5),
        json!(9_007_199_254_740_991_u64),
    ] {
        tap.socket
            .send(&json!({"id": id, "op": "hello"}).to_string())
            .await;
        assert_eq!(tap.socket.next().await.unwrap()["re"], id);
    }
}

#[tokio::test]
async fn requests_are_carried_out_in_the_order_sent() {
    let mut tap = Tap::running(json!([helper("n1")])).await;
    let mut ids = Vec::new();
    for value in 0..50 {
        let set = json!({"node": "n1", "scope": "node", "key": "k", "value": value});
        tap.request("context.set", set).await;
        ids.push(
            tap.request(
                "context.get",
                json!({"node": "n1", "scope": "node", "key": "k"}),
            )
            .await,
        );
    }
    for (value, id) in ids.into_iter().enumerate() {
        assert_eq!(tap.answer(id).await["values"], json!([value]));
    }
}

#[tokio::test]
async fn the_stream_of_events_can_be_narrowed() {
    let flows =
        json!([{"id": "n1", "type": "helper", "wires": [["n2"]]}, helper("n2"), helper("n3")]);
    let mut tap = Tap::running(flows).await;
    let mut all = Socket::open(&tap.process.http, "/tap").await;
    let everything = json!({"events": null});
    for (watch, expected) in [
        (
            everything.clone(),
            vec![
                "call n1 warn",
                "input n2 1",
                "input n3 2",
                "log 30 w",
                "send n1 0 n2",
            ],
        ),
        (
            json!({"events": ["input"]}),
            vec!["input n2 1", "input n3 2"],
        ),
        (
            json!({"events": ["send", "log"]}),
            vec!["log 30 w", "send n1 0 n2"],
        ),
        (
            json!({"events": ["input"], "nodes": ["n3"]}),
            vec!["input n3 2"],
        ),
        (
            json!({"nodes": ["n1"]}),
            vec!["call n1 warn", "log 30 w", "send n1 0 n2"],
        ),
        (json!({"events": []}), vec![]),
        (
            json!({}),
            vec![
                "call n1 warn",
                "input n2 1",
                "input n3 2",
                "log 30 w",
                "send n1 0 n2",
            ],
        ),
    ] {
        tap.done("watch", watch.clone()).await;
        tap.call("n1", "warn", json!(["w"])).await;
        tap.call("n1", "send", json!([{"payload": 1}])).await;
        tap.receive("n3", json!({"payload": 2})).await;
        // All of it has happened.
        while all.next().await.unwrap()["node"] != "n3" {}
        tap.done("watch", everything.clone()).await;
        let mut seen = outline(&tap.events_until_mark("n2").await);
        seen.sort_unstable();
        assert_eq!(seen, expected, "{watch}");
    }
    // What is about no node comes however few nodes are watched.
    tap.done("watch", json!({"nodes": ["n1"]})).await;
    tap.deploy(json!([helper("n1")])).await;
}

#[tokio::test]
async fn each_connection_watches_for_itself() {
    let mut tap = Tap::running(json!([helper("n1")])).await;
    let mut other = Socket::open(&tap.process.http, "/tap").await;
    other
        .send(r#"{"id":1,"op":"watch","events":["log"]}"#)
        .await;
    assert_eq!(other.next().await.unwrap(), json!({"re": 1}));
    tap.receive("n1", json!({"payload": 1})).await;
    tap.call("n1", "warn", json!(["w"])).await;
    assert_eq!(tap.input("n1").await["payload"], 1);
    let theirs = other.next().await.unwrap();
    assert_eq!(theirs["ev"], "log");
    // It is one stream: the same event has the same number everywhere.
    let ours = tap.event(|event| event["ev"] == "log").await;
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn a_batch_reaches_a_node_in_one_piece() {
    // The first message starts a timer of no time; what is in the batch comes before it fires.
    let func = "node.send({payload: `got ${msg.payload}`}); setTimeout(() => node.send({payload: 'timer'}), 0)";
    let flows = json!([
        node("n1", "function", json!([["n2"]]), json!({"func": func})),
        helper("n2")
    ]);
    let mut tap = Tap::running(flows).await;
    let receive =
        |payload: u32| json!({"op": "receive", "node": "n1", "msg": {"payload": payload}});
    let ops: Vec<Json> = (0..5).map(receive).collect();
    tap.done("batch", json!({"ops": ops})).await;
    let mut seen = Vec::new();
    while seen.len() < 10 {
        seen.push(
            tap.input("n2").await["payload"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(seen[..5], ["got 0", "got 1", "got 2", "got 3", "got 4"]);
    assert_eq!(seen[5..], ["timer"; 5]);
}

#[tokio::test]
async fn a_batch_holds_any_operation_and_says_what_went_wrong() {
    let mut tap =
        Tap::running(json!([{"id": "n1", "type": "helper", "wires": [["n2"]]}, helper("n2")]))
            .await;
    let set = json!({"op": "context.set", "node": "n1", "scope": "node", "key": "k", "value": 3});
    tap.done(
        "batch",
        json!({"ops": [
            {"op": "receive", "node": "n2", "msg": {"payload": 1}},
            set,
            {"op": "call", "node": "n1", "method": "send", "args": [{"payload": 2}]},
        ]}),
    )
    .await;
    assert_eq!(
        [
            tap.input("n2").await["payload"].clone(),
            tap.input("n2").await["payload"].clone()
        ],
        [json!(1), json!(2)]
    );
    let got = tap
        .ask(
            "context.get",
            json!({"node": "n1", "scope": "node", "key": "k"}),
        )
        .await;
    assert_eq!(got["values"], json!([3]));
    // The rest of a batch is carried out.
    let ops = json!([
        {"op": "receive", "node": "none", "msg": {}},
        {"op": "receive", "node": "n2", "msg": {"payload": "after"}},
    ]);
    let message = tap.refused("batch", json!({"ops": ops})).await;
    assert!(message.contains("none"), "{message}");
    assert_eq!(tap.input("n2").await["payload"], "after");
}

#[tokio::test]
async fn a_request_finds_what_the_messages_before_it_did() {
    // Long enough for a request to overtake it.
    let func = "let n = 0; while (n < 200000) n++; flow.set('k', msg.payload); node.status({text: 'busy'})";
    let flows = json!([
        node("n1", "function", json!([]), json!({"func": func, "z": "f"})),
        helper("n2")
    ]);
    let mut tap = Tap::running(flows).await;
    let get = json!({"node": "n1", "scope": "flow", "key": "k"});
    for payload in 0..20 {
        let receive = json!({"node": "n1", "msg": {"payload": payload}});
        tap.request("receive", receive.clone()).await;
        let id = tap.request("context.get", get.clone()).await;
        assert_eq!(tap.answer(id).await["values"], json!([payload]));
        // Within a batch, too.
        let mut warn = json!({"op": "call", "node": "n2", "method": "warn", "args": ["after"]});
        let mut received = receive;
        received["op"] = "receive".into();
        warn["node"] = "n2".into();
        tap.events.clear();
        tap.done("batch", json!({"ops": [received, warn]})).await;
        let first = tap.event(|event| event["ev"] == "call").await;
        assert_eq!(first["method"], "status");
    }
}
