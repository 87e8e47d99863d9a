//! template: where names are looked up, where the text goes, what is refused.

use flowrill::{engine::LogLevel, message::Value};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

async fn template(properties: Json) -> TestFlows {
    let mut tested = node("t1", "template", properties);
    tested["wires"] = json!([["end"]]);
    let setter = node(
        "set",
        "function",
        json!({"func": "flow.set('f', msg.f); global.set('g', msg.f); global.set('o', {a: [1, {b: 'deep'}]}); flow.set('n', null)"}),
    );
    let mut test = TestFlows::run(json!([
        {"id": "t", "type": "tab", "env": [{"name": "ROOM", "type": "str", "value": "hall"}]},
        tested, setter, node("end", "junction", json!({})),
    ]))
    .await;
    test.send("set", json!({"f": "<kept>"}));
    test.settle().await;
    test
}

async fn result(properties: Json, msg: Json) -> Vec<Json> {
    let mut test = template(properties).await;
    test.send("t1", msg);
    test.received("end").await
}

#[tokio::test(start_paused = true)]
async fn names_are_looked_up_in_message_environment_and_context() {
    for (text, expected) in [
        ("{{flow.f}} {{{global.g}}}", "&lt;kept&gt; <kept>"),
        ("{{flow[memory].f}}{{flow[nobody].x}}", "&lt;kept&gt;"),
        (
            "{{global.o.a[1].b}} {{#global.o}}{{a.1.b}}{{/global.o}}",
            "deep deep",
        ),
        ("{{env.ROOM}}/{{env.NO_SUCH_ROOM}}", "hall/"),
        (
            "{{#p}}{{env.ROOM}} {{flow.f}} {{q}} {{topic}}{{/p}}",
            "hall &lt;kept&gt; in out",
        ),
        ("[{{flow.n}}{{flow.no.such}}{{no}}]", "[]"),
        ("{{^flow.no}}none{{/flow.no}}", "none"),
    ] {
        let msg = json!({"p": {"q": "in"}, "topic": "out"});
        let got = result(json!({"template": text}), msg).await;
        assert_eq!(got[0]["payload"], expected, "{text}");
    }
    let own = json!({"flow": {"f": "own"}, "env": {"ROOM": "mine"}});
    let got = result(json!({"template": "{{flow.f}} {{env.ROOM}}"}), own).await;
    assert_eq!(got[0]["payload"], "own mine", "the message goes first");
}

#[tokio::test(start_paused = true)]
async fn the_text_goes_to_message_flow_or_global() {
    let msg = json!({"payload": "p", "topic": "t"});
    let got = result(
        json!({"template": "{{payload}}", "field": "topic"}),
        msg.clone(),
    )
    .await;
    assert_eq!(got, [json!({"payload": "p", "topic": "p"})]);
    for (kind, field, key) in [
        ("flow", "a.b", "flow.get('a.b')"),
        ("global", "#:(memory)::c", "global.get('c')"),
    ] {
        let properties = json!({"template": "{{payload}}", "field": field, "fieldType": kind, "wires": [["read"]]});
        let read = json!({"func": format!("msg.read = {key}; return msg"), "wires": [["end"]]});
        let mut test = TestFlows::run(json!([
            node("t1", "template", properties),
            node("read", "function", read),
            node("end", "junction", json!({})),
        ]))
        .await;
        test.send("t1", msg.clone());
        let got = test.received("end").await;
        assert_eq!(got, [json!({"payload": "p", "topic": "t", "read": "p"})]);
    }
    let nowhere = json!({"template": "x", "fieldType": "jsonata"});
    assert_eq!(result(nowhere, msg).await, Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn json_and_yaml_are_parsed() {
    let json = json!({"template": "{\"a\": \"{{payload}}\", \"in\": [{{#o}}\"{{x}}\"{{/o}}]}", "output": "json"});
    let msg = json!({"payload": "\\ \n\t\r\u{8}\u{c}", "o": {"x": "plain"}});
    let got = result(json, msg).await;
    assert_eq!(
        got[0]["payload"],
        json!({"a": "\\ \n\t\r\u{8}\u{c}", "in": ["plain"]})
    );
    let yaml = json!({"template": "when: 2024-01-01\nlist:\n  - {{payload}}\n", "output": "yaml"});
    let got = result(yaml, json!({"payload": 5})).await;
    assert_eq!(
        got[0]["payload"],
        json!({"when": {"$t": "date", "v": 1_704_067_200_000_u64}, "list": [5]})
    );
    let plain = json!({"template": "{\"a\": \"{{b}}\"}", "output": "json", "syntax": "plain"});
    assert_eq!(
        result(plain, json!({})).await[0]["payload"],
        json!({"a": "{{b}}"})
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_made_is_an_error_of_the_message() {
    for (properties, msg) in [
        (json!({"template": "{{payload"}), json!({})),
        (json!({"template": "{", "output": "json"}), json!({})),
        (json!({"template": "a: [", "output": "yaml"}), json!({})),
        (json!({"template": "x", "field": "a..b"}), json!({})),
        (json!({}), json!({"template": 5})),
        (json!({}), json!({"template": "{{#a}}"})),
    ] {
        let mut test = template(properties.clone()).await;
        test.send("t1", msg);
        let seen = test.settle().await;
        assert_eq!(got(&seen, "end"), Vec::<Json>::new(), "{properties}");
        assert_eq!(logged(&seen, LogLevel::Error).len(), 1, "{properties}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_comes_with_the_message_only_if_the_node_has_none() {
    let msg = json!({"template": "{{payload}}!", "payload": 1});
    assert_eq!(result(json!({}), msg.clone()).await[0]["payload"], "1!");
    assert_eq!(
        result(json!({"template": null}), msg.clone()).await[0]["payload"],
        "1!"
    );
    assert_eq!(
        result(json!({"template": "own"}), msg.clone()).await[0]["payload"],
        "own"
    );
    assert_eq!(
        result(json!({}), json!({"payload": 1})).await[0]["payload"],
        ""
    );
    let plain = result(json!({"syntax": "plain"}), json!({"template": {"a": 1}})).await;
    assert_eq!(plain[0]["payload"], json!({"a": 1}));
}

#[tokio::test(start_paused = true)]
async fn huge_and_deep_values_are_written() {
    let big = "x".repeat(50_000_000);
    let got = result(json!({"template": "{{payload}}"}), json!({"payload": big})).await;
    assert_eq!(got[0]["payload"].as_str().unwrap().len(), 50_000_000);
    let deep = (0..400).fold(json!(1), |inner, _| json!([inner]));
    let got = result(json!({"template": "{{payload}}"}), json!({"payload": deep})).await;
    assert_eq!(got[0]["payload"], "1");
}

#[tokio::test(start_paused = true)]
async fn what_the_node_shows_of_itself() {
    let test = template(json!({"name": "n", "template": "{{payload}}"})).await;
    let props = test.engine.props("t1").await.unwrap();
    for (key, value) in [
        ("name", "n"),
        ("template", "{{payload}}"),
        ("field", "payload"),
    ] {
        assert_eq!(props.get(key), Some(&Value::from(value)));
    }
}
