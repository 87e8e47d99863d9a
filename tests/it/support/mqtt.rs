//! Flows that speak MQTT, in real time: the broker has threads of its own.

use std::time::Duration;

use flowrill::{
    broker::{Broker, BrokerConfig, ListenerConfig, LocalClient, LocalReceiver, Qos},
    engine::RuntimeSettings,
    flow::DeployMode,
    services::Services,
};
use serde_json::{Value as Json, json};

use super::flows::{Seen, TestFlows, got};

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker on a free port of this machine.
pub(crate) async fn broker() -> Broker {
    broker_at(0).await
}

/// A broker on this port.
pub(crate) async fn broker_at(port: u16) -> Broker {
    let address = ([127, 0, 0, 1], port).into();
    let config = BrokerConfig {
        listeners: vec![ListenerConfig::tcp(address)],
        ..BrokerConfig::default()
    };
    Broker::start(config).await.unwrap()
}

/// Another client of the broker, as a program outside would be.
pub(crate) struct Outside {
    client: LocalClient,
    _receiver: LocalReceiver,
}

impl Outside {
    pub(crate) fn connect(broker: &Broker) -> Self {
        let (client, receiver) = broker.connect_local("outside").unwrap();
        Self {
            client,
            _receiver: receiver,
        }
    }

    /// Returns when the broker has taken the message.
    pub(crate) async fn publish(&self, topic: &str, payload: &str, qos: Qos, retain: bool) {
        let (taken, wait) = tokio::sync::oneshot::channel();
        let taken = Box::new(move || taken.send(()).unwrap_or_default());
        self.client
            .publish(topic, payload.as_bytes(), qos, retain, None, Some(taken))
            .unwrap();
        wait.await.unwrap();
    }
}

/// Running flows and all that was seen of them.
pub(crate) struct MqttFlows {
    pub(crate) flows: TestFlows,
    seen: Vec<Seen>,
}

impl MqttFlows {
    /// Runs these nodes on tab `t`, with or without a broker of their own.
    pub(crate) async fn run(broker: Option<&Broker>, nodes: &[Json]) -> Self {
        let settings = RuntimeSettings {
            mqtt_reconnect: Duration::from_millis(50),
            ..RuntimeSettings::default()
        };
        let flows = TestFlows::with_services(&Services::new(broker.cloned()), settings);
        let test = Self::over(flows);
        test.deploy(nodes, DeployMode::Full).await;
        test
    }

    /// Watches these flows.
    pub(crate) fn over(flows: TestFlows) -> Self {
        Self {
            flows,
            seen: Vec::new(),
        }
    }

    /// Makes these nodes the running ones.
    pub(crate) async fn deploy(&self, nodes: &[Json], mode: DeployMode) {
        let mut all = vec![json!({"id": "t", "type": "tab", "label": "Test"})];
        all.extend_from_slice(nodes);
        self.flows.deploy(all.into(), mode).await;
    }

    /// What was seen so far.
    pub(crate) async fn seen(&mut self) -> &[Seen] {
        let new = self.flows.after(Duration::from_millis(2)).await;
        self.seen.extend(new);
        &self.seen
    }

    /// Forgets what was seen so far.
    pub(crate) async fn forget(&mut self) {
        self.seen().await;
        self.seen.clear();
    }

    /// Waits until `find` finds something in what was seen.
    pub(crate) async fn until<T>(&mut self, what: &str, find: impl Fn(&[Seen]) -> Option<T>) -> T {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(self.seen().await) {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "never seen: {what}\nbut: {:?}",
                &self.seen[..self.seen.len().min(50)]
            );
        }
    }

    /// The first `count` messages that reach a node.
    pub(crate) async fn messages(&mut self, node: &str, count: usize) -> Vec<Json> {
        let what = format!("{count} messages at {node}");
        let found = self.until(&what, |seen| {
            let messages = got(seen, node);
            (messages.len() >= count).then_some(messages)
        });
        found.await
    }

    /// Waits until a node's last status has this text.
    pub(crate) async fn status(&mut self, node: &str, text: &str) {
        let what = format!("{node} {text}");
        let found = self.until(&what, |seen| {
            let last = seen.iter().rev().find_map(|seen| match seen {
                Seen::Status(id, status) if id == node => Some(status["text"] == *text),
                _ => None,
            });
            last.filter(|found| *found)
        });
        found.await;
    }

    /// Waits until something was logged about a node, and returns it.
    pub(crate) async fn log(&mut self, node: &str, text: &str) -> String {
        let what = format!("\"{text}\" logged by {node}");
        let found = self.until(&what, |seen| {
            seen.iter().find_map(|seen| match seen {
                Seen::Log(id, _, logged) if id == node && logged.to_string().contains(text) => {
                    Some(logged.to_string())
                }
                _ => None,
            })
        });
        found.await
    }
}
