//! What handles ask of a connection's task, in order.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::{ConnectOptions, SubscribeOptions, subscription::Subscriber};
use std::sync::Arc;

/// Requests that may wait; a flow that asks faster than the broker answers is told so.
const MAX_WAITING: usize = 10_000;

/// Says how a request ended: an error is a sentence.
pub(super) type Reply = oneshot::Sender<Result<(), String>>;

/// A request.
pub(super) enum Op {
    /// A node uses the connection.
    Attach,
    /// A node uses it no more; `removed` when it is gone for good.
    Detach {
        removed: bool,
    },
    /// Connect now, with these options if given; `force` cuts a connection that is up.
    Connect {
        options: Option<Box<ConnectOptions>>,
        reply: Reply,
    },
    Disconnect {
        reply: Option<Reply>,
    },
    /// A node begins to listen.
    Listen(Arc<Subscriber>),
    /// A node listens no more.
    Leave(Arc<Subscriber>),
    Subscribe(Arc<Subscriber>, Arc<str>, SubscribeOptions),
    Unsubscribe(Arc<Subscriber>, Arc<str>),
    /// Disconnect and end the task.
    Close {
        reply: Option<Reply>,
    },
}

/// The queue of requests.
#[derive(Default)]
pub(super) struct Inbox {
    ops: Mutex<VecDeque<Op>>,
    wake: Notify,
}

impl Inbox {
    /// Puts a request at the end. False when too many wait; ends are never refused.
    pub(super) fn push(&self, op: Op) -> bool {
        let mut ops = self.ops.lock();
        let ends = matches!(
            op,
            Op::Detach { .. } | Op::Leave(_) | Op::Close { .. } | Op::Disconnect { .. }
        );
        if ops.len() >= MAX_WAITING && !ends {
            return false;
        }
        ops.push_back(op);
        drop(ops);
        self.wake.notify_one();
        true
    }

    /// The next request.
    pub(super) async fn next(&self) -> Op {
        loop {
            let op = self.ops.lock().pop_front();
            if let Some(op) = op {
                return op;
            }
            self.wake.notified().await;
        }
    }
}
