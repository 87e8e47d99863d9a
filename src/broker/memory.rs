//! Counts what all messages hold together, so that many full queues cannot fill the machine.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The bytes in use, and how many may be.
pub(super) struct Memory {
    used: AtomicUsize,
    max: usize,
}

/// A share of the memory; given back when dropped.
pub(super) struct Share {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            max,
        })
    }

    /// Counts these bytes until the share is dropped. It never refuses: whoever keeps messages asks [`Memory::is_full`].
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Share {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Share {
            memory: self.clone(),
            bytes,
        }
    }

    /// The bytes in use.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether nobody should keep more than he needs.
    pub(super) fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
