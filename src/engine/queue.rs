//! A flow's queue: deliveries and events of its nodes, first in, first out, counted and bounded.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::node::{AnyEvent, Parcel};
use crate::message::Message;

/// Names one run of one node. Never used again, so that what comes late for a node that was stopped finds nobody.
pub(super) type InstanceKey = u64;

/// The key that no node has.
pub(super) const NOBODY: InstanceKey = 0;

/// Deliveries that may wait in one flow.
const MAX_DELIVERIES: usize = 100_000;
/// Bytes that they may hold, estimated.
const MAX_BYTES: usize = 64 << 20;
/// Up to here deliveries are not weighed, so that the usual short queue costs nothing.
const WEIGHED_ABOVE: usize = 1_000;
/// Sources wait when more than this is queued…
const ROOM: usize = 256;
/// …or more than this is spawned.
const MAX_SPAWNED: usize = 1_000;

/// One piece of work for a node.
pub(super) enum Work {
    Deliver {
        to: InstanceKey,
        msg: Message,
        size: u32,
    },
    /// A message of this flow in another form; whoever made it bounds what it holds.
    Parcel {
        to: InstanceKey,
        parcel: Box<dyn Parcel>,
    },
    Event {
        to: InstanceKey,
        event: AnyEvent,
    },
}

#[derive(Default)]
struct Queue {
    work: VecDeque<Work>,
    bytes: usize,
    /// The actor has seen an empty queue and sleeps.
    idle: bool,
    /// The limit was reached; said once until the queue has emptied by half.
    overflowing: bool,
    closed: bool,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Queued,
    /// The first that did not fit.
    Full,
    /// A further one that did not fit.
    StillFull,
}

/// One running flow, as everybody else sees it.
pub(super) struct FlowShared {
    queue: Mutex<Queue>,
    wake: Notify,
    room: Notify,
    waiting: AtomicUsize,
    spawned: AtomicUsize,
    held: AtomicUsize,
    locals: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    tasks: TaskTracker,
}

impl FlowShared {
    pub(super) fn new(tasks: TaskTracker) -> Self {
        Self {
            tasks,
            queue: Mutex::default(),
            wake: Notify::new(),
            room: Notify::new(),
            waiting: AtomicUsize::new(0),
            spawned: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            locals: Mutex::default(),
        }
    }

    /// Puts messages for nodes of this flow at the end of the queue.
    pub(super) fn deliver(&self, to: InstanceKey, msg: Message) -> Pushed {
        let mut queue = self.queue.lock();
        let pushed = queue.push(to, msg);
        self.wake_after(queue);
        pushed
    }

    /// As [`FlowShared::deliver`] for a message in another form.
    pub(super) fn deliver_parcel(&self, to: InstanceKey, parcel: Box<dyn Parcel>) -> Pushed {
        let mut queue = self.queue.lock();
        let pushed = match queue.work.len() {
            _ if queue.closed => Pushed::Queued,
            MAX_DELIVERIES.. => queue.full(),
            _ => {
                queue.work.push_back(Work::Parcel { to, parcel });
                Pushed::Queued
            }
        };
        self.wake_after(queue);
        pushed
    }

    /// As [`FlowShared::deliver`], several at once: nothing comes between them.
    pub(super) fn deliver_all(
        &self,
        deliveries: impl Iterator<Item = (InstanceKey, Message)>,
    ) -> Pushed {
        let mut queue = self.queue.lock();
        let mut worst = Pushed::Queued;
        for (to, msg) in deliveries {
            let pushed = queue.push(to, msg);
            if worst == Pushed::Queued {
                worst = pushed;
            }
        }
        self.wake_after(queue);
        worst
    }

    /// Puts an event at the end of the queue. Events are never refused: each belongs to work that was counted before.
    pub(super) fn post(&self, to: InstanceKey, event: AnyEvent) {
        let mut queue = self.queue.lock();
        if !queue.closed {
            queue.work.push_back(Work::Event { to, event });
        }
        self.wake_after(queue);
    }

    fn wake_after(&self, mut queue: parking_lot::MutexGuard<'_, Queue>) {
        let wake = std::mem::take(&mut queue.idle);
        drop(queue);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Moves up to `limit` pieces of work into `batch`; when there is none the next push wakes the actor.
    pub(super) fn take(&self, batch: &mut VecDeque<Work>, limit: usize) {
        let mut queue = self.queue.lock();
        let count = queue.work.len().min(limit);
        queue.idle = count == 0;
        if count == queue.work.len() {
            std::mem::swap(batch, &mut queue.work);
            queue.bytes = 0;
        } else {
            let Queue { work, bytes, .. } = &mut *queue;
            batch.extend(work.drain(..count).inspect(|work| {
                if let Work::Deliver { size, .. } = work {
                    *bytes = bytes.saturating_sub(*size as usize);
                }
            }));
        }
        let left = queue.work.len();
        if left < MAX_DELIVERIES / 2 {
            queue.overflowing = false;
        }
        drop(queue);
        if left < ROOM && self.waiting.load(Ordering::Acquire) > 0 {
            self.room.notify_waiters();
        }
    }

    /// Where tasks of the flow run.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Sleeps until there is work.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Returns when the flow has room for another message. For a source, from outside, what nodes hold counts as well.
    pub(super) async fn ready(&self, is_source: bool) {
        loop {
            if self.has_room(is_source) {
                return;
            }
            self.waiting.fetch_add(1, Ordering::AcqRel);
            let notified = self.room.notified();
            let mut notified = std::pin::pin!(notified);
            notified.as_mut().enable();
            if !self.has_room(is_source) {
                notified.await;
            }
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn has_room(&self, is_source: bool) -> bool {
        let held = if is_source {
            self.held.load(Ordering::Relaxed)
        } else {
            0
        };
        let spawned = self.spawned.load(Ordering::Relaxed);
        self.queue.lock().work.len() < ROOM && spawned + held < MAX_SPAWNED
    }

    /// Counts a piece of spawned work until the returned guard is dropped.
    pub(super) fn count_spawned(self: &Arc<Self>) -> WorkGuard {
        self.spawned.fetch_add(1, Ordering::Relaxed);
        WorkGuard {
            flow: self.clone(),
            is_held: false,
        }
    }

    /// Counts a message that a node holds while it waits for room itself.
    pub(super) fn count_held(self: &Arc<Self>) -> WorkGuard {
        self.held.fetch_add(1, Ordering::Relaxed);
        WorkGuard {
            flow: self.clone(),
            is_held: true,
        }
    }

    /// What nodes of this flow share among themselves, made at first use.
    pub(super) fn local<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut locals = self.locals.lock();
        let entry = locals
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(make()));
        match entry.clone().downcast::<T>() {
            Ok(local) => local,
            Err(_) => unreachable!("the entry of a type holds a value of that type"),
        }
    }

    /// Nothing more is taken, and what waits is dropped.
    pub(super) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        let work = std::mem::take(&mut queue.work);
        drop(queue);
        drop(work);
        self.locals.lock().clear();
        self.room.notify_waiters();
    }
}

impl Queue {
    fn full(&mut self) -> Pushed {
        if std::mem::replace(&mut self.overflowing, true) {
            Pushed::StillFull
        } else {
            Pushed::Full
        }
    }

    fn push(&mut self, to: InstanceKey, msg: Message) -> Pushed {
        if self.closed {
            return Pushed::Queued;
        }
        let count = self.work.len();
        let size = if count < WEIGHED_ABOVE {
            0
        } else {
            msg.estimated_size(MAX_BYTES)
        };
        if count >= MAX_DELIVERIES || (size > 0 && self.bytes + size > MAX_BYTES) {
            return self.full();
        }
        self.bytes += size;
        self.work.push_back(Work::Deliver {
            to,
            msg,
            size: size as u32,
        });
        Pushed::Queued
    }
}

/// Counts one piece of work while it lives.
pub(super) struct WorkGuard {
    flow: Arc<FlowShared>,
    is_held: bool,
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        let count = if self.is_held {
            &self.flow.held
        } else {
            &self.flow.spawned
        };
        let before = count.fetch_sub(1, Ordering::Relaxed);
        if before <= MAX_SPAWNED && self.flow.waiting.load(Ordering::Acquire) > 0 {
            self.flow.room.notify_waiters();
        }
    }
}
