//! Each message leaves after a time of its own: fixed, given by the message, or random.

use std::{any::Any, collections::BTreeMap};

use tokio::time::Instant;

use super::delay_pace::{Held, Orders, Pace, has_room, properties, report_overflow, show_count};
use crate::{
    engine::{NodeContext, Status},
    message::Message,
    nodes::shared::deadlines::{Deadlines, Due, milliseconds, timer_delay},
};

/// Below this the number of waiting messages would only flicker.
const SHOWN_ABOVE_MS: f64 = 1000.0;

/// How long a message waits, in milliseconds.
pub(super) enum Wait {
    Fixed(f64),
    /// `msg.delay`, else this.
    Variable(f64),
    Random {
        first: f64,
        difference: f64,
        /// Whether the number of waiting messages is shown.
        shown: bool,
    },
}

impl Wait {
    fn of(&self, msg: &Message) -> f64 {
        match self {
            Self::Fixed(ms) => *ms,
            Self::Variable(ms) => milliseconds(msg.fields().get("delay")).unwrap_or(*ms),
            Self::Random {
                first, difference, ..
            } => first + difference * random(),
        }
    }

    fn is_shown(&self) -> bool {
        match self {
            Self::Fixed(ms) => *ms > SHOWN_ABOVE_MS,
            Self::Variable(_) => true,
            Self::Random { shown, .. } => *shown,
        }
    }
}

/// A number from 0 up to, but not including, 1.
fn random() -> f64 {
    const BITS: u32 = 53;
    let bits = getrandom::u64().unwrap_or(u64::MAX / 2) >> (u64::BITS - BITS);
    bits as f64 / (1_u64 << BITS) as f64
}

/// Messages that leave each at its own time.
pub(super) struct Each {
    wait: Wait,
    /// By the order in which they came.
    held: BTreeMap<u64, (Instant, Held)>,
    deadlines: Deadlines<u64>,
    count: u64,
}

impl Each {
    pub(super) fn new(wait: Wait) -> Self {
        Self {
            wait,
            held: BTreeMap::new(),
            deadlines: Deadlines::default(),
            count: 0,
        }
    }

    fn leave(&mut self, number: u64, ctx: &NodeContext) {
        let Some((at, held)) = self.held.remove(&number) else {
            return;
        };
        self.deadlines.remove(at, number);
        match self.wait {
            // Node-RED's order of sending and showing, which tests can see.
            Wait::Fixed(_) => {
                self.show(ctx);
                held.send(ctx);
            }
            Wait::Variable(_) => {
                if self.held.is_empty() {
                    ctx.status(Status::default());
                }
                ctx.send(held.msg);
                self.show(ctx);
                held.completion.done();
            }
            Wait::Random { .. } => {
                ctx.send(held.msg);
                self.show(ctx);
                held.completion.done();
            }
        }
    }

    fn show(&self, ctx: &NodeContext) {
        if self.wait.is_shown() {
            show_count("dot", self.held.len(), ctx);
        }
    }

    fn reset(&mut self, ctx: &NodeContext) {
        self.drop_all();
        show_count("ring", 0, ctx);
    }
}

impl Pace for Each {
    fn take(&mut self, msg: Message, ctx: &NodeContext) {
        let orders = Orders::of(&msg);
        let completion = ctx.completion(&msg);
        // A message that is nothing but the order to flush does not wait itself.
        if orders.flush.is_some() && properties(&msg) == 1 {
            completion.done();
        } else if has_room(self.held.len(), ctx) {
            self.count += 1;
            let wait = timer_delay(self.wait.of(&msg));
            let at = self.deadlines.add(wait, self.count, ctx);
            self.held.insert(self.count, (at, Held { msg, completion }));
        } else {
            self.drop_all();
            report_overflow(&msg, ctx);
        }
        if orders.reset {
            self.reset(ctx);
        }
        let fixed = matches!(self.wait, Wait::Fixed(_));
        if let Some(flush) = orders.flush.as_ref().filter(|_| !(fixed && orders.reset)) {
            let count = Orders::flushed(flush, self.held.len()).unwrap_or(0);
            let first: Vec<u64> = self.held.keys().copied().take(count).collect();
            for number in first {
                self.leave(number, ctx);
            }
            show_count("dot", self.held.len(), ctx);
        }
        let ordered = orders.reset || orders.flush.is_some();
        if !(fixed && ordered) {
            self.show(ctx);
        }
    }

    fn on_event(&mut self, event: &(dyn Any + Send), ctx: &NodeContext) {
        if event.is::<Due>() {
            while let Some(number) = self.deadlines.next_due(ctx) {
                self.leave(number, ctx);
            }
        }
    }

    fn drop_all(&mut self) {
        self.deadlines.clear();
        for (_, held) in std::mem::take(&mut self.held).into_values() {
            held.completion.done();
        }
    }
}
