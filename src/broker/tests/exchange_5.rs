//! What MQTT 5 adds to the exchange of messages: reason codes, limits, aliases, delayed wills, members that stand in.

use super::wire::{
    Wire, broker, config, connect, connect_5, packet, parts, publish, subscribe_5, text,
};
use crate::broker::{Broker, BrokerConfig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_hears_that_nobody_has_subscribed() {
    let broker = broker().await;
    let mut publisher = Wire::client_5(&broker, "p", &[]).await;
    let send = |qos: u8, topic: &str| packet(0x30 | qos << 1, &[&text(topic), &[0, 7, 0]]);
    publisher.send(&send(1, "a")).await;
    assert_eq!(publisher.next().await, (0x40, vec![0, 7, 0x10]));
    publisher.send(&send(2, "a")).await;
    // Who has subscribed counts when it is released.
    assert_eq!(publisher.next().await, (0x50, vec![0, 7]));
    publisher.send(&packet(0x62, &[&[0, 7]])).await;
    assert_eq!(publisher.next().await, (0x70, vec![0, 7]));
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("a", 0).await;
    publisher.send(&send(1, "a")).await;
    assert_eq!(publisher.next().await, (0x40, vec![0, 7]));
    broker.stop().await;
}

/// [MQTT-3.3.4-7] of 5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unacknowledged_has_a_limit_in_both_directions() {
    let broker = Broker::start(BrokerConfig {
        max_inflight: 3,
        ..config()
    })
    .await
    .unwrap();
    let mut client = Wire::open(&broker).await;
    client.send(&connect_5("p", true, &[])).await;
    let (_, body) = client.next().await;
    let told = body.windows(3).any(|part| part == [0x21, 0, 3]);
    assert!(told, "CONNACK tells the receive maximum: {body:?}");
    let publish = |id: u8| packet(0x34, &[&text("a"), &[0, id, 0]]);
    for id in 1..=3 {
        client.send(&publish(id)).await;
        assert_eq!(client.next().await.0, 0x50);
    }
    // One that comes again is none more.
    client.send(&publish(3)).await;
    assert_eq!(client.next().await.0, 0x50);
    client.send(&packet(0x62, &[&[0, 1]])).await;
    assert_eq!(client.next().await.0, 0x70);
    client.send(&publish(4)).await;
    assert_eq!(client.next().await.0, 0x50);
    client.send(&publish(5)).await;
    assert_eq!(client.closed().await, Some((0xE0, vec![0x93])));
    broker.stop().await;
}

/// [MQTT-3.3.4-9] of 5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_with_a_smaller_receive_maximum_gets_no_more_than_that() {
    let broker = broker().await;
    let session = [0x11, 0, 0, 14, 16];
    let mut subscriber = Wire::client_5(&broker, "s", &session).await;
    subscriber.send(&subscribe_5("a", &[], 1)).await;
    assert_eq!(subscriber.next().await.0, 0x90);
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 1..=3_u8 {
        publisher.send(&publish("a", &[number], 2, 1)).await;
        assert_eq!(publisher.next().await.0, 0x40);
        assert_eq!(subscriber.next().await.0, 0x32);
    }
    let mut subscriber = Wire::open(&broker).await;
    let small = [&session[..], &[0x21, 0, 1]].concat();
    subscriber.send(&connect_5("s", false, &small)).await;
    assert_eq!(subscriber.next().await.0, 0x20);
    publisher.send(&publish("a", &[4], 2, 1)).await;
    assert_eq!(publisher.next().await.0, 0x40);
    for (number, first) in [(1, 0x3A), (2, 0x3A), (3, 0x3A), (4, 0x32)] {
        let got = subscriber.next().await;
        assert_eq!((got.0, got.1.last()), (first, Some(&number)));
        // It is the only one until it is acknowledged.
        subscriber.send(&[0xC0, 0]).await;
        assert_eq!(subscriber.next().await.0, 0xD0);
        subscriber.send(&packet(0x40, &[&got.1[3..5]])).await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_get_as_many_topic_aliases_as_they_take() {
    let broker = broker().await;
    let mut client = Wire::client_5(&broker, "s", &[0x22, 0, 1]).await;
    client.send(&subscribe_5("#", &[], 0)).await;
    client.next().await;
    let mut publisher = Wire::client(&broker, "p").await;
    for topic in ["long/one", "long/one", "two", "long/one"] {
        publisher.send(&publish(topic, b"x", 0, 0)).await;
    }
    let alias = vec![0x23, 0, 1];
    for (topic, properties) in [
        ("long/one", alias.clone()),
        ("", alias.clone()),
        ("two", vec![]),
        ("", alias.clone()),
    ] {
        let got = parts(&client.next().await);
        assert_eq!(got, (topic.into(), properties, b"x".to_vec()));
    }
    broker.stop().await;
}

/// A client with a will of this delay in seconds, in a session of an hour.
async fn with_will(broker: &Broker, clean: bool, delay: u8) -> Wire {
    let mut client = Wire::open(broker).await;
    let flags = 0x04 | if clean { 2 } else { 0 };
    let connect = packet(
        0x10,
        &[
            &text("MQTT"),
            &[5, flags, 0, 60],
            &[5, 0x11, 0, 0, 14, 16],
            &text("w"),
            &[5, 0x18, 0, 0, 0, delay],
            &text("will"),
            &text("gone"),
        ],
    );
    client.send(&connect).await;
    assert_eq!(client.next().await.0, 0x20);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_will_with_a_delay_is_for_those_who_do_not_come_back() {
    let broker = broker().await;
    let mut watcher = Wire::client(&broker, "watcher").await;
    watcher.subscribe("#", 0).await;
    let gone = || async {
        while broker.stats().clients > 1 {
            tokio::task::yield_now().await;
        }
    };
    // Back within the delay, twice, once by a take-over: no will.
    drop(with_will(&broker, true, 3).await);
    gone().await;
    let first = with_will(&broker, false, 3).await;
    let second = with_will(&broker, false, 1).await;
    drop((first, second));
    gone().await;
    let mut probe = Wire::client(&broker, "probe").await;
    probe.send(&publish("still", b"", 0, 0)).await;
    assert_eq!(watcher.message().await.1, "still");
    // Not back within the one second of the last one.
    assert_eq!(watcher.message().await.1, "will");
    // The session ends before the delay does, because a clean start replaces it.
    drop(with_will(&broker, true, 200).await);
    while broker.stats().clients > 2 {
        tokio::task::yield_now().await;
    }
    let _clean = with_will(&broker, true, 200).await;
    assert_eq!(watcher.message().await.1, "will");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_member_gets_what_one_that_died_has_not_acknowledged() {
    let broker = broker().await;
    let mut members = Vec::new();
    for id in ["one", "two"] {
        // One message at a time.
        let mut member = Wire::client_5(&broker, id, &[0x21, 0, 1]).await;
        member.send(&subscribe_5("$share/g/a", &[], 1)).await;
        assert_eq!(member.next().await.0, 0x90);
        members.push(member);
    }
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 0..6_u8 {
        publisher.send(&publish("a", &[number], 2, 1)).await;
        publisher.next().await;
    }
    let mut two = members.pop().unwrap();
    let mut one = members.pop().unwrap();
    assert_eq!(one.next().await.1.last(), Some(&0));
    drop(one);
    let mut all = Vec::new();
    for _ in 0..6 {
        let got = two.next().await;
        let id = [got.1[3], got.1[4]];
        all.push(*got.1.last().unwrap());
        two.send(&packet(0x40, &[&id])).await;
    }
    assert_eq!(all, [1, 3, 5, 0, 2, 4]);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_for_the_keep_alive_is_told() {
    let broker = Broker::start(BrokerConfig {
        max_keep_alive: 30,
        ..config()
    })
    .await
    .unwrap();
    let mut client = Wire::open(&broker).await;
    client.send(&connect_5("c", true, &[])).await;
    let (_, body) = client.next().await;
    assert!(
        body.windows(3).any(|part| part == [0x13, 0, 30]),
        "{body:?}"
    );
    let mut old = Wire::open(&broker).await;
    old.send(&connect("c", true)).await;
    assert_eq!(old.next().await, (0x20, vec![0, 2]));
    broker.stop().await;
}

/// [MQTT-4.12.0-4] of 5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_ways_to_log_in_are_refused() {
    let broker = broker().await;
    let mut client = Wire::open(&broker).await;
    let method = [&[0x15][..], &text("SCRAM-SHA-1")].concat();
    client.send(&connect_5("c", true, &method)).await;
    assert_eq!(client.next().await, (0x20, vec![0, 0x8C, 0]));
    let mut client = Wire::client_5(&broker, "c", &[]).await;
    client.send(&[0xF0, 0]).await;
    assert_eq!(client.closed().await, Some((0xE0, vec![0x82])));
    broker.stop().await;
}
