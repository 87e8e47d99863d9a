//! Sequences of several topics, one after the other, as one.

use std::collections::VecDeque;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::send_sequence;
use crate::{
    engine::{Failed, NodeContext},
    message::{Key, Message, Value},
    nodes::shared::{held, outbox::Outbox, parts::Parts},
};

/// A sequence that comes in.
struct Group {
    id: Key,
    count: Option<Value>,
    messages: Vec<Message>,
}

/// The sequences of a topic, the oldest first.
#[derive(Default)]
struct Topic {
    groups: VecDeque<Group>,
    /// Where a sequence stands, counted from the first that there ever was.
    places: FxHashMap<Key, usize>,
    gone: usize,
}

/// What waits until each topic has a whole sequence.
pub(super) struct Concat {
    topics: Vec<String>,
    pending: IndexMap<Key, Topic>,
    held: usize,
}

impl Concat {
    pub(super) fn new(topics: Vec<String>) -> Self {
        Self {
            topics,
            pending: IndexMap::new(),
            held: 0,
        }
    }

    /// Takes a message, and sends what is whole then.
    ///
    /// # Errors
    /// When it belongs to no sequence, or too many messages are held.
    pub(super) fn take(
        &mut self,
        msg: Message,
        outbox: &mut Outbox,
        ctx: &NodeContext,
    ) -> Result<(), Failed> {
        let topic = match msg.get("topic") {
            Value::String(topic) if self.topics.iter().any(|known| **known == **topic) => {
                Key::from(topic.clone())
            }
            // Messages of other topics are none of ours.
            _ => return Ok(()),
        };
        let parts = Parts::of(&msg).and_then(|parts| {
            let id = parts.id()?;
            parts.index()?;
            Some((id, parts.count()?.clone()))
        });
        let Some((id, count)) = parts else {
            return Err(Failed::with(ctx.text("batch.no-parts", &[]), msg));
        };
        self.pending.entry(topic).or_default().add(id, count, msg);
        self.held += 1;
        if held::too_many(self.held, ctx) {
            // As in Node-RED, each of them hears of it.
            for msg in self.drain() {
                ctx.failed(ctx.text("batch.too-many", &[]), msg);
            }
            return Ok(());
        }
        self.send_whole(outbox, ctx);
        Ok(())
    }

    fn send_whole(&mut self, outbox: &mut Outbox, ctx: &NodeContext) {
        let is_whole = |topic: &String| {
            self.pending
                .get(topic.as_str())
                .and_then(|topic| topic.groups.front())
                .is_some_and(Group::is_whole)
        };
        if self.topics.is_empty() || !self.topics.iter().all(is_whole) {
            return;
        }
        let mut messages = Vec::new();
        for topic in &self.topics {
            let first = self
                .pending
                .get(topic.as_str())
                .and_then(|topic| topic.groups.front());
            messages.extend(
                first
                    .into_iter()
                    .flat_map(|group| group.messages.iter().cloned()),
            );
        }
        for topic in &self.topics {
            if let Some(topic) = self.pending.get_mut(topic.as_str()) {
                self.held -= topic.remove_first();
            }
        }
        send_sequence(messages.iter().cloned(), outbox);
        for msg in messages {
            outbox.done(msg, ctx);
        }
        outbox.flush(ctx);
    }

    /// Takes out all that is held.
    pub(super) fn drain(&mut self) -> Vec<Message> {
        self.held = 0;
        let topics = self.pending.drain(..);
        let groups = topics.flat_map(|(_, topic)| topic.groups);
        groups.flat_map(|group| group.messages).collect()
    }
}

impl Topic {
    fn add(&mut self, id: Key, count: Value, msg: Message) {
        let place = *self
            .places
            .entry(id.clone())
            .or_insert_with(|| self.gone + self.groups.len());
        if place - self.gone == self.groups.len() {
            self.groups.push_back(Group {
                id,
                count: None,
                messages: Vec::new(),
            });
        }
        if let Some(group) = self.groups.get_mut(place - self.gone) {
            if group.count.is_none() && !count.is_undefined() {
                group.count = Some(count);
            }
            group.messages.push(msg);
        }
    }

    /// Removes the oldest sequence. Returns how many messages it had.
    fn remove_first(&mut self) -> usize {
        let Some(group) = self.groups.pop_front() else {
            return 0;
        };
        self.gone += 1;
        self.places.remove(&group.id);
        group.messages.len()
    }
}

impl Group {
    fn is_whole(&self) -> bool {
        self.count.as_ref().and_then(Value::as_number) == Some(self.messages.len() as f64)
    }
}
