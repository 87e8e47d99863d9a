//! What is new in MQTT 5.

use super::wire::{
    Packet, Wire, broker, connect_5, packet, parts, publish, publish_5, subscribe_5, text,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn properties_travel_along_and_older_clients_do_not_see_them() {
    let broker = broker().await;
    let mut old = Wire::client(&broker, "old").await;
    old.subscribe("a", 0).await;
    let mut new = Wire::client_5(&broker, "new", &[]).await;
    // Subscription identifier 300.
    new.send(&subscribe_5("a", &[0x0B, 0xAC, 0x02], 0)).await;
    assert_eq!(new.next().await, (0x90, vec![0, 9, 0, 0]));
    let properties = [
        &[0x01, 1][..],
        &[0x03],
        &text("text/plain"),
        &[0x08],
        &text("answer/to"),
        &[0x09],
        &text([0, 255]),
        &[0x26],
        &text("k"),
        &text("v"),
        &[0x26],
        &text("k"),
        &text("w"),
    ]
    .concat();
    let mut publisher = Wire::client_5(&broker, "p", &[]).await;
    publisher.send(&publish_5("a", &properties, b"hi")).await;
    let expected = [&[0x0B, 0xAC, 0x02][..], &properties].concat();
    assert_eq!(
        parts(&new.next().await),
        ("a".into(), expected, b"hi".to_vec())
    );
    assert_eq!(old.message().await, (0x30, "a".into(), 0, b"hi".to_vec()));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topic_aliases_stand_for_topics() {
    let broker = broker().await;
    let mut subscriber = Wire::client(&broker, "s").await;
    subscriber.subscribe("#", 0).await;
    let mut publisher = Wire::client_5(&broker, "p", &[]).await;
    publisher
        .send(&publish_5("long/topic", &[0x23, 0, 5], b"1"))
        .await;
    publisher.send(&publish_5("", &[0x23, 0, 5], b"2")).await;
    for payload in [b"1", b"2"] {
        let (_, topic, _, got) = subscriber.message().await;
        assert_eq!((topic.as_str(), &*got), ("long/topic", &payload[..]));
    }
    for (wrong, reason) in [
        ([0x23, 0, 6], 0x82),
        ([0x23, 0, 0], 0x94),
        ([0x23, 255, 255], 0x94),
    ] {
        let mut publisher = Wire::client_5(&broker, "p", &[]).await;
        publisher.send(&publish_5("", &wrong, b"")).await;
        assert_eq!(publisher.closed().await, Some((0xE0, vec![reason])));
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_off_hears_why() {
    let broker = broker().await;
    let mut first = Wire::client_5(&broker, "same", &[]).await;
    let mut second = Wire::client_5(&broker, "same", &[]).await;
    assert_eq!(first.closed().await, Some((0xE0, vec![0x8E])));
    for (bytes, reason) in [
        (connect_5("same", true, &[]), 0x82),
        (publish_5("a/#", &[], b""), 0x82),
        (publish_5("", &[], b""), 0x82),
        (publish_5("a", &[0x01, 1], &[0xFF]), 0x99),
        (publish_5("a", &[0x0B, 1], b""), 0x82),
        (
            publish_5("a", &[0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1], b""),
            0x82,
        ),
        (publish_5("a", &[0x7F, 1], b""), 0x81),
        (publish_5("a", &[0x11, 0, 0, 0, 1], b""), 0x81),
        (publish_5("a", &[0x02, 0], b""), 0x81),
        (vec![0x30, 0xFF, 0xFF, 0xFF, 0x7F], 0x95),
        (subscribe_5("a/#/b", &[], 0), 0x81),
        (subscribe_5("$share/g/a", &[], 4), 0x82),
        (subscribe_5("a", &[0x0B, 0], 0), 0x82),
        (subscribe_5("a", &[], 0x30), 0x82),
        (subscribe_5("a", &[], 0x40), 0x81),
        // A session that ends with its connection cannot be prolonged.
        (packet(0xE0, &[&[0, 5, 0x11, 0, 0, 0, 9]]), 0x82),
    ] {
        let mut client = Wire::client_5(&broker, "wrong", &[]).await;
        client.send(&bytes).await;
        assert_eq!(
            client.closed().await,
            Some((0xE0, vec![reason])),
            "{bytes:?}"
        );
    }
    broker.stop().await;
    assert_eq!(second.closed().await, Some((0xE0, vec![0x8B])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_subscriptions_hold() {
    let broker = broker().await;
    let mut client = Wire::client_5(&broker, "c", &[]).await;
    let mut other = Wire::client(&broker, "o").await;
    other.send(&publish("kept", b"k", 3, 1)).await;
    other.next().await;
    // No local messages, retain as published, retained messages only for a new subscription.
    for retained in [true, false] {
        client.send(&subscribe_5("#", &[], 0x1C)).await;
        assert_eq!(client.next().await.0, 0x90);
        if retained {
            assert_eq!(client.next().await.0, 0x31);
        }
    }
    client.send(&publish_5("mine", &[], b"")).await;
    other.send(&publish("theirs", b"x", 1, 0)).await;
    let got = client.next().await;
    assert_eq!((got.0, parts(&got).0.as_str()), (0x31, "theirs"));
    client.send(&subscribe_5("kept", &[], 0x20)).await;
    assert_eq!(client.next().await.0, 0x90);
    other.send(&publish("end", b"", 0, 0)).await;
    assert_eq!(parts(&client.next().await).0, "end");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_subscriptions_share() {
    let broker = broker().await;
    let mut members = Vec::new();
    for id in ["one", "two"] {
        let mut member = Wire::client_5(&broker, id, &[]).await;
        for filter in ["$share/g/a/#", "$share/g/b"] {
            member.send(&subscribe_5(filter, &[], 0)).await;
            assert_eq!(member.next().await.0, 0x90);
        }
        members.push(member);
    }
    let mut publisher = Wire::client(&broker, "p").await;
    for number in 0..4_u8 {
        publisher.send(&publish("a/x", &[number], 0, 0)).await;
    }
    publisher.send(&publish("b", &[8], 0, 0).repeat(2)).await;
    let mut all = Vec::new();
    for member in &mut members {
        for _ in 0..3 {
            all.push(parts(&member.next().await).2[0]);
        }
    }
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 8, 8]);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receivers_limits_are_kept() {
    let broker = broker().await;
    // Receive maximum 2, packets of at most 40 bytes.
    let properties = [0x21, 0, 2, 0x27, 0, 0, 0, 40];
    let mut client = Wire::client_5(&broker, "c", &properties).await;
    client.send(&subscribe_5("a", &[], 1)).await;
    client.next().await;
    let mut publisher = Wire::client(&broker, "p").await;
    publisher.send(&publish("a", &[9; 100], 2, 1)).await;
    publisher.next().await;
    for number in 0..5_u8 {
        publisher.send(&publish("a", &[number], 2, 1)).await;
        publisher.next().await;
    }
    let id = |packet: &Packet| [packet.1[3], packet.1[4]];
    let first = client.next().await;
    let second = client.next().await;
    // Two are open: before one is acknowledged nothing but the answer to a ping comes.
    client.send(&[0xC0, 0]).await;
    assert_eq!(client.next().await.0, 0xD0);
    let payload = |packet: &Packet| packet.1[6];
    assert_eq!((payload(&first), payload(&second)), (0, 1));
    client.send(&packet(0x40, &[&id(&second)])).await;
    assert_eq!(payload(&client.next().await), 2);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_messages_end_in_time() {
    let broker = broker().await;
    let mut client = Wire::client_5(&broker, "c", &[0x11, 0, 0, 0, 60]).await;
    client.send(&subscribe_5("a", &[], 1)).await;
    client.next().await;
    drop(client);
    while broker.stats().clients > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(broker.stats().sessions, 1);
    let mut publisher = Wire::client_5(&broker, "p", &[]).await;
    // A life of one second, and of an hour.
    for (seconds, payload) in [(1_u16, b"short"), (3600, b"long ")] {
        let life = [&[0x02, 0, 0][..], &seconds.to_be_bytes()].concat();
        let message = packet(0x32, &[&text("a"), &[0, 1, 5], &life, payload]);
        publisher.send(&message).await;
        assert_eq!(publisher.next().await.0, 0x40);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let mut client = Wire::open(&broker).await;
    client
        .send(&connect_5("c", false, &[0x11, 0, 0, 0, 60]))
        .await;
    let (first, body) = client.next().await;
    assert_eq!((first, body[0]), (0x20, 1), "the session is still there");
    let (_, body) = client.next().await;
    assert!(body.ends_with(b"long "));
    // Goodbye, and the session ends at once.
    client
        .send(&packet(0xE0, &[&[0, 5, 0x11, 0, 0, 0, 0]]))
        .await;
    client.closed().await;
    while broker.stats().sessions > 1 {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nameless_client_gets_a_name() {
    let broker = broker().await;
    let mut client = Wire::open(&broker).await;
    client.send(&connect_5("", true, &[])).await;
    let (first, body) = client.next().await;
    assert_eq!((first, body[1]), (0x20, 0));
    assert!(String::from_utf8_lossy(&body).contains("auto-"));
    broker.stop().await;
}
