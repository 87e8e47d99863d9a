//! What outlives the broker.

use std::path::Path;

use super::wire::{Wire, config, connect, connect_5, login, packet, publish, split, text, user};
use crate::{
    broker::{AccessConfig, BoundListeners, Broker, BrokerConfig, Persistence},
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

/// A receiver may have answered before the broker is through with all the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_receiver_has_is_done_with_also_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let (mut quick, _) = Wire::lasting(&broker, "quick").await;
    quick.subscribe("#", 1).await;
    for number in 0..40 {
        let (mut other, _) = Wire::lasting(&broker, &format!("other{number}")).await;
        other.subscribe("#", 1).await;
        other.send(&[0xE0, 0]).await;
    }
    let mut publisher = Wire::client(&broker, "publisher").await;
    publisher.send(&publish("t", b"x", 2, 1).repeat(1000)).await;
    for _ in 0..1000 {
        let id = quick.message().await.2;
        quick.send(&packet(0x40, &[&id.to_be_bytes()])).await;
    }
    // Its acknowledgements have been read by then.
    quick.send(&[0xC0, 0]).await;
    assert_eq!(quick.next().await.0, 0xD0);
    broker.stop().await;
    drop(broker);
    let broker = broker_in(folder.path());
    let (mut quick, present) = Wire::lasting(&broker, "quick").await;
    assert!(present);
    quick.send(&[0xC0, 0]).await;
    assert_eq!(quick.next().await.0, 0xD0);
    broker.stop().await;
}

/// A copy of the files as they are now is what a power cut leaves.
fn after_a_power_cut(data: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let [from, to] = [data, copy.path()].map(|at| at.join("broker.sled"));
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    copy
}

/// [MQTT-3.1.2-23] of 5: it ends with the connection, also where that ends with the broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_to_end_now_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let mut client = Wire::client_5(&broker, "c", &[0x11, 0, 0, 0, 100]).await;
    client.send(&[0xE0, 0]).await;
    client.closed().await;
    let mut client = Wire::open(&broker).await;
    client.send(&connect_5("c", false, &[])).await;
    assert_eq!(client.next().await.1[..2], [1, 0]);
    let copy = after_a_power_cut(folder.path());
    broker.stop().await;
    let broker = broker_in(copy.path());
    assert_eq!(broker.stats().sessions, 0);
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
    let copy = after_a_power_cut(folder.path());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_what_waits_in_them_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let (mut client, present) = Wire::lasting(&broker, "c").await;
    assert!(!present);
    client.subscribe("a/#", 1).await;
    client.subscribe("b", 2).await;
    client.subscribe("left", 1).await;
    client.send(&packet(0xA2, &[&[0, 3], &text("left")])).await;
    assert_eq!(client.next().await.0, 0xB0);
    drop(client);
    while broker.stats().clients > 0 {
        tokio::task::yield_now().await;
    }
    let mut publisher = Wire::client(&broker, "p").await;
    for (topic, payload) in [("a/1", b"1"), ("b", b"2"), ("a/2", b"3"), ("left", b"4")] {
        publisher.send(&publish(topic, payload, 2, 7)).await;
        assert_eq!(publisher.next().await.0, 0x40, "{topic}");
    }
    // QoS 0 is not kept.
    publisher.send(&publish("a/0", b"0", 0, 0)).await;
    publisher.send(&[0xC0, 0]).await;
    publisher.next().await;
    broker.stop().await;
    drop(broker);

    let broker = broker_in(folder.path());
    assert_eq!(broker.stats().subscriptions, 2);
    let (mut client, present) = Wire::lasting(&broker, "c").await;
    assert!(present);
    let mut got = Vec::new();
    for _ in 0..3 {
        let (first, topic, id, payload) = client.message().await;
        // Whether they were sent before nobody knows.
        got.push((first, topic, payload[0]));
        client.send(&packet(0x40, &[&id.to_be_bytes()])).await;
    }
    assert_eq!(
        got,
        [
            (0x3A, "a/1".into(), b'1'),
            (0x3A, "b".into(), b'2'),
            (0x3A, "a/2".into(), b'3')
        ]
    );
    // The subscriptions are there, too.
    let mut publisher = Wire::client(&broker, "p").await;
    publisher.send(&publish("a/new", b"5", 2, 7)).await;
    let (first, topic, id, _) = client.message().await;
    assert_eq!((first, topic.as_str()), (0x32, "a/new"));
    client.send(&packet(0x40, &[&id.to_be_bytes()])).await;
    client.send(&[0xC0, 0]).await;
    assert_eq!(client.next().await.0, 0xD0);
    broker.stop().await;
    drop(broker);

    // Nothing comes twice, and a session that its client ends is gone.
    let broker = broker_in(folder.path());
    let (mut client, present) = Wire::lasting(&broker, "c").await;
    assert!(present);
    client.send(&[0xC0, 0]).await;
    assert_eq!(client.next().await.0, 0xD0);
    let mut client = Wire::client(&broker, "c").await;
    client.send(&[0xE0, 0]).await;
    client.closed().await;
    broker.stop().await;
    drop(broker);
    let (_store, records) = BrokerStore::open(folder.path()).unwrap();
    assert!(records.is_empty(), "{records:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_holds_across_a_restart_for_the_receiver() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let (mut client, _) = Wire::lasting(&broker, "c").await;
    client.subscribe("b", 2).await;
    let mut publisher = Wire::client(&broker, "p").await;
    for payload in [b"1", b"2"] {
        publisher.send(&publish("b", payload, 4, 7)).await;
        assert_eq!(publisher.next().await.0, 0x50);
        publisher.send(&packet(0x62, &[&[0, 7]])).await;
        assert_eq!(publisher.next().await.0, 0x70);
    }
    let (_, _, one, _) = client.message().await;
    let (_, _, two, _) = client.message().await;
    // The first was taken and its release has come; of the second nothing is known.
    client.send(&packet(0x50, &[&one.to_be_bytes()])).await;
    assert_eq!(client.next().await, (0x62, one.to_be_bytes().to_vec()));
    drop(client);
    broker.stop().await;
    drop(broker);

    let broker = broker_in(folder.path());
    let (mut client, present) = Wire::lasting(&broker, "c").await;
    assert!(present);
    let first = client.next().await;
    let second = client.next().await;
    let mut both = [first, second];
    both.sort_by_key(|(first, _)| std::cmp::Reverse(*first));
    assert_eq!(both[0], (0x62, one.to_be_bytes().to_vec()));
    let (first, topic, id, payload) = split(both[1].0, &both[1].1);
    assert_eq!(
        (first, topic.as_str(), id, &*payload),
        (0x3C, "b", two, &b"2"[..])
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_holds_across_a_restart_for_the_publisher() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_in(folder.path());
    let (mut client, _) = Wire::lasting(&broker, "keeps").await;
    client.subscribe("b", 1).await;
    drop(client);
    let (mut publisher, _) = Wire::lasting(&broker, "p").await;
    publisher.send(&publish("b", b"1", 4, 7)).await;
    assert_eq!(publisher.next().await, (0x50, vec![0, 7]));
    drop(publisher);
    broker.stop().await;
    drop(broker);
    let broker = broker_in(folder.path());
    let (mut publisher, present) = Wire::lasting(&broker, "p").await;
    assert!(present);
    // It does not know that its PUBREC has come, and sends again.
    publisher.send(&publish("b", b"1", 0x0C, 7)).await;
    assert_eq!(publisher.next().await, (0x50, vec![0, 7]));
    publisher.send(&packet(0x62, &[&[0, 7]])).await;
    assert_eq!(publisher.next().await, (0x70, vec![0, 7]));
    publisher.send(&publish("b", b"2", 4, 7)).await;
    assert_eq!(publisher.next().await, (0x50, vec![0, 7]));
    publisher.send(&publish("b", b"3", 0, 0)).await;
    let (mut client, present) = Wire::lasting(&broker, "keeps").await;
    assert!(present);
    let (_, _, _, payload) = client.message().await;
    assert_eq!(payload, b"1");
    drop((publisher, client));
    broker.stop().await;
    drop(broker);
    // What it has sent and not released is kept, too, and it need not be sent again.
    let broker = broker_in(folder.path());
    let (mut client, _) = Wire::lasting(&broker, "keeps").await;
    let (mut publisher, present) = Wire::lasting(&broker, "p").await;
    assert!(present);
    publisher.send(&packet(0x62, &[&[0, 7]])).await;
    assert_eq!(publisher.next().await, (0x70, vec![0, 7]));
    let mut payloads = Vec::new();
    while !payloads.contains(&b"2".to_vec()) {
        payloads.push(client.message().await.3);
    }
    publisher.send(&packet(0x62, &[&[0, 7]])).await;
    assert_eq!(publisher.next().await, (0x70, vec![0, 7]));
    publisher.send(&publish("b", b"end", 0, 0)).await;
    assert_eq!(client.message().await.3, b"end");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_sessions_end_in_time_and_with_their_user() {
    let folder = tempfile::tempdir().unwrap();
    let ann = AccessConfig {
        users: [("ann".to_owned(), user("ann"))].into(),
        ..AccessConfig::default()
    };
    let with = |access: &AccessConfig| BrokerConfig {
        access: access.clone(),
        ..config()
    };
    let broker = open(with(&ann), BrokerStore::open(folder.path()).unwrap());
    let mut client = Wire::open(&broker).await;
    client.send(&login("hers", false, b"ann", b"ann")).await;
    assert_eq!(client.next().await, (0x20, vec![0, 0]));
    broker.stop().await;
    drop(broker);
    let broker = open(with(&ann), BrokerStore::open(folder.path()).unwrap());
    let mut client = Wire::open(&broker).await;
    client.send(&login("hers", false, b"ann", b"ann")).await;
    assert_eq!(client.next().await, (0x20, vec![1, 0]));
    broker.stop().await;
    drop(broker);
    let broker = broker_in(folder.path());
    assert_eq!(broker.stats().sessions, 0);
    // One second of MQTT 5.
    let client = Wire::client_5(&broker, "short", &[0x11, 0, 0, 0, 1]).await;
    drop(client);
    while broker.stats().clients > 0 {
        tokio::task::yield_now().await;
    }
    broker.stop().await;
    drop(broker);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let broker = broker_in(folder.path());
    assert_eq!(broker.stats().sessions, 0);
    broker.stop().await;
    drop(broker);
    let (_store, records) = BrokerStore::open(folder.path()).unwrap();
    assert!(records.is_empty(), "{records:?}");
}
