//! Clients in this process: the same sessions and rules, without a socket.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    codec::{Filter, Qos, reason},
    core::Core,
    durable,
    events::ClientSeen,
    inflight::Sent,
    message::{Body, Origin, Publication, PublishProperties, Taken},
    outbox::{Delivery, Link},
    session::Session,
    sessions::{Closed, Start},
    topics::{is_filter, is_topic},
};

/// Messages that may wait for the bus.
const MAX_PENDING: usize = 10_000;

/// Why a client in this process cannot do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    #[error("the broker stops")]
    Stopping,
    #[error("the broker has too many sessions")]
    TooManySessions,
    #[error("this is not a topic that can be published to")]
    InvalidTopic,
    #[error("the broker's rules do not let flows do that")]
    NotAllowed,
    #[error("this is not a valid topic filter")]
    InvalidFilter,
    #[error("the message is larger than the broker allows")]
    TooLarge,
    #[error("too many messages wait to be published")]
    TooMany,
}

/// How a subscription wants its messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubscribeOptions {
    pub qos: Qos,
    /// Not those that this client publishes.
    pub no_local: bool,
    pub retain_as_published: bool,
    /// 0: send retained messages; 1: only if the subscription is new; 2: never.
    pub retain_handling: u8,
}

/// The publishing and subscribing half. Dropping it ends the session, unless that is a lasting one.
pub struct LocalClient {
    core: Arc<Core>,
    session: Arc<Session>,
    connection: u64,
    /// Seconds that the session outlives it.
    expiry: u32,
    pending: Arc<Mutex<Pending>>,
}

#[derive(Default)]
struct Pending {
    queue: VecDeque<Arc<Publication>>,
    /// A task hands the queue over.
    is_served: bool,
}

/// The receiving half.
pub struct LocalReceiver {
    session: Arc<Session>,
    connection: u64,
    taken: Vec<Sent>,
}

/// A message that was received.
pub struct Received(Delivery);

impl LocalClient {
    pub(super) fn open(
        core: &Arc<Core>,
        id: &str,
        family: Option<u64>,
    ) -> Result<(Self, LocalReceiver), LocalError> {
        let client = Self::attach(core, id, Link::Local, usize::MAX, family, 0)?;
        let receiver = LocalReceiver {
            session: client.session.clone(),
            connection: client.connection,
            taken: Vec::new(),
        };
        Ok((client, receiver))
    }

    /// Takes a session for itself: a clean one, unless it is to outlive the client by `expiry` seconds.
    pub(super) fn attach(
        core: &Arc<Core>,
        id: &str,
        link: Link,
        window: usize,
        family: Option<u64>,
        expiry: u32,
    ) -> Result<Self, LocalError> {
        let identity = core.access.flows(id);
        let start = Start {
            clean: expiry == 0,
            expiry,
        };
        let opened = core
            .sessions
            .open(id, start, link, window, family, identity)
            .map_err(|code| match code {
                reason::QUOTA_EXCEEDED => LocalError::TooManySessions,
                _ => LocalError::Stopping,
            })?;
        if let Some(old) = opened.replaced {
            core.end(&old);
        }
        Ok(Self {
            core: core.clone(),
            session: opened.session,
            connection: opened.connection,
            expiry,
            pending: Arc::default(),
        })
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Names this client's hold of its session.
    pub(super) fn connection(&self) -> u64 {
        self.connection
    }

    /// Another session of the same client, with a name below this one's: what one of them publishes counts as the
    /// other's own for subscriptions that want no local messages.
    ///
    /// # Errors
    /// As for [`super::Broker::connect_local`].
    pub fn sibling(&self, name: &str) -> Result<(Self, LocalReceiver), LocalError> {
        let id = format!("{}/{name}", self.session.id());
        Self::open(&self.core, &id, Some(self.session.family()))
    }

    /// Publishes. Never waits: what the bus has no room for now follows in order. `taken` is called when the broker has
    /// handed the message to its subscribers' sessions.
    ///
    /// # Errors
    /// The topic is not one, the message is too large, or too many wait already.
    pub fn publish(
        &self,
        topic: &str,
        payload: &[u8],
        qos: Qos,
        retain: bool,
        properties: Option<PublishProperties>,
        taken: Option<Taken>,
    ) -> Result<(), LocalError> {
        if !is_topic(topic) {
            return Err(LocalError::InvalidTopic);
        }
        if !self.session.identity().may_publish(topic) {
            return Err(LocalError::NotAllowed);
        }
        let response_topic = properties
            .as_ref()
            .and_then(|set| set.response_topic.as_ref());
        if response_topic.is_some_and(|topic| !is_topic(topic)) {
            return Err(LocalError::InvalidTopic);
        }
        if topic.len() + payload.len() > self.core.config.max_packet_size {
            return Err(LocalError::TooLarge);
        }
        let publication = Arc::new(Publication::new(
            Body::new(topic, payload),
            qos,
            retain,
            properties
                .filter(|set| *set != PublishProperties::default())
                .map(Box::new),
            Origin::Local(self.session.clone(), Mutex::new(taken)),
            &self.core.memory,
        ));
        let mut pending = self.pending.lock();
        if pending.queue.len() >= MAX_PENDING {
            return Err(LocalError::TooMany);
        }
        self.session.count_published();
        pending.queue.push_back(publication);
        if pending.is_served {
            return Ok(());
        }
        self.core.bus.try_send(&mut pending.queue);
        if !pending.queue.is_empty() {
            pending.is_served = true;
            let work = hand_over(self.core.clone(), self.pending.clone());
            self.core.spawn(work);
        }
        Ok(())
    }

    /// Waits until what was published so far is in its subscribers' sessions.
    pub async fn settled(&self) {
        tokio::select! {
            () = self.core.shutdown.cancelled() => {}
            () = self.core.bus.settled() => {}
        }
    }

    /// Subscribes, and gets the retained messages that match.
    ///
    /// # Errors
    /// The filter is not valid.
    pub fn subscribe(&self, filter: &str, options: SubscribeOptions) -> Result<(), LocalError> {
        if !is_filter(filter) {
            return Err(LocalError::InvalidFilter);
        }
        let filter = Filter {
            path: filter.to_owned(),
            qos: options.qos,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            retain_handling: options.retain_handling,
        };
        let codes = self.core.subscribe(&self.session, &[filter], None);
        match codes.contains(&reason::NOT_AUTHORIZED) {
            true => Err(LocalError::NotAllowed),
            false => Ok(()),
        }
    }

    /// Ends a subscription; false if there was none.
    pub fn unsubscribe(&self, filter: &str) -> bool {
        let existed = self.core.unsubscribe(&self.session, &[filter.to_owned()]);
        existed.contains(&true)
    }

    /// How many messages were dropped because the receiver did not keep up.
    pub fn dropped(&self) -> u64 {
        self.session.dropped()
    }
}

impl Drop for LocalClient {
    fn drop(&mut self) {
        let core = &self.core;
        let (session, expiry) = (&self.session, self.expiry);
        match core.sessions.close(session, self.connection, expiry) {
            Closed::Over => core.end(session),
            Closed::Rests => core.store_session(session, expiry, durable::ends(expiry)),
            Closed::TakenOver => {}
        }
        // The receiver, if anybody still waits there, hears of the end.
        self.session.wake();
    }
}

async fn hand_over(core: Arc<Core>, pending: Arc<Mutex<Pending>>) {
    let mut batch = VecDeque::new();
    loop {
        {
            let mut pending = pending.lock();
            if pending.queue.is_empty() {
                pending.is_served = false;
                return;
            }
            let count = pending.queue.len().min(256);
            batch.extend(pending.queue.drain(..count));
        }
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            () = core.bus.send(&mut batch) => {}
        }
    }
}

impl LocalReceiver {
    /// Waits for messages and adds up to `limit` of them to `batch`. False: the session is over.
    pub async fn receive(&mut self, batch: &mut Vec<Received>, limit: usize) -> bool {
        loop {
            {
                let outbox = self.session.outbox();
                let is_over = outbox.kicked.is_some()
                    || outbox.link != Link::Local
                    || outbox.connection != self.connection;
                if is_over {
                    return false;
                }
            }
            let (taken, changes) = (&mut self.taken, &mut Vec::new());
            let is_idle = self.session.take(self.connection, taken, changes, limit);
            if !self.taken.is_empty() {
                batch.extend(self.taken.drain(..).filter_map(|sent| match sent {
                    Sent::Publish { delivery, .. } => Some(Received(delivery)),
                    Sent::Release(_) => None,
                }));
                return true;
            }
            if is_idle {
                self.session.woken().await;
            }
        }
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.session.waiting()
    }
}

impl Received {
    pub(super) fn new(delivery: Delivery) -> Self {
        Self(delivery)
    }

    /// Where it was published.
    pub fn topic(&self) -> &str {
        self.0.publication.topic()
    }

    /// What was published; shares the broker's memory.
    pub fn payload(&self) -> Bytes {
        self.0.publication.body.payload()
    }

    /// Who published it; none for the broker itself.
    pub fn publisher(&self) -> Option<ClientSeen> {
        let publisher = self.0.publication.publisher()?;
        Some(ClientSeen::of(publisher))
    }

    /// The lower of the publisher's and the subscription's.
    pub fn qos(&self) -> Qos {
        self.0.qos
    }

    /// It was kept for new subscribers, or the publisher asked for that and the subscription to be told.
    pub fn retain(&self) -> bool {
        self.0.retain
    }

    /// What the publisher added.
    pub fn properties(&self) -> Option<&PublishProperties> {
        self.0.publication.properties.as_deref()
    }

    /// Seconds until it is of no use any more.
    pub fn seconds_left(&self) -> Option<u32> {
        self.0.publication.seconds_left()
    }
}
