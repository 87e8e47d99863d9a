//! The topics that were published to: their last values, for suggestions and for the tree that a person looks at.

mod branches;
mod rate;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::watch;

use super::{inspect::now_ms, message::Publication};

pub use branches::{Branch, Child, Value};
use rate::Rate;

/// Topics that are remembered.
const MAX_TOPICS: usize = 10_000;
/// Bytes of the last payload that are remembered.
const MAX_PAYLOAD: usize = 256;

/// A topic and what came there last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSeen {
    pub topic: String,
    /// The last payload, cut to 256 bytes.
    pub payload: Bytes,
    /// A message is kept there.
    pub retained: bool,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
}

struct Seen {
    payload: Bytes,
    /// Bytes of the whole payload.
    size: usize,
    qos: u8,
    retained: bool,
    time_ms: u64,
    /// Messages so far.
    count: u64,
    rate: Rate,
    /// When it changed last, as a number that grows.
    change: u64,
    /// Published to again since it was last looked at for removal.
    again: bool,
}

/// The memory of topics: the one longest unused goes first (second chance).
#[derive(Default)]
pub(super) struct Observed {
    seen: FxHashMap<Arc<str>, Seen>,
    order: VecDeque<Arc<str>>,
    changes: u64,
    changed: watch::Sender<u64>,
}

impl Observed {
    /// Remembers the messages of a batch.
    pub(super) fn note(&mut self, batch: &[Arc<Publication>]) {
        let time_ms = now_ms();
        let before = self.changes;
        for publication in batch.iter().filter(|one| !one.is_system()) {
            self.add(publication, time_ms);
        }
        if self.changes > before && self.changed.receiver_count() > 0 {
            self.changed.send_replace(self.changes);
        }
    }

    /// Remembers what is retained since before the start.
    pub(super) fn note_kept(&mut self, publication: &Publication) {
        if !publication.is_system() {
            self.add(publication, now_ms());
        }
    }

    fn add(&mut self, publication: &Publication, time_ms: u64) {
        self.changes += 1;
        let change = self.changes;
        let payload = publication.body.payload_bytes();
        let (topic, size) = (publication.topic(), payload.len());
        let is_kept = publication.retain && size > 0;
        let payload = cut(publication);
        if let Some(seen) = self.seen.get_mut(topic) {
            seen.rate.count(time_ms.saturating_sub(seen.time_ms));
            seen.payload = payload;
            seen.size = size;
            seen.qos = publication.qos.bits();
            // One that is not to be kept leaves the kept one where it is.
            seen.retained = is_kept || (seen.retained && !publication.retain);
            seen.time_ms = time_ms;
            seen.count += 1;
            seen.change = change;
            seen.again = true;
            return;
        }
        self.make_room();
        let topic: Arc<str> = topic.into();
        self.order.push_back(topic.clone());
        let seen = Seen {
            payload,
            size,
            qos: publication.qos.bits(),
            retained: is_kept,
            time_ms,
            count: 1,
            rate: Rate::first(),
            change,
            again: false,
        };
        self.seen.insert(topic, seen);
    }

    fn make_room(&mut self) {
        while self.order.len() >= MAX_TOPICS {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            match self.seen.get_mut(&oldest) {
                Some(seen) if seen.again => {
                    seen.again = false;
                    self.order.push_back(oldest);
                }
                _ => drop(self.seen.remove(&oldest)),
            }
        }
    }

    /// What was retained there is not any more.
    pub(super) fn expired(&mut self, topics: &[String]) {
        for topic in topics {
            if let Some(seen) = self.seen.get_mut(&**topic) {
                self.changes += 1;
                seen.retained = false;
                seen.change = self.changes;
            }
        }
    }

    /// The latest ones first, at most `limit`.
    pub(super) fn latest(&self, limit: usize) -> Vec<TopicSeen> {
        let mut latest: Vec<_> = self.seen.iter().collect();
        latest.sort_by(|(a, one), (b, other)| other.time_ms.cmp(&one.time_ms).then(a.cmp(b)));
        latest.truncate(limit);
        let describe = |(topic, seen): (&Arc<str>, &Seen)| TopicSeen {
            topic: topic.to_string(),
            payload: seen.payload.clone(),
            retained: seen.retained,
            time_ms: seen.time_ms,
        };
        latest.into_iter().map(describe).collect()
    }

    /// Hears of changes from now on: their number so far.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// The start of the payload; a large message is not kept alive for it.
fn cut(publication: &Publication) -> Bytes {
    let payload = publication.body.payload_bytes();
    match payload.len() <= MAX_PAYLOAD {
        true => publication.body.payload(),
        false => Bytes::copy_from_slice(&payload[..MAX_PAYLOAD]),
    }
}
