//! A bridge at work.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    BridgeConfig, Counts,
    echoes::Echoes,
    topics::{incoming, outgoing},
};
use crate::{
    broker::{
        self, Broker, Done, LastingReceiver, LocalClient, LocalError, Received, SubscribeOptions,
    },
    mqtt::{
        Incoming, MqttConnection, Phase, Protocol, Publication, PublishFailure, PublishProperties,
        Subscription,
        session::{from_broker, to_broker},
    },
};

/// Messages that are handed to the connection before it has answered; more wait in the session.
const IN_FLIGHT: usize = 256;
/// Of those at QoS 1 and 2.
const WINDOW: usize = 128;
const BATCH: usize = 64;
/// How long to wait where something is full, or refuses for now.
const PAUSE: Duration = Duration::from_millis(20);
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// Names the brokers that a message of MQTT 5 has crossed, so that it does not go round in circles.
const CROSSED: &str = "flowrill-bridge";

/// The side of the built-in broker while the other one is there.
struct Local {
    client: LocalClient,
    receiver: LastingReceiver,
    done: Done,
}

/// What is under way to the other broker.
#[derive(Default)]
struct UnderWay {
    /// Numbers of messages that the session would hand out again.
    numbers: Mutex<FxHashSet<u16>>,
    count: std::sync::atomic::AtomicUsize,
    fewer: Notify,
}

pub(super) struct Runner {
    config: Arc<BridgeConfig>,
    connection: MqttConnection,
    broker: Broker,
    counts: Arc<Counts>,
    under_way: Arc<UnderWay>,
    echoes: Echoes,
    /// The client identifiers here and there name this bridge of this process.
    mark: Arc<str>,
}

impl Runner {
    pub(super) fn new(
        config: BridgeConfig,
        connection: MqttConnection,
        broker: Broker,
        counts: Arc<Counts>,
    ) -> Self {
        let mark = format!("{}-{}", broker.instance(), config.name);
        Self {
            config: Arc::new(config),
            connection,
            broker,
            counts,
            under_way: Arc::default(),
            echoes: Echoes::default(),
            mark: mark.into(),
        }
    }

    /// Carries messages until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let (filters, mut subscription) = self.connection.listen("bridge");
        let is_v5 = self.config.protocol == Protocol::V5;
        for topic in self.config.topics.iter().filter(|topic| topic.comes_in()) {
            let options = SubscribeOptions {
                qos: topic.qos,
                no_local: is_v5,
                retain_as_published: is_v5,
                retain_handling: 0,
            };
            filters.add(&topic.remote_filter(), options);
        }
        let user = self.connection.attach();
        self.tell_state(false).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.carry(&mut subscription) => {}
        }
        user.leave(true);
        self.connection.close().await;
        self.tell_state(false).await;
    }

    async fn tell_state(&self, connected: bool) {
        let name = format!("connection/{}/state", self.config.name);
        let value = if connected { "1" } else { "0" };
        self.broker.tell_system(&name, value).await;
    }

    async fn carry(&mut self, subscription: &mut Subscription) {
        let mut states = self.connection.state();
        let mut local: Option<Local> = None;
        let (mut going, mut coming) = (Vec::new(), Vec::new());
        let mut was_connected = false;
        loop {
            let is_connected = states.borrow_and_update().phase == Phase::Connected;
            if is_connected != was_connected {
                was_connected = is_connected;
                self.tell_state(is_connected).await;
            }
            match (is_connected, &local) {
                (true, None) => local = self.open(),
                (false, Some(_)) => local = None,
                _ => {}
            }
            let under_way = self.under_way.clone();
            let has_room = under_way.count.load(Ordering::Relaxed) < IN_FLIGHT;
            tokio::select! {
                changed = states.changed() => if changed.is_err() {
                    return;
                },
                // The broker had no room for the session, or somebody has cut it off.
                () = sleep(LONG_PAUSE), if is_connected && local.is_none() => {}
                () = subscription.next_batch(&mut coming), if local.is_some() => {}
                () = under_way.fewer.notified(), if !has_room => {}
                is_open = receive(&mut local, &mut going), if has_room => if !is_open {
                    local = None;
                },
            }
            let Some(local) = &local else {
                continue;
            };
            for incoming in coming.drain(..) {
                self.bring_in(incoming, local).await;
            }
            for (received, number) in going.drain(..) {
                self.send_out(&received, number, &local.done).await;
            }
        }
    }

    /// Goes on with the session here.
    fn open(&self) -> Option<Local> {
        let opened = self.broker.connect_lasting(&self.config.session(), WINDOW);
        let (client, receiver) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!("The bridge {}: {error}", self.config.name);
                return None;
            }
        };
        for topic in self.config.topics.iter().filter(|topic| topic.goes_out()) {
            let options = SubscribeOptions {
                qos: topic.qos,
                no_local: true,
                retain_as_published: true,
                retain_handling: 1,
            };
            if let Err(error) = client.subscribe(&topic.local_filter(), options) {
                tracing::warn!(
                    "The bridge {} does not carry {}: {error}",
                    self.config.name,
                    topic.local_filter()
                );
            }
        }
        let done = receiver.done();
        Some(Local {
            client,
            receiver,
            done,
        })
    }

    async fn send_out(&mut self, received: &Received, number: u16, done: &Done) {
        let properties = received.properties();
        let has_crossed = properties.is_some_and(|set| self.has_crossed(&set.user_properties));
        let topic = outgoing(&self.config.topics, received.topic());
        let Some((topic, qos)) = topic.filter(|_| !has_crossed) else {
            done.tell(number);
            return;
        };
        if number > 0 && !self.under_way.numbers.lock().insert(number) {
            // The connection has it still.
            return;
        }
        let is_v5 = self.config.protocol == Protocol::V5;
        if !is_v5 && incoming(&self.config.topics, &topic).is_some() {
            self.echoes.expect(&topic, &received.payload());
        }
        let publication = Publication {
            topic: topic.into(),
            payload: received.payload(),
            qos: received.qos().min(qos),
            retain: received.retain(),
            properties: is_v5.then(|| Arc::new(self.marked(received))),
        };
        loop {
            let published = self.published(number, done.clone());
            self.under_way.count.fetch_add(1, Ordering::Relaxed);
            match self
                .connection
                .publish(publication.clone(), Some(published))
            {
                Ok(()) => return,
                Err(PublishFailure::Full) if number > 0 => {
                    self.under_way.count.fetch_sub(1, Ordering::Relaxed);
                    sleep(PAUSE).await;
                }
                Err(_) => {
                    self.under_way.count.fetch_sub(1, Ordering::Relaxed);
                    self.under_way.numbers.lock().remove(&number);
                    self.counts.refused.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// What is to happen when the other broker has answered.
    fn published(&self, number: u16, done: Done) -> crate::mqtt::Published {
        let (under_way, counts) = (self.under_way.clone(), self.counts.clone());
        let name = self.config.clone();
        Box::new(move |result| {
            under_way.numbers.lock().remove(&number);
            under_way.count.fetch_sub(1, Ordering::Relaxed);
            under_way.fewer.notify_one();
            match result {
                Ok(()) => {
                    counts.sent.fetch_add(1, Ordering::Relaxed);
                    done.tell(number);
                }
                Err(PublishFailure::Refused(reason)) => {
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!("The bridge {}: a message was refused: {reason}", name.name);
                    done.tell(number);
                }
                // It stays in the session, and goes out with the next connection.
                Err(PublishFailure::NotConnected | PublishFailure::Full) => {}
            }
        })
    }

    /// The properties of a message, and that it has crossed here.
    fn marked(&self, received: &Received) -> PublishProperties {
        let properties = received.properties();
        let mut set = properties.map_or_else(PublishProperties::default, |set| {
            from_broker(set, received.seconds_left())
        });
        set.user_properties
            .push((CROSSED.into(), self.mark.clone()));
        set
    }

    fn has_crossed<Text: AsRef<str>>(&self, user_properties: &[(Text, Text)]) -> bool {
        user_properties
            .iter()
            .any(|(name, value)| name.as_ref() == CROSSED && value.as_ref() == &*self.mark)
    }

    /// Publishes here what came from there. It is acknowledged there once the broker has it.
    async fn bring_in(&mut self, message: Incoming, local: &Local) {
        let publication = message.publication.clone();
        let properties = publication.properties.as_deref();
        let has_crossed = properties.is_some_and(|set| self.has_crossed(&set.user_properties));
        let mut is_echo = || {
            self.config.protocol != Protocol::V5
                && self.echoes.is_one(&publication.topic, &publication.payload)
        };
        if has_crossed || is_echo() {
            return;
        }
        let Some((topic, qos)) = incoming(&self.config.topics, &publication.topic) else {
            return;
        };
        let message = Arc::new(message);
        loop {
            let kept = message.clone();
            let taken: broker::Taken = Box::new(move || drop(kept));
            let result = local.client.publish(
                &topic,
                &publication.payload,
                publication.qos.min(qos),
                publication.retain,
                properties.map(to_broker),
                Some(taken),
            );
            match result {
                Ok(()) => {
                    self.counts.received.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(LocalError::TooMany) => sleep(PAUSE).await,
                Err(error) => {
                    self.counts.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!("The bridge {}: {topic}: {error}", self.config.name);
                    return;
                }
            }
        }
    }
}

async fn receive(local: &mut Option<Local>, going: &mut Vec<(Received, u16)>) -> bool {
    match local {
        Some(local) => local.receiver.receive(going, BATCH).await,
        None => std::future::pending().await,
    }
}
