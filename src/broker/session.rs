//! A client's session: what waits for it, what it has not acknowledged, and how to wake whoever serves it.
//!
//! The dispatcher puts messages in and never waits. The task of the connection takes them out in batches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, watch};

use super::{
    access::{Action, Identity},
    codec::Qos,
    durable,
    inflight::Sent,
    inspect::About,
    journal::{Change, Journal},
    memory::Memory,
    outbox::{Ack, Delivery, Link, Outbox, Pushed},
    speed::Speed,
};

/// Above this many waiting messages (or bytes) those who publish to the session are held back for a moment…
const HIGH_MESSAGES: usize = 1024;
const HIGH_BYTES: usize = 1 << 20;
/// …until this few are left.
const LOW_MESSAGES: usize = 256;
const LOW_BYTES: usize = 64 << 10;
/// A receiver that takes fewer than this while it is waited for is not waited for again until it has caught up.
const MIN_PROGRESS: u64 = 64;
/// What may wait for a session that is connected.
const ONLINE_MESSAGES: usize = 16_384;
const ONLINE_BYTES: usize = 16 << 20;

/// Limits of what waits while nobody is connected, and the memory of all.
#[derive(Clone)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) memory: Arc<Memory>,
}

/// One session.
pub(super) struct Session {
    id: Arc<str>,
    key: u64,
    family: u64,
    limits: Limits,
    identity: ArcSwap<Identity>,
    /// Its network connection, the last one if it is away.
    about: Mutex<Option<About>>,
    online: AtomicBool,
    /// It is stored, and so is what waits in it.
    durable: AtomicBool,
    published: AtomicU64,
    dropped: AtomicU64,
    pub(super) speed: Speed,
    outbox: Mutex<Outbox>,
    wake: Notify,
    room: Notify,
    taken: AtomicU64,
    held: AtomicUsize,
    /// The last connection of which nothing is left to do.
    ended: watch::Sender<u64>,
}

impl Session {
    pub(super) fn new(
        id: Arc<str>,
        key: u64,
        family: u64,
        limits: Limits,
        identity: Identity,
    ) -> Self {
        Self {
            id,
            key,
            family,
            limits,
            identity: ArcSwap::from_pointee(identity),
            about: Mutex::new(None),
            online: AtomicBool::new(false),
            durable: AtomicBool::new(false),
            published: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            speed: Speed::default(),
            outbox: Mutex::new(Outbox::new()),
            wake: Notify::new(),
            room: Notify::new(),
            taken: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            ended: watch::Sender::new(0),
        }
    }

    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Who its client is, and what it may do.
    pub(super) fn identity(&self) -> Guard<Arc<Identity>> {
        self.identity.load()
    }

    pub(super) fn set_identity(&self, identity: Identity) {
        self.identity.store(Arc::new(identity));
    }

    /// Whether its client may have messages of this topic.
    pub(super) fn may_receive(&self, topic: &str) -> bool {
        self.identity.load().rights.allow(Action::Receive, topic)
    }

    /// A number that names this session and no other ever.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// The number that sessions of one client share, for "no local messages".
    pub(super) fn family(&self) -> u64 {
        self.family
    }

    pub(super) fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    pub(super) fn is_durable(&self) -> bool {
        self.durable.load(Ordering::Relaxed)
    }

    /// From now on it is stored.
    pub(super) fn set_durable(&self) {
        self.durable.store(true, Ordering::Relaxed);
    }

    pub(super) fn about(&self) -> Option<About> {
        *self.about.lock()
    }

    pub(super) fn set_about(&self, about: About) {
        *self.about.lock() = Some(about);
    }

    /// How many messages its client has published.
    pub(super) fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Its client has published one.
    pub(super) fn count_published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    /// How many messages its client has got.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How many messages were dropped because the receiver did not keep up.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock()
    }

    /// How many messages wait.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.lock().queue.len()
    }

    /// Begins to serve the session; the number names this connection. What was sent and not acknowledged is sent again.
    pub(super) fn attach(&self, link: Link, window: usize) -> u64 {
        let mut outbox = self.outbox.lock();
        outbox.link = link;
        outbox.connection += 1;
        outbox.kicked = None;
        outbox.hold = None;
        outbox.acks.clear();
        outbox.inflight.resume(window);
        self.online.store(true, Ordering::Relaxed);
        outbox.connection
    }

    /// Nobody serves the session any more: QoS 0 is not kept. False if another connection has it.
    pub(super) fn detach(&self, connection: u64) -> bool {
        let mut outbox = self.outbox.lock();
        if outbox.connection != connection {
            return false;
        }
        outbox.link = Link::Offline;
        outbox.hold = None;
        outbox.acks.clear();
        let gone = outbox.drop_at_most_once();
        self.online.store(false, Ordering::Relaxed);
        drop(outbox);
        drop(gone);
        self.room.notify_waiters();
        true
    }

    /// All is done that had to be done at the end of this connection.
    pub(super) fn has_ended(&self, connection: u64) {
        self.ended.send_modify(|last| *last = connection.max(*last));
    }

    /// Returns when this connection has ended, at the latest after `limit`.
    pub(super) async fn end_of(&self, connection: u64, limit: Duration) {
        let mut ended = self.ended.subscribe();
        let ended = ended.wait_for(|last| *last >= connection);
        let _ = tokio::time::timeout(limit, ended).await;
    }

    /// The session is over: nothing is kept. Gives back what other members of shared subscriptions should have, in order:
    /// what was not sent yet, and what was sent at QoS 1 and not acknowledged [MQTT-4.8.2-5].
    pub(super) fn clear(&self) -> Vec<Delivery> {
        let mut outbox = self.outbox.lock();
        let queue = std::mem::take(&mut outbox.queue);
        (outbox.bytes, outbox.at_most_once) = (0, 0);
        let inflight = std::mem::take(&mut outbox.inflight);
        let begun = std::mem::take(&mut outbox.received);
        drop(outbox);
        drop(begun);
        self.room.notify_waiters();
        let sent = inflight.into_unacknowledged().into_iter();
        let sent = sent.filter(|delivery| delivery.qos == Qos::AtLeastOnce);
        sent.chain(queue)
            .filter(|delivery| delivery.shared.is_some())
            .collect()
    }

    /// Tells the connection to end.
    pub(super) fn kick(&self, reason: u8) {
        let mut outbox = self.outbox.lock();
        outbox.kicked = Some(reason);
        outbox.idle = false;
        drop(outbox);
        // The one that sleeps now is meant; the next connection waits at the same place.
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Puts a message in. That it waits goes to the journal before anybody can take it, and so before that it is done with.
    pub(super) fn push(&self, mut delivery: Delivery, journal: &Journal) -> Pushed {
        let mut outbox = self.outbox.lock();
        let mut pushed = Pushed::default();
        let (messages, bytes) = match outbox.link {
            Link::Offline if delivery.qos == Qos::AtMostOnce => return pushed,
            Link::Offline => (self.limits.messages, self.limits.bytes),
            _ => (ONLINE_MESSAGES, ONLINE_BYTES),
        };
        let size = delivery.publication.size();
        let is_short = self.limits.memory.is_full();
        let is_full = |outbox: &Outbox| {
            let keeps_up = outbox.queue.len() <= LOW_MESSAGES && outbox.bytes <= LOW_BYTES;
            outbox.queue.len() >= messages || outbox.bytes + size > bytes || (is_short && !keeps_up)
        };
        if is_full(&outbox) && delivery.qos > Qos::AtMostOnce && outbox.at_most_once > 0 {
            // What may get lost goes first.
            let gone = outbox.drop_at_most_once();
            pushed.dropped = gone.len() as u64;
        }
        if is_full(&outbox) && !outbox.queue.is_empty() {
            pushed.dropped += 1;
        } else {
            outbox.bytes += size;
            outbox.at_most_once += usize::from(delivery.qos == Qos::AtMostOnce);
            if delivery.qos > Qos::AtMostOnce && self.is_durable() {
                delivery.seq = outbox.next_seq;
                outbox.next_seq += 1;
                journal.add(durable::waits(self, &delivery));
            }
            outbox.queue.push_back(delivery);
        }
        self.dropped.fetch_add(pushed.dropped, Ordering::Relaxed);
        pushed.wake = std::mem::take(&mut outbox.idle);
        pushed.is_behind = outbox.link != Link::Offline
            && !outbox.stalled
            && (outbox.queue.len() > HIGH_MESSAGES || outbox.bytes > HIGH_BYTES);
        pushed
    }

    /// Puts an acknowledgement in. True: whoever serves the session should be woken.
    pub(super) fn push_ack(&self, ack: Ack) -> bool {
        let mut outbox = self.outbox.lock();
        if outbox.link != Link::Remote {
            return false;
        }
        outbox.acks.push(ack);
        std::mem::take(&mut outbox.idle)
    }

    /// Wakes whoever serves the session.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Sleeps until woken.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes out up to `limit` messages for a connection, unless another one has the session by now; those whose time is over
    /// stay out, and are told to `changes` if they were stored. True: there was nothing at all, and the next push wakes.
    pub(super) fn take(
        &self,
        connection: u64,
        out: &mut Vec<Sent>,
        changes: &mut Vec<Change>,
        limit: usize,
    ) -> bool {
        let mut outbox = self.outbox.lock();
        if outbox.connection != connection {
            return false;
        }
        let mut room = false;
        while out.len() < limit {
            if let Some(again) = outbox.inflight.next_again() {
                out.push(again);
                continue;
            }
            let Some(next) = outbox.queue.front() else {
                break;
            };
            let counts = next.qos > Qos::AtMostOnce && outbox.link == Link::Remote;
            if counts && !(outbox.inflight.has_room() && outbox.inflight.is_free(next)) {
                break;
            }
            let Some(delivery) = outbox.queue.pop_front() else {
                break;
            };
            outbox.bytes -= delivery.publication.size();
            outbox.at_most_once -= usize::from(delivery.qos == Qos::AtMostOnce);
            room = true;
            if delivery.publication.is_expired() {
                if delivery.seq > 0 {
                    changes.push(durable::done(self, delivery.seq));
                }
                continue;
            }
            let packet_id = match counts {
                true => outbox.inflight.begin(&delivery),
                false => 0,
            };
            out.push(Sent::Publish {
                dup: delivery.again,
                delivery,
                packet_id,
            });
        }
        outbox.idle = out.is_empty() && outbox.acks.is_empty();
        let is_idle = outbox.idle;
        let is_low = outbox.queue.len() <= LOW_MESSAGES && outbox.bytes < HIGH_BYTES;
        outbox.stalled &= !is_low;
        drop(outbox);
        self.taken.fetch_add(out.len() as u64, Ordering::Relaxed);
        if room && is_low && self.held.load(Ordering::Acquire) > 0 {
            self.room.notify_waiters();
        }
        is_idle
    }

    fn is_behind(&self) -> bool {
        let outbox = self.outbox.lock();
        outbox.queue.len() > LOW_MESSAGES || outbox.bytes >= HIGH_BYTES
    }

    /// Returns when the session has caught up, at the latest after `limit`.
    pub(super) async fn caught_up(&self, limit: Duration) {
        self.held.fetch_add(1, Ordering::AcqRel);
        let notified = self.room.notified();
        let mut notified = std::pin::pin!(notified);
        notified.as_mut().enable();
        let before = self.taken.load(Ordering::Relaxed);
        let is_late = self.is_behind() && tokio::time::timeout(limit, notified).await.is_err();
        // Too slow a receiver does not stop its publishers for good: what it has no room for is dropped.
        if is_late && self.taken.load(Ordering::Relaxed) - before < MIN_PROGRESS {
            self.outbox.lock().stalled = true;
        }
        self.held.fetch_sub(1, Ordering::AcqRel);
    }
}
