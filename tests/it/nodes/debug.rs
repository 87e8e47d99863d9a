//! debug: what the panel, the log and the status get.

use std::time::Duration;

use flowrill::engine::{LogLevel, SetActive};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, logged, node};

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

fn statuses(seen: &[Seen]) -> Vec<Json> {
    let statuses = seen.iter().filter_map(|seen| match seen {
        Seen::Status(_, status) => Some(status.clone()),
        _ => None,
    });
    statuses.collect()
}

#[tokio::test(start_paused = true)]
async fn debug_counts_at_once_or_a_little_later() {
    let properties = json!({"tostatus": true, "statusType": "counter", "active": false});
    let mut test = TestFlows::run(json!([node("d", "debug", properties)])).await;
    let count = |count: &str| json!({"fill": "blue", "shape": "ring", "text": count});
    let start = [json!({"fill": "grey", "shape": "ring"}), count("0")];
    assert_eq!(statuses(&test.settle().await), start);
    let mut seen = async |wait: u64| statuses(&test_after(&mut test, wait).await);
    // Within 100 ms of the start, and of each other.
    assert_eq!(seen(0).await, Vec::<Json>::new());
    assert_eq!(seen(150).await, Vec::<Json>::new(), "the wait begins anew");
    let both = [count("3"), count("3")];
    assert_eq!(seen(250).await, both, "at once, and what still waited");
    assert_eq!(seen(50).await, [count("4")]);
    assert_eq!(seen(250).await, [count("5")]);
}

/// Sends a message and lets so many milliseconds pass.
async fn test_after(test: &mut TestFlows, wait: u64) -> Vec<Seen> {
    test.send("d", json!({"payload": 1}));
    test.after(Duration::from_millis(wait)).await
}

#[tokio::test(start_paused = true)]
async fn debug_is_switched_while_it_runs() {
    let mut test = TestFlows::run(json!([node("d", "debug", json!({}))])).await;
    for (active, shown) in [(false, 0), (true, 1)] {
        let running = test.engine.node("d").unwrap();
        running.post(Box::new(SetActive(active)));
        test.send("d", json!({"payload": 1}));
        assert_eq!(panel(&test.settle().await).len(), shown);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_none_is_an_error_of_the_status() {
    for (msg, text) in [
        (
            json!({"error": null}),
            "Cannot read properties of null (reading 'message')",
        ),
        (
            json!({"error": "text"}),
            "Cannot read properties of undefined (reading 'length')",
        ),
        (
            json!({"status": null}),
            "Cannot read properties of null (reading 'fill')",
        ),
    ] {
        let seen = debug(json!({"tostatus": true}), msg).await;
        assert_eq!(panel(&seen), Vec::<Json>::new());
        assert!(logged(&seen, LogLevel::Error)[0].contains(text));
    }
}

#[tokio::test(start_paused = true)]
async fn debug_within_a_subflow_says_where_it_stands() {
    let flows = json!([
        {"id": "s", "type": "subflow", "in": [{"wires": [{"id": "d"}]}], "out": []},
        {"id": "d", "type": "debug", "z": "s", "x": 1, "y": 1, "name": "inner", "wires": []},
        node("i", "subflow:s", json!({})),
    ]);
    let mut test = TestFlows::run(flows).await;
    test.send("i", json!({"payload": 1, "topic": {"a": 1}}));
    let expected = json!({
        "id": "i-d", "z": "i", "_alias": "d", "path": "t/i", "name": "inner", "topic": {"a": 1},
        "property": "payload", "msg": "1", "format": "number"
    });
    assert_eq!(panel(&test.settle().await), [expected]);
}
