//! What waits in a session, and what became of it.

use std::{collections::VecDeque, sync::Arc};

use super::{
    begun::BegunMessages, codec::Qos, inflight::Inflight, message::Publication, session::Session,
};

/// A message for one receiver.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) publication: Arc<Publication>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// Identifiers of the subscriptions that it matches.
    pub(super) ids: Option<Arc<[u32]>>,
    /// The shared subscription that it came by, if by no other: another member may get it instead.
    pub(super) shared: Option<Arc<str>>,
    /// Its place among those of a stored session; 0: it is not stored.
    pub(super) seq: u64,
    /// It may have been sent before a restart.
    pub(super) again: bool,
}

/// An acknowledgement that a publisher gets: first byte of the packet, packet identifier, reason code.
pub(super) type Ack = (u8, u16, u8);

/// Who takes a session's messages out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Offline,
    /// A connection: QoS 1 and 2 within its window.
    Remote,
    /// A receiver in this process: handing over is acknowledging.
    Local,
}

/// The part of a session that is worked on under its lock.
pub(super) struct Outbox {
    pub(super) link: Link,
    /// Counts connections, so that one that was replaced does not touch what is not its own any more.
    pub(super) connection: u64,
    /// Why the connection must end, told by somebody else.
    pub(super) kicked: Option<u8>,
    pub(super) acks: Vec<Ack>,
    pub(super) inflight: Inflight,
    /// Messages at QoS 2 that have come in and wait for PUBREL.
    pub(super) received: BegunMessages,
    /// A receiver that could not keep up with what this session published.
    pub(super) hold: Option<Arc<Session>>,
    pub(super) queue: VecDeque<Delivery>,
    pub(super) bytes: usize,
    /// How many of the waiting are QoS 0.
    pub(super) at_most_once: usize,
    /// It was waited for in vain.
    pub(super) stalled: bool,
    /// Whoever serves the session has found nothing to do and sleeps.
    pub(super) idle: bool,
    /// The place of the next message that is stored.
    pub(super) next_seq: u64,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pushed {
    pub(super) wake: bool,
    pub(super) dropped: u64,
    /// So much waits that publishers should slow down.
    pub(super) is_behind: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            link: Link::Offline,
            connection: 0,
            kicked: None,
            acks: Vec::new(),
            inflight: Inflight::default(),
            received: BegunMessages::default(),
            hold: None,
            queue: VecDeque::new(),
            bytes: 0,
            at_most_once: 0,
            stalled: false,
            idle: false,
            next_seq: 1,
        }
    }

    /// Drops what waits at QoS 0, and gives it back to be freed without the lock.
    pub(super) fn drop_at_most_once(&mut self) -> Vec<Delivery> {
        if self.at_most_once == 0 {
            return Vec::new();
        }
        let (kept, gone) = partition(std::mem::take(&mut self.queue), |delivery| {
            delivery.qos > Qos::AtMostOnce
        });
        self.queue = kept;
        self.at_most_once = 0;
        self.bytes = self
            .queue
            .iter()
            .map(|delivery| delivery.publication.size())
            .sum();
        gone
    }
}

/// What passes, and the rest.
pub(super) fn partition<T>(
    queue: VecDeque<T>,
    passes: impl Fn(&T) -> bool,
) -> (VecDeque<T>, Vec<T>) {
    let (mut yes, mut no) = (VecDeque::new(), Vec::new());
    for item in queue {
        match passes(&item) {
            true => yes.push_back(item),
            false => no.push(item),
        }
    }
    (yes, no)
}
