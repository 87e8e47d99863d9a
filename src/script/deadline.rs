//! How long scripts may run: a deadline that the interpreter looks at, and making room for others on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rquickjs::runtime::InterruptHandler;
use tokio::runtime::{Handle, RuntimeFlavor};

/// A script that runs longer than this hands the other tasks of its worker thread over.
const POLITE: Duration = Duration::from_millis(10);
/// Long enough for another worker thread to take the tasks.
const HANDOVER: Duration = Duration::from_micros(300);

/// The deadline of the call that a runtime is in.
#[derive(Clone)]
pub(super) struct Deadline(Arc<Inner>);

struct Inner {
    base: Instant,
    /// Nanoseconds after `base`; 0 is no call.
    start: AtomicU64,
    end: AtomicU64,
    fired: AtomicBool,
    yielded: AtomicBool,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            base: Instant::now(),
            start: AtomicU64::new(0),
            end: AtomicU64::new(0),
            fired: AtomicBool::new(false),
            yielded: AtomicBool::new(false),
        }))
    }

    /// A call begins that may take `limit`.
    pub(super) fn arm(&self, limit: Duration) {
        let now = self.0.base.elapsed();
        let end = now.saturating_add(limit);
        self.0.start.store(nanos(now), Ordering::Relaxed);
        self.0.end.store(nanos(end).max(1), Ordering::Relaxed);
        self.0.fired.store(false, Ordering::Relaxed);
        self.0.yielded.store(false, Ordering::Relaxed);
    }

    /// The call is over.
    pub(super) fn disarm(&self) {
        self.0.end.store(0, Ordering::Relaxed);
    }

    /// Whether the call was stopped because it took too long.
    pub(super) fn fired(&self) -> bool {
        self.0.fired.load(Ordering::Relaxed)
    }

    /// Whether the call has taken too long.
    pub(super) fn passed(&self) -> bool {
        let end = self.0.end.load(Ordering::Relaxed);
        let passed = end != 0 && nanos(self.0.base.elapsed()) >= end;
        if passed {
            self.0.fired.store(true, Ordering::Relaxed);
        }
        passed
    }

    /// What the interpreter asks now and then: true stops the script.
    pub(super) fn handler(&self) -> InterruptHandler {
        let deadline = self.clone();
        Box::new(move || {
            if deadline.passed() {
                return true;
            }
            deadline.make_room();
            false
        })
    }

    /// Once in a call, when it is past [`POLITE`]: other tasks of this worker thread move to another one. Handing over costs
    /// 5-16 µs, so not on every call. The sleep gives the other thread the time to take them (measured: a timer of
    /// another task is then 10 ms late at most, instead of as late as the script runs).
    fn make_room(&self) {
        if self.0.yielded.load(Ordering::Relaxed) {
            return;
        }
        let start = self.0.start.load(Ordering::Relaxed);
        let now = nanos(self.0.base.elapsed());
        if self.0.end.load(Ordering::Relaxed) == 0 || now < start + nanos(POLITE) {
            return;
        }
        self.0.yielded.store(true, Ordering::Relaxed);
        // On a current-thread runtime there is nobody to hand over to, and trying panics.
        let several = Handle::try_current()
            .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        if several {
            tokio::task::block_in_place(|| std::thread::sleep(HANDOVER));
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
