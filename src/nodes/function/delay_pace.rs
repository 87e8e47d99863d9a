//! What the kinds of a delay node have in common: messages held, an interval, a depth that is shown now and then.

use std::{any::Any, time::Duration};

use tokio::time::Instant;

use crate::{
    engine::{Completion, NodeContext, Timer},
    message::{Message, Object, Value},
    nodes::shared::deadlines::timer_delay,
};

/// The depth of a queue is shown this long after it changed, so that a flood of messages is not one of statuses.
const SHOW_AFTER: Duration = Duration::from_millis(500);

/// A kind of delay.
pub(super) trait Pace: Send {
    /// The node starts.
    fn start(&mut self, ctx: &NodeContext) {
        let _ = ctx;
    }
    /// A message.
    fn take(&mut self, msg: Message, ctx: &NodeContext);
    /// Own timers.
    fn on_event(&mut self, event: &(dyn Any + Send), ctx: &NodeContext);
    /// Ends everything: what is held is done with, but not sent.
    fn drop_all(&mut self);
}

/// A message that waits.
pub(super) struct Held {
    pub(super) msg: Message,
    pub(super) completion: Completion,
}

impl Held {
    /// It leaves through the first output.
    pub(super) fn send(self, ctx: &NodeContext) {
        ctx.send(self.msg);
        self.completion.done();
    }

    /// It leaves because of `msg.flush`: without what orders the node about, and only if it says anything besides, not
    /// counting `least` properties that each message here has.
    pub(super) fn flush(mut self, least: usize, ctx: &NodeContext) {
        self.msg.remove("flush");
        self.msg.remove("reset");
        if properties(&self.msg) > least {
            ctx.send(self.msg);
        }
        self.completion.done();
    }
}

/// How many properties a message has besides its id.
pub(super) fn properties(msg: &Message) -> usize {
    msg.fields().len() - usize::from(msg.fields().contains_key("_msgid"))
}

/// What a message orders the node to do.
pub(super) struct Orders {
    pub(super) flush: Option<Value>,
    pub(super) reset: bool,
}

impl Orders {
    pub(super) fn of(msg: &Message) -> Self {
        Self {
            flush: msg.fields().get("flush").cloned(),
            reset: msg.fields().contains_key("reset"),
        }
    }

    /// How many of `held` messages are flushed: that number, else all. None: a number that is not 0 but lets none out.
    pub(super) fn flushed(flush: &Value, held: usize) -> Option<usize> {
        match flush {
            Value::Number(number) if *number >= 0.0 => Some(if *number < held as f64 {
                *number as usize
            } else {
                held
            }),
            Value::Number(_) => None,
            _ => Some(held),
        }
    }
}

/// Whether another message may be held, by `nodeMessageBufferMaxLength`.
pub(super) fn has_room(held: usize, ctx: &NodeContext) -> bool {
    let most = ctx.settings().message_buffer_max_length;
    most == 0 || held < most
}

/// Says that there was no room, after what was held was dropped.
pub(super) fn report_overflow(msg: &Message, ctx: &NodeContext) {
    ctx.error(ctx.text("delay.errors.too-many", &[]), Some(msg));
}

/// The rate that a message asks for, in milliseconds a message, where messages may.
pub(super) fn asked_rate(msg: &Message, allowed: bool) -> Option<f64> {
    let rate = msg.fields().get("rate").filter(|_| allowed)?;
    crate::nodes::shared::deadlines::milliseconds(Some(rate))
}

/// A status with a count.
pub(super) fn show_count(shape: &str, count: usize, ctx: &NodeContext) {
    let mut status = Object::new();
    status.insert("fill", "blue".into());
    status.insert("shape", shape.into());
    status.insert("text", count.into());
    ctx.status_value(status.into());
}

struct Tick;

/// JavaScript's `setInterval`.
#[derive(Default)]
pub(super) struct Interval {
    period: Duration,
    next: Option<(Instant, Timer)>,
}

impl Interval {
    /// Begins anew with this period.
    pub(super) fn start(&mut self, ms: f64, ctx: &NodeContext) {
        self.period = timer_delay(ms);
        self.arm(ctx);
    }

    pub(super) fn stop(&mut self) {
        self.next = None;
    }

    pub(super) fn is_running(&self) -> bool {
        self.next.is_some()
    }

    /// Whether this event is a tick of it. One that was on its way when the interval began anew is none.
    pub(super) fn ticked(&mut self, event: &(dyn Any + Send), ctx: &NodeContext) -> bool {
        let due = self
            .next
            .as_ref()
            .is_some_and(|(at, _)| *at <= Instant::now());
        if !event.is::<Tick>() || !due {
            return false;
        }
        self.arm(ctx);
        true
    }

    fn arm(&mut self, ctx: &NodeContext) {
        self.next = Some((Instant::now() + self.period, ctx.after(self.period, Tick)));
    }
}

struct ShowDepth;

/// Shows how many messages wait, at most each half second.
#[derive(Default)]
pub(super) struct Depth {
    timer: Option<Timer>,
}

impl Depth {
    /// The depth may have changed.
    pub(super) fn changed(&mut self, ctx: &NodeContext) {
        if self.timer.is_none() {
            self.timer = Some(ctx.after(SHOW_AFTER, ShowDepth));
        }
    }

    /// Shows the depth when the event says that it is time.
    pub(super) fn show(&mut self, event: &(dyn Any + Send), depth: usize, ctx: &NodeContext) {
        if event.is::<ShowDepth>() {
            self.timer = None;
            show_count("dot", depth, ctx);
        }
    }

    pub(super) fn stop(&mut self) {
        self.timer = None;
    }
}
