//! Sequences in a switch node: held until they are whole, and numbered anew for each output.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::{
    engine::{NodeContext, new_id},
    message::{Key, Message, Value},
    nodes::shared::{
        held::too_many,
        parts::{Parts, set_parts},
    },
};

/// Messages of sequences that are not whole yet, by the id of the sequence.
#[derive(Default)]
pub(super) struct Groups {
    groups: IndexMap<Key, Group, FxBuildHasher>,
    held: usize,
}

#[derive(Default)]
struct Group {
    messages: Vec<Message>,
    count: Option<Value>,
}

/// A whole sequence.
pub(super) struct Sequence {
    pub(super) messages: Vec<Message>,
    pub(super) count: Value,
}

impl Groups {
    /// The id of the message's sequence, if it has a place in one.
    pub(super) fn id_of(msg: &Message) -> Option<Key> {
        let parts = Parts::of(msg)?;
        parts.index()?;
        parts.id()
    }

    /// Takes a message in, and gives the sequence back when it is whole.
    ///
    /// # Errors
    /// The message itself when it is one too many: then all that was held is dropped.
    pub(super) fn add(
        &mut self,
        id: Key,
        msg: Message,
        ctx: &NodeContext,
    ) -> Result<Option<Sequence>, Message> {
        if too_many(self.held + 1, ctx) {
            *self = Self::default();
            return Err(msg);
        }
        let count = Parts::of(&msg).and_then(Parts::count).cloned();
        let entry = self.groups.entry(id);
        let index = entry.index();
        let group = entry.or_default();
        group.messages.push(msg);
        self.held += 1;
        group.count = count.or(group.count.take());
        let whole =
            group.count.as_ref().and_then(Value::as_number) == Some(group.messages.len() as f64);
        if !whole {
            return Ok(None);
        }
        let Some((_, group)) = self.groups.swap_remove_index(index) else {
            return Ok(None);
        };
        self.held -= group.messages.len();
        Ok(Some(Sequence {
            messages: group.messages,
            count: group.count.unwrap_or_default(),
        }))
    }
}

/// Makes a sequence of its own of what goes to each output: with a new id, and numbers from 0. The order is kept.
pub(super) fn number_parts(
    routed: Vec<(Message, Vec<usize>)>,
    outputs: usize,
) -> Vec<(usize, Message)> {
    let mut counts = vec![0_usize; outputs];
    for output in routed.iter().flat_map(|(_, outputs)| outputs) {
        counts[*output] += 1;
    }
    let ids: Vec<Value> = counts.iter().map(|_| new_id().into()).collect();
    let mut next = vec![0_usize; outputs];
    let mut numbered = Vec::with_capacity(counts.iter().sum());
    for (msg, outputs) in routed {
        for output in outputs {
            let mut msg = msg.clone();
            set_parts(
                &mut msg,
                [
                    ("id", ids[output].clone()),
                    ("index", Value::from(next[output])),
                    ("count", Value::from(counts[output])),
                ],
            );
            next[output] += 1;
            numbered.push((output, msg));
        }
    }
    numbered
}
