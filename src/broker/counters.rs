//! What went through the broker since its start.

use std::sync::atomic::{AtomicU64, Ordering};

use super::limits::LimitCounts;

/// One count.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All of them. Packets and bytes are those of network connections, messages those of everybody.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) bytes_in: Counter,
    pub(super) bytes_out: Counter,
    pub(super) packets_in: Counter,
    pub(super) packets_out: Counter,
    /// Messages that were published, and the bytes of their payloads.
    pub(super) received: Counter,
    pub(super) received_bytes: Counter,
    /// Messages for subscribers, and the bytes of their payloads.
    pub(super) delivered: Counter,
    pub(super) delivered_bytes: Counter,
    /// Messages that a subscriber did not take in time.
    pub(super) dropped: Counter,
    /// Network connections that were opened, and those that became clients.
    pub(super) sockets: Counter,
    pub(super) connections: Counter,
    /// Sessions whose time was over.
    pub(super) expired: Counter,
    pub(super) limits: LimitCounts,
}
