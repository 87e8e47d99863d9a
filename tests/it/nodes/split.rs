//! split: sequences of every kind, streams, and what is told when something is wrong.

use flowrill::engine::LogLevel;
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

async fn split(properties: Json) -> TestFlows {
    let mut tested = node("s", "split", properties);
    tested["wires"] = json!([["end"]]);
    TestFlows::run(json!([
        tested,
        node("end", "junction", json!({})),
        node("done", "complete", json!({"scope": ["s"]})),
        node("catch", "catch", json!({"scope": ["s"]})),
    ]))
    .await
}

fn buffer(text: &str) -> Json {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({"$t": "buffer", "v": STANDARD.encode(text)})
}

/// Payloads, and the parts without the id, which is to be the same throughout.
fn parts(messages: &[Json]) -> Vec<(Json, Json)> {
    let mut ids: Vec<&Json> = messages.iter().map(|msg| &msg["parts"]["id"]).collect();
    ids.dedup();
    assert!(
        ids.len() <= 1
            && ids
                .iter()
                .all(|id| id.as_str().is_some_and(|id| id.len() == 16))
    );
    messages
        .iter()
        .map(|msg| {
            let mut parts = msg["parts"].clone();
            parts.as_object_mut().unwrap().remove("id");
            (msg["payload"].clone(), parts)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_kind_has_its_parts() {
    for (properties, payload, expected) in [
        (
            json!({}),
            json!("a\nb"),
            vec![
                (
                    json!("a"),
                    json!({"type": "string", "ch": "\n", "index": 0, "count": 2}),
                ),
                (
                    json!("b"),
                    json!({"type": "string", "ch": "\n", "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({"splt": "[44]", "spltType": "bin"}),
            json!("a,b"),
            vec![
                (
                    json!("a"),
                    json!({"type": "string", "ch": [44], "index": 0, "count": 2}),
                ),
                (
                    json!("b"),
                    json!({"type": "string", "ch": [44], "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({"splt": "2", "spltType": "len"}),
            json!("abc"),
            vec![
                (
                    json!("ab"),
                    json!({"type": "string", "ch": "", "len": 2, "index": 0, "count": 2}),
                ),
                (
                    json!("c"),
                    json!({"type": "string", "ch": "", "len": 2, "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({"arraySplt": "2"}),
            json!([1, 2, 3]),
            vec![
                (
                    json!([1, 2]),
                    json!({"type": "array", "len": 2, "index": 0, "count": 2}),
                ),
                (
                    json!([3]),
                    json!({"type": "array", "len": 2, "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({}),
            json!({"b": 1, "2": null}),
            vec![
                (
                    json!(null),
                    json!({"type": "object", "key": "2", "index": 0, "count": 2}),
                ),
                (
                    json!(1),
                    json!({"type": "object", "key": "b", "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({"splt": ","}),
            buffer("a,b"),
            vec![
                (
                    buffer("a"),
                    json!({"type": "buffer", "ch": ",", "index": 0, "count": 2}),
                ),
                (
                    buffer("b"),
                    json!({"type": "buffer", "ch": ",", "index": 1, "count": 2}),
                ),
            ],
        ),
        (
            json!({"splt": "2", "spltType": "len"}),
            buffer("abc"),
            vec![
                (
                    buffer("ab"),
                    json!({"type": "buffer", "len": 2, "index": 0, "count": 2}),
                ),
                (
                    buffer("c"),
                    json!({"type": "buffer", "len": 2, "index": 1, "count": 2}),
                ),
            ],
        ),
        // As in Node-RED, the empty end of a buffer counts but is not sent.
        (
            json!({}),
            buffer("a\n"),
            vec![(
                buffer("a"),
                json!({"type": "buffer", "ch": "\n", "index": 0, "count": 2}),
            )],
        ),
        (json!({}), json!([]), vec![]),
        (json!({}), json!(12), vec![]),
        (json!({}), json!(true), vec![]),
        (json!({}), json!({"$t": "date", "v": 5}), vec![]),
    ] {
        let mut test = split(properties.clone()).await;
        test.send("s", json!({"_msgid": "whole", "payload": payload}));
        let seen = test.settle().await;
        assert_eq!(
            parts(&got(&seen, "end")),
            expected,
            "{properties} {payload}"
        );
        assert_eq!(got(&seen, "done").len(), 1, "{properties} {payload}");
        assert_eq!(got(&seen, "catch").len(), 0, "{properties} {payload}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_message_has_an_id_of_its_own_and_keeps_the_outer_parts() {
    let mut test = split(json!({"property": "data.list"})).await;
    let outer = json!({"id": "o", "index": 3, "count": 4});
    test.send(
        "s",
        json!({"_msgid": "whole", "data": {"list": ["a", "b"], "unit": "m"}, "topic": "t", "parts": outer}),
    );
    let seen = test.settle().await;
    let sent = got(&seen, "end");
    assert_eq!(sent.len(), 2);
    for (msg, value) in sent.iter().zip(["a", "b"]) {
        assert_eq!(msg["data"], json!({"list": value, "unit": "m"}));
        assert_eq!(msg["topic"], "t");
        assert_eq!(msg["parts"]["parts"], outer);
        assert_eq!(msg["parts"]["property"], "data.list");
    }
    let ids: std::collections::HashSet<String> = seen
        .iter()
        .filter_map(|seen| match seen {
            crate::support::flows::Seen::Got(id, msg) if id == "end" => {
                Some(msg["_msgid"].to_string())
            }
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(!ids.contains("\"whole\""));
}

#[tokio::test(start_paused = true)]
async fn streams_keep_what_is_not_whole() {
    let lines = json!({"stream": true});
    let threes = json!({"stream": true, "splt": "3", "spltType": "len"});
    // Per message: what is sent after it, and how many messages are done with.
    for (properties, steps) in [
        (
            lines.clone(),
            vec![
                (json!("a\nb"), vec![json!("a")], 1),
                (json!("c"), vec![], 1),
                (json!("d\n\ne"), vec![json!("bcd"), json!("")], 1),
            ],
        ),
        (
            lines,
            vec![
                (buffer("a\nb"), vec![buffer("a")], 0),
                (buffer("c"), vec![], 0),
                (buffer("\n"), vec![buffer("bc")], 3),
            ],
        ),
        (
            json!({"stream": true, "splt": "ab"}),
            vec![
                (buffer("xa"), vec![], 0),
                (buffer("by"), vec![buffer("x")], 1),
            ],
        ),
        (
            threes.clone(),
            vec![
                (json!("abcd"), vec![json!("abc")], 0),
                (json!("ef"), vec![json!("def")], 2),
                (json!("g"), vec![], 0),
            ],
        ),
        (
            threes,
            vec![
                (buffer("ab"), vec![], 0),
                (buffer("cde"), vec![buffer("abc")], 1),
                (buffer("fgh"), vec![buffer("def")], 1),
            ],
        ),
    ] {
        let mut test = split(properties.clone()).await;
        let mut index = 0;
        for (payload, expected, done) in steps {
            test.send("s", json!({"payload": payload}));
            let seen = test.settle().await;
            let sent = got(&seen, "end");
            let payloads: Vec<Json> = sent.iter().map(|msg| msg["payload"].clone()).collect();
            assert_eq!(payloads, expected, "{properties} {payload}");
            for msg in &sent {
                assert_eq!(msg["parts"]["index"], index);
                assert!(msg["parts"].get("count").is_none());
                index += 1;
            }
            assert_eq!(got(&seen, "done").len(), done, "{properties} {payload}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_does_not_touch_arrays_and_objects() {
    let mut test = split(json!({"stream": true})).await;
    test.send("s", json!({"payload": "rest"}));
    test.send("s", json!({"payload": [1, 2]}));
    let sent = test.received("end").await;
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1]["parts"]["count"], 2);
}

#[tokio::test(start_paused = true)]
async fn names_go_where_they_are_told_to() {
    let mut test = split(json!({"addname": "names.last"})).await;
    test.send("s", json!({"payload": {"hall": 1, "attic": 2}}));
    let names: Vec<Json> = test
        .received("end")
        .await
        .iter()
        .map(|msg| msg["names"]["last"].clone())
        .collect();
    assert_eq!(names, ["hall", "attic"]);
}

#[tokio::test(start_paused = true)]
async fn characters_stay_whole() {
    let mut test = split(json!({"splt": "1", "spltType": "len"})).await;
    test.send("s", json!({"payload": "a😀é"}));
    let sent = test.received("end").await;
    let payloads: Vec<&str> = sent
        .iter()
        .filter_map(|msg| msg["payload"].as_str())
        .collect();
    assert_eq!(payloads, ["a", "😀", "é"]);
    assert_eq!(sent[0]["parts"]["count"], 3);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_split_is_told() {
    for (properties, text) in [
        (
            json!({"splt": "0", "spltType": "len"}),
            "Invalid split property: Error: invalid split length: 0",
        ),
        (
            json!({"splt": "{}", "spltType": "bin"}),
            "Invalid split property: Error: not an array",
        ),
        (
            json!({"splt": "[1", "spltType": "bin"}),
            "Invalid split property: SyntaxError: ",
        ),
        (
            json!({"arraySplt": 0}),
            "Invalid split property: Error: invalid array split length: 0",
        ),
        (
            json!({"arraySplt": "x"}),
            "Invalid split property: Error: invalid array split length: NaN",
        ),
    ] {
        let mut test = split(properties).await;
        test.send("s", json!({"payload": "a\nb"}));
        let seen = test.settle().await;
        let errors = logged(&seen, LogLevel::Error);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(text), "{errors:?}");
        assert_eq!(got(&seen, "end").len() + got(&seen, "done").len(), 0);
    }
    // A message that has no such property is left alone, and is never done with.
    let mut test = split(json!({})).await;
    test.send("s", json!({"topic": "t"}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end").len() + got(&seen, "done").len() + got(&seen, "catch").len(),
        0
    );
    test.send("s", json!({"payload": null}));
    let caught = test.received("catch").await;
    assert_eq!(
        caught[0]["error"]["message"],
        "TypeError: Cannot convert undefined or null to object"
    );
    let mut test = split(json!({"property": "a.b.c"})).await;
    test.send("s", json!({"a": {}}));
    let caught = test.received("catch").await;
    assert_eq!(
        caught[0]["error"]["message"],
        "TypeError: Cannot read properties of undefined (reading 'c')"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sequence_longer_than_the_queue_arrives_whole_and_in_order() {
    const COUNT: usize = 110_000;
    let mut test = TestFlows::run(json!([
        node("s", "split", json!({"wires": [["o"]]})),
        node(
            "o",
            "sort",
            json!({"targetType": "seq", "wires": [["end"]]})
        ),
        node("end", "junction", json!({})),
    ]))
    .await;
    let array: Vec<usize> = (0..COUNT).rev().collect();
    test.send("s", json!({"payload": array}));
    test.send("s", json!({"payload": "after\nit"}));
    let mut payloads: Vec<Json> = test
        .received("end")
        .await
        .iter_mut()
        .map(|msg| msg["payload"].take())
        .collect();
    assert_eq!(payloads.split_off(COUNT), ["after", "it"]);
    assert!(
        payloads
            .iter()
            .enumerate()
            .all(|(index, payload)| payload == index)
    );
}
