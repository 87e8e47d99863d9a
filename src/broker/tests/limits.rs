//! Limits of connections, logins and rates: what each is answered with, and that it is counted.

use std::{net::SocketAddr, time::Duration};

use super::wire::{Wire, broker, config, connect, connect_5, login, packet, publish, text, user};
use crate::broker::{AccessConfig, Broker, BrokerConfig, Exceeded, Peer};

/// A connection that comes from this network address.
fn from(broker: &Broker, address: &str) -> Wire {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let address: SocketAddr = format!("{address}:1").parse().unwrap();
    let (broker, tasks) = (broker.clone(), broker.core.tasks.clone());
    tasks.spawn(async move { broker.serve(Box::new(theirs), Peer::Network(address)).await });
    Wire::over(ours)
}

async fn connack(wire: &mut Wire, connect: &[u8]) -> u8 {
    wire.send(connect).await;
    let (first, body) = wire.next().await;
    assert_eq!(first, 0x20);
    body[1]
}

fn exceeded(broker: &Broker) -> Exceeded {
    broker.stats().exceeded
}

async fn open_to_all(config: BrokerConfig) -> Broker {
    let open = BrokerConfig {
        open_to_all: true,
        ..config
    };
    Broker::start(open).await.unwrap()
}

#[tokio::test]
async fn connections_in_all() {
    let broker = open_to_all(BrokerConfig {
        max_connections: 2,
        ..config()
    })
    .await;
    let _first = Wire::client(&broker, "a").await;
    let second = Wire::client(&broker, "b").await;
    let mut third = Wire::open(&broker).await;
    assert_eq!(connack(&mut third, &connect("c", true)).await, 3);
    third.closed().await;
    let mut third = Wire::open(&broker).await;
    assert_eq!(connack(&mut third, &connect_5("c", true, &[])).await, 0x89);
    assert_eq!(exceeded(&broker).connections, 2);
    drop(second);
    // Its place is free once the broker has noticed.
    while connack(&mut Wire::open(&broker).await, &connect("c", true)).await != 0 {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test]
async fn connections_of_an_address() {
    let broker = open_to_all(BrokerConfig {
        max_connections_per_address: 1,
        ..config()
    })
    .await;
    let mut first = from(&broker, "192.0.2.7");
    assert_eq!(connack(&mut first, &connect("a", true)).await, 0);
    let mut second = from(&broker, "192.0.2.7");
    assert_eq!(connack(&mut second, &connect_5("b", true, &[])).await, 0x97);
    let mut second = from(&broker, "192.0.2.7");
    assert_eq!(connack(&mut second, &connect("b", true)).await, 3);
    // Others, and this machine, are not concerned. An IPv6 network counts as one.
    let mut other = from(&broker, "192.0.2.8");
    assert_eq!(connack(&mut other, &connect("c", true)).await, 0);
    let (_one, _two) = (
        Wire::client(&broker, "d").await,
        Wire::client(&broker, "e").await,
    );
    let mut one = from(&broker, "[2001:db8::1]");
    assert_eq!(connack(&mut one, &connect("f", true)).await, 0);
    let mut same = from(&broker, "[2001:db8::2]");
    assert_eq!(connack(&mut same, &connect("g", true)).await, 3);
    assert_eq!(exceeded(&broker).connections_per_address, 3);
    drop(first);
    while connack(&mut from(&broker, "192.0.2.7"), &connect("b", true)).await != 0 {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test]
async fn connections_of_a_user() {
    let broker = Broker::start(BrokerConfig {
        max_connections_per_user: 1,
        access: AccessConfig {
            users: [("ann".into(), user("x")), ("bob".into(), user("x"))].into(),
            ..AccessConfig::default()
        },
        ..config()
    })
    .await
    .unwrap();
    let mut first = Wire::open(&broker).await;
    assert_eq!(
        connack(&mut first, &login("a", true, b"ann", b"x")).await,
        0
    );
    let mut second = Wire::open(&broker).await;
    assert_eq!(
        connack(&mut second, &login("b", true, b"ann", b"x")).await,
        3
    );
    let mut other = Wire::open(&broker).await;
    assert_eq!(
        connack(&mut other, &login("c", true, b"bob", b"x")).await,
        0
    );
    // Who takes the place of its own older connection needs no further one.
    let mut again = Wire::open(&broker).await;
    assert_eq!(
        connack(&mut again, &login("a", true, b"ann", b"x")).await,
        0
    );
    first.closed().await;
    assert_eq!(exceeded(&broker).connections_per_user, 1);
    broker.stop().await;
}

#[tokio::test]
async fn connections_that_come_too_fast() {
    let broker = open_to_all(BrokerConfig {
        max_connect_rate: 1,
        ..config()
    })
    .await;
    for index in 0..10 {
        let mut wire = from(&broker, "192.0.2.7");
        assert_eq!(connack(&mut wire, &connect("a", true)).await, 0, "{index}");
    }
    let mut codes = Vec::new();
    while !codes.contains(&0x9F) {
        let mut wire = from(&broker, "192.0.2.7");
        codes.push(connack(&mut wire, &connect_5("a", true, &[])).await);
    }
    assert_eq!(exceeded(&broker).connect_rate, 1);
    let mut other = from(&broker, "192.0.2.8");
    assert_eq!(connack(&mut other, &connect("b", true)).await, 0);
    broker.stop().await;
}

#[tokio::test]
async fn wrong_passwords_one_after_the_other() {
    let broker = Broker::start(BrokerConfig {
        max_failed_logins: 3,
        access: AccessConfig {
            users: [("ann".into(), user("x"))].into(),
            ..AccessConfig::default()
        },
        ..config()
    })
    .await
    .unwrap();
    // Right ones do not count, however many there are.
    for _ in 0..5 {
        let mut wire = from(&broker, "192.0.2.7");
        assert_eq!(connack(&mut wire, &login("a", true, b"ann", b"x")).await, 0);
    }
    let mut codes = Vec::new();
    while !codes.contains(&3) {
        let mut wire = from(&broker, "192.0.2.7");
        codes.push(connack(&mut wire, &login("b", true, b"bob", b"x")).await);
    }
    assert!(codes.starts_with(&[4, 4, 4]), "{codes:?}");
    assert_eq!(exceeded(&broker).failed_logins, 1);
    // Who was here before comes in all the same, and so does everybody from elsewhere.
    let mut known = from(&broker, "192.0.2.7");
    assert_eq!(
        connack(&mut known, &login("a", true, b"ann", b"x")).await,
        0
    );
    let mut other = from(&broker, "192.0.2.8");
    assert_eq!(
        connack(&mut other, &login("b", true, b"bob", b"x")).await,
        4
    );
    broker.stop().await;
}

#[tokio::test]
async fn who_sends_too_fast_is_listened_to_again_later() {
    let broker = Broker::start(BrokerConfig {
        max_message_rate: 100,
        ..config()
    })
    .await
    .unwrap();
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("#", 0).await;
    let mut publisher = Wire::client(&broker, "p").await;
    let messages: Vec<u8> = (0..110u8)
        .flat_map(|number| publish("a", &[number], 0, 0))
        .collect();
    publisher.send(&messages).await;
    // What comes in the pause waits, and nothing is lost.
    publisher.send(&publish("a", &[200], 0, 0)).await;
    for number in (0..110).chain([200]) {
        assert_eq!(subscriber.message().await.3, [number]);
    }
    assert!(exceeded(&broker).rate >= 1);
    broker.stop().await;
}

#[tokio::test]
async fn packets_subscriptions_and_silence_are_counted() {
    let broker = Broker::start(BrokerConfig {
        max_packet_size: 64,
        max_subscriptions: 1,
        max_keep_alive: 10,
        ..config()
    })
    .await
    .unwrap();
    let mut silent = Wire::open(&broker).await;
    assert_eq!(connack(&mut silent, &connect("a", true)).await, 2);
    let mut client = Wire::client_5(&broker, "a", &[]).await;
    for (filter, code) in [("a", 0), ("b", 0x97)] {
        client
            .send(&packet(0x82, &[&[0, 1, 0], &text(filter), &[0]]))
            .await;
        assert_eq!(client.next().await, (0x90, vec![0, 1, 0, code]));
    }
    client.send(&publish("a", &[0; 100], 0, 0)).await;
    assert_eq!(client.next().await, (0xE0, vec![0x95]));
    client.closed().await;
    while exceeded(&broker).packet_size == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let expected = Exceeded {
        keep_alive: 1,
        subscriptions: 1,
        packet_size: 1,
        ..Exceeded::default()
    };
    assert_eq!(exceeded(&broker), expected);
    broker.stop().await;
}

#[tokio::test]
async fn what_finds_no_room_to_be_retained_goes_to_its_subscribers() {
    let broker = Broker::start(BrokerConfig {
        max_retained: 1,
        ..config()
    })
    .await
    .unwrap();
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("#", 0).await;
    for topic in ["a", "b"] {
        subscriber.send(&publish(topic, b"1", 1, 0)).await;
        assert_eq!(subscriber.message().await.1, topic);
    }
    assert_eq!(broker.stats().retained, 1);
    assert_eq!(exceeded(&broker).retained, 1);
    broker.stop().await;
}

#[tokio::test]
async fn without_limits_nothing_is_refused() {
    let broker = broker().await;
    let _client = Wire::client(&broker, "a").await;
    assert_eq!(exceeded(&broker), Exceeded::default());
    broker.stop().await;
}
