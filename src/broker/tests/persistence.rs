//! What outlives the broker.

use std::path::Path;

use super::wire::{Wire, config, connect, packet, publish, text};
use crate::{
    broker::{BoundListeners, Broker, BrokerConfig, Persistence},
    store::{BrokerStore, StoredRecord},
};

fn broker_in(data: &Path) -> Broker {
    let store = BrokerStore::open(data).unwrap();
    open(config(), store)
}

fn open(config: BrokerConfig, store: (BrokerStore, Vec<StoredRecord>)) -> Broker {
    let bound = BoundListeners::bind(config.listeners.clone()).unwrap();
    Broker::open(config, bound, Some(store)).unwrap()
}

/// Publishes a retained message at QoS 1 and waits for its acknowledgement.
async fn retain(client: &mut Wire, topic: &str, payload: &[u8]) {
    client.send(&publish(topic, payload, 3, 7)).await;
    assert_eq!(client.next().await.0, 0x40, "{topic}");
}

fn retained(broker: &Broker) -> Vec<(String, usize)> {
    let kept = broker.retained("#", 100);
    kept.into_iter()
        .map(|kept| (kept.topic, kept.size))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retained_messages_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let mut client = Wire::client(&broker, "c").await;
    retain(&mut client, "a/long", &[7; 100_000]).await;
    retain(&mut client, "a/long", &[8; 40_000]).await;
    retain(&mut client, "b", b"1").await;
    retain(&mut client, "gone", b"1").await;
    retain(&mut client, "gone", b"").await;
    // Properties of MQTT 5: an hour to live, a type, somebody's own; and one that is over soon.
    let mut new = Wire::client_5(&broker, "new", &[]).await;
    let own = [&[0x26][..], &text("k"), &text("v")].concat();
    let properties = [&[0x02, 0, 0, 14, 16][..], &[0x03, 0, 1, b't'], &own].concat();
    for (topic, properties) in [("c", &properties[..]), ("soon", &[0x02, 0, 0, 0, 1])] {
        let length = [properties.len() as u8];
        let message = packet(0x33, &[&text(topic), &[0, 1], &length, properties, b"x"]);
        new.send(&message).await;
        assert_eq!(new.next().await.0, 0x40);
    }
    broker.stop().await;
    drop(broker);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

    let broker = broker_in(folder.path());
    let expected = [("a/long", 40_000), ("b", 1), ("c", 1)];
    let expected = expected.map(|(topic, size)| (topic.to_owned(), size));
    assert_eq!(retained(&broker), expected);
    let mut new = Wire::client_5(&broker, "new", &[]).await;
    new.send(&packet(0x82, &[&[0, 9, 0], &text("c"), &[1]]))
        .await;
    new.next().await;
    let (first, body) = new.next().await;
    assert_eq!(first, 0x33);
    assert!(body.windows(own.len()).any(|part| part == own), "{body:?}");
    let mut client = Wire::client(&broker, "c").await;
    retain(&mut client, "b", b"").await;
    broker.stop().await;
    drop(broker);
    let broker = broker_in(folder.path());
    assert_eq!(broker.stats().retained, 2);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let mut clients = Vec::new();
    for number in 0..4_u8 {
        let mut client = Wire::client(&broker, &format!("c{number}")).await;
        let all: Vec<u8> = (0..50_u8)
            .flat_map(|id| publish(&format!("{number}/{id}"), &[id], 3, u16::from(id) + 1))
            .collect();
        client.send(&all).await;
        clients.push(client);
    }
    for client in &mut clients {
        for id in 1..=50 {
            assert_eq!(client.next().await, (0x40, vec![0, id]));
        }
    }
    // A copy of the files as they are now is what a power cut leaves.
    let copy = tempfile::tempdir().unwrap();
    let [from, to] = [folder.path(), copy.path()].map(|at| at.join("broker.sled"));
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    let (_store, records) = BrokerStore::open(copy.path()).unwrap();
    assert_eq!(records.len(), 200);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let mut client = Wire::client(&broker, "c").await;
    retain(&mut client, "a", b"1").await;
    broker.stop().await;
    drop(broker);
    for entry in std::fs::read_dir(folder.path().join("broker.sled")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::write(path, [0xAB; 3000]).unwrap();
        }
    }
    let (store, records) = BrokerStore::open(folder.path()).unwrap();
    assert!(records.is_empty() && store.notices()[0].contains("IS DAMAGED"));
    let broker = open(config(), (store, records));
    let mut client = Wire::client(&broker, "c").await;
    retain(&mut client, "a", b"2").await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_waits_for_the_disk_if_that_is_not_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let relaxed = BrokerConfig {
        persistence: Persistence::Relaxed,
        ..config()
    };
    let store = BrokerStore::open(folder.path()).unwrap();
    let broker = open(relaxed, store);
    let mut client = Wire::open(&broker).await;
    client.send(&connect("c", true)).await;
    client.next().await;
    retain(&mut client, "a", b"1").await;
    // All the same it is there at the end.
    broker.stop().await;
    drop(broker);
    assert_eq!(broker_in(folder.path()).stats().retained, 1);
}
