//! What must not harm anybody but the one who does it: above all what ends rumqttd's own listeners or its router.

use std::time::Duration;

use super::wire::{Wire, assert_serves, broker, config, connect, connect_5, packet, publish, text};
use crate::broker::{Broker, BrokerConfig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_may_begin_with_any_character() {
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("#", 0).await;
    let mut publisher = Wire::client(&broker, "p").await;
    for topic in ["é/x", "温度/x", "🦀", "/", "a//b"] {
        publisher.send(&publish(topic, b"1", 0, 0)).await;
        assert_eq!(subscriber.message().await.1, topic);
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_client_id_may_come_back() {
    let broker = broker().await;
    for id in ["site/dev1", "a+b", "#", "$x", "é", " "] {
        let mut first = Wire::client(&broker, id).await;
        let _second = Wire::client(&broker, id).await;
        first.closed().await;
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_packets_close_only_their_own_connection() {
    let broker = broker().await;
    let subscribe = |filter: &str| packet(0x82, &[&[0, 1], &text(filter), &[0]]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("second CONNECT", connect("x", true)),
        ("wildcard in topic", publish("a/+", b"", 0, 0)),
        ("empty topic", publish("", b"", 0, 0)),
        ("U+0000 in topic", publish("a\0b", b"", 0, 0)),
        ("no UTF-8", packet(0x30, &[&text([0xC3, 0x28])])),
        ("surrogate", packet(0x30, &[&text([0xED, 0xA0, 0x80])])),
        ("QoS 3", publish("a", b"", 6, 1)),
        ("DUP on QoS 0", publish("a", b"", 8, 0)),
        ("packet id 0", publish("a", b"", 2, 0)),
        (
            "topic longer than packet",
            packet(0x30, &[&[0xFF, 0xFF, b'a']]),
        ),
        ("empty SUBSCRIBE", packet(0x82, &[&[0, 1]])),
        (
            "flags of SUBSCRIBE",
            packet(0x80, &[&[0, 1], &text("a"), &[0]]),
        ),
        (
            "subscription QoS 3",
            packet(0x82, &[&[0, 1], &text("a"), &[3]]),
        ),
        ("filter a/#/b", subscribe("a/#/b")),
        ("filter a+", subscribe("a+")),
        ("empty filter", subscribe("")),
        ("filter $share/g", subscribe("$share/g")),
        ("U+0000 in filter", subscribe("a\0")),
        ("a filter of 1000 levels", subscribe(&"a/".repeat(1000))),
        ("empty UNSUBSCRIBE", packet(0xA2, &[&[0, 1]])),
        ("PUBREL flags", packet(0x60, &[&[0, 1]])),
        ("packet type 0", packet(0x00, &[])),
        ("packet type 15", packet(0xF0, &[])),
        ("SUBACK from a client", packet(0x90, &[&[0, 1, 0]])),
        ("CONNACK from a client", packet(0x20, &[&[0, 0]])),
        (
            "five bytes of length",
            vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ),
        ("268 MB announced", vec![0x30, 0xFF, 0xFF, 0xFF, 0x7F]),
        ("over the limit", vec![0x30, 0x80, 0x80, 0x80, 0x08]),
        ("length not in its shortest form", vec![0xC0, 0x80, 0x00]),
        ("bytes behind PINGREQ", packet(0xC0, &[&[1]])),
    ];
    for (what, bytes) in cases {
        let mut wire = Wire::client(&broker, "bad").await;
        wire.send(&bytes).await;
        assert_eq!(wire.closed().await, None, "{what}");
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_first_packets_are_refused() {
    let broker = broker().await;
    let old = packet(0x10, &[&text("MQTT"), &[3, 2, 0, 60], &text("x")]);
    let nameless = packet(0x10, &[&text("MQTT"), &[4, 0, 0, 60], &text("")]);
    let nameless_31 = packet(0x10, &[&text("MQIsdp"), &[3, 2, 0, 60], &text("")]);
    for (bytes, answer) in [
        (old, Some((0x20, vec![0, 1]))),
        (nameless, Some((0x20, vec![0, 2]))),
        (nameless_31, Some((0x20, vec![0, 2]))),
        (publish("a", b"", 0, 0), None),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), None),
        (vec![0x16, 3, 1, 0, 200], None),
        (
            packet(0x10, &[&text("MQTT"), &[4, 3, 0, 60], &text("x")]),
            None,
        ),
        (
            packet(0x10, &[&text("MQTT"), &[4, 0x18, 0, 60], &text("x")]),
            None,
        ),
        (
            packet(
                0x10,
                &[&text("MQTT"), &[4, 0x42, 0, 60], &text("x"), &text("pw")],
            ),
            None,
        ),
        // A will to a wildcard.
        (
            packet(
                0x10,
                &[
                    &text("MQTT"),
                    &[4, 6, 0, 60],
                    &text("x"),
                    &text("w/#"),
                    &text(""),
                ],
            ),
            None,
        ),
    ] {
        let mut wire = Wire::open(&broker).await;
        wire.send(&bytes).await;
        assert_eq!(wire.closed().await, answer, "{bytes:?}");
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_and_mutated_bytes_do_no_harm() {
    let broker = broker().await;
    let good = [
        connect("fuzz", true),
        connect_5("fuzz", true, &[0x21, 0, 10]),
        publish("a/b", b"payload", 2, 7),
        packet(0x82, &[&[0, 1], &text("a/#"), &[1]]),
        packet(0xE0, &[&[0, 5, 0x11, 0, 0, 0, 9]]),
    ]
    .concat();
    // A small generator of its own: the same bytes in every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..400 {
        let mut bytes = good.clone();
        if round % 4 == 0 {
            bytes.iter_mut().for_each(|byte| *byte = random() as u8);
        }
        for _ in 0..=random() % 4 {
            let place = random() as usize % bytes.len();
            bytes[place] = random() as u8;
        }
        bytes.truncate(1 + random() as usize % bytes.len());
        let mut wire = Wire::open(&broker).await;
        wire.try_send(&bytes).await;
    }
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_half_connections_hold_up_nobody_and_are_closed() {
    let broker = Broker::start(BrokerConfig {
        connect_timeout: Duration::from_millis(300),
        ..config()
    })
    .await
    .unwrap();
    let mut waiting = Vec::new();
    for number in 0..300 {
        let mut wire = Wire::open(&broker).await;
        let start = connect("half", true);
        wire.send(&start[..number % start.len()]).await;
        waiting.push(wire);
    }
    assert_serves(&broker).await;
    for wire in &mut waiting {
        assert_eq!(wire.closed().await, None);
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_may_come_in_single_bytes() {
    let broker = broker().await;
    let mut wire = Wire::open(&broker).await;
    let subscribe = packet(0x82, &[&[0, 9], &text("a"), &[0]]);
    for byte in [
        connect("slow", true),
        subscribe,
        publish("a", b"hello", 0, 0),
    ]
    .concat()
    {
        wire.send(&[byte]).await;
    }
    assert_eq!(wire.next().await.0, 0x20);
    assert_eq!(wire.next().await.0, 0x90);
    assert_eq!(wire.message().await.3, b"hello");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_during_a_flood_do_no_harm() {
    let broker = broker().await;
    let flood = tokio_util::task::TaskTracker::new();
    for number in 0..2 {
        let broker = broker.clone();
        flood.spawn(async move {
            let mut publisher = Wire::client(&broker, &format!("p{number}")).await;
            for _ in 0..2_000 {
                publisher
                    .send(&publish("flood", &[7; 64], 0, 0).repeat(10))
                    .await;
            }
        });
    }
    flood.close();
    let mut churns = 0;
    while !flood.is_empty() || churns < 50 {
        let mut subscriber = Wire::client(&broker, "churn").await;
        subscriber.subscribe("flood", (churns % 3) as u8).await;
        if churns % 2 == 0 {
            subscriber.send(&[0xE0, 0]).await;
        }
        churns += 1;
    }
    flood.wait().await;
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_holds_up_no_other() {
    let broker = broker().await;
    let mut stuck = Wire::client(&broker, "stuck").await;
    stuck.subscribe("t", 0).await;
    let mut healthy = Wire::client(&broker, "healthy").await;
    healthy.subscribe("t", 1).await;
    let mut publisher = Wire::client(&broker, "p").await;
    let payload = vec![1; 32 << 10];
    for number in 1..=1_500_u16 {
        publisher.send(&publish("t", &payload, 2, number)).await;
        assert_eq!(publisher.next().await.0, 0x40);
        let (_, _, id, got) = healthy.message().await;
        assert_eq!(got.len(), payload.len());
        healthy.send(&packet(0x40, &[&id.to_be_bytes()])).await;
    }
    assert!(
        broker.stats().dropped > 0,
        "what waits for a client has a limit"
    );
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_connections_holds_for_newcomers_only() {
    let broker = Broker::start(BrokerConfig {
        max_connections: 2,
        ..config()
    })
    .await
    .unwrap();
    let _one = Wire::client(&broker, "one").await;
    let two = Wire::client(&broker, "two").await;
    for _ in 0..3 {
        let mut third = Wire::open(&broker).await;
        third.try_send(&connect("three", true)).await;
        // "Server unavailable", since MQTT 3.1.1 has no better word.
        assert_eq!(third.try_next().await, Some((0x20, vec![0, 3])));
        third.closed().await;
    }
    drop(two);
    loop {
        let mut again = Wire::open(&broker).await;
        again.try_send(&connect("three", true)).await;
        if again.try_next().await == Some((0x20, vec![0, 0])) {
            break;
        }
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_have_a_limit_for_each_session() {
    let broker = Broker::start(BrokerConfig {
        max_subscriptions: 2,
        ..config()
    })
    .await
    .unwrap();
    let mut client = Wire::client(&broker, "c").await;
    for filter in ["a", "b", "a"] {
        client.subscribe(filter, 0).await;
    }
    client
        .send(&packet(0x82, &[&[0, 1], &text("c"), &[0]]))
        .await;
    assert_eq!(client.next().await, (0x90, vec![0, 1, 0x80]));
    assert_eq!(broker.stats().subscriptions, 2);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_memory_costs_those_who_do_not_read_and_no_others() {
    let broker = Broker::start(BrokerConfig {
        max_memory: 1 << 20,
        ..config()
    })
    .await
    .unwrap();
    let mut stuck = Vec::new();
    for id in ["one", "two"] {
        let (mut wire, _) = Wire::lasting(&broker, id).await;
        wire.subscribe("t", 1).await;
        stuck.push(wire);
    }
    // Gone, so that all of it waits in the broker.
    stuck.clear();
    let mut healthy = Wire::client(&broker, "healthy").await;
    healthy.subscribe("t", 0).await;
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 0..900_u16 {
        publisher
            .send(&publish("t", &[1; 10_000], 2, number + 1))
            .await;
        assert_eq!(publisher.next().await.0, 0x40);
        assert_eq!(healthy.message().await.3.len(), 10_000);
    }
    // Each could keep 8 MB by itself.
    assert!(broker.stats().dropped > 1_000);
    broker.stop().await;
}
