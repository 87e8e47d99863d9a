//! The topics that were published to lately, for suggestions in the editor.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::{inspect::now_ms, message::Publication};

/// Topics that are remembered.
const MAX_TOPICS: usize = 500;
/// Bytes of the last payload that are remembered.
const MAX_PAYLOAD: usize = 256;

/// A topic and what came there last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSeen {
    pub topic: String,
    /// The last payload, cut to 256 bytes.
    pub payload: Bytes,
    pub retained: bool,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
}

struct Seen {
    payload: Bytes,
    retained: bool,
    time_ms: u64,
    /// Published to again since it was last looked at for removal.
    again: bool,
}

/// The memory of topics: the one longest unused goes first (second chance).
#[derive(Default)]
pub(super) struct Recent {
    seen: FxHashMap<Arc<str>, Seen>,
    order: VecDeque<Arc<str>>,
}

impl Recent {
    /// Remembers the messages of a batch.
    pub(super) fn note(&mut self, batch: &[Arc<Publication>]) {
        let time_ms = now_ms();
        for publication in batch.iter().filter(|one| !one.is_system()) {
            let topic = publication.topic();
            let payload = cut(publication);
            match self.seen.get_mut(topic) {
                Some(seen) => {
                    *seen = Seen {
                        payload,
                        retained: publication.retain,
                        time_ms,
                        again: true,
                    };
                }
                None => self.add(topic, payload, publication.retain, time_ms),
            }
        }
    }

    fn add(&mut self, topic: &str, payload: Bytes, retained: bool, time_ms: u64) {
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
        let topic: Arc<str> = topic.into();
        self.order.push_back(topic.clone());
        let seen = Seen {
            payload,
            retained,
            time_ms,
            again: false,
        };
        self.seen.insert(topic, seen);
    }

    /// All of them, the latest first.
    pub(super) fn list(&self) -> Vec<TopicSeen> {
        let mut list: Vec<TopicSeen> = self
            .seen
            .iter()
            .map(|(topic, seen)| TopicSeen {
                topic: topic.to_string(),
                payload: seen.payload.clone(),
                retained: seen.retained,
                time_ms: seen.time_ms,
            })
            .collect();
        list.sort_by(|a, b| {
            b.time_ms
                .cmp(&a.time_ms)
                .then_with(|| a.topic.cmp(&b.topic))
        });
        list
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
