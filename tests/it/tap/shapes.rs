//! Flows that tests deploy and no editor makes.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, outline};

#[tokio::test]
async fn nodes_without_a_tab_run_and_reach_those_that_have_one() {
    let mut tap = Tap::running(json!([
        {"id": "tab", "type": "tab"},
        node("g1", "switch", json!([["g2", "t2"]]), json!({"property": "payload", "rules": [{"t": "nnull"}]})),
        helper("g2"),
        {"id": "t1", "type": "helper", "z": "tab", "x": 1, "y": 1, "wires": [["g2"]]},
        {"id": "t2", "type": "helper", "z": "tab", "wires": []},
    ]))
    .await;
    tap.receive("g1", json!({"payload": 1})).await;
    let mut reached = vec![];
    for _ in 0..2 {
        let event = tap
            .event(|event| event["ev"] == "input" && event["node"] != "g1")
            .await;
        reached.push(event["node"].as_str().unwrap().to_owned());
    }
    reached.sort_unstable();
    assert_eq!(reached, ["g2", "t2"]);
    tap.call("t1", "send", json!([{"payload": 2}])).await;
    assert_eq!(tap.input("g2").await["payload"], 2);
    assert_eq!(tap.props("g1").await.get("z"), None);
    assert_eq!(tap.props("t1").await["z"], "tab");
}

#[tokio::test]
async fn a_tab_that_is_not_in_the_file_is_assumed() {
    let mut tap = Tap::running(json!([
        {"id": "n1", "type": "helper", "z": "nowhere", "wires": [["n2"]]},
        {"id": "n2", "type": "helper", "z": "nowhere"},
        {"id": "other", "type": "helper", "z": "elsewhere"},
    ]))
    .await;
    tap.call("n1", "send", json!([{"payload": "x"}])).await;
    assert_eq!(tap.input("n2").await["payload"], "x");
    assert_eq!(tap.props("n1").await["z"], "nowhere");
    // It has a flow context of its own.
    let set = json!({"node": "n1", "scope": "flow", "key": "k", "value": 1});
    tap.done("context.set", set).await;
    for (node, expected) in [("n2", json!(1)), ("other", super::undefined())] {
        let got = tap
            .ask(
                "context.get",
                json!({"node": node, "scope": "flow", "key": "k"}),
            )
            .await;
        assert_eq!(got["values"][0], expected, "{node}");
    }
}

#[tokio::test]
async fn what_a_node_lacks_has_the_defaults_of_the_runtime() {
    let types = [
        "inject",
        "debug",
        "catch",
        "status",
        "complete",
        "function",
        "switch",
        "change",
        "range",
        "template",
        "delay",
        "trigger",
        "exec",
        "rbe",
        "split",
        "join",
        "sort",
        "batch",
        "csv",
        "html",
        "json",
        "xml",
        "yaml",
        "file",
        "file in",
        "watch",
        "link in",
        "link out",
        "link call",
        "comment",
        "junction",
        "global-config",
        "unknown",
        "mqtt in",
        "mqtt out",
        "mqtt-broker",
    ];
    let mut tap = Tap::start().await;
    for type_name in types {
        let started = tap
            .deploy(json!([{"id": "n1", "type": type_name}, helper("mark")]))
            .await;
        assert_eq!(
            (&started["state"], &started["missing"]),
            (&json!("started"), &json!([])),
            "{type_name}"
        );
        let props = tap.props("n1").await;
        assert_eq!(
            (&props["id"], &props["type"]),
            (&json!("n1"), &json!(type_name))
        );
        // Nothing that it is handed ends it.
        if !matches!(type_name, "exec" | "mqtt-broker") {
            for payload in [
                json!("a"),
                json!(1),
                json!([1]),
                json!({"a": 1}),
                Json::Null,
            ] {
                tap.receive("n1", json!({"payload": payload})).await;
            }
        }
        let seen = outline(&tap.events_until_mark("mark").await);
        assert!(
            !seen.iter().any(|event| event.contains("panic")),
            "{type_name}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn wires_to_nothing_are_ignored() {
    let mut tap = Tap::running(json!([
        {"id": "n1", "type": "helper", "wires": [["nobody", "n2", "nobody either"], ["nobody"], [], ["n2"]]},
        helper("n2"),
        {"id": "n3", "type": "helper"},
    ]))
    .await;
    let sent = json!([[{"payload": 0}, {"payload": 1}, {"payload": 2}, {"payload": 3}]]);
    tap.call("n1", "send", sent).await;
    assert_eq!(tap.input("n2").await["payload"], 0);
    assert_eq!(tap.input("n2").await["payload"], 3);
    // No wires at all: nothing is sent, and nothing is wrong.
    tap.call("n3", "send", json!([{"payload": 1}])).await;
    tap.call("n3", "send", json!(["no message"])).await;
    let events = tap.events_until_mark("n2").await;
    assert_eq!(outline(&events), [] as [&str; 0]);
    assert_eq!(
        tap.props("n1").await["wires"],
        json!([["nobody", "n2", "nobody either"], ["nobody"], [], ["n2"]])
    );
}

#[tokio::test]
async fn wires_go_across_tabs() {
    let mut tap = Tap::running(json!([
        {"id": "a", "type": "tab"},
        {"id": "b", "type": "tab"},
        {"id": "n1", "type": "function", "z": "a", "func": "msg.payload += 1; return msg", "wires": [["n2"]]},
        {"id": "n2", "type": "function", "z": "b", "func": "msg.payload *= 2; return msg", "wires": [["n3"]]},
        {"id": "n3", "type": "helper", "z": "a"},
    ]))
    .await;
    tap.receive("n1", json!({"payload": 1})).await;
    assert_eq!(tap.input("n3").await["payload"], 4);
}

#[tokio::test]
async fn a_helper_takes_everything_and_completes_nothing() {
    let mut tap = Tap::running(json!([
        {"id": "f", "type": "tab"},
        {"id": "n1", "type": "helper", "z": "f", "wires": [["n2"], ["n2"], ["n2"]]},
        {"id": "n2", "type": "helper", "z": "f", "wires": []},
        {"id": "all", "type": "complete", "z": "f", "scope": ["n1", "n2"], "wires": [["n3"]]},
        {"id": "n3", "type": "helper", "z": "f"},
    ]))
    .await;
    tap.receive("n1", json!({"payload": "in"})).await;
    tap.call("n1", "send", json!([[{"payload": 1}, null, [{"payload": 2}, {"payload": 3}], {"payload": "past the last output"}]]))
        .await;
    let seen = outline(&tap.events_until_mark("n3").await);
    let expected = [
        "input n1 in",
        "send n1 0 n2",
        "send n1 2 n2",
        "send n1 2 n2",
        "input n2 1",
        "input n2 2",
        "input n2 3",
    ];
    let mut found = seen.clone();
    found.sort_unstable();
    let mut wanted = expected.map(str::to_owned);
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{seen:?}");
}

#[tokio::test]
async fn an_unknown_type_is_told_and_the_rest_runs() {
    let flows = json!([
        {"id": "n1", "type": "helper", "wires": [["n2", "n3"]]},
        {"id": "n2", "type": "no such type", "wires": [["n3"]]},
        {"id": "n4", "type": "no other type"},
        helper("n3"),
    ]);
    let mut tap = Tap::start().await;
    let started = tap.deploy(flows).await;
    assert_eq!(started["state"], "started");
    let mut missing = started["missing"].as_array().unwrap().clone();
    missing.sort_by_key(Json::to_string);
    assert_eq!(json!(missing), json!(["no other type", "no such type"]));
    tap.call("n1", "send", json!([{"payload": 1}])).await;
    assert_eq!(tap.input("n3").await["payload"], 1);
}
