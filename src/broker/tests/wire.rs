//! A client that writes and reads bytes, so that tests can also do what no library does.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::broker::{Broker, BrokerConfig, ListenerConfig, User, hash_password, stream::Socket};

/// Only against hanging for ever; nothing measures it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A packet as it came: first byte and everything behind the length.
pub(super) type Packet = (u8, Vec<u8>);

/// A broker on a free port.
pub(super) async fn broker() -> Broker {
    Broker::start(config()).await.unwrap()
}

/// Defaults on a free port.
pub(super) fn config() -> BrokerConfig {
    BrokerConfig {
        listeners: vec![ListenerConfig::tcp(([127, 0, 0, 1], 0).into())],
        ..BrokerConfig::default()
    }
}

/// A user with this password, and no rules.
pub(super) fn user(password: &str) -> User {
    User {
        password: hash_password(password.as_bytes()).unwrap(),
        roles: Vec::new(),
        rules: Vec::new(),
    }
}

/// CONNECT of MQTT 3.1.1 with a name and a password.
pub(super) fn login(id: &str, clean: bool, user: &[u8], password: &[u8]) -> Vec<u8> {
    let flags = 0xC0 | if clean { 2 } else { 0 };
    let names = [text(id), text(user), text(password)].concat();
    packet(0x10, &[&text("MQTT"), &[4, flags, 0, 60], &names])
}

/// A text with its length.
pub(super) fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(text);
    bytes
}

/// First byte, length, content.
pub(super) fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![first];
    let mut rest = body.len();
    loop {
        let byte = (rest & 0x7F) as u8;
        rest >>= 7;
        if rest == 0 {
            bytes.push(byte);
            break;
        }
        bytes.push(byte | 0x80);
    }
    bytes.extend(body);
    bytes
}

/// PUBLISH of MQTT 3.1.1.
pub(super) fn publish(topic: &str, payload: &[u8], flags: u8, id: u16) -> Vec<u8> {
    let id = id.to_be_bytes();
    let id: &[u8] = if flags & 0x06 == 0 { &[] } else { &id };
    packet(0x30 | flags, &[&text(topic), id, payload])
}

/// CONNECT of MQTT 3.1.1.
pub(super) fn connect(id: &str, clean: bool) -> Vec<u8> {
    let flags = if clean { 2 } else { 0 };
    packet(0x10, &[&text("MQTT"), &[4, flags, 0, 60], &text(id)])
}

/// CONNECT of MQTT 5 with these properties.
pub(super) fn connect_5(id: &str, clean: bool, properties: &[u8]) -> Vec<u8> {
    let flags = if clean { 2 } else { 0 };
    let length = [properties.len() as u8];
    packet(
        0x10,
        &[
            &text("MQTT"),
            &[5, flags, 0, 60],
            &length,
            properties,
            &text(id),
        ],
    )
}

/// PUBLISH of MQTT 5, QoS 0, with these properties.
pub(super) fn publish_5(topic: &str, properties: &[u8], payload: &[u8]) -> Vec<u8> {
    packet(
        0x30,
        &[&text(topic), &[properties.len() as u8], properties, payload],
    )
}

/// SUBSCRIBE of MQTT 5.
pub(super) fn subscribe_5(filter: &str, properties: &[u8], options: u8) -> Vec<u8> {
    let length = [properties.len() as u8];
    packet(
        0x82,
        &[&[0, 9], &length, properties, &text(filter), &[options]],
    )
}

/// Topic, properties and payload of a QoS 0 PUBLISH.
pub(super) fn parts((first, body): &Packet) -> (String, Vec<u8>, Vec<u8>) {
    assert_eq!(first & 0xF6, 0x30);
    let length = usize::from(body[1]);
    let (topic, rest) = body[2..].split_at(length);
    let (properties, payload) = rest[1..].split_at(usize::from(rest[0]));
    (
        String::from_utf8(topic.to_vec()).unwrap(),
        properties.to_vec(),
        payload.to_vec(),
    )
}

/// One connection.
pub(super) struct Wire {
    stream: Box<dyn Socket>,
}

impl Wire {
    /// A connection on which nothing was said.
    pub(super) async fn open(broker: &Broker) -> Self {
        let stream = TcpStream::connect(broker.address().unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// As [`Wire::open`], over something else than TCP.
    pub(super) fn over(stream: impl Socket) -> Self {
        Self {
            stream: Box::new(stream),
        }
    }

    /// A connected client (MQTT 3.1.1, clean session).
    pub(super) async fn client(broker: &Broker, id: &str) -> Self {
        let mut wire = Self::open(broker).await;
        wire.send(&connect(id, true)).await;
        assert_eq!(wire.next().await, (0x20, vec![0, 0]), "{id}");
        wire
    }

    /// A client with a session that stays; whether it was there.
    pub(super) async fn lasting(broker: &Broker, id: &str) -> (Self, bool) {
        let mut wire = Self::open(broker).await;
        wire.send(&connect(id, false)).await;
        let (first, body) = wire.next().await;
        assert_eq!((first, body[1]), (0x20, 0));
        (wire, body[0] == 1)
    }

    /// A connected client of MQTT 5.
    pub(super) async fn client_5(broker: &Broker, id: &str, properties: &[u8]) -> Self {
        let mut wire = Self::open(broker).await;
        wire.send(&connect_5(id, true, properties)).await;
        let (first, body) = wire.next().await;
        assert_eq!((first, body[1]), (0x20, 0));
        wire
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// As [`Wire::send`]; the broker may have closed already.
    pub(super) async fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Subscribes (MQTT 3.1.1) and waits for SUBACK, which must be the next packet.
    pub(super) async fn subscribe(&mut self, filter: &str, qos: u8) {
        self.send(&packet(0x82, &[&[0, 9], &text(filter), &[qos]]))
            .await;
        assert_eq!(self.next().await, (0x90, vec![0, 9, qos]), "{filter}");
    }

    /// The next packet; none when the broker has closed.
    pub(super) async fn try_next(&mut self) -> Option<Packet> {
        timeout(PATIENCE, async {
            let first = self.stream.read_u8().await.ok()?;
            let mut length = 0;
            for shift in 0..4 {
                let byte = self.stream.read_u8().await.ok()?;
                length |= usize::from(byte & 0x7F) << (7 * shift);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((first, body))
        })
        .await
        .expect("the broker says nothing")
    }

    pub(super) async fn next(&mut self) -> Packet {
        self.try_next().await.expect("the broker has closed")
    }

    /// The next PUBLISH (MQTT 3.1.1): first byte, topic, packet identifier, payload. Other packets are an error.
    pub(super) async fn message(&mut self) -> (u8, String, u16, Vec<u8>) {
        let (first, body) = self.next().await;
        assert_eq!(first >> 4, 3, "{body:?}");
        split(first, &body)
    }

    /// The broker has closed, with or without a last word.
    pub(super) async fn closed(&mut self) -> Option<Packet> {
        let mut last = None;
        while let Some(packet) = self.try_next().await {
            last = Some(packet);
        }
        last
    }
}

/// The parts of a PUBLISH without properties.
pub(super) fn split(first: u8, body: &[u8]) -> (u8, String, u16, Vec<u8>) {
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let (topic, rest) = body[2..].split_at(length);
    let (id, payload) = match first & 0x06 {
        0 => (0, rest),
        _ => (u16::from_be_bytes([rest[0], rest[1]]), &rest[2..]),
    };
    let topic = String::from_utf8(topic.to_vec()).unwrap();
    (first, topic, id, payload.to_vec())
}

/// The broker still serves: a new client gets its own message.
pub(super) async fn assert_serves(broker: &Broker) {
    let mut probe = Wire::client(broker, "probe").await;
    probe.subscribe("probe", 0).await;
    probe.send(&publish("probe", b"x", 0, 0)).await;
    assert_eq!(
        probe.message().await,
        (0x30, "probe".into(), 0, b"x".to_vec())
    );
    probe.send(&[0xE0, 0]).await;
    probe.closed().await;
}
