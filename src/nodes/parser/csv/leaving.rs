//! Rows that leave as messages of their own: in turns with the rest of the flow, however many they are.

use super::rows::Incoming;
use crate::{
    engine::{Completion, NodeContext},
    message::{Message, Value},
};

/// The rows of a text that were not sent yet.
pub(super) struct Leaving {
    pub(super) rows: std::vec::IntoIter<Value>,
    /// How many there were.
    pub(super) count: usize,
    pub(super) columns: Value,
    pub(super) incoming: Incoming,
    /// Lines of the incoming sequence that are no rows.
    pub(super) shift: f64,
    /// The message that held them.
    pub(super) msg: Message,
    pub(super) completion: Completion,
}

impl Leaving {
    /// Sends at most `most` rows; returns how many it sent, and itself when there are more.
    pub(super) fn send(mut self, most: usize, ctx: &NodeContext) -> (usize, Option<Self>) {
        let last = self.incoming.has_parts && self.incoming.is_last;
        for sent in 0..most {
            let index = self.count - self.rows.len();
            let Some(row) = self.rows.next() else {
                self.end(last, ctx);
                return (sent, None);
            };
            let mut copy = self.msg.clone();
            copy.set("columns", self.columns.clone());
            copy.set("payload", row);
            self.set_parts(&mut copy, index);
            if last {
                copy.set("complete", true);
            }
            ctx.send(copy);
        }
        (most, Some(self))
    }

    fn end(self, last: bool, ctx: &NodeContext) {
        if last && self.count == 0 {
            let mut end = Message::default();
            end.set("complete", true);
            ctx.send(end);
        }
        self.completion.done();
    }

    fn set_parts(&self, copy: &mut Message, index: usize) {
        if !self.incoming.has_parts {
            let id = copy.get("_msgid").clone();
            let parts = [
                ("id", id),
                ("index", index.into()),
                ("count", self.count.into()),
            ];
            copy.set("parts", Value::Object(parts.into_iter().collect()));
        } else if let Some(Value::Object(parts)) = copy.fields_mut().get_mut("parts") {
            parts.insert("index", (self.incoming.index - self.shift).into());
            parts.insert("count", (self.incoming.count - self.shift).into());
        }
    }
}
