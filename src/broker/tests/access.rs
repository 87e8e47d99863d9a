//! Who may come in, and do what: names and passwords, rules, and what changes for those who are there already.

use super::wire::{
    Wire, assert_serves, broker, config, connect, connect_5, login, packet, publish, subscribe_5,
    text, user,
};
use crate::broker::{
    AccessConfig, Action, Broker, BrokerConfig, ListenerConfig, Rule, SubscribeOptions, User,
};

fn rule(actions: &[Action], topic: &str) -> Rule {
    Rule {
        deny: false,
        actions: actions.to_vec(),
        topic: topic.into(),
    }
}

const READ: &[Action] = &[Action::Subscribe, Action::Receive];
const WRITE: &[Action] = &[Action::Publish];

/// [MQTT-3.1.4-2] of 5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_passwords_are_checked() {
    let broker = Broker::start(BrokerConfig {
        access: AccessConfig {
            users: [("ann".to_owned(), user("pw"))].into(),
            ..AccessConfig::default()
        },
        ..config()
    })
    .await
    .unwrap();
    for (bytes, code) in [
        (connect("c", true), 5),
        (login("c", true, b"ann", b"pw"), 0),
        (login("c", true, b"ann", b"PW"), 4),
        (login("c", true, b"ann", &[0xFF, 0]), 4),
        (login("c", true, b"bob", b"pw"), 4),
    ] {
        let mut client = Wire::open(&broker).await;
        client.send(&bytes).await;
        assert_eq!(client.next().await, (0x20, vec![0, code]));
    }
    broker.stop().await;
}

/// A broker with the users ann (who has these rules) and bob, whose passwords are their names.
async fn broker_for_two(rules: Vec<Rule>) -> Broker {
    Broker::start(BrokerConfig {
        access: two(rules),
        ..config()
    })
    .await
    .unwrap()
}

fn two(rules: Vec<Rule>) -> AccessConfig {
    let ann = User {
        rules,
        ..user("ann")
    };
    AccessConfig {
        users: [("ann".to_owned(), ann), ("bob".to_owned(), user("bob"))].into(),
        ..AccessConfig::default()
    }
}

/// A connected client of a user whose password is the name.
async fn client(broker: &Broker, id: &str, clean: bool, name: &str) -> (Wire, bool) {
    let mut wire = Wire::open(broker).await;
    wire.send(&login(id, clean, name.as_bytes(), name.as_bytes()))
        .await;
    let (first, body) = wire.next().await;
    assert_eq!((first, body[1]), (0x20, 0), "{name}");
    (wire, body[0] == 1)
}

/// [MQTT-3.3.5-2] of 3.1.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_say_what_a_user_may_do() {
    let rules = vec![
        rule(WRITE, "sensors/%c/#"),
        rule(READ, "home/#"),
        Rule {
            deny: true,
            ..rule(READ, "home/secret/#")
        },
    ];
    let broker = broker_for_two(rules).await;
    let (mut ann, _) = client(&broker, "a1", true, "ann").await;
    ann.subscribe("home/#", 0).await;
    for (filter, code) in [("other", 0x80), ("home/secret/x", 0x80), ("#", 0)] {
        let subscribe = packet(0x82, &[&[0, 5], &text(filter), &[0]]);
        ann.send(&subscribe).await;
        assert_eq!(ann.next().await, (0x90, vec![0, 5, code]), "{filter}");
    }
    // Flows may do everything, as nobody has said otherwise.
    let (flows, mut received) = broker.connect_local("flows").unwrap();
    flows.subscribe("#", SubscribeOptions::default()).unwrap();
    for topic in ["sensors/a2/t", "home/x", "$SYS/x", "sensors/a1/t"] {
        ann.send(&publish(topic, b"1", 2, 7)).await;
        assert_eq!(ann.next().await, (0x40, vec![0, 7]), "{topic}");
    }
    let mut batch = Vec::new();
    received.receive(&mut batch, 9).await;
    let topics: Vec<&str> = batch.iter().map(|one| one.topic()).collect();
    assert_eq!(topics, ["sensors/a1/t"]);
    for topic in ["home/secret/x", "elsewhere", "home/x"] {
        let qos = Default::default();
        flows.publish(topic, b"2", qos, false, None, None).unwrap();
    }
    assert_eq!(ann.message().await.1, "home/x");
    // As there are rules, a user without any may do nothing.
    let (mut bob, _) = client(&broker, "b", true, "bob").await;
    bob.send(&packet(0x82, &[&[0, 5], &text("#"), &[0]])).await;
    assert_eq!(bob.next().await, (0x90, vec![0, 5, 0x80]));
    broker.stop().await;
}

/// [MQTT-4.3.3-9] of 5, [MQTT-3.1.4-2] of 5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_mqtt_5_hear_what_they_may_not_do() {
    let broker = Broker::start(BrokerConfig {
        access: AccessConfig {
            everybody: vec![rule(WRITE, "open")],
            ..AccessConfig::default()
        },
        ..config()
    })
    .await
    .unwrap();
    let mut client = Wire::client_5(&broker, "c", &[]).await;
    let send = |qos: u8| packet(0x30 | qos << 1, &[&text("shut"), &[0, 7, 0]]);
    client.send(&send(1)).await;
    assert_eq!(client.next().await, (0x40, vec![0, 7, 0x87]));
    client.send(&send(2)).await;
    assert_eq!(client.next().await, (0x50, vec![0, 7, 0x87]));
    // What was refused is over: the same identifier is another message.
    client
        .send(&packet(0x34, &[&text("open"), &[0, 7, 0]]))
        .await;
    assert_eq!(client.next().await, (0x50, vec![0, 7]));
    client.send(&packet(0x62, &[&[0, 7]])).await;
    assert_eq!(client.next().await, (0x70, vec![0, 7]));
    client.send(&subscribe_5("open", &[], 0)).await;
    assert_eq!(client.next().await, (0x90, vec![0, 9, 0, 0x87]));
    // A will that must not be published keeps out.
    let mut willing = Wire::open(&broker).await;
    let will = [text("w"), vec![0], text("shut"), text("x")].concat();
    willing
        .send(&packet(0x10, &[&text("MQTT"), &[5, 6, 0, 60, 0], &will]))
        .await;
    assert_eq!(willing.next().await, (0x20, vec![0, 0x87, 0]));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_its_users() {
    let broker = broker_for_two(vec![]).await;
    let (mut ann, present) = client(&broker, "same", false, "ann").await;
    assert!(!present);
    ann.subscribe("a", 1).await;
    ann.send(&[0xE0, 0]).await;
    ann.closed().await;
    let (flows, _received) = broker.connect_local("flows").unwrap();
    let qos = crate::broker::Qos::AtLeastOnce;
    flows.publish("a", b"1", qos, false, None, None).unwrap();
    // Whoever else takes the name gets nothing of it.
    let (mut bob, present) = client(&broker, "same", false, "bob").await;
    assert!(!present);
    bob.send(&[0xC0, 0]).await;
    assert_eq!(bob.next().await.0, 0xD0);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_hold_for_those_who_are_there() {
    let all = || vec![rule(&[READ, WRITE].concat(), "#")];
    let broker = broker_for_two(all()).await;
    let (mut ann, _) = client(&broker, "a", true, "ann").await;
    ann.subscribe("#", 1).await;
    ann.send(&publish("kept/ann", b"k", 3, 1)).await;
    let mut seen = vec![ann.next().await.0, ann.next().await.0];
    seen.sort_unstable();
    assert_eq!(seen, [0x32, 0x40]);
    let (mut sleeper, _) = client(&broker, "s", false, "ann").await;
    sleeper.subscribe("x/#", 1).await;
    drop(sleeper);
    while broker.stats().clients > 1 {
        tokio::task::yield_now().await;
    }
    let (flows, _received) = broker.connect_local("flows").unwrap();
    let send = |topic: &str| {
        let qos = crate::broker::Qos::AtLeastOnce;
        flows.publish(topic, b"1", qos, false, None, None).unwrap();
    };
    send("x/1");
    send("x/2");
    for _ in 0..2 {
        assert_eq!(ann.next().await.0 >> 4, 3);
    }
    // Ann loses the right to x/2 and to publish.
    let mut changed = AccessConfig::clone(&broker.access());
    changed.users.get_mut("ann").unwrap().rules =
        vec![rule(READ, "x/1"), rule(READ, "end"), rule(READ, "kept/#")];
    broker.set_access(changed.clone());
    send("x/2");
    send("end");
    assert_eq!(ann.message().await.1, "end");
    let (mut sleeper, present) = client(&broker, "s", false, "ann").await;
    assert!(present);
    assert_eq!(sleeper.message().await.1, "x/1");
    // What she has published while she might is no longer given to new subscribers.
    sleeper.subscribe("kept/#", 0).await;
    sleeper.send(&[0xC0, 0]).await;
    assert_eq!(sleeper.next().await.0, 0xD0);
    // Another password, and everything of hers ends.
    changed.users.insert("ann".into(), user("other"));
    broker.set_access(changed);
    ann.closed().await;
    sleeper.closed().await;
    let mut again = Wire::open(&broker).await;
    again.send(&login("s", false, b"ann", b"ann")).await;
    assert_eq!(again.next().await, (0x20, vec![0, 4]));
    let mut again = Wire::open(&broker).await;
    again.send(&login("s", false, b"ann", b"other")).await;
    assert_eq!(again.next().await, (0x20, vec![0, 0]));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_may_let_in_everybody_or_nobody() {
    let local = ListenerConfig::tcp(([127, 0, 0, 1], 0).into());
    for (anonymous, users, code) in [
        (None, false, 0),
        (None, true, 5),
        (Some(true), true, 0),
        (Some(false), false, 5),
    ] {
        let listener = ListenerConfig {
            anonymous,
            ..local.clone()
        };
        let broker = Broker::start(BrokerConfig {
            listeners: vec![listener],
            access: match users {
                true => two(vec![]),
                false => AccessConfig::default(),
            },
            ..BrokerConfig::default()
        })
        .await
        .unwrap();
        let mut client = Wire::open(&broker).await;
        client.send(&connect("c", true)).await;
        let answer = client.next().await;
        assert_eq!(answer, (0x20, vec![0, code]), "{anonymous:?} {users}");
        broker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_in_while_it_is_not_known_who_may() {
    let broker = broker().await;
    assert_serves(&broker).await;
    broker.set_access(AccessConfig {
        closed: true,
        ..AccessConfig::default()
    });
    let mut client = Wire::open(&broker).await;
    client.send(&connect_5("c", true, &[])).await;
    assert_eq!(client.next().await, (0x20, vec![0, 0x87, 0]));
    assert!(broker.connect_local("flows").is_ok());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_that_mosquitto_has_hashed_are_known() {
    // mosquitto_passwd -b -H sha512 and -H sha512-pbkdf2, with the password "secret".
    let hashes = [
        "$6$+D5XXyecj6HCcJXz$BBF0LrFikRp2ae8FDYYfIt47fLvJfXcANhBKmWdpmO1WpTnXJ49Bip4ZDSgFZ4uj2o8v7kPse5yxvRcZAxyhFw==",
        "$7$101$0pH9+dQqsPDEyEjj$WB2eX7OB6zK1DCOps7UROxqhvOis2y4LzwYVGukL5iBORpgh5vxoFUuyyIS34WFnHWtxr2JJlZrLSrEl7CTmQw==",
    ];
    for hash in hashes {
        let moved = User {
            password: hash.into(),
            roles: Vec::new(),
            rules: Vec::new(),
        };
        let broker = Broker::start(BrokerConfig {
            access: AccessConfig {
                users: [("moved".to_owned(), moved)].into(),
                ..AccessConfig::default()
            },
            ..config()
        })
        .await
        .unwrap();
        for (password, code) in [(&b"secret"[..], 0), (b"Secret", 4), (b"", 4)] {
            let mut client = Wire::open(&broker).await;
            client.send(&login("c", true, b"moved", password)).await;
            assert_eq!(client.next().await, (0x20, vec![0, code]), "{hash}");
        }
        broker.stop().await;
    }
}
