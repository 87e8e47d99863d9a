//! inject and debug: times, settings and what the debug panel gets.

use std::time::Duration;

use flowrill::{engine::LogLevel, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

async fn inject(properties: Json) -> TestFlows {
    let mut tested = node("i", "inject", properties);
    tested["wires"] = json!([["end"]]);
    TestFlows::run(json!([tested, node("end", "junction", json!({}))])).await
}

#[tokio::test(start_paused = true)]
async fn inject_fires_once_then_at_its_interval() {
    let mut test = inject(json!({"once": true, "onceDelay": "2", "repeat": "10", "payload": "x", "payloadType": "str"})).await;
    for (seconds, count) in [(1, 0), (2, 1), (9, 0), (2, 1), (30, 3)] {
        assert_eq!(
            got(&test.after(Duration::from_secs(seconds)).await, "end").len(),
            count
        );
    }
}

#[tokio::test(start_paused = true)]
async fn inject_follows_cron() {
    let mut test = inject(json!({"crontab": "*/15 * * * *"})).await;
    assert_eq!(
        got(&test.after(Duration::from_secs(3_700)).await, "end").len(),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn inject_gives_the_time() {
    let mut test = inject(json!({"props": [{"p": "payload"}, {"p": "iso", "v": "iso", "vt": "date"}, {"p": "d", "v": "object", "vt": "date"}], "payloadType": "date"})).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    test.send("i", json!({}));
    let expected = json!({
        "payload": 1_704_067_205_000_u64,
        "iso": "2024-01-01T00:00:05.000Z",
        "d": {"$t": "date", "v": 1_704_067_205_000_u64}
    });
    assert_eq!(test.received("end").await, [expected]);
}

#[tokio::test(start_paused = true)]
async fn inject_takes_other_properties_for_one_message() {
    let mut test = inject(json!({"props": [{"p": "payload", "v": "own", "vt": "str"}]})).await;
    test.send(
        "i",
        json!({"__user_inject_props__": [{"p": "payload", "v": "5", "vt": "num"}]}),
    );
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [json!({"payload": 5}), json!({"payload": "own"})]
    );
}

#[tokio::test(start_paused = true)]
async fn what_inject_cannot_do_is_told_and_nothing_is_sent() {
    let mut test = inject(json!({"repeat": "2147484"})).await;
    assert!(logged(&test.settle().await, LogLevel::Error)[0].contains("too long"));
    let mut test = inject(json!({"crontab": "at noon"})).await;
    assert!(logged(&test.settle().await, LogLevel::Error)[0].contains("cron"));
    let mut test = inject(json!({"props": [{"p": "a..b", "v": "1", "vt": "num"}, {"p": "c", "v": "{", "vt": "json"}]})).await;
    test.send("i", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    let errors = logged(&seen, LogLevel::Error);
    assert!(
        errors.len() == 1 && errors[0].contains("; "),
        "both are named in one error: {errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn inject_reads_the_environment_of_its_group_and_tab() {
    let test = TestFlows::new();
    test.env.set("STATION", Some("process".into()));
    let flows = json!([
        {"id": "t", "type": "tab", "env": [{"name": "STATION", "type": "str", "value": "tab"}]},
        {"id": "gr", "type": "group", "z": "t", "name": "G", "nodes": ["i"], "env": [{"name": "NUMBER", "type": "num", "value": "7"}]},
        node("i", "inject", json!({"g": "gr", "wires": [["end"]], "topic": "${STATION}", "props": [
            {"p": "topic", "vt": "str"}, {"p": "n", "v": "NUMBER", "vt": "env"}, {"p": "up", "v": "at ${$parent.STATION}!", "vt": "env"}
        ]})),
        node("end", "junction", json!({})),
    ]);
    let mut test = test;
    test.deploy(flows, DeployMode::Full).await;
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [json!({"topic": "tab", "n": 7, "up": "at tab!"})]
    );
}

async fn debug(properties: Json, msg: Json) -> Vec<Seen> {
    let mut test = TestFlows::run(json!([node("d", "debug", properties)])).await;
    test.send("d", msg);
    test.settle().await
}

fn panel(seen: &[Seen]) -> Vec<Json> {
    let data = seen.iter().filter_map(|seen| match seen {
        Seen::Debug(data) => Some(data.clone()),
        _ => None,
    });
    data.collect()
}

#[tokio::test(start_paused = true)]
async fn debug_shows_what_it_is_told_to() {
    let msg = json!({"_msgid": "1", "payload": {"t": 21.5}, "topic": "hall", "n": 5});
    for (properties, text, format, property) in [
        (json!({}), json!("{\"t\":21.5}"), "Object", Some("payload")),
        (json!({"complete": "n"}), json!("5"), "number", Some("n")),
        (
            json!({"complete": "payload.t", "targetType": "msg"}),
            json!("21.5"),
            "number",
            Some("payload.t"),
        ),
        (
            json!({"complete": "no.such.thing"}),
            json!("(undefined)"),
            "undefined",
            Some("no.such.thing"),
        ),
        (
            json!({"complete": "true"}),
            json!("{\"_msgid\":\"1\",\"payload\":{\"t\":21.5},\"topic\":\"hall\",\"n\":5}"),
            "Object",
            None,
        ),
    ] {
        let shown = panel(&debug(properties.clone(), msg.clone()).await);
        assert_eq!(shown.len(), 1, "{properties}");
        assert_eq!(shown[0]["msg"], text, "{properties}");
        assert_eq!(shown[0]["format"], format, "{properties}");
        assert_eq!(shown[0]["property"].as_str(), property, "{properties}");
        assert_eq!(
            (&shown[0]["id"], &shown[0]["z"], &shown[0]["topic"]),
            (&json!("d"), &json!("t"), &json!("hall"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn debug_can_be_silent_and_write_to_the_log() {
    assert_eq!(
        panel(&debug(json!({"active": false}), json!({"payload": 1})).await),
        Vec::<Json>::new()
    );
    assert_eq!(
        panel(&debug(json!({"tosidebar": "false"}), json!({"payload": 1})).await),
        Vec::<Json>::new()
    );
    for (payload, text) in [
        (json!("plain"), "plain"),
        (json!("two\nlines"), "\ntwo\nlines"),
        (json!({"a": [1, "x"]}), "\n{ a: [ 1, 'x' ] }"),
        (json!(5), "5"),
    ] {
        let seen = debug(json!({"console": "true"}), json!({"payload": payload})).await;
        assert_eq!(logged(&seen, LogLevel::Info), [text]);
    }
}

#[tokio::test(start_paused = true)]
async fn inject_evaluates_expressions_line_by_line() {
    let mut test = inject(json!({"props": [
        {"p": "payload", "v": "7", "vt": "num"},
        {"p": "twice", "v": "payload * 2", "vt": "jsonata"},
        {"p": "old", "v": "msg.twice & '!'", "vt": "jsonata"},
        {"p": "none", "v": "nothing.here", "vt": "jsonata"},
        {"p": "at", "v": "YYYY-MM-DD", "vt": "date"},
    ]}))
    .await;
    assert_eq!(logged(&test.settle().await, LogLevel::Error), [""; 0]);
    test.send("i", json!({"keep": true}));
    assert_eq!(
        test.received("end").await,
        [json!({"keep": true, "payload": 7, "twice": 14, "old": "14!", "at": "2024-01-01"})]
    );
}

#[tokio::test(start_paused = true)]
async fn inject_tells_of_bad_expressions_at_the_start_and_when_it_fires() {
    let props = json!([{"p": "a", "v": "1 +", "vt": "jsonata"}, {"p": "b", "v": "1 + 'x'", "vt": "jsonata"}, {"p": "c", "v": "", "vt": "jsonata"}]);
    let mut test = inject(json!({"props": props})).await;
    let text = "The JSONata expression can't be evaluated: Unexpected end of expression";
    assert_eq!(
        logged(&test.settle().await, LogLevel::Error),
        [text, text],
        "the empty one, too; what can only fail later is not told yet"
    );
    test.send("i", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    assert_eq!(
        logged(&seen, LogLevel::Error),
        [
            "Unexpected end of expression; The JSONata expression can't be evaluated: The right side of the \"+\" operator must evaluate to a number"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn debug_shows_what_an_expression_makes_of_the_message() {
    let seen = debug(
        json!({"complete": "payload.t * 2", "targetType": "jsonata"}),
        json!({"payload": {"t": 21.5}}),
    )
    .await;
    let shown = panel(&seen);
    assert_eq!(
        (&shown[0]["msg"], &shown[0]["format"]),
        (&json!("43"), &json!("number"))
    );
    assert!(shown[0].get("property").is_none());
    for (properties, texts) in [
        (
            json!({"complete": "1 +", "targetType": "jsonata"}),
            ["1 +"].as_slice(),
        ),
        (
            json!({"complete": "1 + 'x'", "targetType": "jsonata"}),
            ["1 + 'x'"].as_slice(),
        ),
        (
            json!({"tostatus": true, "statusType": "jsonata", "statusVal": "(", "complete": "payload"}),
            ["("].as_slice(),
        ),
    ] {
        let seen = debug(properties.clone(), json!({"payload": 1})).await;
        assert_eq!(panel(&seen), Vec::<Json>::new(), "{properties}");
        let errors = logged(&seen, LogLevel::Error);
        assert_eq!(errors.len(), texts.len());
        assert!(errors[0].ends_with(texts[0]), "{errors:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_automatic_status_of_debug_looks_at_errors() {
    let msg = json!({"payload": "p", "error": {"message": "bad"}, "status": {"text": "busy", "fill": "blue"}});
    for (properties, expected) in [
        (
            json!({}),
            json!({"fill": "blue", "shape": "ring", "text": "busy"}),
        ),
        (
            json!({"statusType": "msg", "statusVal": "payload"}),
            json!({"fill": "grey", "shape": "dot", "text": "p"}),
        ),
        (
            json!({"statusType": "jsonata", "statusVal": "payload & '?'"}),
            json!({"fill": "grey", "shape": "dot", "text": "p?"}),
        ),
        (
            json!({"statusType": "jsonata", "statusVal": "{'fill': 'red', 'shape': 'dot', 'text': payload}"}),
            json!({"fill": "red", "shape": "dot", "text": "p"}),
        ),
        (
            json!({"complete": "'e'", "targetType": "jsonata"}),
            json!({"fill": "blue", "shape": "ring", "text": "busy"}),
        ),
    ] {
        let mut all = json!({"tostatus": true});
        for (key, value) in properties.as_object().unwrap() {
            all[key] = value.clone();
        }
        let seen = debug(all, msg.clone()).await;
        let last = seen.iter().rev().find_map(|seen| match seen {
            Seen::Status(_, status) => Some(status.clone()),
            _ => None,
        });
        assert_eq!(last, Some(expected), "{properties}");
    }
}
