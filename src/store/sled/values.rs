//! Values under a scope and a name in a sled database: those of a context store, and what the broker keeps.
//!
//! A value is a row of pieces. Their key is the scope and the name, each with its length before it, and the number of the
//! piece; the first begins with a head that says how many pieces there are and what their checksum is.

use std::path::Path;

use sha2::{Digest, Sha256};
use sled::{Batch, IVec, Tree};

use super::{Database, PIECE};
use crate::store::StoreError;

/// Bytes in front of the first piece: order, number of pieces, checksum.
const HEAD: usize = 8 + 4 + 32;

/// The values.
pub(in crate::store) struct SledValues {
    database: Database,
}

/// A value as it was stored.
pub(in crate::store) struct StoredValue {
    pub(in crate::store) scope: String,
    pub(in crate::store) name: String,
    /// Values of a scope come in this order.
    pub(in crate::store) order: u64,
    pub(in crate::store) bytes: Vec<u8>,
}

/// A value to write, or to remove when it has no bytes.
pub(in crate::store) struct ValueChange {
    pub(in crate::store) scope: String,
    pub(in crate::store) name: String,
    pub(in crate::store) order: u64,
    pub(in crate::store) bytes: Option<Vec<u8>>,
    /// The length of what is stored so far; none if it is not known.
    pub(in crate::store) before: Option<usize>,
}

impl SledValues {
    /// Opens the database in `path`, or makes one.
    ///
    /// # Errors
    /// When it is damaged or can't be opened.
    pub(in crate::store) fn open(path: &Path, tree: &'static str) -> Result<Self, StoreError> {
        let database = Database::open(path, tree)?;
        Ok(Self { database })
    }

    /// Every sound value, and how many are not.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(in crate::store) fn load(&self) -> Result<(Vec<StoredValue>, usize), StoreError> {
        self.database.with(|tree| {
            let (mut sound, mut damaged) = (Vec::new(), 0);
            for entry in tree.iter() {
                let (key, head) = entry?;
                match split_key(&key) {
                    Some((_, _, 1..)) => {}
                    Some((scope, name, 0)) => match read(tree, &key, &head)? {
                        Some((order, bytes)) => sound.push(StoredValue {
                            scope,
                            name,
                            order,
                            bytes,
                        }),
                        None => damaged += 1,
                    },
                    None => damaged += 1,
                }
            }
            Ok((sound, damaged))
        })
    }

    /// Carries out these changes, all or none, without a flush. Before them nothing is left of `scopes`.
    ///
    /// # Errors
    /// When they can't be written.
    pub(in crate::store) fn write(
        &self,
        changes: &[ValueChange],
        scopes: &[String],
    ) -> Result<(), StoreError> {
        self.database.with(|tree| {
            let mut batch = Batch::default();
            for scope in scopes {
                for key in tree.scan_prefix(part(scope)).keys() {
                    batch.remove(key?);
                }
            }
            for change in changes {
                let pieces = match &change.bytes {
                    Some(bytes) => insert(change, bytes, &mut batch),
                    None => 0,
                };
                let before = match change.before {
                    Some(length) => pieces_of(length),
                    None => stored_pieces(tree, &key(change, 0))?,
                };
                for piece in pieces..before {
                    batch.remove(key(change, piece));
                }
            }
            tree.apply_batch(batch)
        })
    }

    /// Makes what was written outlive the process.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(in crate::store) fn flush(&self) -> Result<(), StoreError> {
        self.database.with(|tree| tree.flush().map(drop))
    }
}

/// A value of this length has at least one piece, which may hold nothing but the head. Nothing is stored with length 0.
fn pieces_of(length: usize) -> u32 {
    length.div_ceil(PIECE) as u32
}

/// How many pieces there are of the value that begins with this key.
fn stored_pieces(tree: &Tree, first: &[u8]) -> sled::Result<u32> {
    let head = tree.get(first)?;
    let count = head
        .as_deref()
        .and_then(|head| head.get(8..12)?.try_into().ok());
    Ok(count.map_or(0, u32::from_be_bytes))
}

fn insert(change: &ValueChange, bytes: &[u8], batch: &mut Batch) -> u32 {
    let pieces = pieces_of(bytes.len());
    for (index, piece) in (0_u32..).zip(bytes.chunks(PIECE)) {
        let mut value = Vec::with_capacity(HEAD + piece.len());
        if index == 0 {
            value.extend(change.order.to_be_bytes());
            value.extend(pieces.to_be_bytes());
            value.extend(Sha256::digest(bytes));
        }
        value.extend_from_slice(piece);
        batch.insert(key(change, index), value);
    }
    pieces
}

fn key(change: &ValueChange, piece: u32) -> Vec<u8> {
    let (scope, name) = (&*change.scope, &*change.name);
    let mut key = Vec::with_capacity(12 + scope.len() + name.len());
    key.extend(part(scope));
    key.extend(part(name));
    key.extend(piece.to_be_bytes());
    key
}

/// A text with its length before it.
fn part(text: &str) -> Vec<u8> {
    let mut part = (text.len() as u32).to_be_bytes().to_vec();
    part.extend(text.as_bytes());
    part
}

/// Scope, name and number of the piece.
fn split_key(key: &[u8]) -> Option<(String, String, u32)> {
    let (scope, rest) = text(key)?;
    let (name, rest) = text(rest)?;
    Some((scope, name, u32::from_be_bytes(rest.try_into().ok()?)))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

/// Order and bytes of the value whose first piece this is; none when it is not what was written.
fn read(tree: &Tree, first: &IVec, head: &IVec) -> sled::Result<Option<(u64, Vec<u8>)>> {
    let Some((head, piece)) = head.split_at_checked(HEAD) else {
        return Ok(None);
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
    };
    let mut bytes = piece.to_vec();
    let mut key = first.to_vec();
    let end = key.len() - 4;
    for index in 1..number(&head[8..12]) as u32 {
        key[end..].copy_from_slice(&index.to_be_bytes());
        match tree.get(&key)? {
            Some(piece) => bytes.extend_from_slice(&piece),
            None => return Ok(None),
        }
    }
    let sound = *Sha256::digest(&bytes) == head[12..];
    Ok(sound.then(|| (number(&head[..8]), bytes)))
}
