//! What a person may want to see and do: clients, retained messages.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::sync::watch;

use super::{
    Branch, Broker, Child, TopicSeen,
    codec::{Qos, Version, reason},
    message::{Body, Origin, Publication},
    session::Session,
    stream::Peer,
    topics::is_topic,
};

/// A client, or a session that waits for its client.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    pub id: String,
    /// The user's name; none for clients without one.
    pub user: Option<String>,
    /// Where it comes from; none while it is away, and for flows in this process.
    pub address: Option<String>,
    /// `3.1`, `3.1.1`, `5`; none while it is away, and for flows in this process.
    pub version: Option<&'static str>,
    /// It is a part of this process.
    pub flows: bool,
    pub connected: bool,
    /// When it connected, in milliseconds since 1970.
    pub since: Option<u64>,
    /// Seconds that it may be silent; 0: as long as it likes.
    pub keep_alive: Option<u16>,
    pub subscriptions: Vec<String>,
    /// Messages that it has published, and that it has got.
    pub received: u64,
    pub sent: u64,
    /// The same a second, over the last ten seconds.
    pub received_rate: f32,
    pub sent_rate: f32,
    /// Messages that wait for it, and that it has not acknowledged.
    pub waiting: usize,
    pub unacknowledged: usize,
    /// Messages that it did not take in time.
    pub dropped: u64,
}

/// A message that is kept for those who subscribe later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetainedInfo {
    pub topic: String,
    /// Its first 256 bytes, as text.
    pub payload: String,
    /// Bytes of the whole payload.
    pub size: usize,
    pub qos: u8,
}

/// What is known of a network connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub(super) peer: Peer,
    pub(super) version: Version,
    /// Milliseconds since 1970.
    pub(super) since: u64,
    pub(super) keep_alive: u16,
}

/// Bytes of a payload that are shown.
const SHOWN: usize = 256;

/// This moment, in milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let past = SystemTime::now().duration_since(UNIX_EPOCH);
    past.map_or(0, |past| past.as_millis() as u64)
}

impl Broker {
    /// The topics that were published to last, at most `limit`, the latest first.
    pub fn recent_topics(&self, limit: usize) -> Vec<TopicSeen> {
        self.core.observed.lock().latest(limit)
    }

    /// What stands below each of these branches of the topic tree (`""`: the root, else a topic's start up to and with a
    /// slash). It knows the 10,000 topics that were used last.
    pub fn branches(&self, names: &[&str]) -> Vec<Branch> {
        self.core.observed.lock().branches(names)
    }

    /// Topics whose name or last value has `text` in it, whatever its case: by name, at most `limit`.
    pub fn find_topics(&self, text: &str, limit: usize) -> Vec<Child> {
        self.core.observed.lock().find(text, limit)
    }

    /// Hears from now on that something is published, or that something retained is there no longer: a number that grows.
    pub fn watch_topics(&self) -> watch::Receiver<u64> {
        self.core.observed.lock().watch()
    }

    /// All clients and sessions, by identifier.
    pub fn clients(&self) -> Vec<ClientInfo> {
        let sessions = self.core.sessions.all();
        let mut clients: Vec<ClientInfo> = sessions
            .iter()
            .map(|session| self.describe(session))
            .collect();
        clients.sort_by(|one, other| one.id.cmp(&other.id));
        clients
    }

    fn describe(&self, session: &Arc<Session>) -> ClientInfo {
        let connected = session.is_online();
        let about = session.about().filter(|_| connected);
        let identity = session.identity();
        let (waiting, unacknowledged) = {
            let outbox = session.outbox();
            (outbox.queue.len(), outbox.inflight.count())
        };
        let [received_rate, sent_rate] = session.speed.rates();
        ClientInfo {
            id: session.id().to_string(),
            user: identity.user().map(|name| name.to_string()),
            address: about.map(|about| about.peer.to_string()),
            version: about.map(|about| match about.version {
                Version::V31 => "3.1",
                Version::V311 => "3.1.1",
                Version::V5 => "5",
            }),
            flows: identity.is_flows(),
            connected,
            since: about.map(|about| about.since),
            keep_alive: about.map(|about| about.keep_alive),
            subscriptions: self.core.routes.lock().subscriptions.filters(session),
            received: session.published(),
            sent: session.taken(),
            received_rate,
            sent_rate,
            waiting,
            unacknowledged,
            dropped: session.dropped(),
        }
    }

    /// Cuts off a client; a session that outlives connections stays. False: nobody of this name is connected.
    pub fn disconnect(&self, client_id: &str) -> bool {
        let session = self.core.sessions.get(client_id);
        let Some(session) = session.filter(|session| session.is_online()) else {
            return false;
        };
        session.kick(reason::ADMINISTRATIVE_ACTION);
        true
    }

    /// Retained messages that a filter matches, at most `limit` of them, by topic.
    pub fn retained(&self, filter: &str, limit: usize) -> Vec<RetainedInfo> {
        let mut found = self.core.routes.lock().retained.matching(filter);
        found.sort_by(|one, other| one.topic().cmp(other.topic()));
        found.truncate(limit);
        let describe = |kept: &Arc<Publication>| {
            let payload = kept.body.payload_bytes();
            RetainedInfo {
                topic: kept.topic().to_owned(),
                payload: String::from_utf8_lossy(&payload[..payload.len().min(SHOWN)]).into_owned(),
                size: payload.len(),
                qos: kept.qos.bits(),
            }
        };
        found.iter().map(describe).collect()
    }

    /// Publishes in the owner's name; an empty payload with `retain` clears what is retained. False: this is no topic to publish
    /// to, or the payload is too large.
    pub async fn publish(&self, topic: &str, payload: &[u8], qos: Qos, retain: bool) -> bool {
        let is_too_large = topic.len() + payload.len() > self.core.config.max_packet_size;
        if !is_topic(topic) || topic.starts_with("$SYS/") || is_too_large {
            return false;
        }
        let body = Body::new(topic, payload);
        let memory = &self.core.memory;
        let publication = Publication::new(body, qos, retain, None, Origin::Broker, memory);
        self.core.publish(publication).await;
        true
    }
}
