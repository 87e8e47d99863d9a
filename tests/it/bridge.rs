//! Bridges between two brokers, over the network and back.

use std::{sync::Arc, time::Duration};

use flowrill::{
    broker::{
        BoundListeners, Broker, BrokerConfig, ListenerConfig, LocalClient, LocalReceiver, Qos,
        Received, SubscribeOptions,
    },
    mqtt::{BridgeConfig, BridgeTls, BridgeTopic, Bridges, Direction, Login, Mqtt, Protocol},
    store::BrokerStore,
};

use crate::support::mqtt::{broker, broker_at};

/// Only against hanging for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn topic(filter: &str, direction: Direction, local: &str, remote: &str) -> BridgeTopic {
    BridgeTopic {
        filter: filter.into(),
        direction,
        qos: Qos::ExactlyOnce,
        local: local.into(),
        remote: remote.into(),
    }
}

fn config(remote: &Broker, protocol: Protocol, topics: Vec<BridgeTopic>) -> BridgeConfig {
    BridgeConfig {
        name: "cloud".into(),
        address: format!("mqtt://{}", remote.address().unwrap()),
        protocol,
        client_id: None,
        login: None,
        keep_alive: 60,
        clean: false,
        tls: BridgeTls::default(),
        topics,
        notification_topic: None,
    }
}

fn bridges(broker: &Broker) -> Bridges {
    let mqtt = Arc::new(Mqtt::new(Some(broker.clone())));
    Bridges::new(mqtt, broker.clone())
}

async fn connected(bridges: &Bridges) {
    let wait = async {
        while !bridges.list()[0].connected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// A client that has subscribed to something.
struct Listener {
    client: LocalClient,
    receiver: LocalReceiver,
    got: Vec<Received>,
}

impl Listener {
    fn new(broker: &Broker, filter: &str) -> Self {
        let (client, receiver) = broker.connect_local(&format!("listener {filter}")).unwrap();
        let options = SubscribeOptions {
            qos: Qos::ExactlyOnce,
            ..SubscribeOptions::default()
        };
        client.subscribe(filter, options).unwrap();
        Self {
            client,
            receiver,
            got: Vec::new(),
        }
    }

    async fn next(&mut self) -> (String, String, Qos) {
        while self.got.is_empty() {
            let receive = self.receiver.receive(&mut self.got, 100);
            assert!(tokio::time::timeout(PATIENCE, receive).await.unwrap());
        }
        let message = self.got.remove(0);
        let payload = String::from_utf8(message.payload().to_vec()).unwrap();
        (message.topic().to_owned(), payload, message.qos())
    }

    fn publish(&self, topic: &str, payload: &str, qos: Qos) {
        self.client
            .publish(topic, payload.as_bytes(), qos, false, None, None)
            .unwrap();
    }
}

/// Sends until a message comes through: both subscriptions are there then.
async fn until_it_carries(from: &Listener, sent: &str, to: &mut Listener, got: &str) {
    loop {
        from.publish(sent, "hello?", Qos::AtMostOnce);
        let wait = tokio::time::timeout(Duration::from_millis(200), to.next());
        if wait.await.is_ok_and(|(topic, ..)| topic == got) {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    while tokio::time::timeout(Duration::from_millis(50), to.next())
        .await
        .is_ok()
    {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_cross_in_both_directions_and_do_not_come_back() {
    for protocol in [Protocol::V4, Protocol::V5] {
        let (here, there) = (broker().await, broker().await);
        let (mut near, mut far) = (Listener::new(&here, "#"), Listener::new(&there, "#"));
        let bridges = bridges(&here);
        let topics = vec![
            topic("sensors/#", Direction::Out, "home/", "site7/"),
            topic("commands/#", Direction::In, "", "site7/"),
            topic("#", Direction::Both, "shared/", "shared/"),
        ];
        bridges
            .set(vec![config(&there, protocol, topics)])
            .await
            .unwrap();
        connected(&bridges).await;
        until_it_carries(&far, "site7/commands/x", &mut near, "commands/x").await;
        until_it_carries(&near, "shared/x", &mut far, "shared/x").await;
        while tokio::time::timeout(Duration::from_millis(50), near.next())
            .await
            .is_ok()
        {}
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            near.publish("home/sensors/a", "21", qos);
            assert_eq!(
                far.next().await,
                ("site7/sensors/a".into(), "21".into(), qos)
            );
            assert_eq!(near.next().await.0, "home/sensors/a");
            far.publish("site7/commands/go", "1", qos);
            assert_eq!(far.next().await.0, "site7/commands/go");
            assert_eq!(near.next().await, ("commands/go".into(), "1".into(), qos));
            near.publish("shared/a", "2", qos);
            assert_eq!(far.next().await, ("shared/a".into(), "2".into(), qos));
            assert_eq!(near.next().await.0, "shared/a");
            far.publish("shared/b", "3", qos);
            assert_eq!(far.next().await.0, "shared/b");
            assert_eq!(near.next().await, ("shared/b".into(), "3".into(), qos));
            near.publish("not/shared", "4", qos);
            assert_eq!(near.next().await.0, "not/shared");
        }
        // Whatever else there were would come before these.
        near.publish("shared/end", "", Qos::ExactlyOnce);
        assert_eq!(far.next().await.0, "shared/end");
        assert_eq!(near.next().await.0, "shared/end");
        far.publish("shared/end", "", Qos::ExactlyOnce);
        assert_eq!(near.next().await.0, "shared/end");
        let info = &bridges.list()[0];
        assert!(
            info.sent >= 7 && info.received >= 7 && info.refused == 0,
            "{info:?}"
        );
        bridges.stop().await;
        here.stop().await;
        there.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_t_go_out_waits_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let config = BrokerConfig {
            listeners: vec![ListenerConfig::tcp(([127, 0, 0, 1], 0).into())],
            ..BrokerConfig::default()
        };
        let bound = BoundListeners::bind(config.listeners.clone()).unwrap();
        let store = BrokerStore::open(folder.path()).unwrap();
        Broker::open(config, bound, Some(store)).unwrap()
    };
    let there = broker().await;
    let port = there.address().unwrap().port();
    let topics = vec![topic("#", Direction::Out, "a/", "b/")];
    let wanted = vec![config(&there, Protocol::V4, topics)];
    let here = open();
    let near = Listener::new(&here, "nothing");
    let mut far = Listener::new(&there, "b/#");
    let running = bridges(&here);
    running.set(wanted.clone()).await.unwrap();
    connected(&running).await;
    until_it_carries(&near, "a/x", &mut far, "b/x").await;
    drop(far);
    there.stop().await;
    let wait = async {
        while running.list()[0].connected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    assert!(running.list()[0].error.is_some());
    for number in 0..50 {
        let (taken, wait) = tokio::sync::oneshot::channel();
        let taken = Box::new(move || taken.send(()).unwrap());
        let payload = number.to_string();
        near.client
            .publish(
                "a/n",
                payload.as_bytes(),
                Qos::AtLeastOnce,
                false,
                None,
                Some(taken),
            )
            .unwrap();
        wait.await.unwrap();
    }
    assert_eq!(running.list()[0].waiting, 50);
    running.stop().await;
    drop(near);
    here.stop().await;
    drop((here, running));

    let here = open();
    let there = broker_at(port).await;
    let mut far = Listener::new(&there, "b/#");
    let running = bridges(&here);
    running.set(wanted).await.unwrap();
    for number in 0..50 {
        assert_eq!(far.next().await.1, number.to_string());
    }
    // A bridge that is not wanted any more leaves nothing behind.
    running.set(Vec::new()).await.unwrap();
    assert!(
        here.clients()
            .iter()
            .all(|client| client.id != "bridge/cloud")
    );
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_state_is_told_here_and_there() {
    let (here, there) = (broker().await, broker().await);
    let mut near = Listener::new(&here, "$SYS/broker/connection/#");
    let mut far = Listener::new(&there, "bridges/#");
    let running = bridges(&here);
    let wanted = BridgeConfig {
        notification_topic: Some("bridges/site7".into()),
        ..config(
            &there,
            Protocol::V5,
            vec![topic("#", Direction::Out, "a/", "")],
        )
    };
    running.set(vec![wanted]).await.unwrap();
    let state = "$SYS/broker/connection/cloud/state";
    while near.next().await.1 != "1" {}
    assert_eq!(far.next().await.1, "1");
    running.stop().await;
    assert_eq!(far.next().await.1, "0");
    assert_eq!(
        near.next().await,
        (state.into(), "0".into(), Qos::ExactlyOnce)
    );
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_from_outside_takes_its_session() {
    let (here, there) = (broker().await, broker().await);
    let running = bridges(&here);
    let topics = vec![topic("#", Direction::Out, "a/", "")];
    let wanted = BridgeConfig {
        login: Some(Login {
            user: "nobody asks".into(),
            password: "secret".into(),
        }),
        ..config(&there, Protocol::V5, topics)
    };
    assert!(!format!("{wanted:?}").contains("secret"));
    running.set(vec![wanted]).await.unwrap();
    connected(&running).await;
    let is_there = || {
        here.clients()
            .iter()
            .any(|client| client.id == "bridge/cloud")
    };
    while !is_there() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut options =
        rumqttc::MqttOptions::new("bridge/cloud", "127.0.0.1", here.address().unwrap().port());
    options.set_clean_session(true);
    let (_client, mut events) = rumqttc::AsyncClient::new(options, 10);
    assert!(events.poll().await.is_err());
    assert!(is_there());
    running.stop().await;
    here.stop().await;
    there.stop().await;
}
