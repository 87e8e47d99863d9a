//! sort: arrays and sequences, by themselves and by expressions, overflow, and what is told when something is wrong.

use flowrill::{
    engine::{LogLevel, RuntimeSettings},
    flow::DeployMode,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

async fn sort(properties: Json) -> TestFlows {
    let mut tested = node("s", "sort", properties);
    tested["wires"] = json!([["end"]]);
    TestFlows::run(json!([
        tested,
        node("end", "junction", json!({})),
        node("done", "complete", json!({"scope": ["s"]})),
        node("catch", "catch", json!({"scope": ["s"]})),
    ]))
    .await
}

fn array(mut properties: Json) -> Json {
    properties["targetType"] = json!("msg");
    properties
}

fn part(id: &str, index: usize, count: usize, payload: Json) -> Json {
    json!({"_msgid": format!("{id}{index}"), "payload": payload, "parts": {"id": id, "index": index, "count": count}})
}

fn payloads(messages: Vec<Json>) -> Vec<Json> {
    messages
        .into_iter()
        .map(|mut msg| msg["payload"].take())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn arrays_are_sorted_as_javascript_does() {
    let undefined = json!({"$t": "undefined"});
    for (properties, given, expected) in [
        (json!({}), json!([3, 10, 1]), json!([1, 3, 10])),
        (
            json!({"order": "descending"}),
            json!([3, 10, 1]),
            json!([10, 3, 1]),
        ),
        (
            json!({}),
            json!(["b", "a", "Z", "é", "10", "9"]),
            json!(["10", "9", "Z", "a", "b", "é"]),
        ),
        (
            json!({"as_num": true}),
            json!(["9", "10", " 1 ", null]),
            json!([null, " 1 ", "9", "10"]),
        ),
        (
            json!({"as_num": "true", "order": "descending"}),
            json!(["9", 10, "0x10"]),
            json!(["0x10", 10, "9"]),
        ),
        (
            json!({}),
            json!([[10], [9], true]),
            json!([true, [10], [9]]),
        ),
        (
            json!({}),
            json!([undefined, 2, undefined, 1]),
            json!([1, 2, undefined, undefined]),
        ),
        // Objects can't be told apart; as in Node-RED, they are turned round.
        (
            json!({}),
            json!([{"a": 1}, {"a": 2}]),
            json!([{"a": 2}, {"a": 1}]),
        ),
        (json!({}), json!([]), json!([])),
        (
            json!({"msgKey": "n", "msgKeyType": "jsonata"}),
            json!([{"n": 2}, {"n": 1, "i": 0}, {"n": 1, "i": 1}]),
            json!([{"n": 1, "i": 0}, {"n": 1, "i": 1}, {"n": 2}]),
        ),
        (
            json!({"msgKey": "$length($)", "msgKeyType": "jsonata", "order": "descending"}),
            json!(["a", "ccc", "bb"]),
            json!(["ccc", "bb", "a"]),
        ),
    ] {
        let mut test = sort(array(properties.clone())).await;
        test.send("s", json!({"payload": given, "topic": "t"}));
        assert_eq!(
            test.received("end").await,
            [json!({"payload": expected, "topic": "t"})],
            "{properties} {given}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_array_may_stand_anywhere_and_what_is_none_is_not_sent() {
    let mut test = sort(array(json!({"target": "data.list"}))).await;
    test.send("s", json!({"data": {"list": [2, 1], "unit": "m"}}));
    test.send("s", json!({"data": {"list": "text"}}));
    test.send("s", json!({"data": {}}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end"),
        [json!({"data": {"list": [1, 2], "unit": "m"}})]
    );
    assert_eq!(got(&seen, "done").len(), 3);
    test.send("s", json!({}));
    let caught = test.received("catch").await;
    assert_eq!(
        caught[0]["error"]["message"],
        "TypeError: Cannot read properties of undefined (reading 'list')"
    );
}

#[tokio::test(start_paused = true)]
async fn sequences_are_sorted_when_they_are_whole() {
    for (properties, expected) in [
        (json!({}), ["1", "10", "2"]),
        (
            json!({"targetType": "seq", "as_num": true}),
            ["1", "2", "10"],
        ),
        (
            json!({"targetType": "seq", "order": "descending"}),
            ["2", "10", "1"],
        ),
        (
            json!({"targetType": "seq", "seqKey": "-$number(payload)", "seqKeyType": "jsonata"}),
            ["10", "2", "1"],
        ),
        (
            json!({"targetType": "seq", "seqKey": "msg.parts.index", "seqKeyType": "jsonata"}),
            ["2", "10", "1"],
        ),
    ] {
        let mut test = sort(properties.clone()).await;
        test.send("s", part("a", 0, 3, json!("2")));
        test.send("s", part("b", 0, 2, json!("other")));
        test.send("s", part("a", 1, 3, json!("10")));
        assert_eq!(test.received("end").await.len(), 0);
        test.send("s", part("a", 2, 3, json!("1")));
        let seen = test.settle().await;
        let sent = got(&seen, "end");
        let places: Vec<&Json> = sent.iter().map(|msg| &msg["parts"]["index"]).collect();
        assert_eq!(places, [0, 1, 2]);
        assert_eq!(payloads(sent), expected, "{properties}");
        assert_eq!(got(&seen, "done").len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_no_sequence_are_dropped() {
    let mut test = sort(json!({"targetType": "seq"})).await;
    for msg in [
        json!({"payload": 1}),
        json!({"payload": 1, "parts": {"id": "a"}}),
        json!({"payload": 1, "parts": {"index": 0, "count": 1}}),
        json!({"payload": 1, "parts": null}),
    ] {
        test.send("s", msg);
    }
    let seen = test.settle().await;
    assert_eq!((got(&seen, "end").len(), got(&seen, "done").len()), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_sequence_goes_when_there_are_too_many_messages() {
    let mut test = sort(json!({"targetType": "seq"})).await;
    test.engine.change_settings(RuntimeSettings {
        message_buffer_max_length: 3,
        ..RuntimeSettings::default()
    });
    for msg in [
        part("a", 0, 4, json!(0)),
        part("a", 1, 4, json!(1)),
        part("b", 0, 2, json!(2)),
        part("c", 0, 2, json!(3)),
    ] {
        test.send("s", msg);
    }
    let seen = test.settle().await;
    let caught = got(&seen, "catch");
    assert_eq!((caught.len(), &caught[0]["payload"]), (1, &json!(1)));
    assert!(
        caught[0]["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Too many messages")
    );
    assert_eq!(payloads(got(&seen, "done")), [0]);
    test.send("s", part("b", 1, 2, json!(0)));
    assert_eq!(payloads(test.received("end").await), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn expressions_that_fail_are_told() {
    for properties in [
        array(json!({"msgKey": "a +", "msgKeyType": "jsonata"})),
        json!({"targetType": "seq", "seqKey": "a +", "seqKeyType": "jsonata"}),
    ] {
        let mut test = sort(properties).await;
        test.send("s", part("a", 0, 1, json!([2, 1])));
        let seen = test.settle().await;
        assert_eq!(logged(&seen, LogLevel::Error).len(), 1);
        assert_eq!(got(&seen, "end").len() + got(&seen, "done").len(), 0);
    }
    let mut test = sort(array(
        json!({"msgKey": "$nothing()", "msgKeyType": "jsonata"}),
    ))
    .await;
    test.send("s", json!({"payload": [2, 1]}));
    assert_eq!(test.received("catch").await.len(), 1);
    let mut test =
        sort(json!({"targetType": "seq", "seqKey": "$nothing()", "seqKeyType": "jsonata"})).await;
    test.send("s", part("a", 0, 2, json!(1)));
    test.send("s", part("a", 1, 2, json!(2)));
    let seen = test.settle().await;
    assert_eq!(payloads(got(&seen, "catch")), [2]);
    assert_eq!(payloads(got(&seen, "done")), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_end_is_told_and_done_with() {
    let mut test = sort(json!({"targetType": "seq"})).await;
    test.send("s", part("a", 0, 2, json!(1)));
    test.settle().await;
    test.deploy(
        json!([node("done", "complete", json!({"scope": ["s"]}))]),
        DeployMode::Nodes,
    )
    .await;
    let seen = test.settle().await;
    assert_eq!(got(&seen, "done").len(), 1);
    assert_eq!(logged(&seen, LogLevel::Info).len(), 1);
}
