//! MQTT in at QoS 2 over lost connections: a broker that keeps its session sends again what it has no answer to.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::support::{flows::node, mqtt::MqttFlows};

/// Only against hanging for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// The broker's end of a connection.
struct Connection {
    stream: TcpStream,
    is_5: bool,
}

impl Connection {
    /// The next one, up to its subscription.
    async fn accept(listener: &TcpListener, is_5: bool, session_present: u8) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut connection = Self { stream, is_5 };
        assert_eq!(connection.next().await.0, 0x10);
        let properties: &[u8] = if is_5 { &[0] } else { &[] };
        connection
            .send(0x20, &[&[session_present, 0], properties].concat())
            .await;
        let (first, body) = connection.next().await;
        assert_eq!(first, 0x82);
        connection
            .send(0x90, &[&body[..2], properties, &[2]].concat())
            .await;
        connection
    }

    async fn send(&mut self, first: u8, body: &[u8]) {
        let packet = [&[first, body.len() as u8], body].concat();
        self.stream.write_all(&packet).await.unwrap();
    }

    async fn publish(&mut self, first: u8, id: u8) {
        let properties: &[u8] = if self.is_5 { &[0] } else { &[] };
        let body = [&[0, 1, b't', 0, id], properties, &[b'0' + id]].concat();
        self.send(first, &body).await;
    }

    async fn next(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).await.unwrap();
            let mut body = vec![0; head[1].into()];
            self.stream.read_exact(&mut body).await.unwrap();
            (head[0], body)
        };
        timeout(PATIENCE, read).await.expect("nothing comes")
    }

    /// The next packet is such an answer.
    async fn gets(&mut self, first: u8, id: u8) {
        let (got, body) = self.next().await;
        assert_eq!((got, &body[..2]), (first, &[0, id][..]));
    }

    async fn release(&mut self, id: u8) {
        self.send(0x62, &[0, id]).await;
        self.gets(0x70, id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_comes_once() {
    for is_5 in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nodes = [
            json!({
                "id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": listener.local_addr().unwrap().port(),
                "protocolVersion": if is_5 { "5" } else { "4" }, "cleansession": false, "sessionExpiry": 600, "clientid": "c"
            }),
            node(
                "in",
                "mqtt in",
                json!({"broker": "b", "topic": "t", "qos": "2", "datatype": "utf8", "wires": [["end"]]}),
            ),
            node("end", "junction", json!({})),
        ];
        let mut test = MqttFlows::run(None, &nodes).await;
        let mut connection = Connection::accept(&listener, is_5, 0).await;
        // Lost between PUBREC and PUBREL…
        connection.publish(0x34, 1).await;
        connection.gets(0x50, 1).await;
        drop(connection);
        let mut connection = Connection::accept(&listener, is_5, 1).await;
        connection.release(1).await;
        // …and before PUBREC, as far as the broker knows.
        connection.publish(0x34, 2).await;
        connection.gets(0x50, 2).await;
        drop(connection);
        let mut connection = Connection::accept(&listener, is_5, 1).await;
        connection.publish(0x3C, 2).await;
        connection.gets(0x50, 2).await;
        connection.release(2).await;
        connection.publish(0x34, 1).await;
        connection.gets(0x50, 1).await;
        connection.release(1).await;
        connection.publish(0x34, 3).await;
        connection.gets(0x50, 3).await;
        let messages = test.messages("end", 4).await;
        let payloads: Vec<_> = messages.iter().map(|msg| &msg["payload"]).collect();
        assert_eq!(payloads, ["1", "2", "1", "3"]);
    }
}
