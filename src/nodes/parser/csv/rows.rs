//! What both modes do with the rows they read: one message each, one for all, or kept until a sequence is complete.

use super::{Work, cannot_read, leaving::Leaving};
use crate::{
    engine::Failed,
    message::{ErrorValue, Message, Value, compare, strictly_equal},
};

/// Rows kept of a sequence that never ends. Node-RED keeps them all.
const MOST_STORED: usize = 1_000_000;

/// What `msg.parts` says of the sequence that the message belongs to.
#[derive(Clone, Copy)]
pub(super) struct Incoming {
    pub(super) has_parts: bool,
    /// NaN when it is not said.
    pub(super) index: f64,
    pub(super) count: f64,
    /// The index is a text, to which JavaScript's `+ 1` puts another digit.
    is_text: bool,
    /// Whether the sequence is at its end, or beyond.
    pub(super) is_last: bool,
    /// Whether it is exactly there.
    is_end: bool,
}

impl Incoming {
    /// Reads `msg.parts`.
    ///
    /// # Errors
    /// JavaScript's when it is null or undefined.
    pub(super) fn new(msg: &Message) -> Result<Self, ErrorValue> {
        let part = |key: &str| {
            let parts = msg.get("parts").as_object();
            parts.and_then(|parts| parts.get(key)).cloned()
        };
        let parts = msg.get("parts");
        let has_parts = msg.fields().contains_key("parts");
        if has_parts && parts.is_nullish() {
            return Err(cannot_read(parts, "index"));
        }
        let index = part("index").unwrap_or_default();
        let count = part("count").unwrap_or_default();
        let is_text = matches!(index, Value::String(_));
        let next = if is_text {
            Value::from(format!("{}1", index.text()))
        } else {
            Value::Number(index.to_number() + 1.0)
        };
        Ok(Self {
            has_parts,
            index: index.to_number(),
            count: count.to_number(),
            is_text,
            is_last: compare(&next, &count).is_some_and(|order| order.is_ge()),
            is_end: strictly_equal(&next, &count),
        })
    }

    /// The line after this one.
    pub(super) fn line_after(&self, line: f64) -> f64 {
        if self.is_text {
            line * 10.0 + 1.0
        } else {
            line + 1.0
        }
    }
}

/// Lines that were read.
pub(super) struct Rows {
    pub(super) rows: Vec<Value>,
    /// What is kept of a single line of a sequence.
    pub(super) to_store: Vec<Value>,
    pub(super) columns: String,
    pub(super) line_breaks: usize,
}

impl Work<'_> {
    /// Sends the rows.
    pub(super) fn send_rows(
        &mut self,
        rows: Rows,
        incoming: Incoming,
        msg: Message,
    ) -> Result<(), Failed> {
        if !self.settings.together() {
            self.let_leave(rows, incoming, msg);
        } else if incoming.has_parts && rows.line_breaks <= 1 {
            return self.store(rows, incoming, msg);
        } else {
            self.send_all(rows.rows, rows.columns, msg);
        }
        Ok(())
    }

    fn send_all(&self, rows: Vec<Value>, columns: String, mut msg: Message) {
        msg.set("columns", columns);
        msg.set("payload", rows);
        self.ctx.send_done(msg);
    }

    fn store(&mut self, rows: Rows, incoming: Incoming, mut msg: Message) -> Result<(), Failed> {
        let stored = &mut self.state.stored;
        let setting = self.ctx.settings().message_buffer_max_length;
        let most = if setting == 0 { MOST_STORED } else { setting };
        if stored.len() + rows.to_store.len() > most {
            stored.clear();
            return Err(Failed::with(self.ctx.text("csv.errors.too-many", &[]), msg));
        }
        stored.extend(rows.to_store);
        if incoming.is_end {
            let stored = std::mem::take(stored);
            msg.remove("parts");
            self.send_all(stored, rows.columns, msg);
        } else {
            self.ctx.completion(&msg).done();
        }
        Ok(())
    }

    /// Lets the rows leave one by one.
    fn let_leave(&mut self, rows: Rows, incoming: Incoming, mut msg: Message) {
        let completion = self.ctx.completion(&msg);
        // Each copy has a row in place of the text, which need not stay in memory.
        msg.set("payload", Value::Undefined);
        self.state.leaving = Some(Leaving {
            count: rows.rows.len(),
            rows: rows.rows.into_iter(),
            columns: rows.columns.into(),
            incoming,
            // Lines that were left out do not count, and neither does the header.
            shift: self.settings.skip + f64::from(u8::from(self.settings.header_in)),
            msg,
            completion,
        });
    }
}

/// How many carriage returns and line feeds a text has.
pub(super) fn line_breaks(text: &str) -> usize {
    text.bytes()
        .filter(|byte| matches!(byte, b'\r' | b'\n'))
        .count()
}
