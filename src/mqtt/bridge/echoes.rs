//! What the other broker sends back of what it was just sent: MQTT 3.1.1 has no way to ask it not to.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use rustc_hash::FxBuildHasher;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// How long an echo may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages that are remembered.
const MOST: usize = 16_384;

type Mark = [u8; 16];

/// Messages whose echo is still to come.
#[derive(Default)]
pub(super) struct Echoes {
    /// When each was sent.
    expected: HashMap<Mark, VecDeque<Instant>, FxBuildHasher>,
    count: usize,
}

impl Echoes {
    /// A message goes out under a topic that also comes in.
    pub(super) fn expect(&mut self, topic: &str, payload: &[u8]) {
        let now = Instant::now();
        if self.count >= MOST {
            self.expected.retain(|_, times| {
                times.retain(|sent| now - *sent < PATIENCE);
                !times.is_empty()
            });
            self.count = self.expected.values().map(VecDeque::len).sum();
        }
        if self.count < MOST {
            self.count += 1;
            let times = self.expected.entry(mark(topic, payload)).or_default();
            times.push_back(now);
        }
    }

    /// Whether a message that comes in is one that went out. It counts once.
    pub(super) fn is_one(&mut self, topic: &str, payload: &[u8]) -> bool {
        if self.expected.is_empty() {
            return false;
        }
        let mark = mark(topic, payload);
        let Some(times) = self.expected.get_mut(&mark) else {
            return false;
        };
        let now = Instant::now();
        let before = times.len();
        while times.front().is_some_and(|sent| now - *sent >= PATIENCE) {
            times.pop_front();
        }
        let found = times.pop_front().is_some();
        self.count -= before - times.len();
        if times.is_empty() {
            self.expected.remove(&mark);
        }
        found
    }
}

fn mark(topic: &str, payload: &[u8]) -> Mark {
    let mut digest = Sha256::new();
    digest.update((topic.len() as u64).to_le_bytes());
    digest.update(topic);
    digest.update(payload);
    let mut mark = Mark::default();
    mark.copy_from_slice(&digest.finalize()[..16]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_echo_counts_once_and_not_for_ever() {
        let mut echoes = Echoes::default();
        echoes.expect("a", b"1");
        echoes.expect("a", b"1");
        echoes.expect("b", b"2");
        assert!(!echoes.is_one("a", b"2"));
        assert!(echoes.is_one("a", b"1"));
        assert!(echoes.is_one("a", b"1"));
        assert!(!echoes.is_one("a", b"1"));
        tokio::time::advance(PATIENCE).await;
        echoes.expect("c", b"3");
        assert!(!echoes.is_one("b", b"2"));
        assert!(echoes.is_one("c", b"3"));
    }

    #[tokio::test(start_paused = true)]
    async fn they_have_a_limit() {
        let mut echoes = Echoes::default();
        for number in 0..2 * MOST {
            echoes.expect("a", &number.to_le_bytes());
        }
        assert_eq!(echoes.count, MOST);
        assert_eq!(echoes.expected.len(), MOST);
    }
}
