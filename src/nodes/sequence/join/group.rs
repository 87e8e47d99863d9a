//! Messages that are to become one.

use std::time::Duration;

use super::{
    collected::{Collected, Kind, invalid, type_error},
    member::Member,
};
use crate::{
    engine::{Completion, NodeContext, NodeError, Timer},
    message::{Key, Message, Value},
    nodes::shared::{
        parts::{Parts, end_sequence},
        property::MessageProperty,
    },
};

/// Bytes of one buffer that become properties of a merged object.
const MOST_BYTES: usize = 1 << 16;

/// The time of a group is over.
pub(super) struct TimeOver {
    pub(super) group: Key,
    pub(super) run: u64,
}

/// A group that is being collected.
pub(super) struct Group {
    /// Later groups have higher ones.
    pub(super) number: u64,
    kind: Kind,
    collected: Collected,
    count: usize,
    target: Value,
    joiner: Value,
    part_length: Value,
    goes_to: Value,
    /// All its messages over each other.
    pub(super) msg: Message,
    completions: Vec<Completion>,
    timer: Option<(u64, Timer)>,
}

impl Group {
    /// The group that begins with this message, which is not in it yet.
    pub(super) fn begin(first: &Member, number: u64) -> Self {
        Self {
            number,
            kind: first.kind,
            collected: Collected::new(first.kind),
            count: 0,
            target: first.target.clone(),
            joiner: first.joiner.clone(),
            part_length: first.part_length.clone(),
            goes_to: first.goes_to.clone(),
            msg: first.msg.clone(),
            completions: Vec::new(),
            timer: None,
        }
    }

    /// Takes a message in. Returns whether the group is whole now.
    ///
    /// # Errors
    /// When its value can't go into a buffer.
    pub(super) fn add(&mut self, member: &Member, ctx: &NodeContext) -> Result<bool, NodeError> {
        let Member {
            msg, value, kind, ..
        } = member;
        let fits = value.is_undefined()
            || matches!(value, Value::Bytes(_) | Value::String(_) | Value::Array(_));
        self.completions.push(ctx.completion(msg));
        if *kind == Kind::Buffer && !fits {
            return Err(invalid(value, ctx));
        }
        match kind {
            Kind::Object => {
                self.collected.set(key(&member.key), value.clone());
                self.count = self.collected.len();
            }
            Kind::Merged => self.merge(value, msg, ctx),
            _ => self.append(value, &member.index),
        }
        for (key, value) in msg.fields() {
            self.msg.fields_mut().insert(key.clone(), value.clone());
        }
        if !self.target.is_truthy()
            && let Some(given) = msg.fields().get("parts")
        {
            if given.is_nullish() {
                return Err(type_error(given, "count"));
            }
            let count = Parts::of(msg).and_then(Parts::count);
            self.target = count.cloned().unwrap_or_default();
        }
        let target = self.target.to_number();
        Ok((target > 0.0 && self.count as f64 >= target) || has(msg, "complete"))
    }

    fn merge(&mut self, value: &Value, msg: &Message, ctx: &NodeContext) {
        let properties = match value {
            Value::Object(properties) => Some(properties),
            Value::Error(error) => Some(&error.properties),
            // A property for each byte.
            Value::Bytes(bytes) => {
                for (index, byte) in bytes.iter().enumerate().take(MOST_BYTES) {
                    self.collected
                        .set(index.to_string().into(), i32::from(*byte).into());
                }
                self.count = self.collected.len();
                return;
            }
            Value::Array(_) => None,
            other if other.type_of() != "object" => None,
            _ => return,
        };
        let Some(properties) = properties else {
            if !has(msg, "complete") {
                ctx.warn("Cannot merge non-object types");
            }
            return;
        };
        for (key, value) in properties {
            if key.as_str() != "_msgid" {
                self.collected.set(key.clone(), value.clone());
            }
        }
        self.count = self.collected.len();
    }

    fn append(&mut self, value: &Value, index: &Value) {
        let index = index.to_number();
        if !index.is_nan() {
            if self.collected.place(index, value.clone()) {
                self.count += 1;
            }
        } else if !value.is_undefined() {
            self.collected.push(value.clone());
            self.count += 1;
        }
    }

    /// How many values it holds.
    pub(super) fn len(&self) -> usize {
        self.collected.len()
    }

    /// Whether its time was up with this run of the timer.
    pub(super) fn is_over(&self, run: u64) -> bool {
        self.timer
            .as_ref()
            .is_some_and(|(running, _)| *running == run)
    }

    /// Starts its time, from the beginning.
    pub(super) fn start_timer(&mut self, group: &Key, run: u64, time: Duration, ctx: &NodeContext) {
        let event = TimeOver {
            group: group.clone(),
            run,
        };
        self.timer = Some((run, ctx.after(time, event)));
    }

    /// Sends what there is, and is done with the messages.
    ///
    /// # Errors
    /// When it can't be built.
    pub(super) fn send(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        self.timer = None;
        let value = self
            .collected
            .build(self.kind, &self.joiner, &self.part_length, ctx)?;
        let goes_to = match &self.goes_to {
            Value::String(path) => MessageProperty::new(path.to_string()),
            _ => MessageProperty::new(String::new()),
        };
        goes_to.set(&mut self.msg, value)?;
        end_sequence(&mut self.msg);
        self.msg.remove("complete");
        ctx.send(self.msg.clone());
        for completion in self.completions.drain(..) {
            completion.done();
        }
        Ok(())
    }

    /// It is given up: its messages are done with.
    pub(super) fn done(self) {
        for completion in self.completions {
            completion.done();
        }
    }
}

/// Whether the message has this property, even as undefined.
pub(super) fn has(msg: &Message, name: &str) -> bool {
    msg.fields().contains_key(name)
}

fn key(value: &Value) -> Key {
    match value {
        Value::String(text) => text.clone().into(),
        other => other.to_text().into(),
    }
}
