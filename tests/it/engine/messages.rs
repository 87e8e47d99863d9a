//! Order, copies, ids and the limits of a flow's queue.

use std::time::Duration;

use flowrill::{
    engine::{Build, ConfigError, Failed, LogLevel, Node, NodeContext},
    flow::DeployMode,
    message::{Message, from_wire},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

#[derive(Deserialize)]
struct Anything {}

/// Sets `payload.mark` to its own id.
struct Mark(String);

impl Node for Mark {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let mut payload = msg.payload().as_object().cloned().unwrap_or_default();
        payload.insert("mark", self.0.as_str().into());
        msg.set("payload", payload);
        ctx.send_done(msg);
        Ok(())
    }
}

/// Sends a message twice for each that comes.
struct Twice;

impl Node for Twice {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        ctx.send(msg.clone());
        ctx.send(msg);
        Ok(())
    }
}

fn marks() -> TestFlows {
    TestFlows::with(|registry| {
        registry.add("mark", |_: Anything, build: &Build| {
            Ok::<_, ConfigError>(Mark(build.info.id.to_string()))
        });
        registry.add("twice", |_: Anything, _: &Build| {
            Ok::<_, ConfigError>(Twice)
        });
    })
}

#[tokio::test(start_paused = true)]
async fn each_wire_has_a_message_of_its_own() {
    let mut test = marks();
    let flows = json!([
        node("fan", "junction", json!({"wires": [["a", "b"]]})),
        node("a", "mark", json!({"wires": [["end"]]})),
        node("b", "mark", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test.send("fan", json!({"_msgid": "one", "payload": {"v": 1}}));
    let seen = test.settle().await;
    let expected = [
        json!({"payload": {"v": 1, "mark": "a"}}),
        json!({"payload": {"v": 1, "mark": "b"}}),
    ];
    assert_eq!(got(&seen, "end"), expected);
}

#[tokio::test(start_paused = true)]
async fn messages_keep_their_order_and_breadth_comes_first() {
    let mut test = marks();
    let flows = json!([
        node("fan", "junction", json!({"wires": [["a", "b"]]})),
        node("a", "junction", json!({"wires": [["end"]]})),
        node("b", "junction", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    for number in 0..500 {
        test.send("fan", json!({"payload": number}));
    }
    let numbers: Vec<i64> = test
        .received("end")
        .await
        .iter()
        .map(|msg| msg["payload"].as_f64().unwrap() as i64)
        .collect();
    let expected: Vec<i64> = (0..500).flat_map(|number| [number, number]).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_given_once_and_kept() {
    let mut test = marks();
    let flows = json!([
        node("a", "junction", json!({"wires": [["b"]]})),
        node("b", "junction", json!({}))
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test.send("a", json!({"_msgid": "mine"}));
    test.send("a", json!({}));
    let seen = test.settle().await;
    let ids: Vec<String> = seen
        .iter()
        .filter_map(|seen| match seen {
            crate::support::flows::Seen::Got(id, msg) if id == "b" => {
                Some(msg["_msgid"].as_str().unwrap().to_owned())
            }
            _ => None,
        })
        .collect();
    assert_eq!(ids[0], "mine");
    assert!(
        ids[1].len() == 16 && ids[1].chars().all(|digit| digit.is_ascii_hexdigit()),
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_loop_that_multiplies_fails_clearly_and_harms_nobody_else() {
    let mut test = marks();
    let flows = json!([
        node("x", "twice", json!({"wires": [["y"]]})),
        node("y", "junction", json!({"wires": [["x"]]})),
        node("other", "junction", json!({"z": "u", "wires": [["end"]]})),
        node("end", "junction", json!({"z": "u"})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test.send("x", json!({"payload": 1}));
    // Until the queue has overflowed; the other tab is served all the while.
    let mut errors: Vec<String> = Vec::new();
    let mut answered = 0;
    while errors.is_empty() {
        test.send("other", json!({}));
        let seen = test.after(Duration::from_millis(20)).await;
        errors.extend(logged(&seen, LogLevel::Error));
        answered += got(&seen, "end").len();
    }
    assert!(
        errors[0].starts_with("Too many messages wait in this flow"),
        "{errors:?}"
    );
    assert!(errors.len() < 20, "said {} times", errors.len());
    assert!(answered > 0);
    test.deploy(json!([]), DeployMode::Full).await;
}

#[tokio::test(start_paused = true)]
async fn wires_across_tabs_deliver() {
    let mut test = marks();
    let flows = json!([
        node("a", "junction", json!({"wires": [["b"]]})),
        node("b", "junction", json!({"z": "u", "wires": [["c"]]})),
        json!({"id": "c", "type": "junction"}),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test.send("a", json!({"payload": 1}));
    assert_eq!(test.received("c").await, [json!({"payload": 1})]);
}

/// What `node.send(value)` of a node with two outputs leads to: node and payload, and the errors.
async fn sent(value: Json) -> (Vec<(String, Json)>, Vec<String>) {
    let mut test = marks();
    let flows = json!([
        node("s", "junction", json!({"wires": [["a", "b"], ["c"], []]})),
        node("a", "junction", json!({})),
        node("b", "junction", json!({})),
        node("c", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    let ctx = test.engine.node("s").unwrap();
    ctx.send_value(from_wire(&value).unwrap());
    let seen = test.settle().await;
    let mut ids = Vec::new();
    let mut deliveries = Vec::new();
    for event in &seen {
        if let Seen::Got(id, msg) = event {
            deliveries.push((id.clone(), msg["payload"].clone()));
            ids.push(msg["_msgid"].clone());
        }
    }
    // However many there are, one call gives one id.
    ids.dedup();
    assert!(ids.len() <= 1, "{ids:?}");
    (deliveries, logged(&seen, LogLevel::Error))
}

#[tokio::test(start_paused = true)]
async fn one_call_sends_by_output_then_wire_then_message() {
    let to = |list: &[(&str, i64)]| -> Vec<(String, Json)> {
        let list = list.iter();
        list.map(|(id, payload)| ((*id).to_owned(), (*payload).into()))
            .collect()
    };
    let msg = |payload: i64| json!({ "payload": payload });
    for (value, expected, errors) in [
        (json!(null), vec![], 0),
        (json!({"$t": "undefined"}), vec![], 0),
        (msg(1), vec![("a", 1), ("b", 1)], 0),
        (json!([]), vec![], 0),
        (json!([msg(1)]), vec![("a", 1), ("b", 1)], 0),
        (json!([null, msg(2)]), vec![("c", 2)], 0),
        (
            json!([[msg(1), msg(2)], [msg(3), null, msg(4)]]),
            vec![("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 3), ("c", 4)],
            0,
        ),
        // What is no message is an error for each wire; the rest goes.
        (json!("text"), vec![], 1),
        (json!(7), vec![], 1),
        (json!(["text", msg(2)]), vec![("c", 2)], 2),
        (json!([["text", msg(1)], true]), vec![("a", 1), ("b", 1)], 3),
        // Outputs without a wire, and those beyond the last, are not looked at.
        (json!([null, null, "text", "text"]), vec![], 0),
    ] {
        let (deliveries, told) = sent(value.clone()).await;
        assert_eq!(deliveries, to(&expected), "{value}");
        assert_eq!(told.len(), errors, "{value}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_call_share_the_first_id_among_them() {
    let mut test = marks();
    let flows = json!([
        node("s", "junction", json!({"wires": [["a"], []]})),
        node("a", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    let mut ids = async |value: Json| -> Vec<Json> {
        let ctx = test.engine.node("s").unwrap();
        ctx.send_value(from_wire(&value).unwrap());
        let seen = test.settle().await;
        let ids = seen.iter().filter_map(|seen| match seen {
            Seen::Got(_, msg) => Some(msg["_msgid"].clone()),
            _ => None,
        });
        ids.collect()
    };
    let several = json!([[{}, {"_msgid": "x"}, {"_msgid": ""}, {"_msgid": "y"}]]);
    assert_eq!(ids(several).await, ["x", "x", "x", "y"]);
    // An output without a wire gives no id away.
    let other = ids(json!([{"payload": 1}, {"_msgid": "x"}])).await;
    assert_eq!(other[0].as_str().unwrap().len(), 16);
    assert_ne!(ids(json!({})).await, ids(json!({})).await);
}

#[tokio::test(start_paused = true)]
async fn without_a_wire_nothing_is_sent_and_nothing_is_wrong() {
    let mut test = marks();
    let flows = json!([node("s", "junction", json!({"wires": [[], []]}))]);
    test.deploy(flows, DeployMode::Full).await;
    let ctx = test.engine.node("s").unwrap();
    ctx.send_value("text".into());
    ctx.send_value(from_wire(&json!(["text", {}])).unwrap());
    assert_eq!(test.settle().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_whole() {
    let mut test = marks();
    let change = "msg.payload.list.push(3); msg.payload.buffer[0] = 9; msg.payload.date.setTime(7); msg.payload.map.set('k', 1); return msg";
    let flows = json!([
        node("fan", "junction", json!({"wires": [["a", "b"]]})),
        node(
            "a",
            "function",
            json!({"func": change, "wires": [["first"]]})
        ),
        node("b", "junction", json!({"wires": [["second"]]})),
        node("first", "junction", json!({})),
        node("second", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    let payload = |list: Json, buffer: &str, date: i64, map: Json| {
        json!({"payload": {
            "list": list,
            "buffer": {"$t": "buffer", "v": buffer},
            "date": {"$t": "date", "v": date},
            "map": {"$t": "map", "v": map}
        }})
    };
    let before = payload(json!([1, 2]), "AQI=", 5, json!([]));
    test.send("fan", before.clone());
    let seen = test.settle().await;
    let after = payload(json!([1, 2, 3]), "CQI=", 7, json!([["k", 1]]));
    assert_eq!(got(&seen, "first"), [after]);
    assert_eq!(got(&seen, "second"), [before]);
}

#[tokio::test(start_paused = true)]
async fn nodes_may_be_wired_to_themselves_and_in_circles() {
    let mut test = marks();
    let count = "msg.payload += 1; return msg.payload < 5 ? msg : null";
    let flows = json!([
        node(
            "own",
            "function",
            json!({"func": count, "wires": [["own"]]})
        ),
        node("x", "function", json!({"func": count, "wires": [["y"]]})),
        node("y", "junction", json!({"wires": [["x"]]})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test.send("own", json!({"payload": 0}));
    test.send("x", json!({"payload": 0}));
    let seen = test.settle().await;
    let payloads = |id: &str| -> Vec<Json> {
        let messages = got(&seen, id);
        messages.iter().map(|msg| msg["payload"].clone()).collect()
    };
    assert_eq!(payloads("own"), [0, 1, 2, 3, 4]);
    assert_eq!(payloads("y"), [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_puts_the_message_into_itself_ends_with_an_error() {
    let mut test = TestFlows::run(json!([
        {"id": "t", "type": "tab"},
        node("wrap", "change", json!({"rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "$$", "tot": "jsonata"}], "wires": [["wrap"]]})),
        node("nest", "join", json!({"mode": "custom", "build": "array", "count": "1", "wires": [["nest"]]})),
    ]))
    .await;
    for id in ["wrap", "nest"] {
        test.send(id, json!({"payload": 1}));
        let mut errors = Vec::new();
        for _ in 0..100 {
            errors.extend(logged(&test.settle().await, LogLevel::Error));
            if !errors.is_empty() {
                break;
            }
        }
        assert_eq!(errors.len(), 1, "{id}: {errors:?}");
    }
}
