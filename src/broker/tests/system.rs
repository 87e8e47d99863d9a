//! `$SYS`.

use std::collections::BTreeMap;

use super::wire::{Wire, broker, publish};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_tells_of_itself_to_those_who_ask() {
    let broker = broker().await;
    let mut client = Wire::client(&broker, "c").await;
    client.subscribe("a/#", 0).await;
    for _ in 0..3 {
        client.send(&publish("a/b", b"12345", 0, 0)).await;
        client.message().await;
    }
    // Nothing is there before anybody asks, and nothing of it for `#`.
    assert_eq!(broker.stats().retained, 0);
    let mut asking = Wire::client(&broker, "asking").await;
    asking.subscribe("$SYS/broker/#", 1).await;
    let expected = [
        ("clients/connected", "2"),
        ("clients/total", "2"),
        ("clients/maximum", "2"),
        ("subscriptions/count", "1"),
        ("publish/messages/received", "3"),
        ("publish/messages/sent", "3"),
        ("publish/bytes/received", "15"),
        ("publish/messages/dropped", "0"),
    ];
    let others = [
        "version",
        "uptime",
        "bytes/received",
        "load/connections/15min",
    ];
    let names = expected.iter().map(|(name, _)| name).chain(&others);
    let wanted: Vec<String> = names.map(|name| format!("$SYS/broker/{name}")).collect();
    let mut values = BTreeMap::new();
    while !wanted.iter().all(|topic| values.contains_key(topic)) {
        let (first, topic, id, payload) = asking.message().await;
        assert_eq!(first & 0xF1, 0x31, "{topic}");
        asking.send(&[0x40, 2, (id >> 8) as u8, id as u8]).await;
        values.insert(topic, String::from_utf8(payload).unwrap());
    }
    for (name, expected) in expected {
        assert_eq!(values[&format!("$SYS/broker/{name}")], expected, "{name}");
    }
    assert!(values["$SYS/broker/version"].starts_with("flowrill version "));
    assert!(values["$SYS/broker/uptime"].ends_with(" seconds"));
    let bytes: u64 = values["$SYS/broker/bytes/received"].parse().unwrap();
    assert!(bytes >= 30);
    // Clients have no say there.
    client
        .send(&publish("$SYS/broker/version", b"mine", 1, 0))
        .await;
    client.send(&publish("a/end", b"", 0, 0)).await;
    assert_eq!(client.message().await.1, "a/end");
    let mut again = Wire::client(&broker, "again").await;
    again.subscribe("$SYS/broker/version", 0).await;
    assert!(again.message().await.3.starts_with(b"flowrill"));
    broker.stop().await;
}
