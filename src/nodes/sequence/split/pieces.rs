//! A value taken apart, one piece at a time: nothing is made before it is sent.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::message::{Key, Object, Value};

/// A text or buffer, as bytes.
#[derive(Clone)]
pub(super) struct Source {
    bytes: Bytes,
    text: bool,
}

/// Where a text or buffer is cut.
#[derive(Clone)]
pub(super) enum Cut {
    /// At each of these bytes, which fall away.
    At(Arc<Separator>),
    /// After so many bytes, or, in a text, UTF-16 units, as JavaScript counts. No character is cut in two.
    After(usize),
}

/// What stands between two pieces.
pub(super) struct Separator {
    pub(super) finder: Finder<'static>,
    /// How many bytes fall away with it. Node-RED goes on in a buffer after as many bytes as the separator has UTF-16 units,
    /// so that an `é` leaves one of its two.
    pub(super) length: usize,
}

impl Separator {
    /// How many there are, one after the other.
    fn count(&self, bytes: &[u8]) -> usize {
        let (mut from, mut count) = (0, 0);
        while let Some(found) = bytes.get(from..).and_then(|rest| self.finder.find(rest)) {
            count += 1;
            from += found + self.length;
        }
        count
    }
}

/// The pieces of a value.
pub(super) enum Pieces {
    Cut {
        source: Source,
        cut: Cut,
        /// Where the next piece begins.
        at: usize,
        /// Up to here there is no separator.
        clean: usize,
        over: bool,
    },
    Array {
        values: Arc<Vec<Value>>,
        /// How many elements a piece has; a piece of one is the element itself.
        length: usize,
        at: usize,
    },
    Object {
        object: Object,
        at: usize,
    },
}

/// One piece.
pub(super) struct Piece {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// What a piece is of the whole.
pub(super) enum Place {
    Some,
    /// The property of this name.
    Named(Key),
    /// What is left of a text or buffer after the last cut; it is full when it is as long as a piece may be.
    Rest {
        empty: bool,
        full: bool,
    },
}

impl Source {
    pub(super) fn new(bytes: Bytes, text: bool) -> Self {
        Self { bytes, text }
    }

    /// A text, without copying it.
    pub(super) fn text(text: Arc<str>) -> Self {
        struct Shared(Arc<str>);
        impl AsRef<[u8]> for Shared {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
        Self::new(Bytes::from_owner(Shared(text)), true)
    }

    pub(super) fn is_text(&self) -> bool {
        self.text
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How long it is by the measure of [`Cut::After`].
    pub(super) fn length(&self) -> usize {
        if self.text {
            self.bytes.iter().map(|&byte| units(byte)).sum()
        } else {
            self.bytes.len()
        }
    }

    /// A copy, so that a short piece does not keep the whole in memory.
    fn piece(&self, from: usize, to: usize) -> Value {
        let bytes = self.bytes.get(from..to).unwrap_or_default();
        if self.text {
            String::from_utf8_lossy(bytes).into_owned().into()
        } else {
            Bytes::copy_from_slice(bytes).into()
        }
    }

    /// Where the piece of this length ends that begins at `from`, and how long it is: longer by one if it ends with a
    /// character of two units, shorter at the end.
    fn end(&self, from: usize, length: usize) -> (usize, usize) {
        if !self.text {
            let taken = length.min(self.bytes.len() - from);
            return (from + taken, taken);
        }
        let mut taken = 0;
        for (at, &byte) in self.bytes.iter().enumerate().skip(from) {
            let units = units(byte);
            if units > 0 && taken >= length {
                return (at, taken);
            }
            taken += units;
        }
        (self.bytes.len(), taken)
    }
}

/// How many UTF-16 units the character has that begins with this byte of UTF-8.
fn units(byte: u8) -> usize {
    match byte {
        0x80..=0xBF => 0,
        0xF0.. => 2,
        _ => 1,
    }
}

impl Pieces {
    /// Nothing at all.
    pub(super) fn none() -> Self {
        Self::Object {
            object: Object::new(),
            at: 0,
        }
    }

    /// The pieces of a text or buffer. Before `clean` there is known to be no separator.
    pub(super) fn cut(source: Source, cut: Cut, clean: usize) -> Self {
        Self::Cut {
            source,
            cut,
            at: 0,
            clean,
            over: false,
        }
    }

    /// Whether a text or buffer is cut by length.
    pub(super) fn is_by_length(&self) -> bool {
        matches!(
            self,
            Self::Cut {
                cut: Cut::After(_),
                ..
            }
        )
    }

    /// How many there are, as `parts.count` tells it: an empty text that is cut by length counts as none.
    pub(super) fn total(&self) -> usize {
        match self {
            Self::Cut { source, cut, .. } => match cut {
                Cut::At(separator) => separator.count(source.bytes()) + 1,
                Cut::After(length) if source.text => {
                    let (mut at, mut count) = (0, 0);
                    while at < source.bytes.len() {
                        at = source.end(at, *length).0;
                        count += 1;
                    }
                    count
                }
                Cut::After(length) => source.bytes.len().div_ceil(*length),
            },
            Self::Array { values, length, .. } => values.len().div_ceil(*length),
            Self::Object { object, .. } => object.len(),
        }
    }

    /// The next piece; none when there is no more.
    pub(super) fn next_piece(&mut self) -> Option<Piece> {
        let (value, place) = match self {
            Self::Cut { over: true, .. } => return None,
            Self::Cut {
                source,
                cut: Cut::At(separator),
                at,
                clean,
                over,
            } => {
                let from = (*at).max(*clean);
                let bytes = source.bytes.get(from..).unwrap_or_default();
                if let Some(found) = separator.finder.find(bytes) {
                    let value = source.piece(*at, from + found);
                    *at = from + found + separator.length;
                    (value, Place::Some)
                } else {
                    *over = true;
                    let empty = *at == source.bytes.len();
                    let value = source.piece(*at, source.bytes.len());
                    (value, Place::Rest { empty, full: false })
                }
            }
            Self::Cut {
                source,
                cut: Cut::After(length),
                at,
                over,
                ..
            } => {
                let (end, taken) = source.end(*at, *length);
                let value = source.piece(*at, end);
                *at = end;
                *over = end >= source.bytes.len();
                let place = if *over {
                    Place::Rest {
                        empty: taken == 0,
                        full: taken >= *length,
                    }
                } else {
                    Place::Some
                };
                (value, place)
            }
            Self::Array { values, length, at } => {
                let left = values.get(*at..)?;
                let value = match *length {
                    1 => left.first()?.clone(),
                    _ if left.is_empty() => return None,
                    length => left[..length.min(left.len())].to_vec().into(),
                };
                *at = at.saturating_add(*length);
                (value, Place::Some)
            }
            Self::Object { object, at } => {
                let (key, value) = object.iter().nth(*at)?;
                *at += 1;
                (value.clone(), Place::Named(key.clone()))
            }
        };
        Some(Piece { value, place })
    }
}
