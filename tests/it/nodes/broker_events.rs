//! What clients of the built-in broker do, as the nodes of imported flows tell it.

use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    flows::node,
    mqtt::{MqttFlows, broker},
};

/// A port that nobody has.
async fn free_port() -> u16 {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    taken.local_addr().unwrap().port()
}

/// A device: what it sends, and how many bytes it is answered with before it sends the next.
async fn device(port: u16, talk: &[(&[u8], usize)]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut answers = Vec::new();
    for (packet, answer) in talk {
        stream.write_all(packet).await.unwrap();
        let mut bytes = vec![0; *answer];
        stream.read_exact(&mut bytes).await.unwrap();
        answers.extend(bytes);
    }
    stream.read_to_end(&mut answers).await.unwrap();
    answers
}

const CONNECT: &[u8] = b"\x10\x0f\0\x04MQTT\x04\x02\0\x3c\0\x03esp";
const CONNECT_LOGIN: &[u8] = b"\x10\x19\0\x04MQTT\x04\xc2\0\x3c\0\x03esp\0\x03jim\0\x03pwd";
const CONNECT_WRONG: &[u8] = b"\x10\x19\0\x04MQTT\x04\xc2\0\x3c\0\x03esp\0\x03jim\0\x03abc";
const SUBSCRIBE: &[u8] = b"\x82\x08\0\x01\0\x03a/#\x01";
const PUBLISH: &[u8] = b"\x30\x08\0\x04hallon";
const UNSUBSCRIBE: &[u8] = b"\xa2\x07\0\x02\0\x03a/#";
const DISCONNECT: &[u8] = b"\xe0\0";

fn events_node(kind: &str, properties: Json) -> Vec<Json> {
    let mut tested = node("n", kind, json!({"wires": [["events"], ["messages"]]}));
    for (key, value) in properties.as_object().unwrap() {
        tested[key] = value.clone();
    }
    let junction = |id| node(id, "junction", json!({}));
    vec![tested, junction("events"), junction("messages")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aedes_tells_what_clients_do() {
    let broker = broker().await;
    let port = free_port().await;
    let nodes = events_node(
        "aedes broker",
        json!({"mqtt_port": port, "mqtt_ws_port": ""}),
    );
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("n", "connected").await;
    let talk = [
        (CONNECT, 4),
        (SUBSCRIBE, 5),
        (PUBLISH, 0),
        (UNSUBSCRIBE, 4),
        (DISCONNECT, 0),
    ];
    device(port, &talk).await;
    let told = test.messages("events", 5).await;
    let topics: Vec<&Json> = told.iter().map(|msg| &msg["topic"]).collect();
    assert_eq!(
        topics,
        [
            "client",
            "clientReady",
            "subscribe",
            "unsubscribe",
            "clientDisconnect"
        ]
    );
    let client = &told[0]["payload"]["client"];
    assert_eq!(
        (&client["id"], &client["version"], &client["connected"]),
        (&json!("esp"), &json!(4), &json!(true))
    );
    assert_eq!(client["conn"]["remoteAddress"], "127.0.0.1");
    assert_eq!(
        (&told[2]["payload"]["topic"], &told[2]["payload"]["qos"]),
        (&json!("a/#"), &json!(1))
    );
    let messages = test.messages("messages", 1).await;
    let payload = &messages[0]["payload"];
    assert_eq!(messages[0]["topic"], "publish");
    assert_eq!(payload["client"]["id"], "esp");
    assert_eq!(payload["packet"]["topic"], "hall");
    assert_eq!(
        payload["packet"]["payload"],
        json!({"$t": "buffer", "v": "b24="})
    );
    test.status("n", "connected 0").await;
    // What breaks the protocol.
    device(port, &[(CONNECT, 4), (b"\x36\x00", 0)]).await;
    let told = test.messages("events", 9).await;
    assert_eq!(told[7]["topic"], "clientError");
    assert!(told[7]["payload"]["err"]["message"].is_string());
    // The port is there as long as the node.
    test.deploy(&nodes[1..], flowrill::flow::DeployMode::Full)
        .await;
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosca_and_its_user() {
    let broker = broker().await;
    let port = free_port().await;
    let nodes = events_node(
        "mosca in",
        json!({"mqtt_port": port.to_string(), "mqtt_ws_port": "", "username": "jim", "password": "pwd"}),
    );
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("n", "connected").await;
    assert_eq!(device(port, &[(CONNECT_WRONG, 4)]).await, b"\x20\x02\0\x04");
    assert_eq!(device(port, &[(CONNECT, 4)]).await, b"\x20\x02\0\x05");
    let talk = [
        (CONNECT_LOGIN, 4),
        (SUBSCRIBE, 5),
        (PUBLISH, 0),
        (DISCONNECT, 0),
    ];
    device(port, &talk).await;
    let told = test.messages("events", 4).await;
    let mut topics: Vec<&str> = told
        .iter()
        .map(|msg| msg["topic"].as_str().unwrap())
        .collect();
    // Messages and events take two ways.
    topics.sort_unstable();
    assert_eq!(
        topics,
        [
            "clientConnected",
            "clientDisconnected",
            "published",
            "subscribed"
        ]
    );
    assert!(
        told.iter()
            .all(|msg| msg["payload"]["client"]["user"] == "jim")
    );
    // Without the node nobody needs a name any more.
    test.deploy(&nodes[1..], flowrill::flow::DeployMode::Full)
        .await;
    while !broker.access().users.is_empty() {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_told() {
    let broker = broker().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let properties = json!({
        "mqtt_port": port, "mqtt_ws_bind": "path", "mqtt_ws_path": "/ws", "usetls": false
    });
    let nodes = events_node("aedes broker", properties);
    let mut test = MqttFlows::run(Some(&broker), &nodes).await;
    test.status("n", "disconnected").await;
    let mut test = MqttFlows::run(None, &nodes).await;
    test.status("n", "disconnected").await;
    broker.stop().await;
}
