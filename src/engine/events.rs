//! What the outside may watch: messages on wires, logs, statuses, debug output. One ordered stream.
//!
//! When nobody watches a kind of event, it costs one atomic load.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{
    flow::{Id, Rev},
    message::{Message, Value},
};

/// Kinds of events, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest(pub u32);

impl Interest {
    pub const INPUT: Self = Self(1);
    pub const SEND: Self = Self(2);
    pub const DONE: Self = Self(4);
    pub const CALL: Self = Self(8);
    pub const LOG: Self = Self(16);
    pub const FLOWS: Self = Self(32);
    pub const DEBUG: Self = Self(64);
    pub const STATUS: Self = Self(128);
    pub const NOTIFICATION: Self = Self(256);

    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How grave a log record is (Node-RED's numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LogLevel {
    Error = 20,
    Warn = 30,
    Info = 40,
    Debug = 50,
    Trace = 60,
}

/// A log record of a node or of the runtime.
#[derive(Clone, Debug)]
pub struct Record {
    pub level: LogLevel,
    pub msg: Value,
    /// The node that it is about: id, type, name, z, path.
    pub node: Option<Arc<super::NodeInfo>>,
    /// Milliseconds since 1970.
    pub time: f64,
}

/// The line under a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub fill: Option<Arc<str>>,
    pub shape: Option<Arc<str>>,
    pub text: Option<Arc<str>>,
}

impl Status {
    /// A status with all three parts.
    pub fn new(fill: &str, shape: &str, text: impl Into<Arc<str>>) -> Self {
        Self {
            fill: Some(fill.into()),
            shape: Some(shape.into()),
            text: Some(text.into()),
        }
    }

    /// Nothing is shown.
    pub fn is_empty(&self) -> bool {
        [&self.fill, &self.shape, &self.text]
            .into_iter()
            .flatten()
            .all(|part| part.is_empty())
    }
}

/// One event.
#[derive(Clone, Debug)]
pub enum Event {
    Input {
        node: Id,
        msg: Message,
    },
    Send {
        node: Id,
        port: usize,
        to: Id,
        msg: Message,
    },
    Done {
        node: Id,
        msgid: Option<Arc<str>>,
        error: Option<Value>,
    },
    /// The node called `status`, `error`, `warn`, `log`, `debug` or `trace`.
    Call {
        node: Id,
        method: &'static str,
        args: Vec<Value>,
    },
    Log(Record),
    /// After every deploy; `error` when it failed.
    Flows {
        rev: Rev,
        missing: Vec<Id>,
        error: Option<String>,
    },
    /// The data of a debug message, as `/comms` sends it.
    Debug(serde_json::Value),
    Status {
        node: Id,
        status: Status,
    },
    /// `notification/<topic>` and its data.
    Notification {
        topic: &'static str,
        data: serde_json::Value,
    },
}

impl Event {
    fn interest(&self) -> Interest {
        match self {
            Self::Input { .. } => Interest::INPUT,
            Self::Send { .. } => Interest::SEND,
            Self::Done { .. } => Interest::DONE,
            Self::Call { .. } => Interest::CALL,
            Self::Log(_) => Interest::LOG,
            Self::Flows { .. } => Interest::FLOWS,
            Self::Debug(_) => Interest::DEBUG,
            Self::Status { .. } => Interest::STATUS,
            Self::Notification { .. } => Interest::NOTIFICATION,
        }
    }
}

/// An event and its place in the stream.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub seq: u64,
    pub event: Arc<Event>,
}

struct Subscriber {
    id: u64,
    interest: Interest,
    events: mpsc::Sender<Stamped>,
}

#[derive(Default)]
struct Stream {
    seq: u64,
    next_subscriber: u64,
    subscribers: Vec<Subscriber>,
    /// Status that new editors are shown.
    statuses: HashMap<Id, Status>,
}

/// Where events come together and go out.
#[derive(Default)]
pub struct Hub {
    /// What anybody is interested in.
    wanted: AtomicU32,
    stream: Mutex<Stream>,
}

/// A subscriber's end. Dropping it ends the subscription.
pub struct Subscription {
    id: u64,
    hub: Arc<Hub>,
    events: mpsc::Receiver<Stamped>,
}

impl Hub {
    /// Whether anybody watches this kind.
    #[inline]
    pub fn wants(&self, interest: Interest) -> bool {
        self.wanted.load(Ordering::Relaxed) & interest.0 != 0
    }

    /// Hands an event to all who watch its kind. One whose queue is full is cut off: its stream would have a hole.
    pub fn publish(&self, event: Event) {
        let interest = event.interest();
        let mut stream = self.stream.lock();
        if let Event::Status { node, status } = &event {
            match status.is_empty() {
                true => drop(stream.statuses.remove(node)),
                false => drop(stream.statuses.insert(node.clone(), status.clone())),
            }
        }
        if !self.wants(interest) {
            return;
        }
        stream.seq += 1;
        let stamped = Stamped {
            seq: stream.seq,
            event: Arc::new(event),
        };
        let before = stream.subscribers.len();
        stream.subscribers.retain(|subscriber| {
            subscriber.interest.0 & interest.0 == 0
                || subscriber.events.try_send(stamped.clone()).is_ok()
        });
        if stream.subscribers.len() != before {
            self.recount(&stream);
        }
    }

    /// Watches these kinds; at most `capacity` events wait.
    pub fn subscribe(self: &Arc<Self>, interest: Interest, capacity: usize) -> Subscription {
        let (sender, events) = mpsc::channel(capacity);
        let mut stream = self.stream.lock();
        stream.next_subscriber += 1;
        let id = stream.next_subscriber;
        stream.subscribers.push(Subscriber {
            id,
            interest,
            events: sender,
        });
        self.recount(&stream);
        Subscription {
            id,
            hub: self.clone(),
            events,
        }
    }

    /// The statuses that nodes show now.
    pub fn statuses(&self) -> Vec<(Id, Status)> {
        self.stream
            .lock()
            .statuses
            .iter()
            .map(|(id, status)| (id.clone(), status.clone()))
            .collect()
    }

    /// The status that a node shows now.
    pub fn status(&self, node: &str) -> Option<Status> {
        self.stream.lock().statuses.get(node).cloned()
    }

    fn recount(&self, stream: &Stream) {
        let wanted = stream
            .subscribers
            .iter()
            .fold(0, |all, subscriber| all | subscriber.interest.0);
        self.wanted.store(wanted, Ordering::Relaxed);
    }
}

impl Subscription {
    /// The next event; none when the subscriber was too slow and has been cut off.
    pub async fn next(&mut self) -> Option<Stamped> {
        self.events.recv().await
    }

    /// An event that is already there.
    pub fn try_next(&mut self) -> Option<Stamped> {
        self.events.try_recv().ok()
    }

    /// Changes what is watched.
    pub fn watch(&self, interest: Interest) {
        self.watcher().watch(interest);
    }

    /// A handle that changes what is watched while somebody else reads the events.
    pub fn watcher(&self) -> Watcher {
        Watcher {
            id: self.id,
            hub: self.hub.clone(),
        }
    }
}

/// Changes what a [`Subscription`] watches.
pub struct Watcher {
    id: u64,
    hub: Arc<Hub>,
}

impl Watcher {
    /// Watches these kinds from now on; returns the place in the stream after which that holds.
    pub fn watch(&self, interest: Interest) -> u64 {
        let mut stream = self.hub.stream.lock();
        if let Some(subscriber) = stream
            .subscribers
            .iter_mut()
            .find(|subscriber| subscriber.id == self.id)
        {
            subscriber.interest = interest;
        }
        self.hub.recount(&stream);
        stream.seq
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut stream = self.hub.stream.lock();
        stream
            .subscribers
            .retain(|subscriber| subscriber.id != self.id);
        self.hub.recount(&stream);
    }
}
