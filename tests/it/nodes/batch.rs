//! batch: sequences by number, by time and of topics; reset, overflow, and what is told when something is wrong.

use std::time::Duration;

use flowrill::{
    engine::{LogLevel, RuntimeSettings},
    flow::DeployMode,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

fn flow(properties: Json) -> Json {
    let mut tested = node("b", "batch", properties);
    tested["wires"] = json!([["end"]]);
    json!([
        tested,
        node("end", "junction", json!({})),
        node("done", "complete", json!({"scope": ["b"]})),
        node("catch", "catch", json!({"scope": ["b"]})),
    ])
}

async fn batch(properties: Json) -> TestFlows {
    TestFlows::run(flow(properties)).await
}

fn limit(test: &TestFlows, message_buffer_max_length: usize) {
    test.engine.change_settings(RuntimeSettings {
        message_buffer_max_length,
        ..RuntimeSettings::default()
    });
}

/// Payload, id, index and count of each message.
fn places(messages: &[Json]) -> Vec<Json> {
    messages
        .iter()
        .map(|msg| {
            let parts = &msg["parts"];
            json!([msg["payload"], parts["id"], parts["index"], parts["count"]])
        })
        .collect()
}

fn numbered(number: usize) -> Json {
    json!({"_msgid": format!("m{number}"), "payload": number})
}

fn of_topic(topic: &str, id: &str, index: usize, count: usize) -> Json {
    json!({
        "_msgid": format!("{topic}{index}"), "topic": topic, "payload": format!("{topic}{index}"),
        "parts": {"id": id, "index": index, "count": count}
    })
}

#[tokio::test(start_paused = true)]
async fn so_many_messages_make_a_sequence() {
    let mut test = batch(json!({"count": "2"})).await;
    for number in 0..5 {
        test.send("b", numbered(number));
    }
    let seen = test.settle().await;
    assert_eq!(
        places(&got(&seen, "end")),
        [
            json!([0, "m0", 0, 2]),
            json!([1, "m0", 1, 2]),
            json!([2, "m2", 0, 2]),
            json!([3, "m2", 1, 2])
        ]
    );
    assert_eq!(got(&seen, "done").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn without_a_count_each_message_is_a_sequence() {
    let mut test = batch(json!({})).await;
    test.send(
        "b",
        json!({"_msgid": "m", "payload": 1, "parts": {"id": "old", "type": "string", "ch": ","}}),
    );
    assert_eq!(
        test.received("end").await,
        [
            json!({"payload": 1, "parts": {"id": "m", "index": 0, "count": 1, "type": "string", "ch": ","}})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn with_an_overlap_messages_come_again() {
    let mut test = batch(json!({"count": 3, "overlap": "2"})).await;
    for number in 0..4 {
        test.send("b", numbered(number));
    }
    let seen = test.settle().await;
    assert_eq!(
        places(&got(&seen, "end")),
        [
            json!([0, "m0", 0, 3]),
            json!([1, "m0", 1, 3]),
            json!([2, "m0", 2, 3]),
            json!([1, "m1", 0, 3]),
            json!([2, "m1", 1, 3]),
            json!([3, "m1", 2, 3])
        ]
    );
    // Two are still needed, and are done with when the node closes.
    assert_eq!(got(&seen, "done").len(), 2);
    test.deploy(
        json!([node("done", "complete", json!({"scope": ["b"]}))]),
        DeployMode::Nodes,
    )
    .await;
    assert_eq!(test.received("done").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_sequence_ends_the_batch() {
    for (honour, expected) in [(true, vec![2, 2, 3, 3, 3]), (false, vec![3, 3, 3])] {
        let mut test = batch(json!({"count": 3, "honourParts": honour})).await;
        for (index, count) in [(0, 2), (1, 2), (0, 4), (1, 4), (2, 4)] {
            test.send("b", of_topic("t", "s", index, count));
        }
        let counts: Vec<Json> = test
            .received("end")
            .await
            .iter()
            .map(|msg| msg["parts"]["count"].clone())
            .collect();
        assert_eq!(counts, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_in_some_time_makes_a_sequence() {
    let mut test = batch(json!({"mode": "interval", "interval": "10"})).await;
    test.send("b", numbered(0));
    test.send("b", numbered(1));
    let seen = test.after(Duration::from_millis(9_500)).await;
    assert_eq!(got(&seen, "end").len() + got(&seen, "done").len(), 0);
    let seen = test.after(Duration::from_secs(1)).await;
    assert_eq!(
        places(&got(&seen, "end")),
        [json!([0, "m0", 0, 2]), json!([1, "m0", 1, 2])]
    );
    assert_eq!(got(&seen, "done").len(), 2);
    assert_eq!(
        got(&test.after(Duration::from_secs(30)).await, "end").len(),
        0
    );
    // A reset drops what came and begins the interval anew.
    test.send("b", numbered(2));
    test.after(Duration::from_secs(8)).await;
    test.send("b", json!({"reset": true}));
    test.send("b", numbered(3));
    assert_eq!(
        got(&test.after(Duration::from_secs(9)).await, "end").len(),
        0
    );
    let seen = test.after(Duration::from_secs(2)).await;
    assert_eq!(places(&got(&seen, "end")), [json!([3, "m3", 0, 1])]);
}

#[tokio::test(start_paused = true)]
async fn that_nothing_came_can_be_told() {
    let mut test =
        batch(json!({"mode": "interval", "interval": 10, "allowEmptySequence": true})).await;
    let sent = got(&test.after(Duration::from_millis(20_500)).await, "end");
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["payload"], Json::Null);
    assert_eq!(
        (&sent[0]["parts"]["index"], &sent[0]["parts"]["count"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(sent[0]["parts"]["id"].as_str().map(str::len), Some(16));
}

#[tokio::test(start_paused = true)]
async fn sequences_of_topics_are_put_one_after_the_other() {
    let mut test =
        batch(json!({"mode": "concat", "topics": [{"topic": "a"}, {"topic": "b"}]})).await;
    for msg in [
        of_topic("b", "1", 0, 1),
        of_topic("b", "2", 0, 1),
        of_topic("other", "9", 0, 1),
        of_topic("a", "3", 0, 2),
        of_topic("a", "3", 1, 2),
    ] {
        test.send("b", msg);
    }
    let seen = test.settle().await;
    assert_eq!(
        places(&got(&seen, "end")),
        [
            json!(["a0", "a0", 0, 3]),
            json!(["a1", "a0", 1, 3]),
            json!(["b0", "a0", 2, 3])
        ]
    );
    assert_eq!(got(&seen, "done").len(), 3);
    test.send("b", of_topic("a", "4", 0, 1));
    assert_eq!(test.received("end").await.len(), 2);
    // Messages of no sequence can't be used.
    test.send(
        "b",
        json!({"topic": "a", "payload": 1, "parts": {"id": 1, "index": 0}}),
    );
    assert_eq!(test.received("catch").await.len(), 1);
    test.send("b", of_topic("a", "5", 0, 1));
    test.send("b", json!({"reset": true}));
    test.send("b", of_topic("b", "6", 0, 1));
    let seen = test.settle().await;
    assert_eq!((got(&seen, "end").len(), got(&seen, "done").len()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn too_many_messages_are_dropped() {
    for (properties, failed) in [
        (json!({"count": 5}), 1),
        (json!({"mode": "interval", "interval": 10}), 1),
        (json!({"mode": "concat", "topics": [{"topic": "a"}]}), 3),
    ] {
        let mut test = batch(properties.clone()).await;
        limit(&test, 2);
        for index in 0..3 {
            test.send("b", of_topic("a", "s", index, 5));
        }
        let seen = test.settle().await;
        let caught = got(&seen, "catch");
        assert_eq!(caught.len(), failed, "{properties}");
        assert_eq!(got(&seen, "done").len(), 3 - failed, "{properties}");
        assert!(
            caught[0]["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("Too many messages")
        );
    }
    // As many as are allowed may become a sequence.
    let mut test = batch(json!({"count": 2, "overlap": 1})).await;
    limit(&test, 2);
    for number in 0..5 {
        test.send("b", numbered(number));
    }
    assert_eq!(test.received("end").await.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn settings_that_make_no_sense_are_told() {
    for properties in [
        json!({"count": 2, "overlap": 2}),
        json!({"mode": "sometimes"}),
    ] {
        let mut test = batch(properties).await;
        test.send("b", numbered(0));
        let seen = test.settle().await;
        assert_eq!(logged(&seen, LogLevel::Error).len(), 1);
        assert_eq!(got(&seen, "end").len() + got(&seen, "done").len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_drops_what_was_counted() {
    let mut test = batch(json!({"count": 3})).await;
    for msg in [
        numbered(0),
        numbered(1),
        json!({"reset": 0}),
        numbered(2),
        numbered(3),
    ] {
        test.send("b", msg);
    }
    let seen = test.settle().await;
    assert_eq!((got(&seen, "end").len(), got(&seen, "done").len()), (0, 3));
    test.send("b", numbered(4));
    assert_eq!(test.received("end").await.len(), 3);
}
