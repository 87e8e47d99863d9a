//! What the standard promises about messages: quality of service, retained messages, sessions, wills.

use super::wire::{Wire, assert_serves, broker, config, packet, publish, split, text};
use crate::broker::{Broker, BrokerConfig};

const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;

fn ack(first: u8, id: u16) -> Vec<u8> {
    packet(first, &[&id.to_be_bytes()])
}

/// Publishes `count` numbered messages without waiting in between; the other end reads the acknowledgements.
async fn flood(broker: &Broker, id: &str, qos: u8, count: u32) {
    let mut publisher = Wire::client(broker, id).await;
    let mut open = 0;
    for number in 0..count {
        let packet_id = (number % 60_000 + 1) as u16;
        publisher
            .send(&publish("load", &number.to_be_bytes(), qos << 1, packet_id))
            .await;
        open += u32::from(qos > 0);
        while open > 500 || (number + 1 == count && open > 0) {
            let (first, body) = publisher.next().await;
            match first {
                PUBREC => publisher.send(&packet(PUBREL, &[&body])).await,
                PUBACK | PUBCOMP => open -= 1,
                other => panic!("{other:#x}"),
            }
        }
    }
    publisher.send(&[0xE0, 0]).await;
    publisher.closed().await;
}

async fn nothing_is_lost(qos: u8) {
    const COUNT: u32 = 20_000;
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("load", qos).await;
    let tasks = tokio_util::task::TaskTracker::new();
    let flooding = broker.clone();
    tasks.spawn(async move { flood(&flooding, "p", qos, COUNT).await });
    let mut expected = 0;
    let mut released = 0;
    while expected < COUNT || (qos == 2 && released < COUNT) {
        let (first, body) = subscriber.next().await;
        if first == PUBREL {
            released += 1;
            subscriber.send(&packet(PUBCOMP, &[&body])).await;
            continue;
        }
        let (first, _, id, payload) = split(first, &body);
        assert_eq!(payload, expected.to_be_bytes());
        assert_eq!(first >> 1 & 3, qos);
        expected += 1;
        match qos {
            1 => subscriber.send(&ack(PUBACK, id)).await,
            2 => subscriber.send(&ack(PUBREC, id)).await,
            _ => {}
        }
    }
    tasks.close();
    tasks.wait().await;
    assert_eq!(broker.stats().dropped, 0);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_at_most_once_arrive_in_order() {
    nothing_is_lost(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_at_least_once_arrive_in_order() {
    nothing_is_lost(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_exactly_once_arrive_in_order() {
    nothing_is_lost(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_the_death_of_the_router() {
    const COUNT: u32 = 5_000;
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("load", 1).await;
    let tasks = tokio_util::task::TaskTracker::new();
    let flooding = broker.clone();
    tasks.spawn(async move { flood(&flooding, "p", 1, COUNT).await });
    let mut seen = vec![false; COUNT as usize];
    let mut missing = COUNT;
    while missing > 0 {
        let (_, _, id, payload) = subscriber.message().await;
        subscriber.send(&ack(PUBACK, id)).await;
        let number = u32::from_be_bytes(payload.try_into().unwrap());
        missing -= u32::from(!std::mem::replace(&mut seen[number as usize], true));
        if number % 1_000 == 500 {
            broker.core.bus.kill_router();
        }
    }
    tasks.close();
    tasks.wait().await;
    assert_serves(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lower_quality_of_service_counts() {
    let broker = broker().await;
    let mut publisher = Wire::client(&broker, "p").await;
    for wanted in 0..3_u8 {
        let mut subscriber = Wire::client(&broker, "s").await;
        subscriber.subscribe("q", wanted).await;
        for given in 0..3_u8 {
            publisher.send(&publish("q", b"x", given << 1, 5)).await;
            match given {
                0 => {}
                1 => assert_eq!(publisher.next().await, (PUBACK, vec![0, 5])),
                _ => {
                    assert_eq!(publisher.next().await, (PUBREC, vec![0, 5]));
                    publisher.send(&ack(PUBREL, 5)).await;
                    assert_eq!(publisher.next().await, (PUBCOMP, vec![0, 5]));
                }
            }
            let (first, _, id, _) = subscriber.message().await;
            assert_eq!(first >> 1 & 3, wanted.min(given));
            match wanted.min(given) {
                0 => {}
                1 => subscriber.send(&ack(PUBACK, id)).await,
                _ => {
                    subscriber.send(&ack(PUBREC, id)).await;
                    assert_eq!(subscriber.next().await, (PUBREL, id.to_be_bytes().to_vec()));
                    subscriber.send(&ack(PUBCOMP, id)).await;
                }
            }
        }
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_exactly_once_message_arrives_once() {
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("q", 0).await;
    let (mut publisher, _) = Wire::lasting(&broker, "p").await;
    publisher.send(&publish("q", b"one", 4, 7)).await;
    assert_eq!(publisher.next().await, (PUBREC, vec![0, 7]));
    // Not released yet, so this is the same message, also over another connection.
    let (mut publisher, present) = Wire::lasting(&broker, "p").await;
    assert!(present);
    publisher.send(&publish("q", b"one", 12, 7)).await;
    assert_eq!(publisher.next().await, (PUBREC, vec![0, 7]));
    publisher.send(&ack(PUBREL, 7)).await;
    assert_eq!(publisher.next().await, (PUBCOMP, vec![0, 7]));
    publisher.send(&publish("q", b"two", 4, 7)).await;
    assert_eq!(publisher.next().await, (PUBREC, vec![0, 7]));
    assert_eq!(subscriber.message().await.3, b"one");
    // What is not released is not delivered.
    publisher.send(&publish("q", b"three", 0, 0)).await;
    assert_eq!(subscriber.message().await.3, b"three");
    publisher.send(&ack(PUBREL, 7)).await;
    assert_eq!(publisher.next().await, (PUBCOMP, vec![0, 7]));
    assert_eq!(subscriber.message().await.3, b"two");
    broker.stop().await;
}

/// [MQTT-4.3.2-3], [MQTT-4.3.3-4]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_does_not_fit_its_message_ends_the_connection() {
    let broker = broker().await;
    let mut publisher = Wire::client(&broker, "p").await;
    for (qos, wrong) in [(1, PUBREC), (1, PUBCOMP), (2, PUBACK), (2, PUBCOMP)] {
        let mut subscriber = Wire::client(&broker, "s").await;
        subscriber.subscribe("q", qos).await;
        publisher.send(&publish("q", b"x", 4, 7)).await;
        assert_eq!(publisher.next().await, (PUBREC, vec![0, 7]));
        publisher.send(&ack(PUBREL, 7)).await;
        assert_eq!(publisher.next().await, (PUBCOMP, vec![0, 7]));
        let (_, _, packet_id, _) = subscriber.message().await;
        subscriber.send(&ack(wrong, packet_id)).await;
        assert_eq!(subscriber.closed().await, None, "{qos} {wrong:x}");
    }
    // One that no message waits for is none of the broker's business.
    for first in [PUBACK, PUBCOMP] {
        publisher.send(&ack(first, 99)).await;
    }
    publisher.send(&packet(0xC0, &[])).await;
    assert_eq!(publisher.next().await, (0xD0, vec![]));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_thousand_retained_messages_come_at_every_subscribe() {
    let broker = broker().await;
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 0..1_000 {
        publisher
            .send(&publish(&format!("r/{number}"), b"kept", 3, 1))
            .await;
        assert_eq!(publisher.next().await.0, PUBACK);
    }
    let mut subscriber = Wire::client(&broker, "s").await;
    for filter in ["r/#", "r/+", "r/#"] {
        subscriber.subscribe(filter, 0).await;
        for _ in 0..1_000 {
            assert_eq!(subscriber.message().await.0, 0x31);
        }
    }
    // An empty one deletes, but only a retained one.
    publisher.send(&publish("r/1", b"", 2, 1)).await;
    publisher.send(&publish("r/2", b"", 3, 2)).await;
    publisher.next().await;
    publisher.next().await;
    assert_eq!(broker.stats().retained, 999);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wildcards_do_not_see_topics_that_begin_with_a_dollar_sign() {
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    let mut publisher = Wire::client(&broker, "p").await;
    publisher.send(&publish("$dev/x", b"kept", 3, 1)).await;
    publisher.next().await;
    subscriber.subscribe("#", 0).await;
    subscriber.subscribe("+/x", 0).await;
    publisher.send(&publish("$dev/x", b"live", 0, 0)).await;
    publisher.send(&publish("end/x", b"", 0, 0)).await;
    assert_eq!(subscriber.message().await.1, "end/x");
    subscriber.subscribe("$dev/#", 0).await;
    assert_eq!(subscriber.message().await.3, b"kept");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_subscriptions_give_one_copy() {
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    for (filter, qos) in [("a/#", 0), ("a/b", 1), ("+/b", 0)] {
        subscriber.subscribe(filter, qos).await;
    }
    let mut publisher = Wire::client(&broker, "p").await;
    publisher.send(&publish("a/b", b"", 2, 1)).await;
    publisher.send(&publish("a/c", b"", 0, 0)).await;
    let (first, topic, ..) = subscriber.message().await;
    assert_eq!((first >> 1 & 3, topic.as_str()), (1, "a/b"));
    assert_eq!(subscriber.message().await.1, "a/c");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lasting_session_keeps_what_it_has_room_for() {
    let broker = Broker::start(BrokerConfig {
        offline_messages: 10,
        ..config()
    })
    .await
    .unwrap();
    let (mut subscriber, present) = Wire::lasting(&broker, "s").await;
    assert!(!present);
    subscriber.subscribe("q", 1).await;
    subscriber.send(&[0xE0, 0]).await;
    subscriber.closed().await;
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 0..15_u8 {
        publisher.send(&publish("q", b"not kept", 0, 0)).await;
        publisher.send(&publish("q", &[number], 2, 1)).await;
        assert_eq!(publisher.next().await.0, PUBACK);
    }
    let (mut subscriber, present) = Wire::lasting(&broker, "s").await;
    assert!(present);
    let mut ids = Vec::new();
    for number in 0..10_u8 {
        let (first, _, id, payload) = subscriber.message().await;
        assert_eq!((first, payload), (0x32, vec![number]));
        ids.push(id);
    }
    // What was not acknowledged comes again, marked and in order.
    subscriber.send(&ack(PUBACK, ids[0])).await;
    subscriber.send(&[0xC0, 0]).await;
    assert_eq!(subscriber.next().await.0, 0xD0);
    drop(subscriber);
    let (mut subscriber, _) = Wire::lasting(&broker, "s").await;
    for number in 1..10_u8 {
        let (first, _, id, payload) = subscriber.message().await;
        assert_eq!(
            (first, payload, id),
            (0x3A, vec![number], ids[usize::from(number)])
        );
    }
    assert_eq!(broker.stats().dropped, 5);
    // A clean start ends the old session.
    let mut clean = Wire::client(&broker, "s").await;
    publisher.send(&publish("q", b"", 2, 1)).await;
    publisher.next().await;
    clean.send(&[0xC0, 0]).await;
    assert_eq!(clean.next().await.0, 0xD0);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wills_are_published_unless_the_client_says_goodbye() {
    let broker = broker().await;
    let mut watcher = Wire::client(&broker, "w").await;
    watcher.subscribe("will/#", 1).await;
    let with_will = |id: &str| {
        let topic = format!("will/{id}");
        // Will, retained, QoS 1, keep alive one second.
        let start = [4, 0x2E, 0, 1];
        packet(
            0x10,
            &[
                &text("MQTT"),
                &start,
                &text(id),
                &text(topic),
                &text("gone"),
            ],
        )
    };
    for id in ["polite", "lost", "wrong", "silent", "taken"] {
        let mut client = Wire::open(&broker).await;
        client.send(&with_will(id)).await;
        client.next().await;
        match id {
            "polite" => client.send(&[0xE0, 0]).await,
            "wrong" => client.send(&[0xFF; 8]).await,
            "silent" => {
                client.closed().await;
            }
            "taken" => {
                Wire::client(&broker, id).await;
            }
            _ => {}
        }
        drop(client);
        if id != "polite" {
            let (_, topic, packet_id, payload) = watcher.message().await;
            assert_eq!(
                (topic.as_str(), &*payload),
                (&*format!("will/{id}"), &b"gone"[..])
            );
            watcher.send(&ack(PUBACK, packet_id)).await;
        }
    }
    assert_eq!(broker.stats().retained, 4);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsubscribing_is_answered_also_when_there_was_nothing() {
    let broker = broker().await;
    let mut client = Wire::client(&broker, "c").await;
    client.subscribe("a", 0).await;
    client
        .send(&packet(0xA2, &[&[0, 3], &text("a"), &text("never")]))
        .await;
    assert_eq!(client.next().await, (0xB0, vec![0, 3]));
    client.send(&publish("a", b"", 0, 0)).await;
    client.send(&[0xC0, 0]).await;
    assert_eq!(client.next().await.0, 0xD0);
    assert_eq!(broker.stats().subscriptions, 0);
    broker.stop().await;
}
