//! What a person sees of the broker, and what he does to it.

use super::wire::{Wire, broker, connect_5, publish, subscribe_5};
use crate::broker::Qos;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_listed_and_cut_off() {
    let broker = broker().await;
    let (flows, _received) = broker.connect_local("flows").unwrap();
    flows.subscribe("x", Default::default()).unwrap();
    let mut client = Wire::client_5(&broker, "device", &[0x11, 0, 0, 0, 60]).await;
    client.send(&subscribe_5("b/#", &[], 1)).await;
    client.next().await;
    client.send(&subscribe_5("a", &[], 0)).await;
    client.next().await;
    client.send(&publish("b/c", b"", 0, 0)).await;
    client.closed().await;
    let clients = broker.clients();
    let ids: Vec<&str> = clients.iter().map(|client| &*client.id).collect();
    assert_eq!(ids, ["device", "flows"]);
    let flows = &clients[1];
    assert!(flows.flows && flows.connected && flows.address.is_none());
    assert_eq!(flows.subscriptions, ["x"]);

    let mut client = Wire::open(&broker).await;
    let connect = connect_5("device", false, &[0x11, 0, 0, 0, 60]);
    client.send(&connect).await;
    assert_eq!(client.next().await.1[0], 1);
    assert!(broker.publish("b/c", b"1", Qos::AtLeastOnce, true).await);
    client.next().await;
    let device = &broker.clients()[0];
    assert_eq!(device.version, Some("5"));
    assert!(device.address.as_ref().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(device.subscriptions, ["a", "b/#"]);
    assert_eq!((device.sent, device.unacknowledged), (1, 1));
    assert_eq!(device.keep_alive, Some(60));

    assert!(broker.disconnect("device"));
    assert_eq!(client.closed().await, Some((0xE0, vec![0x98])));
    while broker.clients()[0].connected {
        tokio::task::yield_now().await;
    }
    assert!(!broker.disconnect("device") && !broker.disconnect("nobody"));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retained_messages_are_listed_and_cleared() {
    let broker = broker().await;
    for (topic, payload) in [("b", "2"), ("a/x", "1"), ("big", &*"x".repeat(300))] {
        let payload = payload.as_bytes();
        assert!(broker.publish(topic, payload, Qos::ExactlyOnce, true).await);
    }
    while broker.stats().retained < 3 {
        tokio::task::yield_now().await;
    }
    let kept = broker.retained("#", 2);
    let topics: Vec<&str> = kept.iter().map(|kept| &*kept.topic).collect();
    assert_eq!(topics, ["a/x", "b"]);
    assert_eq!((&*kept[0].payload, kept[0].qos), ("1", 2));
    let big = &broker.retained("big", 9)[0];
    assert_eq!((big.payload.len(), big.size), (256, 300));
    assert!(broker.publish("b", b"", Qos::AtMostOnce, true).await);
    while broker.stats().retained > 2 {
        tokio::task::yield_now().await;
    }
    for wrong in ["", "a/#", "$SYS/broker/version"] {
        assert!(!broker.publish(wrong, b"", Qos::AtMostOnce, false).await);
    }
    broker.stop().await;
}
