//! Messages that leave a node together, and may be more than a flow's queue has room for.

use std::collections::VecDeque;

use crate::{engine::NodeContext, message::Message};

/// Messages that leave in one go. After them the rest of the flow has its turn, so that the longest sequence needs only
/// so much room in the queue.
pub(in crate::nodes) const IN_ONE_GO: usize = 1_000;

/// The rest has its turn: the node hands this event to [`Outbox::go_on`].
pub(in crate::nodes) struct GoOn;

/// What is to be sent and said to be done, in this order.
#[derive(Default)]
pub(in crate::nodes) struct Outbox {
    steps: VecDeque<Step>,
    /// [`GoOn`] is under way.
    waits: bool,
}

enum Step {
    Send(Message),
    Done(Message),
}

impl Outbox {
    /// Puts in a message that is to be sent.
    pub(in crate::nodes) fn send(&mut self, msg: Message) {
        self.steps.push_back(Step::Send(msg));
    }

    /// Puts in a message that the node is done with after what is in before it.
    pub(in crate::nodes) fn done(&mut self, msg: Message, ctx: &NodeContext) {
        if ctx.completion_watched() {
            self.steps.push_back(Step::Done(msg));
        }
    }

    /// Sends what was put in, unless earlier messages are still leaving: it follows them.
    pub(in crate::nodes) fn flush(&mut self, ctx: &NodeContext) {
        if !self.waits {
            self.go_on(ctx);
        }
    }

    /// The rest has its turn.
    pub(in crate::nodes) fn go_on(&mut self, ctx: &NodeContext) {
        self.leave(IN_ONE_GO, ctx);
        self.waits = !self.steps.is_empty();
        if self.waits {
            ctx.post(Box::new(GoOn));
        }
    }

    /// The node closes: everything leaves now.
    pub(in crate::nodes) fn close(&mut self, ctx: &NodeContext) {
        self.leave(usize::MAX, ctx);
    }

    fn leave(&mut self, mut most: usize, ctx: &NodeContext) {
        while most > 0 {
            match self.steps.pop_front() {
                Some(Step::Send(msg)) => {
                    ctx.send(msg);
                    most -= 1;
                }
                Some(Step::Done(msg)) => ctx.completion(&msg).done(),
                None => return,
            }
        }
    }
}
