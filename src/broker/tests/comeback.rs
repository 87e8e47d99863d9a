//! A client that is back before the broker has read all that it said over its older connection.

use std::sync::Arc;

use super::wire::{Wire, config, packet, publish, text};
use crate::broker::{
    Broker, BrokerConfig, Qos,
    message::{Body, Origin, Publication},
    outbox::{Delivery, Link},
    sessions::Start,
};

/// CONNECT of MQTT 5 with a will, and a session of an hour.
fn connect() -> Vec<u8> {
    let expiry = [5, 0x11, 0, 0, 0x0E, 0x10];
    let will = [vec![0], text("will"), text("gone")].concat();
    packet(
        0x10,
        &[
            &text("MQTT"),
            &[5, 0x04, 0, 60],
            &expiry,
            &text("device"),
            &will,
        ],
    )
}

/// A broker that reads no more from the device for a while, and somebody who watches.
async fn deaf_broker() -> (Broker, Wire, Wire) {
    let broker = Broker::start(BrokerConfig {
        max_message_rate: 1,
        ..config()
    })
    .await
    .unwrap();
    let mut watcher = Wire::client(&broker, "watcher").await;
    watcher.subscribe("#", 1).await;
    let mut device = Wire::open(&broker).await;
    device.send(&connect()).await;
    assert_eq!(device.next().await.1[..2], [0, 0]);
    let burst = publish("burst", b"", 0, 0);
    // A byte of properties stands before the payload in MQTT 5.
    let burst = [&burst[..1], &[burst[1] + 1], &burst[2..], &[0]].concat();
    device.send(&burst.repeat(20)).await;
    for _ in 0..20 {
        assert_eq!(watcher.message().await.1, "burst");
    }
    (broker, device, watcher)
}

async fn back(broker: &Broker) -> (Wire, bool) {
    let mut device = Wire::open(broker).await;
    device.send(&connect()).await;
    let (first, body) = device.next().await;
    assert_eq!((first, body[1]), (0x20, 0));
    (device, body[0] == 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_said_goodbye_has_no_will() {
    let (broker, mut device, mut watcher) = deaf_broker().await;
    let last = [&[0x32, 9][..], &text("last"), &[0, 1, 0]].concat();
    device.send(&[last, vec![0xE0, 0]].concat()).await;
    let (_device, present) = back(&broker).await;
    assert!(present);
    assert_eq!(watcher.message().await.1, "last");
    let mut other = Wire::client(&broker, "other").await;
    other.send(&publish("end", b"", 0, 0)).await;
    assert_eq!(watcher.message().await.1, "end");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_goodbye_ends_is_over() {
    let (broker, mut device, _watcher) = deaf_broker().await;
    device.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0]).await;
    let (_device, present) = back(&broker).await;
    assert!(!present);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_taken_over_without_a_word_has_one() {
    let (broker, mut device, mut watcher) = deaf_broker().await;
    let (_device, present) = back(&broker).await;
    assert!(present);
    assert_eq!(watcher.message().await.1, "will");
    assert_eq!(device.closed().await, Some((0xE0, vec![0x8E])));
    broker.stop().await;
}

/// The older connection's task may have found the session its own a moment before: what it took then, the client would not get
/// before it comes back once more.
#[tokio::test]
async fn an_older_connection_takes_no_messages() {
    let broker = Broker::start(BrokerConfig::default()).await.unwrap();
    let core = &broker.core;
    let open = || {
        let identity = core.access.identity(None, "device");
        let start = Start {
            clean: false,
            expiry: 60,
        };
        let sessions = &core.sessions;
        let opened = sessions.open("device", start, Link::Remote, 9, None, identity);
        opened.unwrap_or_else(|reason| panic!("refused: {reason:#04x}"))
    };
    let (older, newer) = (open(), open());
    let body = Body::new("a", b"x");
    let qos = Qos::AtLeastOnce;
    let publication = Publication::new(body, qos, false, None, Origin::Broker, &core.memory);
    let delivery = Delivery {
        publication: Arc::new(publication),
        qos,
        retain: false,
        ids: None,
        shared: None,
        seq: 0,
        again: false,
    };
    newer.session.push(delivery, &core.journal);
    let take = |connection| {
        let mut sent = Vec::new();
        newer
            .session
            .take(connection, &mut sent, &mut Vec::new(), 9);
        sent.len()
    };
    assert_eq!(take(older.connection), 0);
    assert_eq!(take(newer.connection), 1);
    broker.stop().await;
}
