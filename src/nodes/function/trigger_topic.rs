//! What a trigger node has begun for a topic.

use tokio::time::Instant;

use crate::message::{Message, Value};

/// A topic that does not take a new message as a first one.
pub(super) struct Topic {
    /// Tells this wait from earlier ones of the topic.
    pub(super) number: u64,
    /// What is sent second, worked out when the wait began.
    pub(super) second: Option<Value>,
    /// The message that came last, if that is what is sent second.
    pub(super) latest: Option<Message>,
    pub(super) state: State,
}

pub(super) enum State {
    /// Until a reset.
    Blocked,
    Waiting {
        at: Instant,
        /// What the second message is made of.
        msg: Message,
        extended: bool,
    },
    Repeating {
        at: Instant,
        msg: Message,
        wait_ms: f64,
    },
}

impl State {
    /// When something is to be done.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Blocked => None,
            Self::Waiting { at, .. } | Self::Repeating { at, .. } => Some(*at),
        }
    }
}
