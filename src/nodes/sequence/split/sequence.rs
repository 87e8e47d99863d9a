//! The sequence that a split node is sending, and what is left of a stream between two messages.

use super::pieces::{Cut, Piece, Pieces, Place, Source};
use crate::{
    engine::{Completion, NodeContext, NodeError},
    message::{Message, Object, Value},
    nodes::shared::property::MessageProperty,
};

/// A sequence that is being sent.
pub(super) struct Sequence {
    /// The message as it went out last, without an id: each message of the sequence gets its own.
    pub(super) last: Message,
    /// How many were sent.
    pub(super) sent: usize,
    parts: Object,
    /// `parts.count` where it comes after the index; keys stand in Node-RED's order.
    pub(super) count: Option<usize>,
    pieces: Pieces,
    /// The message as it came, which for an array stays as it is.
    whole: Message,
}

impl Sequence {
    pub(super) fn new(mut msg: Message, parts: Object, pieces: Pieces) -> Self {
        msg.set("parts", parts.clone());
        let whole = msg.clone();
        let count = match &pieces {
            Pieces::Object { .. } => Some(pieces.total()),
            _ => None,
        };
        Self {
            last: msg,
            sent: 0,
            parts,
            count,
            pieces,
            whole,
        }
    }

    /// Whether it is a text or buffer.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.pieces, Pieces::Cut { .. })
    }

    /// The next piece; none when there is no more.
    pub(super) fn next_piece(&mut self) -> Option<Piece> {
        self.pieces.next_piece()
    }

    /// Puts a piece into the message.
    ///
    /// # Errors
    /// When the property, or the one for its name, can't be set.
    pub(super) fn fill(
        &mut self,
        piece: Piece,
        index: usize,
        property: &MessageProperty,
        name_goes_to: Option<&MessageProperty>,
    ) -> Result<(), NodeError> {
        self.sent += 1;
        property.set(&mut self.last, piece.value)?;
        let mut parts = self.parts.clone();
        if let Place::Named(key) = piece.place {
            let name = Value::String(key.shared());
            if let Some(name_goes_to) = name_goes_to {
                name_goes_to.set(&mut self.last, name.clone())?;
            }
            parts.insert("key", name);
        }
        parts.insert("index", index.into());
        if let Some(count) = self.count {
            parts.insert("count", count.into());
        }
        self.last.set("parts", parts);
        Ok(())
    }

    /// The promise to say when the message is done with, as it is now.
    pub(super) fn completion(&self, ctx: &NodeContext) -> Completion {
        ctx.completion(&self.message())
    }

    /// The message as the node leaves it: with the last piece in it, unless it was an array.
    pub(super) fn message(&self) -> Message {
        match self.pieces {
            Pieces::Array { .. } => self.whole.clone(),
            _ => self.last.clone(),
        }
    }
}

/// What is left of a stream of texts or buffers after the last cut: it belongs before the next message.
#[derive(Default)]
pub(super) struct Left {
    bytes: Vec<u8>,
    /// Its length by the measure of [`Cut::After`].
    length: usize,
}

impl Left {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps the last piece of a message.
    pub(super) fn set(&mut self, rest: &Value) {
        let source = match rest {
            Value::String(text) => Source::text(text.clone()),
            Value::Bytes(bytes) => Source::new(bytes::Bytes::clone(bytes), false),
            _ => return self.clear(),
        };
        self.bytes = source.bytes().to_vec();
        self.length = source.length();
    }

    /// What is left and then `next`, with the place up to which there is no separator; or none when there is nothing to
    /// cut in it: then all of it is what is left. A piece that is long in coming costs no more for that.
    pub(super) fn join(&mut self, next: Source, cut: &Cut) -> Option<(Source, usize)> {
        if self.bytes.is_empty() {
            return Some((next, 0));
        }
        let before = self.bytes.len();
        self.bytes.extend_from_slice(next.bytes());
        self.length += next.length();
        let clean = match cut {
            Cut::At(separator) => {
                let finder = &separator.finder;
                // A separator may have begun in what is left.
                let clean = before.saturating_sub(finder.needle().len() - 1);
                finder.find(&self.bytes[clean..])?;
                clean
            }
            Cut::After(length) => {
                if self.length < *length {
                    return None;
                }
                0
            }
        };
        let all = std::mem::take(self).bytes;
        Some((Source::new(all.into(), next.is_text()), clean))
    }
}
