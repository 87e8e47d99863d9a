//! What tools use of Node-RED's admin API and its comms socket.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Socket, Tap, helper, node};

#[tokio::test]
async fn flows_are_there_as_soon_as_it_is_up() {
    let tap = Tap::start().await;
    let (status, flows) = tap.call_http(Method::GET, "/flows", &[], Json::Null).await;
    assert_eq!((status, flows), (200, json!([])));
    let v2 = [("Node-RED-API-Version", "v2")];
    let (_, flows) = tap.call_http(Method::GET, "/flows", &v2, Json::Null).await;
    assert_eq!(flows["flows"], json!([]));
    let view = tap
        .call_http(Method::GET, "/debug/view/view.html", &[], Json::Null)
        .await;
    assert_eq!(view.0, 200);
}

#[tokio::test]
async fn each_kind_of_deploy_is_answered_with_its_revision() {
    let mut tap = Tap::start().await;
    let mut revisions = Vec::new();
    for (payload, mode) in [("a", "full"), ("b", "nodes"), ("c", "flows")] {
        let inject = node(
            "n1",
            "inject",
            json!([["n2"]]),
            json!({"payload": payload, "payloadType": "str"}),
        );
        let started = tap
            .deploy_body(json!({"flows": [inject, helper("n2")]}), mode)
            .await;
        revisions.push(started["rev"].as_str().unwrap().to_owned());
        assert_eq!(tap.post("/inject/n1", json!({})).await, 200);
        assert_eq!(tap.input("n2").await["payload"], payload, "{mode}");
    }
    revisions.dedup();
    assert_eq!(revisions.len(), 3, "each has a revision of its own");
}

#[tokio::test]
async fn credentials_come_with_the_flows_and_are_the_full_set() {
    let mut tap = Tap::start().await;
    let flows = json!([
        {"id": "env", "type": "global-config", "env": [{"name": "SECRET", "type": "cred", "value": ""}]},
        node("n1", "change", json!([["n2"]]), json!({"rules": [{"t": "set", "p": "payload", "to": "SECRET", "tot": "env"}]})),
        helper("n2")
    ]);
    for (credentials, expected) in [
        (json!({"env": {"map": {"SECRET": "one"}}}), "one"),
        (json!({"env": {"map": {"SECRET": "two"}}}), "two"),
        (json!({}), ""),
    ] {
        tap.deploy_body(json!({"flows": flows, "credentials": credentials}), "full")
            .await;
        tap.receive("n1", json!({})).await;
        assert_eq!(tap.input("n2").await["payload"], expected, "{credentials}");
    }
    // No credentials in the body: those that are there stay.
    let with = json!({"flows": flows, "credentials": {"env": {"map": {"SECRET": "kept"}}}});
    tap.deploy_body(with, "full").await;
    tap.deploy(flows).await;
    tap.receive("n1", json!({})).await;
    assert_eq!(tap.input("n2").await["payload"], "kept");
    assert_eq!(tap.props("env").await.get("credentials"), None);
}

#[tokio::test]
async fn the_inject_button_takes_other_properties() {
    let inject = node(
        "n1",
        "inject",
        json!([["n2"]]),
        json!({"props": [{"p": "payload"}], "payload": "own", "payloadType": "str"}),
    );
    let mut tap = Tap::running(json!([inject, helper("n2")])).await;
    assert_eq!(tap.post("/inject/n1", json!({})).await, 200);
    assert_eq!(tap.input("n2").await["payload"], "own");
    let props = json!([
        {"p": "payload", "v": "7", "vt": "num"},
        {"p": "deep.er", "v": "{\"a\":1}", "vt": "json"},
        {"p": "copy", "v": "payload", "vt": "msg"}
    ]);
    assert_eq!(
        tap.post("/inject/n1", json!({"__user_inject_props__": props}))
            .await,
        200
    );
    let mut msg = tap.input("n2").await;
    msg.as_object_mut().unwrap().shift_remove("_msgid");
    assert_eq!(
        msg,
        json!({"payload": 7, "deep": {"er": {"a": 1}}, "copy": 7})
    );
    // The body counts only if it names properties.
    assert_eq!(
        tap.post("/inject/n1", json!({"payload": "ignored"})).await,
        200
    );
    assert_eq!(tap.input("n2").await["payload"], "own");
    assert_eq!(tap.post("/inject/none", json!({})).await, 404);
}

#[tokio::test]
async fn debug_nodes_are_switched_one_by_one_and_together() {
    let debug = |id: &str| node(id, "debug", json!([]), json!({"active": false}));
    let mut tap = Tap::running(json!([debug("d1"), debug("d2"), helper("h")])).await;
    let several = |ids: Json| json!({"nodes": ids});
    for (path, body, expected) in [
        ("/debug/d1/enable", Json::Null, 200),
        ("/debug/d1/disable", Json::Null, 201),
        ("/debug/none/enable", Json::Null, 404),
        ("/debug/none/disable", Json::Null, 404),
        ("/debug/d1/foobar", Json::Null, 404),
        ("/debug/enable", several(json!(["d1", "d2"])), 200),
        ("/debug/disable", several(json!(["d1", "d2"])), 201),
        ("/debug/enable", several(json!([])), 200),
        ("/debug/enable", several(json!(["none"])), 200),
        ("/debug/enable", json!({}), 400),
        ("/debug/disable", several(json!("d1")), 400),
        ("/debug/foobar", several(json!(["d1"])), 404),
    ] {
        assert_eq!(tap.post(path, body).await, expected, "{path}");
    }
    let mut comms = Socket::open(&tap.process.http, "/comms").await;
    for (path, ids, heard) in [
        ("/debug/d1/enable", Json::Null, "d1"),
        ("/debug/disable", several(json!(["d1"])), "none"),
        ("/debug/enable", several(json!(["d1", "d2"])), "d1"),
    ] {
        tap.post(path, ids).await;
        tap.receive("d1", json!({"payload": "first"})).await;
        tap.call("h", "warn", json!(["mark"])).await;
        let first = comms.topic("debug").await;
        let expected = if heard == "none" { "h" } else { heard };
        assert_eq!(first["id"], expected, "{path}");
        if heard != "none" {
            assert_eq!(first["msg"], "first");
            assert_eq!(comms.topic("debug").await["id"], "h");
        }
    }
}

#[tokio::test]
async fn comms_publishes_to_those_who_subscribe_and_to_those_who_do_not() {
    let flows = json!([
        node("d", "debug", json!([]), json!({"name": "panel"})),
        helper("h")
    ]);
    let mut tap = Tap::running(flows).await;
    let mut silent = Socket::open(&tap.process.http, "/comms").await;
    let mut subscribed = Socket::open(&tap.process.http, "/comms").await;
    subscribed.send(r#"{"subscribe":"debug"}"#).await;
    // What is no request at all ends nothing.
    silent.send("nonsense").await;
    tap.receive("d", json!({"payload": {"a": [1]}, "topic": "t"}))
        .await;
    for socket in [&mut silent, &mut subscribed] {
        let data = socket.topic("debug").await;
        let shown: Vec<&Json> = ["id", "name", "topic", "property", "format", "msg"]
            .map(|name| &data[name])
            .into();
        assert_eq!(
            json!(shown),
            json!(["d", "panel", "t", "payload", "Object", "{\"a\":[1]}"]),
            "{data}"
        );
    }
    tap.call(
        "h",
        "status",
        json!([{"fill": "green", "shape": "dot", "text": "fine"}]),
    )
    .await;
    for socket in [&mut silent, &mut subscribed] {
        assert_eq!(
            socket.topic("status/h").await,
            json!({"fill": "green", "shape": "dot", "text": "fine"})
        );
    }
    let mut late = Socket::open(&tap.process.http, "/comms").await;
    assert_eq!(late.topic("status/h").await["text"], "fine");
    // The status of a node that is gone is cleared.
    tap.deploy(json!([])).await;
    assert_eq!(silent.topic("status/h").await, json!({}));
}

#[tokio::test]
async fn a_deploy_of_nothing_removes_everything() {
    let flows = json!([
        helper("h"),
        node("i", "inject", json!([["h"]]), json!({"repeat": "0.05"}))
    ]);
    let mut tap = Tap::running(flows).await;
    tap.input("h").await;
    tap.deploy(json!([])).await;
    assert_eq!(tap.props("h").await, Json::Null);
    assert_eq!(tap.post("/inject/i", json!({})).await, 404);
    let message = tap
        .refused("receive", json!({"node": "h", "msg": {}}))
        .await;
    assert!(message.contains('h'), "{message}");
    tap.deploy(json!([helper("mark")])).await;
    let seen = super::outline(&tap.events_until_mark("mark").await);
    assert!(
        !seen.iter().any(|event| event.starts_with("input h")),
        "{seen:?}"
    );
}
