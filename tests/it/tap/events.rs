//! What is told of what happens, and in which order.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, outline};

#[tokio::test]
async fn every_deploy_is_told_once() {
    let mut tap = Tap::start().await;
    let flows = json!([helper("n1")]);
    let first = tap.deploy(flows.clone()).await;
    assert_eq!(
        (&first["state"], &first["missing"]),
        (&json!("started"), &json!([]))
    );
    // What changes nothing is told as well, whatever the kind of deploy.
    for mode in ["full", "nodes", "flows"] {
        let same = tap.deploy_body(json!({"flows": flows}), mode).await;
        assert_eq!(
            (&same["state"], &same["rev"]),
            (&json!("started"), &first["rev"]),
            "{mode}"
        );
    }
    let seen = outline(&tap.events_until_mark("n1").await);
    assert!(
        !seen.iter().any(|event| event.starts_with("flows")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_deploy_that_is_refused_is_told_as_failed() {
    let mut tap = Tap::running(json!([helper("n1")])).await;
    for body in [
        json!({"flows": "none"}),
        json!({"flows": [1]}),
        json!({}),
        json!([{"type": "helper"}, 5]),
    ] {
        let (status, answer) = tap.post_flows(body.clone(), "full").await;
        assert_eq!(status, 400, "{body}: {answer}");
        let failed = tap.event(|event| event["ev"] == "flows").await;
        assert_eq!(failed["state"], "failed", "{body}");
        for text in ["error", "detail"] {
            assert!(
                failed[text].as_str().is_some_and(|text| !text.is_empty()),
                "{failed}"
            );
        }
    }
    // What ran before runs on.
    tap.receive("n1", json!({"payload": 1})).await;
    assert_eq!(tap.input("n1").await["payload"], 1);
    tap.deploy(json!([helper("n2")])).await;
}

#[tokio::test]
async fn all_nodes_run_when_started_is_told() {
    let mut tap = Tap::start().await;
    for round in 0..20 {
        let flows = json!([
            node(
                "n1",
                "change",
                json!([["n2"]]),
                json!({"rules": [], "name": round.to_string()})
            ),
            helper("n2")
        ]);
        tap.deploy(flows).await;
        assert_eq!(tap.props("n1").await["name"], round.to_string());
        tap.receive("n1", json!({"payload": round})).await;
        assert_eq!(tap.input("n2").await["payload"], round);
    }
}

#[tokio::test]
async fn numbers_of_events_rise() {
    let flows = json!([{"id": "n1", "type": "helper", "wires": [["n2"]]}, helper("n2")]);
    let mut tap = Tap::running(flows.clone()).await;
    for round in 0..5 {
        tap.call("n1", "warn", json!(["w"])).await;
        tap.call("n1", "send", json!([{"payload": round}])).await;
    }
    let mut seen = tap.events_until_mark("n2").await;
    tap.deploy(flows).await;
    tap.receive("n2", json!({})).await;
    seen.push(tap.event(|event| event["ev"] == "input").await);
    let numbers: Vec<u64> = seen
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(
        numbers.is_sorted_by(|one, other| one < other),
        "{numbers:?}"
    );
    assert!(seen.len() > 15);
}

#[tokio::test]
async fn what_a_node_says_comes_before_what_its_message_causes() {
    let func = "node.status({text: 'busy'}); node.log('starting'); node.warn('hot'); node.send({payload: 'sent'}); node.error('late'); return null";
    let mut tap = Tap::running(json!([
        node("n1", "function", json!([["n2"]]), json!({"func": func})),
        helper("n2"),
        helper("mark")
    ]))
    .await;
    tap.receive("n1", json!({"payload": "in"})).await;
    tap.input("n1").await;
    let mut seen = Vec::new();
    loop {
        let event = tap.event(|event| event["ev"] != "send").await;
        let last = event["ev"] == "input";
        seen.push(event);
        if last {
            break;
        }
    }
    let seen = outline(&seen);
    for said in [
        "call n1 status",
        "call n1 log",
        "log 40 starting",
        "call n1 warn",
        "log 30 hot",
    ] {
        assert!(
            seen.contains(&said.to_owned()),
            "{said} is not before {seen:?}"
        );
    }
    assert_eq!(seen.last().unwrap(), "input n2 sent");
}

#[tokio::test]
async fn native_nodes_speak_before_they_send() {
    // A csv of several columns that warns of a quote left open, and sends all the same.
    let flows = json!([
        node("n1", "csv", json!([["n2"]]), json!({"temp": "a,b"})),
        helper("n2")
    ]);
    let mut tap = Tap::running(flows).await;
    tap.receive("n1", json!({"payload": "1,\"2"})).await;
    let first = tap
        .event(|event| event["ev"] == "log" || event["node"] == "n2")
        .await;
    assert_eq!(
        (&first["ev"], &first["rec"]["msg"]),
        (&json!("log"), &json!("csv.errors.bad_csv"))
    );
    tap.input("n2").await;
}

#[tokio::test]
async fn a_message_is_told_as_it_is_when_it_arrives() {
    let func = "msg.payload.push(2); msg.gone = true; return msg";
    let mut tap = Tap::running(json!([
        {"id": "h", "type": "helper", "wires": [["n1"]]},
        node("n1", "function", json!([["n2"]]), json!({"func": func})),
        helper("n2"),
    ]))
    .await;
    tap.call("h", "send", json!([{"payload": [1], "_msgid": "m"}]))
        .await;
    assert_eq!(
        tap.input("n1").await,
        json!({"payload": [1], "_msgid": "m"})
    );
    let send = tap.event(|event| event["ev"] == "send").await;
    assert_eq!(
        json!([send["node"], send["port"], send["to"], send["msg"]]),
        json!(["n1", 0, "n2", {"payload": [1, 2], "_msgid": "m", "gone": true}])
    );
    let done = tap.event(|event| event["ev"] == "done").await;
    assert_eq!(
        json!([done["node"], done["msgid"], done.get("error")]),
        json!(["n1", "m", null])
    );
}

#[tokio::test]
async fn a_message_that_fails_is_done_with_an_error() {
    let flows = json!([node("n1", "json", json!([["n2"]]), json!({})), helper("n2")]);
    let mut tap = Tap::running(flows).await;
    tap.receive("n1", json!({"payload": "{", "_msgid": "m"}))
        .await;
    let done = tap.event(|event| event["ev"] == "done").await;
    assert_eq!((&done["node"], &done["msgid"]), (&json!("n1"), &json!("m")));
    assert!(done["error"].to_string().contains("JSON"), "{done}");
}

#[tokio::test]
async fn a_subflow_is_told_from_the_outside_and_from_within() {
    let mut tap = Tap::running(json!([
        {"id": "tab", "type": "tab"},
        {"id": "sub", "type": "subflow", "in": [{"wires": [{"id": "inner"}]}], "out": [{"wires": [{"id": "inner", "port": 0}]}]},
        {"id": "inner", "type": "change", "z": "sub", "x": 1, "y": 1, "wires": [[]], "rules": [{"t": "set", "p": "payload", "to": "x"}]},
        {"id": "use", "type": "subflow:sub", "z": "tab", "x": 1, "y": 1, "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "tab", "x": 1, "y": 1, "wires": []},
    ]))
    .await;
    tap.receive("use", json!({"payload": "in"})).await;
    let mut inputs = Vec::new();
    for _ in 0..3 {
        inputs.push(tap.event(|event| event["ev"] == "input").await);
    }
    assert_eq!(
        outline(&inputs),
        ["input use in", "input use-inner in", "input h x"]
    );
}

#[tokio::test]
async fn records_of_every_level_come() {
    let func = "node.trace('t'); node.debug('d'); node.log('l'); node.warn('w'); node.error('e')";
    let flows = json!([
        {"id": "f", "type": "tab"},
        node("n1", "function", json!([]), json!({"func": func, "name": "N", "z": "f"})),
        helper("mark"),
    ]);
    let mut tap = Tap::running(flows).await;
    tap.receive("n1", json!({})).await;
    let mut records = Vec::new();
    for _ in 0..5 {
        records.push(
            tap.event(|event| event["ev"] == "log" && event["rec"]["id"] == "n1")
                .await["rec"]
                .clone(),
        );
    }
    let told: Vec<Json> = records
        .iter()
        .map(|rec| {
            json!([
                rec["level"],
                rec["msg"],
                rec["type"],
                rec["name"],
                rec["z"],
                rec["path"]
            ])
        })
        .collect();
    let expected: Vec<Json> = [(60, "t"), (50, "d"), (40, "l"), (30, "w"), (20, "e")]
        .iter()
        .map(|(level, text)| json!([level, text, "function", "N", "f", "f"]))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn texts_are_the_keys_of_the_catalogue() {
    let mut tap = Tap::start().await;
    for (type_name, config, msg, expected) in [
        (
            "csv",
            json!({"temp": "a,\"b", "spec": "rfc"}),
            json!({"payload": "1"}),
            "csv.errors.bad_template",
        ),
        ("xml", json!({}), json!({"payload": 1}), "xml.errors.xml_js"),
        (
            "range",
            json!({"action": "scale", "minin": 0, "maxin": 1, "minout": 0, "maxout": 1}),
            json!({"payload": "NOT"}),
            "range.errors.notnumber: NOT",
        ),
        (
            "switch",
            json!({"rules": [{"t": "jsonata_exp", "v": "$(", "vt": "jsonata"}]}),
            json!({}),
            "switch.errors.invalid-expr",
        ),
        (
            "change",
            json!({"rules": [{"t": "set", "p": "payload", "to": "{", "tot": "json"}]}),
            json!({}),
            "change.errors.invalid-json",
        ),
        (
            "file",
            json!({"filename": "", "overwriteFile": "false"}),
            json!({"payload": 1}),
            "file.errors.nofilename",
        ),
        (
            "rbe",
            json!({"func": "deadband"}),
            json!({"payload": "x"}),
            "rbe.warn.nonumber",
        ),
        (
            "link call",
            json!({"links": [], "linkType": "dynamic"}),
            json!({"target": "lost"}),
            "target link-in node 'lost' not found",
        ),
        (
            "function",
            json!({"func": "return 5"}),
            json!({}),
            "function.error.non-message-returned",
        ),
    ] {
        tap.deploy_quietly(json!([
            node("n1", type_name, json!([["h"]]), config),
            helper("h")
        ]))
        .await;
        let id = tap
            .request("receive", json!({"node": "n1", "msg": msg}))
            .await;
        let log = tap
            .event(|event| {
                event["ev"] == "log"
                    && event["rec"]["level"].as_u64() <= Some(40)
                    && event["rec"]["id"] == "n1"
            })
            .await;
        let text = &log["rec"]["msg"];
        let text = text["message"]
            .as_str()
            .or(text.as_str())
            .unwrap_or_default();
        assert_eq!(text, expected, "{type_name}: {log}");
        tap.answer(id).await;
    }
}
