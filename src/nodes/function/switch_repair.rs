//! Sequences in a switch node: held until they are whole, and numbered anew for each output.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::{
    engine::new_id,
    message::{Message, Value},
};

/// Messages of sequences that are not whole yet, by the id of the sequence.
#[derive(Default)]
pub(super) struct Groups {
    groups: IndexMap<String, Group, FxBuildHasher>,
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
    /// The id of the message's sequence, if it belongs to one.
    pub(super) fn id_of(msg: &Message) -> Option<String> {
        let parts = msg.get("parts").as_object()?;
        parts.get("index")?;
        Some(parts.get("id")?.to_text())
    }

    /// Takes a message in, and gives the sequence back when it is whole. `most` (0: no limit) bounds how many messages are held.
    ///
    /// # Errors
    /// The message itself when it is one too many: then all that was held is dropped.
    pub(super) fn add(
        &mut self,
        id: String,
        msg: Message,
        most: usize,
    ) -> Result<Option<Sequence>, Message> {
        if most > 0 && self.held >= most {
            *self = Self::default();
            return Err(msg);
        }
        let count = msg
            .get("parts")
            .as_object()
            .and_then(|parts| parts.get("count").cloned());
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
    let mut counts = vec![0; outputs];
    for output in routed.iter().flat_map(|(_, outputs)| outputs) {
        counts[*output] += 1;
    }
    let ids: Vec<Value> = counts.iter().map(|_| new_id().into()).collect();
    let mut next = vec![0; outputs];
    let mut numbered = Vec::with_capacity(counts.iter().sum());
    for (msg, outputs) in routed {
        for output in outputs {
            let mut msg = msg.clone();
            if let Some(Value::Object(parts)) = msg.fields_mut().get_mut("parts") {
                parts.insert("id", ids[output].clone());
                parts.insert("index", Value::from(next[output] as usize));
                parts.insert("count", Value::from(counts[output] as usize));
            }
            next[output] += 1;
            numbered.push((output, msg));
        }
    }
    numbered
}
