//! Order, copies, ids and the limits of a flow's queue.

use std::time::Duration;

use flowrill::{
    engine::{Build, ConfigError, Failed, LogLevel, Node, NodeContext},
    flow::DeployMode,
    message::Message,
};
use serde::Deserialize;
use serde_json::json;

use crate::support::flows::{TestFlows, got, logged, node};

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
