//! MQTT nodes with the built-in broker.

use flowrill::{broker::Qos, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{Seen, got, node},
    mqtt::{MqttFlows, Outside, broker},
};

fn listening(properties: Json) -> Vec<Json> {
    vec![
        node("in", "mqtt in", properties),
        node("end", "junction", json!({})),
    ]
}

fn payloads(messages: &[Json]) -> Vec<&Json> {
    messages.iter().map(|msg| &msg["payload"]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_broker_uses_the_built_in_one() {
    let broker = broker().await;
    let outside = Outside::connect(&broker);
    outside.publish("t/a", "21.5", Qos::AtLeastOnce, true).await;
    let nodes = listening(json!({"topic": "t/#", "datatype": "auto-detect", "wires": [["end"]]}));
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("in", "connected").await;
    assert_eq!(
        test.messages("end", 1).await[0],
        json!({"topic": "t/a", "payload": 21.5, "qos": 1, "retain": true, "_topic": "t/a"})
    );
    // A restart subscribes again, and what the broker keeps comes again.
    test.forget().await;
    let nodes = listening(json!({"topic": "t/a", "datatype": "utf8", "wires": [["end"]]}));
    test.deploy(&nodes, DeployMode::Nodes).await;
    assert_eq!(test.messages("end", 1).await[0]["payload"], "21.5");
    test.flows.engine.stop().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_messages_keep_their_order() {
    let broker = broker().await;
    let nodes = [
        node("in", "mqtt in", json!({"topic": "a", "wires": [["out"]]})),
        node("out", "mqtt out", json!({"topic": "b", "qos": "1"})),
        node(
            "back",
            "mqtt in",
            json!({"topic": "b", "datatype": "json", "wires": [["end"]]}),
        ),
        node("end", "junction", json!({})),
    ];
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("in", "connected").await;
    test.status("back", "connected").await;
    let outside = Outside::connect(&broker);
    for number in 0..5_000 {
        outside
            .publish("a", &number.to_string(), Qos::AtLeastOnce, false)
            .await;
    }
    let messages = test.messages("end", 5_000).await;
    let expected: Vec<Json> = (0..5_000).map(Json::from).collect();
    assert_eq!(payloads(&messages), expected.iter().collect::<Vec<_>>());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_come_from_messages() {
    let broker = broker().await;
    let outside = Outside::connect(&broker);
    for topic in ["a", "b"] {
        outside.publish(topic, "1", Qos::AtMostOnce, true).await;
    }
    let nodes = listening(json!({"inputs": 1, "wires": [["end"]]}));
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("in", "connected").await;
    test.flows.send("in", json!({"action": "subscribe", "topic": ["a", {"topic": "b", "qos": 1, "datatype": "json"}]}));
    let mut messages = test.messages("end", 2).await;
    messages.sort_by_key(|msg| msg["topic"].to_string());
    assert_eq!(payloads(&messages), [&json!("1"), &json!(1)]);
    test.forget().await;
    test.flows
        .send("in", json!({"action": "unsubscribe", "topic": "a"}));
    test.flows.send("in", json!({"action": "getSubscriptions"}));
    let listed = &test.messages("end", 1).await[0];
    assert_eq!(listed["payload"][0]["topic"], "b");
    assert_eq!(listed["payload"].as_array().map(Vec::len), Some(1));
    test.flows
        .send("in", json!({"action": "subscribe", "topic": 5}));
    test.log("in", "msg.topic").await;
    test.flows.send("in", json!({"action": "dance"}));
    test.log("in", "msg.action").await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_json_is_an_error_and_a_wrong_topic_a_warning() {
    let broker = broker().await;
    let nodes = [
        node(
            "in",
            "mqtt in",
            json!({"topic": "a", "datatype": "json", "wires": [["end"]]}),
        ),
        node(
            "catch",
            "catch",
            json!({"scope": null, "wires": [["caught"]]}),
        ),
        node("end", "junction", json!({})),
        node("caught", "junction", json!({})),
        node("out", "mqtt out", json!({})),
    ];
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("in", "connected").await;
    let outside = Outside::connect(&broker);
    outside.publish("a", "{", Qos::AtMostOnce, true).await;
    let caught = &test.messages("caught", 1).await[0];
    assert_eq!(caught["topic"], "a");
    assert_eq!(caught["error"]["source"]["id"], "in");
    test.flows
        .send("out", json!({"topic": "a/+", "payload": "x"}));
    test.log("out", "no valid topic").await;
    assert!(got(test.seen().await, "end").is_empty());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_broker_the_node_says_so() {
    let nodes = listening(json!({"topic": "a"}));
    let mut test = MqttFlows::run(None, &nodes).await;
    test.log("in", "No broker").await;
    assert!(
        !test
            .seen()
            .await
            .iter()
            .any(|seen| matches!(seen, Seen::Got(..)))
    );
}
