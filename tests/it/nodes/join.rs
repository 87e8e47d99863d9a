//! join: groups by parts and by settings, times, reset, reduce, and what is told when something is wrong.

use std::time::Duration;

use flowrill::engine::{LogLevel, RuntimeSettings};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

fn flow(properties: Json) -> Json {
    let mut tested = node("j", "join", properties);
    tested["wires"] = json!([["end"]]);
    json!([
        tested,
        node("end", "junction", json!({})),
        node("done", "complete", json!({"scope": ["j"]})),
        node("catch", "catch", json!({"scope": ["j"]})),
    ])
}

async fn join(properties: Json) -> TestFlows {
    TestFlows::run(flow(properties)).await
}

fn custom(properties: Json) -> Json {
    let mut all = properties;
    all["mode"] = json!("custom");
    all
}

/// Sends messages, and returns what was sent of them.
async fn joined(properties: Json, messages: &[Json]) -> Vec<Json> {
    let mut test = join(properties).await;
    for msg in messages {
        test.send("j", msg.clone());
    }
    test.received("end").await
}

async fn payloads(properties: Json, messages: &[Json]) -> Vec<Json> {
    let messages = joined(properties, messages).await;
    messages
        .into_iter()
        .map(|mut msg| msg["payload"].take())
        .collect()
}

fn part(id: &str, index: usize, count: usize, payload: Json, more: Json) -> Json {
    let mut msg = json!({"payload": payload, "parts": {"id": id, "index": index, "count": count}});
    for (key, value) in more.as_object().unwrap() {
        msg["parts"][key] = value.clone();
    }
    msg
}

fn buffer(text: &str) -> Json {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({"$t": "buffer", "v": STANDARD.encode(text)})
}

#[tokio::test(start_paused = true)]
async fn a_split_is_undone_whatever_the_order() {
    for (more, parts, expected) in [
        (
            json!({"type": "string", "ch": ", "}),
            [json!("a"), json!("b"), json!(3)],
            json!("a, b, 3"),
        ),
        (
            json!({"type": "array", "len": 1}),
            [json!(1), json!([2]), json!(null)],
            json!([1, [2], null]),
        ),
        (
            json!({"type": "array", "len": 2}),
            [json!([1, 2]), json!([3, [4]]), json!([5])],
            json!([1, 2, 3, [4], 5]),
        ),
        (
            json!({"type": "buffer", "ch": "-"}),
            [buffer("a"), json!("b"), json!([99])],
            buffer("a-b-c"),
        ),
        (
            json!({"type": "buffer", "len": 1}),
            [buffer("a"), buffer("b"), buffer("c")],
            buffer("abc"),
        ),
        (
            json!({"type": "buffer", "ch": [10, 13]}),
            [buffer("a"), buffer("b"), buffer("c")],
            buffer("a\n\rb\n\rc"),
        ),
        (
            json!({}),
            [json!(1), json!("x"), json!({"y": 1})],
            json!([1, "x", {"y": 1}]),
        ),
    ] {
        let messages: Vec<Json> = [2, 0, 1]
            .into_iter()
            .map(|index| part("s", index, 3, parts[index].clone(), more.clone()))
            .collect();
        assert_eq!(payloads(json!({}), &messages).await, [expected], "{more}");
    }
    let messages = ["hall", "attic"].map(|key| {
        part(
            "s",
            0,
            2,
            json!(key.len()),
            json!({"type": "object", "key": key}),
        )
    });
    assert_eq!(
        payloads(json!({}), &messages).await,
        [json!({"hall": 4, "attic": 5})]
    );
}

#[tokio::test(start_paused = true)]
async fn the_result_is_the_messages_over_each_other_with_the_outer_parts() {
    let outer = json!({"id": "o", "index": 1, "count": 2});
    let more = json!({"type": "array", "property": "data.list", "parts": outer});
    let mut first = part("s", 0, 2, json!("same"), more.clone());
    first["data"] = json!({"list": 1});
    first["first"] = json!(true);
    let mut second = part("s", 1, 2, json!("new"), more);
    second["data"] = json!({"list": 2, "other": 3});
    assert_eq!(
        joined(json!({}), &[first, second]).await,
        [
            json!({"payload": "new", "first": true, "data": {"list": [1, 2], "other": 3}, "parts": outer})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn groups_do_not_mix_and_may_learn_their_count_late() {
    let text = json!({"type": "string", "ch": ""});
    let mut late = part("a", 0, 0, json!("x"), text.clone());
    late["parts"].as_object_mut().unwrap().remove("count");
    let messages = [
        late,
        part("b", 1, 2, json!("2"), text.clone()),
        // A second value for a place does not count.
        part("b", 1, 2, json!("3"), text.clone()),
        part("b", 0, 2, json!("1"), text.clone()),
        part("a", 1, 2, json!("y"), text),
    ];
    assert_eq!(payloads(json!({}), &messages).await, ["13", "xy"]);
}

#[tokio::test(start_paused = true)]
async fn by_settings_everything_can_be_built() {
    let three = |values: [Json; 3]| {
        ["a", "b", "a"]
            .into_iter()
            .zip(values)
            .map(|(topic, value)| json!({"topic": topic, "payload": value}))
            .collect::<Vec<_>>()
    };
    let numbers = || three([json!(1), json!({"x": 2}), json!("c")]);
    for (properties, messages, expected) in [
        (
            json!({"build": "array", "count": 3}),
            numbers(),
            vec![json!([1, {"x": 2}, "c"])],
        ),
        (json!({"count": "2"}), numbers(), vec![json!([1, {"x": 2}])]),
        (
            json!({"build": "string", "joiner": "\\t", "count": "3"}),
            numbers(),
            vec![json!("1\t[object Object]\tc")],
        ),
        (
            json!({"build": "string", "joiner": "[44]", "joinerType": "bin", "count": "2"}),
            three([json!("x"), json!("y"), json!("z")]),
            vec![json!("x,y")],
        ),
        (
            json!({"build": "buffer", "joiner": "[0]", "joinerType": "bin", "count": "3"}),
            three([buffer("x"), json!("y"), json!([122])]),
            vec![buffer("x\0y\0z")],
        ),
        (
            json!({"build": "object", "count": 2}),
            numbers(),
            vec![json!({"a": 1, "b": {"x": 2}})],
        ),
        (
            json!({"build": "merged", "count": 2}),
            three([
                json!({"x": 1, "_msgid": "z"}),
                json!({"x": 2}),
                json!({"y": 3}),
            ]),
            vec![json!({"x": 2, "y": 3})],
        ),
        // Values that are undefined count nowhere but in objects.
        (
            json!({"build": "array", "count": 2}),
            three([json!({"$t": "undefined"}), json!(1), json!(2)]),
            vec![json!([1, 2])],
        ),
    ] {
        assert_eq!(
            payloads(custom(properties.clone()), &messages).await,
            expected,
            "{properties}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn names_may_be_numbers_and_stand_anywhere() {
    let messages = [
        json!({"room": {"no": 7}, "value": 1}),
        json!({"room": {"no": 3}, "value": 2}),
    ];
    let sent = joined(
        custom(json!({"build": "object", "key": "room.no", "property": "value", "count": "2"})),
        &messages,
    )
    .await;
    assert_eq!(
        sent,
        [json!({"room": {"no": 3}, "value": {"3": 2, "7": 1}})]
    );
}

#[tokio::test(start_paused = true)]
async fn whole_messages_can_be_joined() {
    let messages = [
        json!({"_msgid": "1", "a": 1}),
        json!({"_msgid": "2", "b": 2}),
    ];
    assert_eq!(
        joined(
            custom(json!({"build": "array", "propertyType": "full", "property": "", "count": "2"})),
            &messages
        )
        .await,
        [json!({"a": 1, "b": 2, "payload": [{"_msgid": "1", "a": 1}, {"_msgid": "2", "b": 2}]})]
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_count_takes_that_of_the_parts() {
    let messages = [
        part("x", 0, 2, json!(1), json!({})),
        part("y", 0, 2, json!(2), json!({})),
        part("x", 1, 2, json!(3), json!({})),
    ];
    assert_eq!(
        payloads(custom(json!({"build": "array", "count": ""})), &messages).await,
        [json!([1, 3])]
    );
    // With a count there is one group for all, and without parts as well.
    assert_eq!(
        payloads(custom(json!({"build": "array", "count": "3"})), &messages).await,
        [json!([1, 2, 3])]
    );
    // Of messages that count nothing themselves, the parts tell how many make a group.
    assert_eq!(
        payloads(custom(json!({"build": "array"})), &messages).await,
        [json!([1, 2])]
    );
    let ignored = custom(json!({"build": "array", "count": "", "useparts": false}));
    assert_eq!(payloads(ignored, &messages).await, Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn without_using_parts_only_the_outer_ones_stay() {
    let outer = json!({"id": "o", "index": 0, "count": 9});
    let messages = [
        part("x", 0, 2, json!(1), json!({"parts": outer})),
        part("x", 1, 2, json!(2), json!({"parts": outer})),
    ];
    let sent = joined(
        custom(json!({"build": "array", "count": "2", "useparts": false})),
        &messages,
    )
    .await;
    assert_eq!(sent, [json!({"payload": [1, 2], "parts": outer})]);
}

#[tokio::test(start_paused = true)]
async fn complete_sends_and_reset_drops() {
    let mut test = join(custom(json!({"build": "array", "count": ""}))).await;
    test.send("j", json!({"payload": 1}));
    test.send("j", json!({"payload": 2, "reset": true}));
    let seen = test.settle().await;
    assert_eq!((got(&seen, "end").len(), got(&seen, "done").len()), (0, 2));
    test.send("j", json!({"payload": 3}));
    assert_eq!(test.received("done").await.len(), 0);
    test.send("j", json!({"complete": false}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), [json!({"payload": [3]})]);
    assert_eq!(got(&seen, "done").len(), 2);
    // In the automatic mode a reset without parts drops every group.
    let mut test = join(json!({})).await;
    test.send("j", part("a", 0, 2, json!(1), json!({"type": "array"})));
    test.send("j", json!({"reset": 1}));
    test.send("j", part("a", 1, 2, json!(2), json!({"type": "array"})));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end").len() + logged(&seen, LogLevel::Warn).len(),
        0
    );
    test.send("j", part("b", 0, 2, json!(1), json!({"type": "array"})));
    let mut reset = part("b", 1, 2, json!(2), json!({"type": "array"}));
    reset["reset"] = json!(true);
    test.send("j", reset);
    assert_eq!(test.received("done").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_object_can_be_completed_by_a_message_without_a_name() {
    let mut test = join(custom(json!({"build": "object", "count": ""}))).await;
    test.send("j", json!({"topic": "a", "payload": 1}));
    test.send("j", json!({"payload": 2, "complete": true}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end"),
        [json!({"topic": "a", "payload": {"a": 1}})]
    );
    assert_eq!(got(&seen, "done").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn accumulated_values_stay_until_they_are_complete() {
    let properties = custom(json!({"build": "object", "count": "2", "accumulate": true}));
    let messages = [
        json!({"topic": "a", "payload": 1}),
        json!({"topic": "b", "payload": 2}),
        json!({"topic": "a", "payload": 3}),
        json!({"topic": "c", "payload": 4, "complete": true}),
        json!({"topic": "a", "payload": 5}),
    ];
    assert_eq!(
        payloads(properties, &messages).await,
        [
            json!({"a": 1, "b": 2}),
            json!({"a": 3, "b": 2}),
            json!({"a": 3, "b": 2, "c": 4})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn time_is_counted_from_the_first_message_of_a_group() {
    let mut test = join(custom(
        json!({"build": "array", "count": "", "timeout": "2"}),
    ))
    .await;
    test.send("j", json!({"payload": 1}));
    assert_eq!(
        got(&test.after(Duration::from_millis(1_500)).await, "end").len(),
        0
    );
    test.send("j", json!({"payload": 2}));
    assert_eq!(
        got(&test.after(Duration::from_millis(600)).await, "end"),
        [json!({"payload": [1, 2]})]
    );
    assert_eq!(
        got(&test.after(Duration::from_secs(10)).await, "end").len(),
        0
    );
    // It can be restarted.
    for _ in 0..3 {
        test.send("j", json!({"payload": 3, "restartTimeout": true}));
        assert_eq!(
            got(&test.after(Duration::from_millis(1_500)).await, "end").len(),
            0
        );
    }
    let seen = test.after(Duration::from_millis(600)).await;
    assert_eq!(got(&seen, "end")[0]["payload"], json!([3, 3, 3]));
    // What is complete before the time is over is sent once.
    test.send("j", json!({"payload": 4}));
    test.send("j", json!({"payload": 5, "complete": true}));
    assert_eq!(
        got(&test.after(Duration::from_secs(10)).await, "end").len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn the_automatic_mode_has_no_time() {
    let mut test = join(json!({"timeout": "1"})).await;
    test.send("j", part("a", 0, 2, json!(1), json!({"type": "array"})));
    assert_eq!(
        got(&test.after(Duration::from_secs(5)).await, "end").len(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_told() {
    for (properties, msg, warning) in [
        (
            json!({}),
            json!({"payload": 1}),
            "Message missing msg.parts property - cannot join in 'auto' mode",
        ),
        (
            json!({}),
            json!({"payload": 1, "parts": {"id": "a", "type": "object"}}),
            "Message missing 'msg.parts.key' property - cannot add to object",
        ),
        (
            custom(json!({"build": "object", "key": "room"})),
            json!({"payload": 1}),
            "Message missing key property 'msg.room' - cannot add to object",
        ),
        (
            custom(json!({"build": "merged"})),
            json!({"payload": 1}),
            "Cannot merge non-object types",
        ),
        (
            custom(json!({"build": "array", "property": "a.b"})),
            json!({"payload": 1}),
            "Message property a.b not found",
        ),
    ] {
        let mut test = join(properties).await;
        test.send("j", msg);
        assert_eq!(logged(&test.settle().await, LogLevel::Warn), [warning]);
    }
    let mut test = join(custom(json!({"build": "buffer", "count": "1"}))).await;
    test.send("j", json!({"payload": 5}));
    let caught = test.received("catch").await;
    assert_eq!(caught.len(), 1);
    assert!(
        caught[0]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("number")
    );
    // An odd index must not fill the memory.
    let mut test = join(json!({})).await;
    test.send(
        "j",
        part("a", 4_000_000_000, 1, json!(1), json!({"type": "array"})),
    );
    assert_eq!(test.received("catch").await.len(), 1);
    for (parts, text) in [
        (json!(null), "null"),
        (json!({"$t": "undefined"}), "undefined"),
    ] {
        test.send("j", json!({"parts": parts}));
        let caught = test.received("catch").await;
        let message =
            format!("TypeError: Cannot read properties of {text} (reading 'hasOwnProperty')");
        assert_eq!(caught[0]["error"]["message"], message);
    }
}

fn reduce(properties: Json) -> Json {
    let mut all = json!({"mode": "reduce", "reduceInit": "0", "reduceInitType": "num", "reduceExp": "$A + payload"});
    for (key, value) in properties.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

#[tokio::test(start_paused = true)]
async fn reduce_works_through_a_sequence_by_its_index() {
    let messages = [
        part("s", 2, 3, json!(30), json!({})),
        part("s", 0, 3, json!(10), json!({})),
        json!({"payload": "passes"}),
        part("s", 1, 3, json!(20), json!({})),
    ];
    for (properties, expected) in [
        (json!({}), json!(60)),
        (json!({"reduceFixup": "$A / $N"}), json!(20)),
        (
            json!({"reduceExp": "$A & payload & \":\" & $I & \"/\" & $N & \" \"", "reduceInit": "", "reduceInitType": "str"}),
            json!("10:0/3 20:1/3 30:2/3 "),
        ),
        (
            json!({"reduceExp": "$A & msg.payload", "reduceInit": "", "reduceInitType": "str", "reduceRight": true}),
            json!("302010"),
        ),
        (
            json!({"reduceExp": "$append($A, payload)", "reduceInit": "[1]", "reduceInitType": "json"}),
            json!([1, 10, 20, 30]),
        ),
        (
            json!({"reduceInit": "1 + 1", "reduceInitType": "jsonata"}),
            json!(62),
        ),
    ] {
        let sent = joined(reduce(properties.clone()), &messages).await;
        assert_eq!(sent.len(), 2, "{properties}");
        assert_eq!(sent[0]["payload"], "passes");
        assert_eq!(sent[1]["payload"], expected, "{properties}");
        assert_eq!(sent[1]["parts"]["id"], "s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_reduce_cannot_do_is_told() {
    let mut test = join(reduce(json!({"reduceExp": "$A +"}))).await;
    test.send("j", part("s", 0, 1, json!(1), json!({})));
    let seen = test.settle().await;
    assert_eq!(logged(&seen, LogLevel::Error).len(), 1);
    assert_eq!(got(&seen, "end").len() + got(&seen, "done").len(), 0);
    // Without a first value the others of the sequence are never done with, as in Node-RED.
    for (properties, done) in [
        (json!({"reduceExp": "payload.nothing()"}), 1),
        (json!({"reduceFixup": "$nothing()"}), 1),
        (json!({"reduceInit": "{", "reduceInitType": "json"}), 0),
    ] {
        let mut test = join(reduce(properties.clone())).await;
        test.send("j", part("s", 0, 2, json!(1), json!({})));
        test.send("j", part("s", 1, 2, json!(2), json!({})));
        let seen = test.settle().await;
        let caught = got(&seen, "catch");
        assert_eq!(
            (caught.len(), got(&seen, "done").len()),
            (1, done),
            "{properties}"
        );
        assert_eq!(caught[0]["payload"], 2);
    }
    let limited = RuntimeSettings {
        message_buffer_max_length: 2,
        ..RuntimeSettings::default()
    };
    let mut test = join(reduce(json!({}))).await;
    test.engine.change_settings(limited);
    for index in 0..3 {
        test.send("j", part("s", index, 4, json!(index), json!({})));
    }
    let seen = test.settle().await;
    assert_eq!(got(&seen, "done").len(), 2);
    let caught = got(&seen, "catch");
    assert_eq!(caught[0]["payload"], 2);
    assert!(
        caught[0]["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Too many messages")
    );
}
