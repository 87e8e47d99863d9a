//! trigger: what is sent first and second, when, and what ends the wait.

use std::time::Duration;

use flowrill::{engine::RuntimeSettings, flow::DeployMode, message::to_wire, services::Services};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, node};

fn flows(properties: Json) -> Json {
    let mut tested = node("tr", "trigger", properties);
    tested["wires"] = json!([["end"], ["second"]]);
    json!([
        {"id": "t", "type": "tab", "env": [{"name": "ROOM", "type": "str", "value": "hall"}]},
        tested,
        node("end", "junction", json!({})),
        node("second", "junction", json!({})),
        node("set", "function", json!({"func": "flow.set('f', msg.payload); global.set('g', msg.payload)"})),
        node("ended", "complete", json!({"scope": ["tr"], "wires": [["done"]]})),
        node("done", "junction", json!({})),
        node("caught", "catch", json!({"scope": ["tr"], "wires": [["error"]]})),
        node("error", "junction", json!({})),
    ])
}

async fn trigger(properties: Json) -> TestFlows {
    TestFlows::run(flows(properties)).await
}

fn payloads(seen: &[Seen], node: &str) -> Vec<Json> {
    got(seen, node)
        .iter()
        .map(|msg| msg.get("payload").cloned().unwrap_or_default())
        .collect()
}

fn shown(seen: &[Seen]) -> Vec<Json> {
    let statuses = seen.iter().filter_map(|seen| match seen {
        Seen::Status(id, status) if id == "tr" => Some(status.clone()),
        _ => None,
    });
    statuses.collect()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(start_paused = true)]
async fn what_the_node_shows_of_itself() {
    for (properties, expected) in [
        (
            json!({"name": "n"}),
            json!({"name": "n", "op1": "1", "op2": "0", "op1type": "str", "op2type": "str", "extend": "false", "units": "ms", "duration": 250}),
        ),
        (
            json!({"duration": "2", "units": "s"}),
            json!({"duration": 2000}),
        ),
        (
            json!({"duration": 2, "units": "min"}),
            json!({"duration": 120_000}),
        ),
        (
            json!({"duration": "2", "units": "hr"}),
            json!({"duration": 7_200_000}),
        ),
        (json!({"duration": "soon"}), json!({"duration": 250})),
        (
            json!({"duration": -5, "extend": "true"}),
            json!({"duration": 5, "loop": true, "extend": false}),
        ),
        (
            json!({"extend": "true", "outputs": 2}),
            json!({"extend": "true", "second": true}),
        ),
        (
            json!({"op1": "10", "op1type": "num", "op2": "x", "op2type": "num"}),
            json!({"op1": 10, "op2": "x"}),
        ),
        (
            json!({"op1": "true", "op1type": "val", "op2": "null", "op2type": "val"}),
            json!({"op1": "true", "op1type": "bool", "op2": null, "op2type": "null"}),
        ),
        (
            json!({"op1": "5", "op1type": "val", "op2type": "date"}),
            json!({"op1": "5", "op1type": "str", "op2": ""}),
        ),
    ] {
        let test = trigger(properties.clone()).await;
        let props = test.engine.props("tr").await.unwrap();
        for (key, value) in expected.as_object().unwrap() {
            let found = to_wire(props.get(key).unwrap());
            let equal = found == *value || (found.is_number() && found.as_f64() == value.as_f64());
            assert!(equal, "{key} of {properties}: {found}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_thing_at_once_and_another_later() {
    let mut test = trigger(json!({"duration": 20})).await;
    test.send("tr", json!({"topic": "a", "payload": null}));
    test.send("tr", json!({"topic": "b"}));
    let seen = test.after(ms(10)).await;
    assert_eq!(got(&seen, "end"), [json!({"topic": "a", "payload": "1"})]);
    assert_eq!(shown(&seen), [json!({"fill": "blue", "shape": "dot"})]);
    assert_eq!(got(&seen, "done").len(), 2);
    let seen = test.after(ms(20)).await;
    assert_eq!(got(&seen, "end"), [json!({"topic": "a", "payload": "0"})]);
    assert_eq!(shown(&seen), [json!({})]);
    assert_eq!(got(&seen, "done"), Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn values_of_every_kind_are_sent() {
    let buffer = json!({"$t": "buffer", "v": "AQID"});
    for (text, kind, expected) in [
        ("x", "str", json!("x")),
        ("", "str", json!("1")),
        ("10", "num", json!(10)),
        ("{\"a\": [1]}", "json", json!({"a": [1]})),
        ("true", "bool", json!(true)),
        ("false", "val", json!(false)),
        ("null", "val", Json::Null),
        ("5", "val", json!("5")),
        ("[1,2,3]", "bin", buffer),
        ("f", "flow", json!("kept")),
        ("g", "global", json!("kept")),
        ("ROOM", "env", json!("hall")),
        ("topic", "msg", json!("T")),
        ("", "pay", json!("in")),
        ("{{topic}}/{{payload}}/{{no}}", "str", json!("T/in/")),
        ("", "date", json!(1_704_067_200_002_u64)),
    ] {
        let mut test = trigger(
            json!({"op1": text, "op1type": kind, "op2": text, "op2type": kind, "duration": 500}),
        )
        .await;
        test.send("set", json!({"payload": "kept"}));
        test.settle().await;
        test.settle().await;
        test.send("tr", json!({"topic": "T", "payload": "in"}));
        let first = payloads(&test.settle().await, "end");
        assert_eq!(first, std::slice::from_ref(&expected), "{kind} {text}");
        let second = payloads(&test.after(ms(600)).await, "end");
        match kind {
            "date" => assert_eq!(
                second,
                [json!(1_704_067_200_502_u64)],
                "the time when it is sent"
            ),
            _ if text.is_empty() && kind == "str" => assert_eq!(second, [json!("0")]),
            _ => assert_eq!(second, [expected], "{kind} {text}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_is_worked_out_when_the_wait_begins_but_context_and_time_later() {
    let mut test =
        trigger(json!({"op1type": "pay", "op2": "f", "op2type": "flow", "duration": 100})).await;
    test.send("set", json!({"payload": "early"}));
    test.settle().await;
    test.send("tr", json!({"payload": 1}));
    test.settle().await;
    test.send("set", json!({"payload": "late"}));
    assert_eq!(payloads(&test.after(ms(200)).await, "end"), [json!("late")]);
    let mut test = trigger(json!({"op1": "x", "op2type": "pay", "duration": 100})).await;
    test.send("tr", json!({"payload": {"own": 1}}));
    assert_eq!(
        payloads(&test.after(ms(200)).await, "end"),
        [json!("x"), json!({"own": 1})]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_sent_first_or_second() {
    let mut test = trigger(json!({"op1type": "nul", "op2": "late", "duration": 50})).await;
    test.send("tr", json!({"payload": 1, "topic": "t"}));
    assert_eq!(got(&test.after(ms(40)).await, "end"), Vec::<Json>::new());
    assert_eq!(
        got(&test.after(ms(40)).await, "end"),
        [json!({"payload": "late", "topic": "t"})]
    );
    let mut test = trigger(json!({"op1type": "pay", "op2type": "nul", "duration": 50})).await;
    test.send("tr", json!({"payload": 1}));
    test.send("tr", json!({"payload": 2}));
    let seen = test.after(ms(60)).await;
    assert_eq!(payloads(&seen, "end"), [json!(1)]);
    assert_eq!(
        shown(&seen),
        [json!({"fill": "blue", "shape": "dot"}), json!({})]
    );
    test.send("tr", json!({"payload": 3}));
    assert_eq!(payloads(&test.settle().await, "end"), [json!(3)]);
}

#[tokio::test(start_paused = true)]
async fn further_messages_may_extend_the_wait() {
    for (extend, expected) in [("true", vec![json!("0")]), ("false", vec![])] {
        let mut test = trigger(json!({"op1type": "pay", "duration": 100, "extend": extend})).await;
        for step in 1..=4 {
            test.send("tr", json!({"payload": step, "topic": step}));
            test.after(ms(60)).await;
        }
        let seen = test.after(ms(60)).await;
        assert_eq!(payloads(&seen, "end"), expected, "{extend}");
        if extend == "true" {
            assert_eq!(
                got(&seen, "end")[0]["topic"],
                4,
                "the rest is the last message's"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_latest_message_is_sent_last() {
    for extend in [false, true] {
        let properties = json!({"op1type": "pay", "op2type": "payl", "duration": 100, "extend": extend, "outputs": 2});
        let mut test = trigger(properties).await;
        for payload in 1..=3 {
            test.send("tr", json!({"payload": payload, "n": payload}));
        }
        let seen = test.after(ms(150)).await;
        assert_eq!(got(&seen, "end"), [json!({"payload": 1, "n": 1})]);
        assert_eq!(got(&seen, "second"), [json!({"payload": 3, "n": 3})]);
    }
    let mut test = trigger(json!({"op1": "on", "op2type": "payl", "duration": 100})).await;
    test.send("tr", json!({"payload": "own"}));
    assert_eq!(
        payloads(&test.after(ms(150)).await, "end"),
        [json!("on"), json!("own")]
    );
}

#[tokio::test(start_paused = true)]
async fn zero_blocks_until_a_reset() {
    let mut test =
        trigger(json!({"op1type": "pay", "op2": "never", "duration": 0, "reset": "stop"})).await;
    for payload in 1..=3 {
        test.send("tr", json!({"payload": payload}));
    }
    assert_eq!(
        payloads(&test.after(ms(1_000_000)).await, "end"),
        [json!(1)]
    );
    test.send("tr", json!({"payload": "stop"}));
    test.send("tr", json!({"payload": 4}));
    test.send("tr", json!({"reset": {"$t": "undefined"}, "payload": 5}));
    test.send("tr", json!({"payload": 6}));
    let seen = test.settle().await;
    assert_eq!(payloads(&seen, "end"), [json!(4), json!(6)]);
    assert_eq!(shown(&seen)[0], json!({}));
    assert_eq!(got(&seen, "done").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_payload_ends_the_wait_by_its_text() {
    for (reset, payload) in [
        ("true", json!(true)),
        ("5", json!(5)),
        ("a,b", json!(["a", "b"])),
        ("A", json!({"$t": "buffer", "v": "QQ=="})),
    ] {
        let mut test = trigger(json!({"op1type": "pay", "duration": 100, "reset": reset})).await;
        test.send("tr", json!({"payload": "first"}));
        test.send("tr", json!({"payload": null}));
        test.send("tr", json!({}));
        test.send("tr", json!({"payload": payload}));
        assert_eq!(
            payloads(&test.after(ms(200)).await, "end"),
            [json!("first")],
            "{reset}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_negative_time_sends_again_and_again() {
    let mut test = trigger(json!({"op1type": "pay", "duration": -50})).await;
    test.send("tr", json!({"payload": "a"}));
    assert_eq!(
        payloads(&test.after(ms(175)).await, "end"),
        vec![json!("a"); 4]
    );
    test.send("tr", json!({"payload": "b"}));
    assert_eq!(
        payloads(&test.after(ms(110)).await, "end"),
        vec![json!("b"); 3]
    );
    test.send("tr", json!({"reset": true}));
    let seen = test.after(ms(1000)).await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    assert_eq!(shown(&seen), [json!({})]);
    let mut test = trigger(json!({"op1type": "date", "duration": -50})).await;
    test.send("tr", json!({}));
    let times = payloads(&test.after(ms(120)).await, "end");
    let times: Vec<f64> = times.iter().map(|time| time.as_f64().unwrap()).collect();
    assert!(
        times.len() == 3 && times[0] < times[1] && times[1] < times[2],
        "{times:?}"
    );
    let mut test = trigger(json!({"op1type": "nul", "duration": -50})).await;
    test.send("tr", json!({}));
    assert_eq!(got(&test.after(ms(500)).await, "end"), Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn messages_may_name_the_time() {
    for (allowed, early) in [(true, 2), (false, 1)] {
        let mut test = trigger(json!({"duration": 100, "overrideDelay": allowed})).await;
        test.send("tr", json!({"delay": "20"}));
        assert_eq!(
            got(&test.after(ms(50)).await, "end").len(),
            early,
            "{allowed}"
        );
    }
    let mut test = trigger(json!({"duration": 100, "overrideDelay": true, "extend": true})).await;
    test.send("tr", json!({"delay": 20}));
    test.send("tr", json!({"delay": 60}));
    test.send("tr", json!({"delay": 0}));
    assert_eq!(got(&test.after(ms(50)).await, "end").len(), 1);
    assert_eq!(got(&test.after(ms(50)).await, "end").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn topics_are_told_apart() {
    let properties =
        json!({"op1type": "pay", "duration": 100, "bytopic": "topic", "topic": "room.name"});
    let mut test = trigger(properties).await;
    for (name, payload) in [
        (json!("a"), 1),
        (json!("b"), 2),
        (json!("a"), 3),
        (json!(5), 4),
        (json!("5"), 5),
        (json!(""), 6),
        (json!(0), 7),
    ] {
        test.send("tr", json!({"room": {"name": name}, "payload": payload}));
    }
    test.send("tr", json!({"room": {"name": "b"}, "reset": 1}));
    let seen = test.settle().await;
    assert_eq!(
        payloads(&seen, "end"),
        [json!(1), json!(2), json!(4), json!(6)]
    );
    let dot = |text: &str| json!({"fill": "blue", "shape": "dot", "text": text});
    assert_eq!(
        shown(&seen),
        [
            json!({"fill": "blue", "shape": "dot"}),
            dot("2"),
            dot("3"),
            dot("4"),
            dot("3")
        ]
    );
    let seen = test.after(ms(200)).await;
    assert_eq!(payloads(&seen, "end"), vec![json!("0"); 3]);
    assert_eq!(shown(&seen).last().unwrap(), &json!({}));
    test.send("tr", json!({"payload": "no room"}));
    assert_eq!(
        got(&test.settle().await, "error").len(),
        1,
        "the property can't be read"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_worked_out_is_an_error_of_the_message() {
    for properties in [
        json!({"op1": "{", "op1type": "json"}),
        json!({"op2": "{", "op2type": "json"}),
        json!({"op1": "{{a", "op1type": "str"}),
        json!({"op2": "{{#a}}", "op2type": "str"}),
        json!({"op1": "a..b", "op1type": "msg"}),
    ] {
        let mut test = trigger(properties.clone()).await;
        test.send("tr", json!({"payload": 1}));
        let seen = test.after(ms(1000)).await;
        assert_eq!(got(&seen, "end"), Vec::<Json>::new(), "{properties}");
        assert_eq!(got(&seen, "error").len(), 1, "{properties}");
        assert_eq!(got(&seen, "done").len(), 0, "{properties}");
    }
}

#[tokio::test(start_paused = true)]
async fn topics_are_bounded() {
    let settings = RuntimeSettings {
        message_buffer_max_length: 3,
        ..RuntimeSettings::default()
    };
    let mut test = TestFlows::with_services(&Services::default(), settings);
    let properties = json!({"op1type": "pay", "duration": 100, "bytopic": "topic"});
    test.deploy(flows(properties), DeployMode::Full).await;
    for topic in 1..=5 {
        test.send("tr", json!({"topic": topic, "payload": topic}));
    }
    let seen = test.after(ms(1000)).await;
    assert_eq!(got(&seen, "error").len(), 1);
    assert_eq!(
        payloads(&seen, "end"),
        [json!(1), json!(2), json!(3), json!(5), json!("0")]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_after_a_stop() {
    for duration in [100, -100] {
        let mut test = trigger(json!({"duration": duration})).await;
        test.send("tr", json!({"payload": 1}));
        test.settle().await;
        test.deploy(
            json!([node("end", "junction", json!({}))]),
            DeployMode::Full,
        )
        .await;
        let seen = test.after(ms(1000)).await;
        assert_eq!(got(&seen, "end"), Vec::<Json>::new());
        assert!(shown(&seen).contains(&json!({})));
    }
}
