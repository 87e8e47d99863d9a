//! One message every so often; further ones wait in a queue, or are dropped.

use std::{any::Any, collections::VecDeque};

use tokio::time::Instant;

use super::delay_pace::{
    Depth, Held, Interval, Orders, Pace, asked_rate, has_room, properties, report_overflow,
    show_count,
};
use crate::{
    engine::NodeContext,
    message::{Message, Value},
};

/// The first message leaves at once, then one each `rate` milliseconds.
pub(super) struct RateQueue {
    configured: f64,
    rate: f64,
    rate_by_message: bool,
    queue: VecDeque<Held>,
    interval: Interval,
    depth: Depth,
}

impl RateQueue {
    pub(super) fn new(rate: f64, rate_by_message: bool) -> Self {
        Self {
            configured: rate,
            rate,
            rate_by_message,
            queue: VecDeque::new(),
            interval: Interval::default(),
            depth: Depth::default(),
        }
    }

    /// A message while others leave one by one: it waits.
    fn enqueue(&mut self, held: Held, ctx: &NodeContext) {
        let asked = asked_rate(&held.msg, self.rate_by_message);
        if let Some(rate) = asked.filter(|rate| *rate != self.rate) {
            self.rate = rate;
            self.interval.start(rate, ctx);
        }
        if !has_room(self.queue.len(), ctx) {
            self.drop_queue();
            report_overflow(&held.msg, ctx);
            return;
        }
        if *held.msg.get("toFront") == Value::Bool(true) {
            self.queue.push_front(held);
        } else {
            self.queue.push_back(held);
        }
        self.depth.changed(ctx);
    }

    /// A message while nothing waits: it leaves at once, and the time begins.
    fn begin(&mut self, held: Held, orders: &Orders, ctx: &NodeContext) {
        if let Some(rate) = asked_rate(&held.msg, self.rate_by_message) {
            self.rate = rate;
        }
        if !orders.reset {
            held.send(ctx);
        } else if orders.flush.is_some() {
            self.queue.push_back(held);
        } else {
            held.completion.done();
        }
        self.depth.changed(ctx);
        self.interval.start(self.rate, ctx);
    }

    fn flush(&mut self, flush: &Value, ctx: &NodeContext) {
        let count = Orders::flushed(flush, self.queue.len());
        if count == Some(0) {
            self.interval.stop();
        } else {
            for held in self.queue.drain(..count.unwrap_or(0)) {
                held.flush(0, ctx);
            }
            self.interval.start(self.rate, ctx);
        }
        show_count("dot", self.queue.len(), ctx);
    }

    fn drop_queue(&mut self) {
        for held in self.queue.drain(..) {
            held.completion.done();
        }
    }
}

impl Pace for RateQueue {
    fn take(&mut self, mut msg: Message, ctx: &NodeContext) {
        let orders = Orders::of(&msg);
        let completion = ctx.completion(&msg);
        msg.remove("flush");
        let mut order_only = None;
        if properties(&msg) == 0 {
            order_only = Some(completion);
        } else {
            let held = Held { msg, completion };
            if self.interval.is_running() {
                self.enqueue(held, ctx);
            } else {
                self.begin(held, &orders, ctx);
            }
        }
        if let Some(flush) = &orders.flush {
            self.flush(flush, ctx);
        }
        if let Some(completion) = order_only {
            completion.done();
        }
        if orders.reset {
            if orders.flush.is_none_or(|flush| flush.is_undefined()) {
                self.interval.stop();
            }
            self.drop_queue();
            self.rate = self.configured;
            show_count("ring", 0, ctx);
        }
    }

    fn on_event(&mut self, event: &(dyn Any + Send), ctx: &NodeContext) {
        if self.interval.ticked(event, ctx) {
            match self.queue.pop_front() {
                None => self.interval.stop(),
                Some(held) => held.send(ctx),
            }
            self.depth.changed(ctx);
        }
        self.depth.show(event, self.queue.len(), ctx);
    }

    fn drop_all(&mut self) {
        self.interval.stop();
        self.depth.stop();
        self.drop_queue();
    }
}

/// A message leaves if more than `rate` milliseconds passed since the last one; others are dropped.
pub(super) struct RateDrop {
    configured: f64,
    rate: f64,
    rate_by_message: bool,
    /// What is dropped leaves through the second output.
    two_outputs: bool,
    /// By a clock that nobody sets.
    last_sent: Option<Instant>,
}

impl RateDrop {
    pub(super) fn new(rate: f64, rate_by_message: bool, two_outputs: bool) -> Self {
        Self {
            configured: rate,
            rate,
            rate_by_message,
            two_outputs,
            last_sent: None,
        }
    }
}

impl Pace for RateDrop {
    fn take(&mut self, msg: Message, ctx: &NodeContext) {
        let completion = ctx.completion(&msg);
        let orders = Orders::of(&msg);
        if orders.reset {
            if orders.flush.is_none_or(|flush| flush.is_undefined()) {
                self.last_sent = None;
            }
            self.rate = self.configured;
            show_count("ring", 0, ctx);
        } else {
            if let Some(rate) = asked_rate(&msg, self.rate_by_message) {
                self.rate = rate;
            }
            let since = self
                .last_sent
                .map(|last| last.elapsed().as_secs_f64() * 1000.0);
            if since.is_none_or(|since| since > self.rate) {
                self.last_sent = Some(Instant::now());
                ctx.send(msg);
            } else if self.two_outputs {
                ctx.send_to(1, msg);
            }
        }
        completion.done();
    }

    fn on_event(&mut self, _event: &(dyn Any + Send), _ctx: &NodeContext) {}

    fn drop_all(&mut self) {}
}
