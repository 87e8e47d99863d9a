//! So many messages within a window of time as they come; further ones are dropped.

use std::any::Any;

use super::delay_pace::Pace;
use crate::{
    engine::{NodeContext, Status},
    message::Message,
    nodes::shared::deadlines::{Deadlines, Due, timer_delay},
};

/// Lets a number of messages through in each window, which begins anew with every message that passes.
pub(super) struct Burst {
    most: f64,
    window_ms: f64,
    /// What is dropped leaves through the second output.
    two_outputs: bool,
    /// When each of the passed messages stops counting.
    passed: Deadlines<u64>,
    in_flight: u64,
    count: u64,
}

impl Burst {
    pub(super) fn new(most: f64, window_ms: f64, two_outputs: bool) -> Self {
        Self {
            most,
            window_ms,
            two_outputs,
            passed: Deadlines::default(),
            in_flight: 0,
            count: 0,
        }
    }
}

fn show_free(ctx: &NodeContext) {
    ctx.status(Status::new("green", "ring", ""));
}

impl Pace for Burst {
    fn start(&mut self, ctx: &NodeContext) {
        show_free(ctx);
    }

    fn take(&mut self, msg: Message, ctx: &NodeContext) {
        let completion = ctx.completion(&msg);
        if msg.fields().contains_key("reset") {
            self.drop_all();
            show_free(ctx);
        } else if (self.in_flight as f64) < self.most {
            self.in_flight += 1;
            self.count += 1;
            ctx.send(msg);
            self.passed
                .add(timer_delay(self.window_ms), self.count, ctx);
        } else {
            if self.two_outputs {
                ctx.send_to(1, msg);
            }
            ctx.status(Status::new("red", "dot", ""));
        }
        completion.done();
    }

    fn on_event(&mut self, event: &(dyn Any + Send), ctx: &NodeContext) {
        if !event.is::<Due>() {
            return;
        }
        while self.passed.next_due(ctx).is_some() {
            if self.in_flight as f64 == self.most {
                show_free(ctx);
            }
            self.in_flight -= 1;
        }
    }

    fn drop_all(&mut self) {
        self.passed.clear();
        self.in_flight = 0;
    }
}
