//! MQTT nodes with a broker that they reach over the network.

use flowrill::flow::DeployMode;
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{Seen, got, node},
    mqtt::{MqttFlows, broker, broker_at},
};

fn broker_node(port: u16, properties: Json) -> Json {
    let mut node = json!({"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port});
    for (key, value) in properties.as_object().unwrap() {
        node[key] = value.clone();
    }
    node
}

/// A flow that publishes what `out` gets and shows at `end` what `in` hears.
fn there_and_back(port: u16, broker: Json, qos: &str) -> Vec<Json> {
    vec![
        broker_node(port, broker),
        node("out", "mqtt out", json!({"broker": "b", "qos": qos})),
        node(
            "in",
            "mqtt in",
            json!({"broker": "b", "topic": "t/#", "qos": "2", "datatype": "auto-detect", "wires": [["end"]]}),
        ),
        node("end", "junction", json!({})),
        node(
            "done",
            "complete",
            json!({"scope": ["out"], "wires": [["finished"]]}),
        ),
        node("finished", "junction", json!({})),
    ]
}

/// The flow's own subscription has to be there before the first message.
async fn subscribed(test: &mut MqttFlows) {
    test.status("in", "connected").await;
    for _ in 0..100 {
        test.flows
            .send("out", json!({"topic": "t/hello", "payload": "hello"}));
        let seen = test.seen().await;
        if seen
            .iter()
            .any(|seen| matches!(seen, Seen::Got(node, _) if node == "end"))
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    test.forget().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_there_and_back() {
    let broker = broker().await;
    for (protocol, qos) in [
        ("4", "0"),
        ("4", "1"),
        ("4", "2"),
        ("5", "0"),
        ("5", "1"),
        ("5", "2"),
    ] {
        let nodes = there_and_back(
            broker.address().unwrap().port(),
            json!({"protocolVersion": protocol}),
            qos,
        );
        let mut test = MqttFlows::run(None, &nodes).await;
        subscribed(&mut test).await;
        for number in 0..300 {
            test.flows
                .send("out", json!({"topic": "t/a", "payload": {"n": number}}));
        }
        let messages = test.messages("end", 300).await;
        let numbers: Vec<&Json> = messages.iter().map(|msg| &msg["payload"]["n"]).collect();
        let expected: Vec<Json> = (0..300).map(Json::from).collect();
        assert_eq!(
            numbers,
            expected.iter().collect::<Vec<_>>(),
            "{protocol} {qos}"
        );
        assert_eq!(
            messages[0],
            json!({"topic": "t/a", "payload": {"n": 0}, "qos": qos.parse::<u8>().unwrap(), "retain": false, "_topic": "t/a"})
        );
        test.messages("finished", 300).await;
        test.flows.engine.stop().await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mqtt_5_properties_travel_along() {
    let broker = broker().await;
    let nodes = there_and_back(
        broker.address().unwrap().port(),
        json!({"protocolVersion": "5"}),
        "1",
    );
    let mut test = MqttFlows::run(None, &nodes).await;
    subscribed(&mut test).await;
    test.flows.send(
        "out",
        json!({"topic": "t/a", "payload": "5", "contentType": "text/plain", "responseTopic": "t/r", "messageExpiryInterval": 60,
            "correlationData": {"$t": "buffer", "v": "AQI="}, "userProperties": {"a": "1", "b": ["2", "3"]}}),
    );
    let message = &test.messages("end", 1).await[0];
    for (key, value) in [
        ("payload", json!("5")),
        ("contentType", json!("text/plain")),
        ("responseTopic", json!("t/r")),
        ("correlationData", json!({"$t": "buffer", "v": "AQI="})),
        ("userProperties", json!({"a": "1", "b": ["2", "3"]})),
    ] {
        assert_eq!(message[key], value, "{key}");
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_broker_is_found_again() {
    let broker = broker().await;
    let port = broker.address().unwrap().port();
    let nodes = there_and_back(port, json!({}), "1");
    let mut test = MqttFlows::run(None, &nodes).await;
    subscribed(&mut test).await;
    broker.stop().await;
    test.until("that it is gone", |seen| {
        seen.iter().find_map(|seen| match seen {
            Seen::Status(node, status) if node == "in" && status["text"] == "disconnected" => {
                Some(())
            }
            _ => None,
        })
    })
    .await;
    // Waits for the connection instead of being lost.
    test.flows
        .send("out", json!({"topic": "t/late", "payload": "late"}));
    let broker = broker_at(port).await;
    let messages = test.messages("end", 1).await;
    assert_eq!(messages[0]["payload"], "late");
    test.status("in", "connected").await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn birth_close_and_will_are_published() {
    let broker = broker().await;
    let port = broker.address().unwrap().port();
    let watch = [
        json!({"id": "w", "type": "mqtt-broker", "broker": "127.0.0.1", "port": port}),
        node(
            "watch",
            "mqtt in",
            json!({"broker": "w", "topic": "alive", "wires": [["end"]]}),
        ),
        node("end", "junction", json!({})),
    ];
    let mut watcher = MqttFlows::run(None, &watch).await;
    watcher.status("watch", "connected").await;
    let nodes = there_and_back(
        port,
        json!({"birthTopic": "alive", "birthPayload": "yes", "birthRetain": "true", "birthQos": "1",
            "closeTopic": "alive", "closePayload": "no", "closeQos": "1",
            "willTopic": "alive", "willPayload": "lost"}),
        "0",
    );
    let test = MqttFlows::run(None, &nodes).await;
    assert_eq!(watcher.messages("end", 1).await[0]["payload"], "yes");
    test.flows.engine.stop().await;
    watcher
        .until("the closing message", |seen| {
            got(seen, "end")
                .iter()
                .find_map(|msg| (msg["payload"] == "no").then_some(()))
        })
        .await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_run_says_why() {
    for (properties, expected) in [
        (
            json!({"broker": "http://mqtt.example.com"}),
            "leads to no MQTT broker",
        ),
        (json!({"broker": "wss://"}), "port"),
        (json!({"port": "x"}), "port"),
        (json!({"builtin": true}), "No broker"),
    ] {
        let nodes = there_and_back(1883, properties, "0");
        let mut test = MqttFlows::run(None, &nodes).await;
        test.log("b", expected).await;
        test.log("in", expected).await;
        test.log("out", expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_connects_elsewhere() {
    let broker = broker().await;
    let nodes = there_and_back(1, json!({"autoConnect": false}), "1");
    let mut test = MqttFlows::run(None, &nodes).await;
    test.flows
        .send("out", json!({"topic": "t/a", "payload": "too early"}));
    test.log("out", "Not connected").await;
    let port = broker.address().unwrap().port();
    test.flows.send(
        "out",
        json!({"action": "connect", "broker": {"port": port}}),
    );
    subscribed(&mut test).await;
    test.flows.send(
        "out",
        json!({"action": "connect", "broker": {"port": port}}),
    );
    test.log("out", "Already connected").await;
    test.flows.send(
        "out",
        json!({"action": "connect", "broker": {"port": port, "force": true}}),
    );
    test.messages("finished", 1).await;
    subscribed(&mut test).await;
    test.flows.send("out", json!({"action": "disconnect"}));
    test.status("in", "disconnected").await;
    test.deploy(&[], DeployMode::Full).await;
    broker.stop().await;
}
