//! The message bus: every message goes through the router of `rumqttd`, and this file is the only one that knows it.
//!
//! The router is fast and small, but ordinary client behaviour can end its thread for good, it drops what a slow reader
//! does not fetch in time, and its memory grows with each new topic. So it is used in the one way in which none of this
//! happens: one link, one topic, QoS 0, no retained messages, no wills, no sessions. Whole messages (topic and payload)
//! are its payloads. What was sent and has not come back stays in a window, which
//!
//! - gives credit: no more is sent than the router's log holds, so nothing can be overwritten unread;
//! - is sent again through a new router should the old one die, stall or skip something.
//!
//! The log keeps its order, so what comes back is always the window's first entry; the log's own offset is checked.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rumqttd::{
    Forward, Notification, Router, RouterConfig,
    local::{LinkBuilder, LinkError, LinkRx, LinkTx},
    protocol::{Packet, Publish},
};
use tokio::{
    sync::Notify,
    time::{Interval, MissedTickBehavior},
};

use super::message::Publication;

/// Messages and bytes that may be on the way through the router. Together well below what its log holds.
const WINDOW_MESSAGES: usize = 2048;
const WINDOW_BYTES: usize = 384 << 10;
/// The router's log: it never holds less than two full segments.
const SEGMENT_BYTES: usize = 256 << 10;
const SEGMENTS: usize = 3;
/// The one topic on the bus, and the filter that the dispatcher reads.
const TOPIC: Bytes = Bytes::from_static(b"t/m");
const FILTER: &str = "t/#";
/// Messages that are handed to the dispatcher at once.
const BATCH: usize = 256;
/// How often the router is looked after, and how many looks it may be silent while something is on the way.
const LOOK: Duration = Duration::from_secs(1);
const SILENT_LOOKS: u32 = 3;

/// Where messages go in.
pub(super) struct Bus {
    lane: Mutex<Lane>,
    credit: Notify,
    waiting: AtomicUsize,
    /// How many messages have reached their subscribers' sessions, and who waits for that.
    arrived: AtomicU64,
    arrival: Notify,
    awaiting: AtomicUsize,
}

struct Lane {
    link: LinkTx,
    window: VecDeque<Arc<Publication>>,
    bytes: usize,
    /// How many messages have gone in.
    sent: u64,
}

/// Where messages come out again, in the order in which they went in.
pub(super) struct Dispatcher {
    bus: Arc<Bus>,
    link: LinkRx,
    /// The log offset that comes next, once the first one is known.
    expected: Option<u64>,
    silent_looks: u32,
    /// How many messages have come out.
    taken: u64,
}

/// The broker cannot be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    #[error("the message bus does not start: {0}")]
    Router(#[from] Box<LinkError>),
    #[error("the system gives it no thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the router told in one go.
#[derive(Default)]
struct Heard {
    messages: usize,
    /// The router paused and waits for a sign that there is room again.
    paused: bool,
}

/// The router is of no use any more.
struct Broken(&'static str);

fn start_router() -> Result<(LinkTx, LinkRx), Box<LinkError>> {
    let config = RouterConfig {
        max_connections: 4,
        max_outgoing_packet_count: BATCH as u64,
        max_segment_size: SEGMENT_BYTES,
        max_segment_count: SEGMENTS,
        ..RouterConfig::default()
    };
    let router = Router::new(0, config).spawn();
    let (mut sender, receiver, _) = LinkBuilder::new("flowrill", router)
        .build()
        .map_err(Box::new)?;
    sender.subscribe(FILTER).map_err(Box::new)?;
    Ok((sender, receiver))
}

impl Bus {
    /// Starts a router.
    pub(super) fn start() -> Result<(Arc<Self>, Dispatcher), BusError> {
        let (sender, receiver) = start_router()?;
        let bus = Arc::new(Self {
            lane: Mutex::new(Lane {
                link: sender,
                window: VecDeque::new(),
                bytes: 0,
                sent: 0,
            }),
            credit: Notify::new(),
            waiting: AtomicUsize::new(0),
            arrived: AtomicU64::new(0),
            arrival: Notify::new(),
            awaiting: AtomicUsize::new(0),
        });
        let dispatcher = Dispatcher {
            bus: bus.clone(),
            link: receiver,
            expected: None,
            silent_looks: 0,
            taken: 0,
        };
        Ok((bus, dispatcher))
    }

    /// Sends what there is credit for and leaves the rest.
    pub(super) fn try_send(&self, batch: &mut VecDeque<Arc<Publication>>) {
        self.lane.lock().send(batch);
    }

    /// Sends all, waiting for credit where it must.
    pub(super) async fn send(&self, batch: &mut VecDeque<Arc<Publication>>) {
        self.try_send(batch);
        while !batch.is_empty() {
            self.waiting.fetch_add(1, Ordering::AcqRel);
            let notified = self.credit.notified();
            let mut notified = std::pin::pin!(notified);
            notified.as_mut().enable();
            self.try_send(batch);
            if !batch.is_empty() {
                notified.await;
                self.try_send(batch);
            }
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Waits until what has been sent so far is in its subscribers' sessions.
    ///
    /// Subscriptions change at once, while messages take their way through the router; whoever publishes and then
    /// subscribes expects the one to come before the other.
    pub(super) async fn settled(&self) {
        let sent = self.lane.lock().sent;
        let has_arrived = || self.arrived.load(Ordering::SeqCst) >= sent;
        if has_arrived() {
            return;
        }
        self.awaiting.fetch_add(1, Ordering::SeqCst);
        loop {
            let mut arrival = std::pin::pin!(self.arrival.notified());
            arrival.as_mut().enable();
            if has_arrived() {
                break;
            }
            arrival.await;
        }
        self.awaiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Ends the router's thread as a fault of it would: by waking a link that it has removed.
    #[cfg(test)]
    pub(super) fn kill_router(&self) {
        let mut lane = self.lane.lock();
        let disconnect = rumqttd::protocol::Disconnect {
            reason_code: rumqttd::protocol::DisconnectReasonCode::NormalDisconnection,
        };
        let _ = lane
            .link
            .send(Packet::Disconnect(disconnect, None))
            .now_or_never();
        let _ = lane.link.shadow("x");
    }
}

impl Lane {
    fn send(&mut self, batch: &mut VecDeque<Arc<Publication>>) {
        let before = self.window.len();
        while let Some(next) = batch.front() {
            let size = next.body.size();
            let fits = self.window.len() < WINDOW_MESSAGES && self.bytes + size <= WINDOW_BYTES;
            // A message larger than the window goes alone.
            if !(fits || self.window.is_empty()) {
                break;
            }
            self.bytes += size;
            self.sent += 1;
            self.window.extend(batch.pop_front());
        }
        if self.window.len() > before {
            self.transmit(before);
        }
    }

    /// Hands the window's entries from `first` on to the router, and wakes it only if it has nothing to do yet. A dead
    /// router is the dispatcher's concern: it hears of it, and the window is sent again.
    fn transmit(&mut self, first: usize) {
        let mut packets = self
            .window
            .range(first..)
            .map(|publication| publication.body.bytes().clone());
        let Some(one) = packets.next() else { return };
        let mut buffer = self.link.buffer();
        let is_awake = !buffer.is_empty();
        if is_awake {
            buffer.push_back(packet(one));
            buffer.extend(packets.map(packet));
            return;
        }
        // The last one goes by the call that also wakes the router.
        let mut last = one;
        for payload in packets {
            buffer.push_back(packet(std::mem::replace(&mut last, payload)));
        }
        drop(buffer);
        let _ = self.link.try_publish(TOPIC, last);
    }
}

fn packet(payload: Bytes) -> Packet {
    Packet::Publish(Publish::new(TOPIC, payload, false), None)
}

impl Dispatcher {
    /// When the router is looked after.
    pub(super) fn clock() -> Interval {
        let mut clock = tokio::time::interval(LOOK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        clock
    }

    /// Waits for messages and puts them into `batch`.
    pub(super) async fn next(&mut self, batch: &mut Vec<Arc<Publication>>, clock: &mut Interval) {
        while batch.is_empty() {
            let heard = tokio::select! {
                biased;
                outcome = self.hear() => Some(outcome),
                _ = clock.tick() => None,
            };
            let outcome = match heard {
                Some(outcome) => {
                    self.silent_looks = 0;
                    outcome
                }
                None => self.look(),
            };
            match outcome {
                Ok(heard) => self.take(&heard, batch),
                Err(Broken(reason)) => self.replace_router(reason).await,
            }
        }
    }

    /// One wait, then all that is there already.
    async fn hear(&mut self) -> Result<Heard, Broken> {
        let mut heard = Heard::default();
        let first = self.link.next().await;
        self.note(first, &mut heard)?;
        while heard.messages < BATCH && !heard.paused {
            let Some(next) = self.link.next().now_or_never() else {
                break;
            };
            if matches!(next, Ok(None)) {
                break;
            }
            self.note(next, &mut heard)?;
        }
        Ok(heard)
    }

    fn note(
        &mut self,
        notification: Result<Option<Notification>, LinkError>,
        heard: &mut Heard,
    ) -> Result<(), Broken> {
        match notification {
            Ok(Some(Notification::Forward(forward))) => {
                self.check(&forward)?;
                heard.messages += 1;
            }
            Ok(Some(Notification::Unschedule)) => heard.paused = true,
            Ok(Some(Notification::Disconnect(..))) => return Err(Broken("it closed the link")),
            Ok(_) => {}
            Err(_) => return Err(Broken("it has died")),
        }
        Ok(())
    }

    /// Offsets of the log that come in a row have lost nothing between them.
    fn check(&mut self, forward: &Forward) -> Result<(), Broken> {
        let Some((_, offset)) = forward.cursor else {
            return Err(Broken("it sent a message from nowhere"));
        };
        if self.expected.is_some_and(|expected| expected != offset) {
            return Err(Broken("it has skipped messages"));
        }
        self.expected = Some(offset + 1);
        Ok(())
    }

    fn take(&mut self, heard: &Heard, batch: &mut Vec<Arc<Publication>>) {
        if heard.messages > 0 {
            let mut lane = self.bus.lane.lock();
            let count = heard.messages.min(lane.window.len());
            batch.extend(lane.window.drain(..count));
            self.taken += count as u64;
            lane.bytes -= batch
                .iter()
                .map(|publication| publication.body.size())
                .sum::<usize>();
            drop(lane);
            if self.bus.waiting.load(Ordering::Acquire) > 0 {
                self.bus.credit.notify_waiters();
            }
        }
        if heard.paused {
            // If this fails the router is dead, and the next wait says so.
            let _ = self.link.ready();
        }
    }

    /// What was taken out is in its subscribers' sessions.
    pub(super) fn has_arrived(&self) {
        let bus = &self.bus;
        bus.arrived.store(self.taken, Ordering::SeqCst);
        if bus.awaiting.load(Ordering::SeqCst) > 0 {
            bus.arrival.notify_waiters();
        }
    }

    /// Nothing has come for a while: is that because nothing was sent?
    fn look(&mut self) -> Result<Heard, Broken> {
        let is_silent = !self.bus.lane.lock().window.is_empty();
        self.silent_looks = if is_silent { self.silent_looks + 1 } else { 0 };
        match self.silent_looks > SILENT_LOOKS {
            true => Err(Broken("it does not answer")),
            false => Ok(Heard::default()),
        }
    }

    async fn replace_router(&mut self, reason: &str) {
        tracing::warn!("The router of the message bus is replaced: {reason}");
        let (sender, receiver) = loop {
            match start_router() {
                Ok(links) => break links,
                Err(error) => {
                    tracing::error!("The message bus does not start again: {error}");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        };
        self.link = receiver;
        self.expected = None;
        self.silent_looks = 0;
        let mut lane = self.bus.lane.lock();
        lane.link = sender;
        lane.transmit(0);
    }
}
