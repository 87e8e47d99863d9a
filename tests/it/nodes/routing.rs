//! switch, change, range and filter: what they show and tell, and what odd values do to them. `tables` and the examples
//! say what they send.

use flowrill::{engine::LogLevel, message::to_wire};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

/// The node `n` with a junction at each of three outputs, a catch node and a complete node.
pub(super) fn flows(type_name: &str, properties: Json) -> Json {
    let mut tested = node("n", type_name, properties);
    tested["wires"] = json!([["o0"], ["o1"], ["o2"]]);
    json!([
        {"id": "t", "type": "tab"},
        tested,
        node("o0", "junction", json!({})),
        node("o1", "junction", json!({})),
        node("o2", "junction", json!({})),
        node("c", "catch", json!({"scope": null, "wires": [["caught"]]})),
        node("caught", "junction", json!({})),
        node("d", "complete", json!({"scope": ["n"], "wires": [["done"]]})),
        node("done", "junction", json!({})),
    ])
}

pub(super) async fn props(type_name: &str, properties: Json) -> Json {
    let test = TestFlows::run(flows(type_name, properties)).await;
    to_wire(&test.engine.props("n").await.unwrap().into())
}

/// Deploys the node and hands it messages.
pub(super) async fn run(type_name: &str, properties: Json, messages: &[Json]) -> Vec<Seen> {
    let mut test = TestFlows::run(flows(type_name, properties)).await;
    for msg in messages {
        test.send("n", msg.clone());
    }
    test.settle().await
}

#[tokio::test(start_paused = true)]
async fn switch_range_and_filter_show_their_settings() {
    let shown = props("switch", json!({})).await;
    assert_eq!(
        (&shown["rules"], &shown["checkall"]),
        (&json!([]), &json!("true"))
    );
    let shown = props("switch", json!({"rules": [{"t": "eq", "v": "5"}, {"t": "btwn", "v": "a", "v2": "7"}, {"t": "else"}]})).await;
    assert_eq!(
        shown["rules"],
        json!([
            {"t": "eq", "v": 5, "vt": "num"},
            {"t": "btwn", "v": "a", "vt": "str", "v2": 7, "v2t": "num"},
            {"t": "else", "vt": "str"},
        ])
    );
    assert_eq!(props("range", json!({})).await["round"], json!(false));
    let shown = props("rbe", json!({})).await;
    assert_eq!(
        (&shown["func"], &shown["gap"]),
        (&json!("rbe"), &json!("0"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_rule_is_told_at_the_start_and_the_node_is_still() {
    for (type_name, rule, part) in [
        (
            "change",
            json!({"t": "change", "p": "payload", "from": "(", "fromt": "re", "to": ""}),
            "Unterminated group",
        ),
        (
            "change",
            json!({"t": "set", "p": "payload", "to": "{", "tot": "json"}),
            "JSON",
        ),
        (
            "change",
            json!({"t": "set", "p": "payload", "to": "[", "tot": "bin"}),
            "JSON",
        ),
        (
            "change",
            json!({"t": "set", "p": "payload", "to": "$sum(", "tot": "jsonata"}),
            "JSONata",
        ),
        (
            "switch",
            json!({"t": "eq", "v": "$sum(", "vt": "jsonata"}),
            "JSONata",
        ),
        (
            "switch",
            json!({"t": "btwn", "v": "1", "v2": "$sum(", "v2t": "jsonata"}),
            "JSONata",
        ),
    ] {
        let seen = run(
            type_name,
            json!({"property": "payload", "rules": [rule]}),
            &[json!({"payload": "x"})],
        )
        .await;
        let errors = logged(&seen, LogLevel::Error);
        assert!(
            errors.len() == 1 && errors[0].contains(part),
            "{rule}: {errors:?}"
        );
        assert!(
            got(&seen, "o0").is_empty() && got(&seen, "caught").is_empty(),
            "{rule}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_rules_reach_catch_nodes_and_nothing_is_sent() {
    for (type_name, rules, msg, part) in [
        (
            "switch",
            json!([{"t": "regex", "v": "(", "vt": "str"}, {"t": "else"}]),
            json!({"payload": "x"}),
            "SyntaxError",
        ),
        (
            "switch",
            json!([{"t": "eq", "v": "$error('no')", "vt": "jsonata"}]),
            json!({"payload": "x"}),
            "no",
        ),
        (
            "switch",
            json!([{"t": "head", "v": "1", "vt": "num"}]),
            json!({"payload": "x"}),
            "split",
        ),
        (
            "switch",
            json!([{"t": "what"}]),
            json!({"payload": "x"}),
            "what",
        ),
        (
            "switch",
            json!([{"t": "regex", "v": "^(?:(a+)\\1*)+$(?<!a)", "vt": "str"}]),
            json!({"payload": "a".repeat(60)}),
            "too long",
        ),
        (
            "change",
            json!([{"t": "set", "p": "payload", "to": "$error('no')", "tot": "jsonata"}]),
            json!({"payload": "x"}),
            "no",
        ),
        (
            "change",
            json!([{"t": "set", "p": "a[", "pt": "flow", "to": "y"}]),
            json!({"payload": "x"}),
            "expression",
        ),
    ] {
        let seen = run(
            type_name,
            json!({"property": "payload", "rules": rules}),
            std::slice::from_ref(&msg),
        )
        .await;
        let caught = got(&seen, "caught");
        assert_eq!(caught.len(), 1, "{rules}: {seen:?}");
        let text = caught[0]["error"]["message"].as_str().unwrap();
        assert!(text.contains(part), "{rules}: {text}");
        assert_eq!(caught[0]["payload"], msg["payload"]);
        assert!(
            got(&seen, "o0").is_empty() && got(&seen, "o1").is_empty(),
            "{rules}"
        );
    }
    // What can't be searched for is told, and the message goes on as it is.
    let rules = json!([{"t": "change", "p": "payload", "from": "none", "fromt": "msg", "to": "y"}]);
    let seen = run(
        "change",
        json!({ "rules": rules }),
        &[json!({"payload": "x"})],
    )
    .await;
    let caught = got(&seen, "caught");
    assert_eq!(caught.len(), 1, "{seen:?}");
    assert!(
        caught[0]["error"]["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("Error: ") && text.contains("undefined"))
    );
    assert_eq!(got(&seen, "o0")[0]["payload"], "x");
    // A property that can't be worked out is only a warning.
    let seen = run(
        "switch",
        json!({"property": "$error('no')", "propertyType": "jsonata", "rules": [{"t": "else"}]}),
        &[json!({})],
    )
    .await;
    assert!(
        logged(&seen, LogLevel::Warn)[0].contains("no")
            && logged(&seen, LogLevel::Error).is_empty()
    );
    assert!(got(&seen, "o0").is_empty());
}

#[tokio::test(start_paused = true)]
async fn change_and_range_are_done_with_a_message_and_switch_and_filter_never_say() {
    let msg = [json!({"payload": 1})];
    for (type_name, properties, done) in [
        ("change", json!({"rules": []}), 1),
        (
            "range",
            json!({"minin": 0, "maxin": 1, "minout": 0, "maxout": 1}),
            1,
        ),
        (
            "range",
            json!({"minin": 5, "maxin": 6, "minout": 0, "maxout": 1, "action": "drop"}),
            1,
        ),
        (
            "switch",
            json!({"property": "payload", "rules": [{"t": "else"}]}),
            0,
        ),
        ("rbe", json!({}), 0),
    ] {
        assert_eq!(
            got(&run(type_name, properties, &msg).await, "done").len(),
            done,
            "{type_name}"
        );
    }
    let seen = run(
        "range",
        json!({"minin": 0, "maxin": 1, "minout": 0, "maxout": 1}),
        &[json!({"payload": "x"})],
    )
    .await;
    assert!(logged(&seen, LogLevel::Info)[0].ends_with(": x"));
    assert!(got(&seen, "o0").is_empty() && logged(&seen, LogLevel::Warn).is_empty());
}

#[tokio::test(start_paused = true)]
async fn odd_values_break_nothing() {
    let circular = json!({"a": {"b": {"$t": "ref", "v": ""}}});
    let deep = (0..490).fold(json!(1), |inner, _| json!([inner]));
    let huge = json!("x".repeat(1_000_000));
    let values = [
        circular,
        deep,
        huge,
        json!({"$t": "map", "v": [[1, 2]]}),
        json!({"$t": "error", "name": "E", "message": "m"}),
        json!({"$t": "date", "v": null}),
    ];
    let tests = [
        "eq", "neq", "lt", "cont", "regex", "hask", "empty", "istype", "head", "tail", "index",
        "btwn",
    ];
    let rules: Vec<Json> = tests
        .iter()
        .map(|t| json!({"t": t, "v": "payload", "vt": "msg", "v2": "[", "v2t": "msg"}))
        .collect();
    for rule in rules {
        let messages: Vec<Json> = values
            .iter()
            .map(|value| json!({"payload": value, "parts": value}))
            .collect();
        run(
            "switch",
            json!({"property": "payload", "rules": [rule, {"t": "else"}]}),
            &messages,
        )
        .await;
    }
    let messages: Vec<Json> = values
        .iter()
        .map(|value| json!({"payload": value, "topic": value, "reset": 1}))
        .collect();
    let seen = run("change", json!({"rules": [
        {"t": "set", "p": "payload.a.b.c[100000000]", "to": "payload", "tot": "msg"},
        {"t": "change", "p": "payload", "from": "x", "fromt": "str", "to": "payload", "tot": "msg"},
        {"t": "move", "p": "payload", "to": "payload.x.y.z", "tot": "msg"},
    ]}), &messages[..2]).await;
    assert_eq!(got(&seen, "o0").len(), 2);
    for (type_name, properties) in [
        ("rbe", json!({})),
        ("rbe", json!({"func": "deadband"})),
        ("range", json!({})),
    ] {
        let seen = run(type_name, properties, &messages).await;
        assert!(
            !logged(&seen, LogLevel::Error)
                .iter()
                .any(|text| text.contains("failed inside"))
        );
    }
}
