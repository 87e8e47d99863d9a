//! One message a topic is held, the newest; at each tick the first of them leaves, or all.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::delay_pace::{Depth, Held, Orders, Pace, asked_rate, has_room, report_overflow};
use crate::{
    engine::{NodeContext, Status, Timer},
    message::{Message, Value},
    nodes::shared::deadlines::timer_delay,
};

/// The topic of messages without one.
const NO_TOPIC: &str = "_none_";
/// Each message here has a topic, which alone says nothing.
const TOPIC_ONLY: usize = 1;

struct Tick;

/// A topic as JavaScript's `===` compares them.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Topic {
    Text(Arc<str>),
    Number(u64),
    Bool(bool),
    Null,
    Undefined,
    /// Objects, and NaN, are equal to nothing.
    Unique(u64),
}

/// Messages by topic.
pub(super) struct Topics {
    configured: f64,
    rate: f64,
    rate_by_message: bool,
    /// At a tick all leave, not only the first.
    all: bool,
    /// What is replaced leaves through the second output.
    two_outputs: bool,
    /// By the order in which their topics came.
    held: BTreeMap<u64, (Topic, Held)>,
    by_topic: HashMap<Topic, u64>,
    count: u64,
    /// The ticks are at whole periods from here on, whether or not somebody waits for them.
    since: Instant,
    /// The next tick.
    next: Option<(Instant, Timer)>,
    depth: Depth,
}

impl Topics {
    pub(super) fn new(rate: f64, rate_by_message: bool, all: bool, two_outputs: bool) -> Self {
        Self {
            configured: rate,
            rate,
            rate_by_message,
            all,
            two_outputs,
            held: BTreeMap::new(),
            by_topic: HashMap::new(),
            count: 0,
            since: Instant::now(),
            next: None,
            depth: Depth::default(),
        }
    }

    fn restart(&mut self, ctx: &NodeContext) {
        self.since = Instant::now();
        self.wait(ctx);
    }

    /// Sets the timer for the next tick.
    fn wait(&mut self, ctx: &NodeContext) {
        let period = timer_delay(self.rate);
        let passed = self.since.elapsed().as_nanos() % period.as_nanos().max(1);
        // What is left of a period of ten years at most fits.
        let left = period - Duration::from_nanos(passed as u64);
        self.next = Some((Instant::now() + left, ctx.after(left, Tick)));
    }

    fn topic(&self, msg: &Message) -> Topic {
        match msg.get("topic") {
            Value::String(text) => Topic::Text(text.clone()),
            // 0 and -0 are equal.
            Value::Number(number) if !number.is_nan() => Topic::Number((number + 0.0).to_bits()),
            Value::Bool(bool) => Topic::Bool(*bool),
            Value::Null => Topic::Null,
            Value::Undefined => Topic::Undefined,
            _ => Topic::Unique(self.count),
        }
    }

    fn hold(&mut self, held: Held, ctx: &NodeContext) {
        self.count += 1;
        let topic = self.topic(&held.msg);
        let place = self.by_topic.get(&topic).copied();
        if let Some((_, slot)) = place.and_then(|place| self.held.get_mut(&place)) {
            let replaced = std::mem::replace(slot, held);
            if self.two_outputs {
                ctx.send_to(1, replaced.msg);
            }
            replaced.completion.done();
        } else if has_room(self.held.len(), ctx) {
            self.by_topic.insert(topic.clone(), self.count);
            self.held.insert(self.count, (topic, held));
            self.depth.changed(ctx);
            if self.next.is_none() {
                self.wait(ctx);
            }
        } else {
            self.drop_held();
            report_overflow(&held.msg, ctx);
        }
    }

    fn pop(&mut self) -> Option<Held> {
        let (_, (topic, held)) = self.held.pop_first()?;
        self.by_topic.remove(&topic);
        Some(held)
    }

    fn drop_held(&mut self) {
        while let Some(held) = self.pop() {
            held.completion.done();
        }
    }
}

impl Pace for Topics {
    fn start(&mut self, ctx: &NodeContext) {
        self.restart(ctx);
    }

    fn take(&mut self, mut msg: Message, ctx: &NodeContext) {
        let orders = Orders::of(&msg);
        let asked = asked_rate(&msg, self.rate_by_message);
        if let Some(rate) = asked.filter(|rate| *rate != self.rate) {
            self.rate = rate;
            self.restart(ctx);
        }
        if !msg.fields().contains_key("topic") {
            msg.set("topic", NO_TOPIC);
        }
        let completion = ctx.completion(&msg);
        self.hold(Held { msg, completion }, ctx);
        if let Some(flush) = &orders.flush {
            let count = Orders::flushed(flush, self.held.len()).unwrap_or(0);
            for held in (0..count).map_while(|_| self.pop()).collect::<Vec<_>>() {
                held.flush(TOPIC_ONLY, ctx);
            }
            ctx.status(Status::default());
        }
        if orders.reset {
            self.drop_held();
            self.rate = self.configured;
            ctx.status(Status {
                text: Some("reset".into()),
                ..Status::default()
            });
        }
    }

    fn on_event(&mut self, event: &(dyn Any + Send), ctx: &NodeContext) {
        let due = self
            .next
            .as_ref()
            .is_some_and(|(at, _)| *at <= Instant::now());
        if event.is::<Tick>() && due {
            self.next = None;
            let count = if self.all { self.held.len() } else { 1 };
            for held in (0..count).map_while(|_| self.pop()).collect::<Vec<_>>() {
                held.send(ctx);
            }
            self.depth.changed(ctx);
            // Nobody waits for the ticks of an empty queue.
            if !self.held.is_empty() {
                self.wait(ctx);
            }
        }
        self.depth.show(event, self.held.len(), ctx);
    }

    fn drop_all(&mut self) {
        self.next = None;
        self.depth.stop();
        self.drop_held();
    }
}
