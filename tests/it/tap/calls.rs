//! The operations on one node: what it shows, messages into it, and what it is made to do.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, outline, undefined};

#[tokio::test]
async fn a_node_is_found_wherever_it_runs() {
    let mut tap = Tap::running(json!([
        {"id": "tab", "type": "tab"},
        {"id": "off", "type": "tab", "disabled": true},
        {"id": "sub", "type": "subflow", "in": [{"wires": [{"id": "inner"}]}], "out": [{"wires": [{"id": "inner", "port": 0}]}]},
        {"id": "inner", "type": "switch", "z": "sub", "x": 1, "y": 1, "wires": [[]], "name": "within"},
        {"id": "use", "type": "subflow:sub", "z": "tab", "x": 1, "y": 1, "wires": [["h"]]},
        {"id": "group", "type": "group", "z": "tab", "nodes": ["h"]},
        {"id": "h", "type": "helper", "z": "tab", "g": "group", "name": "", "x": 1, "y": 1, "wires": []},
        {"id": "config", "type": "global-config", "env": []},
        {"id": "n3", "type": "helper", "z": "tab", "d": true},
        {"id": "n4", "type": "helper", "z": "off"},
    ]))
    .await;
    let inner = tap.props("use-inner").await;
    assert_eq!(
        (&inner["type"], &inner["name"], &inner["rules"]),
        (&json!("switch"), &json!("within"), &json!([]))
    );
    let h = tap.props("h").await;
    assert_eq!(
        (&h["z"], &h["g"], &h["wires"]),
        (&json!("tab"), &json!("group"), &json!([]))
    );
    assert_eq!(tap.props("config").await["type"], "global-config");
    assert_eq!(tap.props("use").await["type"], "subflow:sub");
    for gone in ["n3", "n4", "inner", "nobody"] {
        assert_eq!(tap.props(gone).await, Json::Null, "{gone}");
    }
}

#[tokio::test]
async fn a_message_is_received_as_over_a_wire_or_raw() {
    let mut tap = Tap::running(json!([helper("n1")])).await;
    tap.receive("n1", json!({"payload": 1})).await;
    let first = tap.input("n1").await["_msgid"].as_str().unwrap().to_owned();
    assert!(
        first.len() == 16 && first.chars().all(|digit| digit.is_ascii_hexdigit()),
        "{first}"
    );
    tap.receive("n1", json!({"payload": 1})).await;
    assert_ne!(tap.input("n1").await["_msgid"], first);
    tap.receive("n1", json!({"_msgid": "own"})).await;
    assert_eq!(tap.input("n1").await, json!({"_msgid": "own"}));
    tap.done(
        "receive",
        json!({"node": "n1", "msg": {"payload": 1}, "raw": true}),
    )
    .await;
    assert_eq!(tap.input("n1").await, json!({"payload": 1}));
    // No message is an empty one.
    tap.done("receive", json!({"node": "n1"})).await;
    let empty = tap.input("n1").await;
    assert_eq!(
        empty.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["_msgid"]
    );
    let message = tap
        .refused("receive", json!({"node": "n1", "msg": "text"}))
        .await;
    assert!(message.contains("msg"), "{message}");
}

#[tokio::test]
async fn an_error_can_be_a_message() {
    let flows = json!([{"id": "n1", "type": "catch", "wires": [["n2"]]}, helper("n2")]);
    let mut tap = Tap::running(flows).await;
    tap.receive(
        "n1",
        json!({"$t": "error", "name": "Error", "message": "big error"}),
    )
    .await;
    let msg = tap.input("n2").await;
    assert_eq!(
        (&msg["$t"], &msg["message"]),
        (&json!("error"), &json!("big error"))
    );
}

#[tokio::test]
async fn a_node_is_made_to_send() {
    let flows = json!([
        {"id": "n1", "type": "helper", "wires": [["a", "b"], ["c"]]},
        helper("a"), helper("b"), helper("c"),
    ]);
    let mut tap = Tap::running(flows).await;
    for (sent, expected) in [
        (
            json!({"payload": 1}),
            vec!["input a 1", "input b 1", "send n1 0 a", "send n1 0 b"],
        ),
        (
            json!([null, {"payload": 2}]),
            vec!["input c 2", "send n1 1 c"],
        ),
        (
            json!([null, [{"payload": 3}, {"payload": 4}]]),
            vec!["input c 3", "input c 4", "send n1 1 c", "send n1 1 c"],
        ),
        (json!(null), vec![]),
        (undefined(), vec![]),
        (
            json!("text"),
            vec!["call n1 error", "log 20 nodes.flow.non-message-returned"],
        ),
        (
            json!([null, 5]),
            vec!["call n1 error", "log 20 nodes.flow.non-message-returned"],
        ),
    ] {
        tap.call("n1", "send", json!([sent])).await;
        let mut seen = outline(&tap.events_until_mark("c").await);
        seen.sort_unstable();
        assert_eq!(seen, expected, "{sent}");
    }
    // Those of one call have one id.
    tap.call(
        "n1",
        "send",
        json!([[{"payload": 1}, {"payload": 2, "_msgid": "own"}]]),
    )
    .await;
    assert_eq!(
        [
            tap.input("a").await["_msgid"].clone(),
            tap.input("c").await["_msgid"].clone()
        ],
        [json!("own"), json!("own")]
    );
}

#[tokio::test]
async fn a_node_is_made_to_speak() {
    let mut tap =
        Tap::running(json!([{"id": "n1", "type": "helper", "name": "N"}, helper("mark")])).await;
    for (method, level) in [
        ("error", 20),
        ("warn", 30),
        ("log", 40),
        ("debug", 50),
        ("trace", 60),
    ] {
        tap.call("n1", method, json!(["said"])).await;
        let events = tap.events_until_mark("mark").await;
        let call = events.iter().find(|event| event["ev"] == "call").unwrap();
        assert_eq!(
            (&call["node"], &call["method"], &call["args"]),
            (&json!("n1"), &json!(method), &json!(["said"]))
        );
        let log = events.iter().find(|event| event["ev"] == "log").unwrap();
        let rec = &log["rec"];
        assert_eq!(
            json!([
                rec["level"],
                rec["id"],
                rec["type"],
                rec["name"],
                rec["msg"],
                rec["path"]
            ]),
            json!([level, "n1", "helper", "N", "said", "global"]),
            "{method}"
        );
        assert_eq!(events.len(), 2, "{events:?}");
    }
    let error =
        json!({"$t": "error", "name": "TypeError", "message": "wrong", "props": {"code": "E1"}});
    tap.call("n1", "error", json!([error])).await;
    let call = tap.event(|event| event["ev"] == "call").await;
    assert_eq!(
        (&call["args"][0]["name"], &call["args"][0]["props"]),
        (&json!("TypeError"), &json!({"code": "E1"}))
    );
    for status in [
        json!({"fill": "red", "shape": "ring", "text": "down"}),
        json!({}),
        json!("text"),
    ] {
        tap.call("n1", "status", json!([status])).await;
        assert_eq!(
            tap.event(|event| event["ev"] == "call").await["args"],
            json!([status])
        );
    }
    let message = tap
        .refused("call", json!({"node": "n1", "method": "dance", "args": []}))
        .await;
    assert!(message.contains("dance"), "{message}");
}

#[tokio::test]
async fn an_error_with_a_message_goes_to_the_catch_node_and_not_to_the_log() {
    let mut tap = Tap::running(json!([
        {"id": "f", "type": "tab"},
        {"id": "n1", "type": "helper", "z": "f"},
        {"id": "c", "type": "catch", "z": "f", "wires": [["n2"]]},
        {"id": "n2", "type": "helper", "z": "f"},
    ]))
    .await;
    tap.call(
        "n1",
        "error",
        json!(["broken", {"payload": 1, "_msgid": "m"}]),
    )
    .await;
    let events = tap.events_until_mark("n2").await;
    let call = events.iter().find(|event| event["ev"] == "call").unwrap();
    assert_eq!(
        call["args"],
        json!(["broken", {"payload": 1, "_msgid": "m"}])
    );
    assert!(
        !events.iter().any(|event| event["ev"] == "log"),
        "{events:?}"
    );
    tap.call(
        "n1",
        "error",
        json!(["broken", {"payload": 1, "_msgid": "m"}]),
    )
    .await;
    let caught = tap.input("n2").await;
    assert_eq!(
        caught["error"],
        json!({"message": "broken", "source": {"id": "n1", "type": "helper", "name": undefined(), "count": 1}})
    );
}

#[tokio::test]
async fn closing_is_answered_when_it_is_done_and_holds_up_nothing() {
    let finalize = "context.global.set('closed', true); node.warn('bye')";
    let flows = json!([
        node("n1", "function", json!([]), json!({"func": "", "finalize": finalize})),
        {"id": "n2", "type": "delay", "pauseType": "delay", "timeout": "1", "timeoutUnits": "hours", "wires": [["h"]]},
        helper("h"),
    ]);
    let mut tap = Tap::running(flows).await;
    tap.receive("n2", json!({"payload": 1})).await;
    let close = tap
        .request("call", json!({"node": "n1", "method": "close"}))
        .await;
    assert_eq!(tap.ask("hello", json!({})).await["contract"], 1);
    assert_eq!(tap.answer(close).await, json!({}));
    let closed = tap
        .ask("context.get", json!({"scope": "global", "key": "closed"}))
        .await;
    assert_eq!(closed["values"], json!([true]));
    assert_eq!(
        tap.event(|event| event["ev"] == "log").await["rec"]["msg"],
        "bye"
    );
    assert_eq!(tap.props("n1").await, Json::Null);
    // What it held is done with.
    tap.done("call", json!({"node": "n2", "method": "close"}))
        .await;
    tap.event(|event| event["ev"] == "done" && event["node"] == "n2")
        .await;
}

#[tokio::test]
async fn all_is_stopped_until_the_next_deploy() {
    let flows = json!([
        node(
            "n1",
            "function",
            json!([]),
            json!({"func": "", "finalize": "node.warn('bye')"})
        ),
        node("i", "inject", json!([["h"]]), json!({"repeat": "0.02"})),
        helper("h"),
    ]);
    let mut tap = Tap::running(flows.clone()).await;
    tap.input("h").await;
    tap.done("stop", json!({})).await;
    for id in ["n1", "i", "h"] {
        assert_eq!(tap.props(id).await, Json::Null);
    }
    assert_eq!(
        tap.event(|event| event["ev"] == "log" && event["rec"]["id"] == "n1")
            .await["rec"]["msg"],
        "bye"
    );
    assert!(
        tap.refused("receive", json!({"node": "h", "msg": {}}))
            .await
            .contains('h')
    );
    // Stopping what is stopped is no mistake.
    tap.done("stop", json!({})).await;
    tap.events.clear();
    tap.deploy(flows).await;
    tap.input("h").await;
}

#[tokio::test]
async fn calls_are_told_with_their_arguments_as_they_are() {
    for (code, expected) in [
        ("node.warn('a', {b: 1}, 3)", json!(["a", {"b": 1}, 3])),
        ("node.log()", json!([])),
        ("node.debug(null)", json!([null])),
        ("node.trace(undefined, 1)", json!([undefined(), 1])),
        ("node.error('a', 'b', 3)", json!(["a", "b", 3])),
        ("node.error(null)", json!([null])),
        ("node.error()", json!([])),
        (
            "node.error('text', {payload: 1})",
            json!(["text", {"payload": 1}]),
        ),
        ("node.error(5, null)", json!([5, null])),
    ] {
        let flows = json!([
            node("n1", "function", json!([]), json!({"func": code})),
            helper("n2")
        ]);
        let mut tap = Tap::running(flows).await;
        tap.receive("n1", json!({})).await;
        let call = tap.event(|event| event["ev"] == "call").await;
        assert_eq!(call["args"], expected, "{code}");
    }
}

#[tokio::test]
async fn nobody_listens_while_the_whole_flow_starts() {
    let initialize = "node.status({text: 'starting'}); node.error('early', {})";
    let mut tap = Tap::running(json!([
        {"id": "s", "type": "status", "z": "f", "wires": [["h"]]},
        {"id": "c", "type": "catch", "z": "f", "wires": [["h"]]},
        node("n1", "function", json!([]), json!({"func": "node.status({text: 'running'})", "initialize": initialize, "z": "f"})),
        {"id": "h", "type": "helper", "z": "f"},
    ]))
    .await;
    tap.receive("n1", json!({})).await;
    let first = tap.input("h").await;
    assert_eq!(first["status"]["text"], "running");
    let seen = outline(&tap.events_until_mark("h").await);
    let early = seen.iter().any(|event| event.starts_with("input h"));
    assert!(!early, "{seen:?}");
}
