//! The topic tree, and what is told of changes.

use super::*;
use crate::broker::{Broker, BrokerConfig, Qos};

async fn with_broker() -> (Broker, ServerState) {
    let broker = Broker::start(BrokerConfig::default()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = ServerState {
        broker: Some(broker.clone()),
        ..state(address, false)
    };
    TaskTracker::new().spawn(serve(listener, state.clone()));
    (broker, state)
}

/// Publishes, and waits until it is seen.
async fn publish(broker: &Broker, topic: &str, payload: &str, retain: bool) {
    let payload = payload.as_bytes();
    let before = broker.stats().received;
    let changes = broker.watch_topics();
    assert!(
        broker
            .publish(topic, payload, Qos::AtMostOnce, retain)
            .await
    );
    while broker.stats().received == before || !changes.has_changed().unwrap() {
        tokio::task::yield_now().await;
    }
}

/// Names, topics and values of children.
fn children(branch: &Json) -> Vec<(&str, u64, &Json)> {
    let children = branch["children"].as_array().unwrap().iter();
    children
        .map(|child| {
            let name = child["name"].as_str().unwrap();
            (name, child["topics"].as_u64().unwrap(), &child["value"])
        })
        .collect()
}

#[tokio::test]
async fn topics_are_a_tree() {
    let (broker, state) = with_broker().await;
    for (topic, payload) in [
        ("a", "1"),
        ("a/b", "2"),
        ("a/b/c", "3"),
        ("/x", "4"),
        ("a/ü", "5"),
    ] {
        publish(&broker, topic, payload, topic == "a/b").await;
    }
    publish(&broker, "a/b", "6", false).await;
    let (_, root) = ask(&state, "GET", "/flowrill/broker/topics", &[], "").await;
    let names: Vec<_> = children(&root)
        .iter()
        .map(|child| (child.0, child.1))
        .collect();
    assert_eq!(names, [("", 1), ("a", 4)]);
    let path = "/flowrill/broker/topics?below=a%2F";
    let (_, below) = ask(&state, "GET", path, &[], "").await;
    assert_eq!((children(&below).len(), &below["more"]), (2, &json!(0)));
    let (name, topics, value) = children(&below)[0];
    assert_eq!((name, topics), ("b", 2));
    let wanted = json!({"payload": "6", "size": 1, "qos": 0, "retained": true, "count": 2});
    assert_eq!(value, &wanted);
    publish(&broker, "a/b", "", true).await;
    let (_, below) = ask(&state, "GET", path, &[], "").await;
    assert_eq!(children(&below)[0].2["retained"], false);
    let (_, below) = ask(&state, "GET", "/flowrill/broker/topics?below=%2F", &[], "").await;
    assert_eq!(children(&below)[0].0, "x");
    let (_, found) = ask(&state, "GET", "/flowrill/broker/topics?find=B%2FC", &[], "").await;
    assert_eq!(found["found"][0]["name"], "a/b/c");
    broker.stop().await;
}

#[tokio::test]
async fn changes_are_told_for_what_is_open() {
    let (broker, state) = with_broker().await;
    publish(&broker, "a/b", "1", false).await;
    let mut live = Socket::connect("/flowrill/broker/live", &state).await;
    live.say(&json!({"branches": ["", "a/", "none/"], "clients": true}))
        .await;
    let first = live.find(|frame| frame["branches"].is_object()).await;
    assert_eq!(children(&first["branches"][""])[0].0, "a");
    assert_eq!(children(&first["branches"]["a/"])[0].2["payload"], "1");
    assert!(children(&first["branches"]["none/"]).is_empty());

    publish(&broker, "z/y", "2", false).await;
    let change = live.find(|frame| frame["branches"].is_object()).await;
    assert_eq!(children(&change["branches"][""])[0].0, "z");
    assert_eq!(change["branches"].as_object().unwrap().len(), 1);

    let (flows, _receiver) = broker.connect_local("flows/1").unwrap();
    let come = live.find(|frame| frame["clients"].is_object()).await;
    assert_eq!(come["clients"]["changed"][0]["id"], "flows/1");
    drop(flows);
    let left = live.find(|frame| frame["clients"].is_object()).await;
    assert_eq!(left["clients"]["gone"], json!(["flows/1"]));

    live.say(&json!({"branches": 7})).await;
    let error = live.find(|frame| frame["error"].is_string()).await;
    assert!(error["error"].as_str().unwrap().contains("is expected"));
    broker.stop().await;
}

/// However much is published, little is told, and the last value is among it.
#[tokio::test]
async fn much_is_told_seldom() {
    let (broker, state) = with_broker().await;
    let mut live = Socket::connect("/flowrill/broker/live", &state).await;
    live.say(&json!({"branches": [""]})).await;
    live.find(|frame| frame["branches"].is_object()).await;
    for count in 0..=2000 {
        let payload = count.to_string();
        let topic = format!("t{}", count % 7);
        assert!(
            broker
                .publish(&topic, payload.as_bytes(), Qos::AtMostOnce, false)
                .await
        );
    }
    let mut frames = 0;
    loop {
        let frame = live.find(|frame| frame["branches"].is_object()).await;
        frames += 1;
        let root = &frame["branches"][""];
        if children(root)
            .iter()
            .any(|child| child.2["payload"] == "2000")
        {
            break;
        }
    }
    // Two thousand messages in some seconds at the most.
    assert!(frames < 200, "{frames}");
    broker.stop().await;
}
