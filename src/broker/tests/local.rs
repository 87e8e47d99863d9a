//! Clients in this process: who gets what, and that nothing is lost when the router dies.

use std::time::Duration;

use tokio::time::timeout;

use crate::broker::{Broker, BrokerConfig, LocalClient, LocalReceiver, Qos, SubscribeOptions};

async fn broker() -> Broker {
    Broker::start(BrokerConfig::default()).await.unwrap()
}

fn publish(client: &LocalClient, topic: &str, payload: &str, retain: bool) {
    client
        .publish(
            topic,
            payload.as_bytes(),
            Qos::AtLeastOnce,
            retain,
            None,
            None,
        )
        .unwrap();
}

/// The next messages as topic and text, as soon as `count` are there.
async fn next(receiver: &mut LocalReceiver, count: usize) -> Vec<(String, String)> {
    let mut batch = Vec::new();
    while batch.len() < count {
        let left = count - batch.len();
        let open = timeout(Duration::from_secs(30), receiver.receive(&mut batch, left)).await;
        assert!(open.unwrap(), "the session is over");
    }
    let text =
        |message: &crate::broker::Received| String::from_utf8(message.payload().to_vec()).unwrap();
    batch
        .iter()
        .map(|message| (message.topic().to_owned(), text(message)))
        .collect()
}

#[tokio::test]
async fn filters_choose_and_dollar_topics_stay_out_of_wildcards() {
    let broker = broker().await;
    let (subscriber, mut received) = broker.connect_local("s").unwrap();
    let (publisher, _keep) = broker.connect_local("p").unwrap();
    for filter in ["a/+/c", "#"] {
        subscriber
            .subscribe(filter, SubscribeOptions::default())
            .unwrap();
    }
    for topic in ["$secret/x", "a/b/c", "温度/é", "x"] {
        publish(&publisher, topic, topic, false);
    }
    // Overlapping filters of one session bring a message once.
    let topics: Vec<String> = next(&mut received, 3)
        .await
        .into_iter()
        .map(|(topic, _)| topic)
        .collect();
    assert_eq!(topics, ["a/b/c", "温度/é", "x"]);
    broker.stop().await;
}

#[tokio::test]
async fn retained_messages_come_at_each_subscribe_until_deleted() {
    let broker = broker().await;
    let (publisher, _keep) = broker.connect_local("p").unwrap();
    let (subscriber, mut received) = broker.connect_local("s").unwrap();
    publish(&publisher, "r/1", "one", true);
    publish(&publisher, "r/2", "two", true);
    publish(&publisher, "r/1", "", true);
    // In order: when the last one is taken, so are the others.
    let (taken, wait) = tokio::sync::oneshot::channel();
    let taken = Box::new(move || taken.send(()).unwrap_or_default());
    publisher
        .publish("end", b"", Qos::AtLeastOnce, false, None, Some(taken))
        .unwrap();
    wait.await.unwrap();
    for _ in 0..2 {
        subscriber
            .subscribe("r/#", SubscribeOptions::default())
            .unwrap();
        assert_eq!(
            next(&mut received, 1).await,
            [("r/2".to_owned(), "two".to_owned())]
        );
    }
    broker.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_router_dies() {
    let broker = broker().await;
    let (subscriber, mut received) = broker.connect_local("s").unwrap();
    let (publisher, _keep) = broker.connect_local("p").unwrap();
    subscriber
        .subscribe(
            "n",
            SubscribeOptions {
                qos: Qos::AtLeastOnce,
                ..SubscribeOptions::default()
            },
        )
        .unwrap();
    let mut seen: Vec<u32> = Vec::new();
    for round in 0..5 {
        for number in 0..100 {
            publish(&publisher, "n", &(round * 100 + number).to_string(), false);
        }
        broker.core.bus.kill_router();
    }
    while seen.last() != Some(&499) {
        seen.extend(
            next(&mut received, 1)
                .await
                .iter()
                .map(|(_, text)| text.parse::<u32>().unwrap()),
        );
    }
    // At least once: what the dead router may have handed over is sent again, but never left out.
    seen.dedup();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..500).collect::<Vec<_>>());
    broker.stop().await;
}
