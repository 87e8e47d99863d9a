//! Sessions as they are stored: the session itself, each message that waits in it, and which messages have come in at QoS 2.
//!
//! A message's packet identifier follows from its place in the session, so that one which is sent again after a restart has the
//! same, and nothing needs to be written when it is sent.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    begun::Begun,
    codec::{Filter, Qos},
    inspect::now_ms,
    journal::Change,
    kept,
    message::Publication,
    outbox::Delivery,
    session::Session,
};
use crate::store::StoredRecord;

const SESSION: &str = "session";
/// With the session's number behind it.
const QUEUE: &str = "queue/";
const RECEIVED: &str = "received/";

/// A session without what waits in it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredSession {
    /// Names the session in its other records.
    pub(super) number: u64,
    pub(super) user: Option<String>,
    /// Its client is a part of this process.
    #[serde(default)]
    pub(super) flows: bool,
    /// The user's name is that of a certificate.
    #[serde(default)]
    pub(super) certified: bool,
    /// Seconds that it outlives its connection.
    pub(super) expiry: u32,
    /// When it ends, in milliseconds since 1970; none while its client is connected, or never.
    pub(super) ends: Option<u64>,
    pub(super) subscriptions: Vec<StoredSubscription>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredSubscription {
    pub(super) filter: String,
    qos: u8,
    no_local: bool,
    retain_as_published: bool,
    pub(super) id: Option<u32>,
}

impl StoredSubscription {
    pub(super) fn new(
        filter: String,
        qos: Qos,
        no_local: bool,
        retain_as_published: bool,
        id: Option<u32>,
    ) -> Self {
        Self {
            filter,
            qos: qos.bits(),
            no_local,
            retain_as_published,
            id,
        }
    }

    /// As if it came anew, but without retained messages.
    pub(super) fn to_filter(&self) -> Option<Filter> {
        Some(Filter {
            path: self.filter.clone(),
            qos: Qos::from_bits(self.qos)?,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: 2,
        })
    }
}

/// What stands before a message that waits.
#[derive(Serialize, Deserialize)]
struct Waiting {
    qos: u8,
    retain: bool,
    ids: Option<Vec<u32>>,
    shared: Option<String>,
}

/// All that is stored of one session.
pub(super) struct Restored {
    pub(super) id: String,
    pub(super) stored: StoredSession,
    /// In order.
    pub(super) waiting: Vec<(u64, Restful)>,
    pub(super) received: Vec<(u16, Begun)>,
}

/// A stored message of a session.
pub(super) enum Restful {
    Waits(Delivery),
    /// The receiver has it; only its packet identifier is still in use.
    Released,
}

/// The session as it is now.
pub(super) fn session(session: &Session, stored: &StoredSession) -> Change {
    Change {
        scope: SESSION.into(),
        name: session.id().to_string(),
        // Texts and numbers, written to memory, can't fail.
        bytes: Some(serde_json::to_vec(stored).unwrap_or_default()),
    }
}

/// That the session is over, with all that waits in it.
pub(super) fn removed(id: String, number: u64) -> [Change; 3] {
    [
        Change {
            scope: SESSION.into(),
            name: id,
            bytes: None,
        },
        Change::whole(format!("{QUEUE}{number}")),
        Change::whole(format!("{RECEIVED}{number}")),
    ]
}

/// That a message waits.
pub(super) fn waits(session: &Session, delivery: &Delivery) -> Change {
    let head = Waiting {
        qos: delivery.qos.bits(),
        retain: delivery.retain,
        ids: delivery.ids.as_deref().map(<[u32]>::to_vec),
        shared: delivery.shared.as_deref().map(str::to_owned),
    };
    at(
        session,
        delivery.seq,
        Some(encode(&head, &delivery.publication)),
    )
}

fn encode(head: &Waiting, publication: &Publication) -> Vec<u8> {
    let mut bytes = kept::with_head(head);
    let topic = publication.topic().as_bytes();
    bytes.extend((topic.len() as u32).to_be_bytes());
    bytes.extend_from_slice(topic);
    bytes.extend(kept::encode(publication));
    bytes
}

/// That its receiver has it at QoS 2, and its packet identifier is still in use.
pub(super) fn released(session: &Session, seq: u64) -> Change {
    at(session, seq, Some(b"-".to_vec()))
}

/// That it is done with.
pub(super) fn done(session: &Session, seq: u64) -> Change {
    at(session, seq, None)
}

fn at(session: &Session, seq: u64, bytes: Option<Vec<u8>>) -> Change {
    Change {
        scope: format!("{QUEUE}{}", session.key()),
        name: format!("{seq:016x}"),
        bytes,
    }
}

/// That a message of this packet identifier has come in at QoS 2.
pub(super) fn begun(session: &Session, packet_id: u16, publication: &Publication) -> Change {
    let head = Waiting {
        qos: publication.qos.bits(),
        retain: publication.retain,
        ids: None,
        shared: None,
    };
    Change {
        bytes: Some(encode(&head, publication)),
        ..ended(session, packet_id)
    }
}

/// That its exchange is over.
pub(super) fn ended(session: &Session, packet_id: u16) -> Change {
    Change {
        scope: format!("{RECEIVED}{}", session.key()),
        name: packet_id.to_string(),
        bytes: None,
    }
}

/// The sessions in these records whose time is not over. Whatever belongs to none of them is given back as changes that remove
/// it.
pub(super) fn read(records: &[StoredRecord]) -> (Vec<Restored>, Vec<Change>) {
    let mut removals = Vec::new();
    let mut sessions: BTreeMap<u64, Restored> = BTreeMap::new();
    for record in records.iter().filter(|record| record.scope == SESSION) {
        let stored = serde_json::from_slice::<StoredSession>(&record.bytes).ok();
        let stored = stored.filter(|stored| stored.ends.is_none_or(|ends| ends > now_ms()));
        let Some(stored) = stored else {
            removals.push(remove(record));
            continue;
        };
        let restored = Restored {
            id: record.name.clone(),
            stored,
            waiting: Vec::new(),
            received: Vec::new(),
        };
        sessions.insert(restored.stored.number, restored);
    }
    for record in records {
        let Some((kind, number)) = record.scope.split_once('/') else {
            continue;
        };
        let session = number
            .parse()
            .ok()
            .and_then(|number: u64| sessions.get_mut(&number));
        let taken = session.and_then(|session| match kind {
            "queue" => {
                let seq = u64::from_str_radix(&record.name, 16).ok()?;
                session.waiting.push((seq, waiting(&record.bytes, seq)?));
                Some(())
            }
            _ => {
                let packet_id = record.name.parse().ok()?;
                session
                    .received
                    .push((packet_id, begun_message(&record.bytes)));
                Some(())
            }
        });
        if taken.is_none() {
            removals.push(remove(record));
        }
    }
    let mut sessions: Vec<Restored> = sessions.into_values().collect();
    for session in &mut sessions {
        session.waiting.sort_by_key(|(seq, _)| *seq);
    }
    (sessions, removals)
}

fn remove(record: &StoredRecord) -> Change {
    Change {
        scope: record.scope.clone(),
        name: record.name.clone(),
        bytes: None,
    }
}

fn decode(bytes: &[u8]) -> Option<(Waiting, Publication)> {
    let (head, rest): (Waiting, _) = kept::split_head(bytes)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (topic, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let publication = kept::decode(std::str::from_utf8(topic).ok()?, rest)?;
    Some((head, publication))
}

/// A message whose time is over leaves its exchange.
fn begun_message(bytes: &[u8]) -> Begun {
    decode(bytes).map_or(Begun::Nothing, |(head, mut publication)| {
        publication.retain = head.retain;
        Begun::Message(Box::new(publication))
    })
}

fn waiting(bytes: &[u8], seq: u64) -> Option<Restful> {
    if bytes == b"-" {
        return Some(Restful::Released);
    }
    let (head, publication) = decode(bytes)?;
    Some(Restful::Waits(Delivery {
        publication: Arc::new(publication),
        qos: Qos::from_bits(head.qos)?,
        retain: head.retain,
        ids: head.ids.map(Arc::from),
        shared: head.shared.map(Arc::from),
        seq,
        again: true,
    }))
}

/// When a session ends that has so many seconds from now on; none: never.
pub(super) fn ends(expiry: u32) -> Option<u64> {
    (expiry != super::sessions::NEVER).then(|| now_ms() + u64::from(expiry) * 1000)
}

/// A point in time, as the clock of this process has it.
pub(super) fn instant(ends: u64) -> Option<Instant> {
    let left = Duration::from_millis(ends.saturating_sub(now_ms()));
    Instant::now().checked_add(left)
}
