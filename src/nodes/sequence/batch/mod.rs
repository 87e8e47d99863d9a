//! `batch`: makes sequences of the messages that come: by number, by time, or of other sequences (Node-RED's batch node).

mod concat;

use std::{collections::VecDeque, time::Duration};

use serde::Deserialize;

use self::concat::Concat;
use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Timer, new_id,
    },
    message::{Message, Value},
    nodes::shared::{
        held,
        outbox::{GoOn, Outbox},
        parts::{Parts, set_parts},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct BatchConfig {
    mode: String,
    count: Option<f64>,
    overlap: Option<f64>,
    interval: Option<f64>,
    allow_empty_sequence: bool,
    honour_parts: bool,
    topics: Vec<TopicConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicConfig {
    topic: String,
}

/// What makes a sequence.
enum Mode {
    Count {
        /// How many messages; NaN is never reached.
        count: f64,
        /// How many of them begin the next sequence, too.
        overlap: usize,
        /// The end of a sequence that comes ends the one that is made.
        honour_parts: bool,
    },
    Interval {
        every: Option<Duration>,
        /// When nothing came, an empty message tells so.
        allow_empty: bool,
        timer: Option<Timer>,
    },
    Concat(Concat),
    /// There is no such mode, or its settings make no sense: the catalogue key that says so.
    Broken(&'static str),
}

/// A running batch node.
pub(in crate::nodes) struct Batch {
    mode: Mode,
    pending: VecDeque<Message>,
    /// How many of them came since the last sequence.
    fresh: usize,
    outbox: Outbox,
}

/// The interval is over.
struct Tick;

impl Batch {
    /// Reads the settings. What is wrong with them is told at the start, and no message is handled.
    pub(in crate::nodes) fn new(config: BatchConfig, _build: &Build) -> Result<Self, ConfigError> {
        let mode = match config.mode.as_str() {
            "count" | "" => {
                let count = config.count.unwrap_or(f64::NAN);
                let overlap = config.overlap.unwrap_or(0.0);
                if count <= overlap {
                    Mode::Broken("batch.count.invalid")
                } else {
                    Mode::Count {
                        count,
                        overlap: overlap.max(0.0) as usize,
                        honour_parts: config.honour_parts,
                    }
                }
            }
            "interval" => Mode::Interval {
                every: config
                    .interval
                    .filter(|seconds| *seconds > 0.0)
                    // A timer runs for a millisecond at least.
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.001)).ok()),
                allow_empty: config.allow_empty_sequence,
                timer: None,
            },
            "concat" => {
                let topics = config.topics.into_iter().map(|entry| entry.topic);
                Mode::Concat(Concat::new(topics.collect()))
            }
            _ => Mode::Broken("batch.unexpected"),
        };
        Ok(Self {
            mode,
            pending: VecDeque::new(),
            fresh: 0,
            outbox: Outbox::default(),
        })
    }

    /// A message of a sequence that is made by number or time.
    fn collect(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let ends = match self.mode {
            Mode::Count {
                count,
                honour_parts,
                ..
            } => {
                let length = self.pending.len() + 1;
                length as f64 == count || (honour_parts && is_last(&msg))
            }
            _ => false,
        };
        self.pending.push_back(msg);
        self.fresh += 1;
        if ends {
            self.send_counted(ctx);
        }
        if held::too_many(self.fresh, ctx) {
            if let Some(newest) = self.pending.pop_back() {
                ctx.failed(ctx.text("batch.too-many", &[]), newest);
            }
            self.drop_all(ctx);
        }
        Ok(())
    }

    fn send_counted(&mut self, ctx: &NodeContext) {
        let overlap = match self.mode {
            Mode::Count { overlap, .. } if overlap > 0 => overlap,
            _ => return self.send_all(ctx),
        };
        self.fresh = 0;
        // Those that are kept stay as they came, so copies go out.
        let leaving = self.pending.len().saturating_sub(overlap);
        send_sequence(self.pending.iter().cloned(), &mut self.outbox);
        for msg in self.pending.drain(..leaving) {
            self.outbox.done(msg, ctx);
        }
        self.outbox.flush(ctx);
    }

    /// Sends all that is pending as a sequence, and is done with it.
    fn send_all(&mut self, ctx: &NodeContext) {
        self.fresh = 0;
        let messages = std::mem::take(&mut self.pending);
        for msg in send_sequence(messages.into_iter(), &mut self.outbox) {
            self.outbox.done(msg, ctx);
        }
        self.outbox.flush(ctx);
    }

    fn tick(&mut self, ctx: &NodeContext) {
        self.start_timer(ctx);
        if !self.pending.is_empty() {
            return self.send_all(ctx);
        }
        if let Mode::Interval {
            allow_empty: true, ..
        } = self.mode
        {
            let mut empty = Message::with_payload(Value::Null);
            number(&mut empty, new_id().into(), 0, 1);
            self.outbox.send(empty);
            self.outbox.flush(ctx);
        }
    }

    fn start_timer(&mut self, ctx: &NodeContext) {
        if let Mode::Interval {
            every: Some(every),
            timer,
            ..
        } = &mut self.mode
        {
            *timer = Some(ctx.after(*every, Tick));
        }
    }

    /// All that is pending is dropped, and done with.
    fn drop_all(&mut self, ctx: &NodeContext) {
        self.fresh = 0;
        for msg in self.pending.drain(..) {
            ctx.completion(&msg).done();
        }
        if let Mode::Concat(concat) = &mut self.mode {
            for msg in concat.drain() {
                ctx.completion(&msg).done();
            }
        }
    }
}

/// Puts messages into the outbox as one sequence. Returns them as they leave.
fn send_sequence(
    messages: impl ExactSizeIterator<Item = Message>,
    outbox: &mut Outbox,
) -> Vec<Message> {
    let count = messages.len();
    let mut id = None;
    messages
        .enumerate()
        .map(|(index, mut msg)| {
            let id = id.get_or_insert_with(|| msg.get("_msgid").clone());
            number(&mut msg, id.clone(), index, count);
            outbox.send(msg.clone());
            msg
        })
        .collect()
}

/// Gives a message its place in a sequence; its other parts stay.
fn number(msg: &mut Message, id: Value, index: usize, count: usize) {
    set_parts(
        msg,
        [("id", id), ("index", index.into()), ("count", count.into())],
    );
}

/// Whether it is the last one of the sequence that it came with.
fn is_last(msg: &Message) -> bool {
    Parts::of(msg).is_some_and(|parts| {
        let number = |value: Option<&Value>| value.and_then(Value::as_number);
        match (number(parts.index()), number(parts.count())) {
            (Some(index), Some(count)) => index + 1.0 == count,
            _ => false,
        }
    })
}

impl Node for Batch {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        self.start_timer(ctx);
        match self.mode {
            Mode::Broken(key) => Err(ctx.text(key, &[]).into()),
            _ => Ok(()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if matches!(self.mode, Mode::Broken(_)) {
            return Ok(());
        }
        if msg.fields().contains_key("reset") {
            self.drop_all(ctx);
            ctx.completion(&msg).done();
            self.start_timer(ctx);
            return Ok(());
        }
        match &mut self.mode {
            Mode::Concat(concat) => concat.take(msg, &mut self.outbox, ctx),
            _ => self.collect(msg, ctx),
        }
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if event.is::<Tick>() {
            self.tick(ctx);
        } else if event.is::<GoOn>() {
            self.outbox.go_on(ctx);
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.outbox.close(ctx);
        self.drop_all(ctx);
        Closing::Done
    }
}
