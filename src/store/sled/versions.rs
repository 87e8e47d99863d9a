//! The versions of the flows in a sled database.
//!
//! A version is a mark (`m` and its number) and its flows in pieces (`f`, number, piece). Only the newest version has its
//! credentials with it, in its mark.

use std::{path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use sled::{Batch, Tree};

use super::{Database, PIECE};
use crate::store::{
    KEPT_VERSIONS, StoreError, StoredVersion, VersionInfo,
    record::{Mark, Record, checksum},
    secrets::Sealed,
};

/// Flows, their history and their credentials.
pub(in crate::store) struct SledVersions {
    database: Database,
}

#[derive(Serialize, Deserialize)]
struct StoredMark {
    #[serde(flatten)]
    mark: Mark,
    pieces: u32,
    #[serde(default)]
    credentials: Option<Sealed>,
}

impl SledVersions {
    /// Opens the database in `path`, or makes one.
    ///
    /// # Errors
    /// When it is damaged or can't be opened.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(path, "flows")?,
        })
    }

    /// The newest sound version, and the numbers of newer ones that are damaged.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(in crate::store) fn newest(&self) -> Result<(Option<Record>, Vec<u64>), StoreError> {
        self.database.with(|versions| {
            let mut damaged = Vec::new();
            for entry in versions.scan_prefix("m").rev() {
                let (key, value) = entry?;
                match serde_json::from_slice::<StoredMark>(&value) {
                    Ok(stored) => match read_flows(versions, &stored)? {
                        Some(version) => {
                            let record = Record {
                                number: stored.mark.number,
                                version,
                                sealed: stored.credentials,
                            };
                            return Ok((Some(record), damaged));
                        }
                        None => damaged.push(stored.mark.number),
                    },
                    Err(_) => damaged.push(number_of(&key)),
                }
            }
            Ok((None, damaged))
        })
    }

    /// Adds a version, whose flows have this text, and forgets the oldest. When it returns, the version is flushed.
    ///
    /// # Errors
    /// When it can't be written; the versions before are still there then.
    pub(in crate::store) fn add(&self, record: &Record, text: &[u8]) -> Result<(), StoreError> {
        let stored = StoredMark {
            mark: Mark::of_text(record),
            pieces: text.len().div_ceil(PIECE) as u32,
            credentials: record.sealed.clone(),
        };
        let mark = json(&stored);
        self.database.with(|versions| {
            let mut batch = Batch::default();
            for (index, piece) in (0_u32..).zip(text.chunks(PIECE)) {
                batch.insert(flows_key(record.number, index), piece);
            }
            batch.insert(mark_key(record.number), mark);
            forget(versions, record.number, &mut batch)?;
            versions.apply_batch(batch)?;
            versions.flush()?;
            Ok(())
        })
    }

    /// Takes a version out again, when its deploy failed after all.
    ///
    /// # Errors
    /// When that can't be written.
    pub(in crate::store) fn remove(
        &self,
        number: u64,
        sealed_before: Option<&Record>,
    ) -> Result<(), StoreError> {
        self.database.with(|versions| {
            let mut batch = Batch::default();
            remove_version(versions, number, &mut batch)?;
            if let Some(before) = sealed_before
                && let Some(value) = versions.get(mark_key(before.number))?
                && let Ok(mut stored) = serde_json::from_slice::<StoredMark>(&value)
            {
                stored.credentials = before.sealed.clone();
                batch.insert(mark_key(before.number), json(&stored));
            }
            versions.apply_batch(batch)?;
            versions.flush()?;
            Ok(())
        })
    }

    /// The kept versions, the newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(in crate::store) fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        self.database.with(|versions| {
            let mut history = Vec::new();
            for entry in versions.scan_prefix("m").rev() {
                if let Ok(stored) = serde_json::from_slice::<StoredMark>(&entry?.1) {
                    history.push(stored.mark.info);
                }
            }
            Ok(history)
        })
    }

    /// The latest sound version with this revision.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(in crate::store) fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError> {
        self.database.with(|versions| {
            for entry in versions.scan_prefix("m").rev() {
                let Ok(stored) = serde_json::from_slice::<StoredMark>(&entry?.1) else {
                    continue;
                };
                if stored.mark.info.rev == rev
                    && let Some(version) = read_flows(versions, &stored)?
                {
                    return Ok(Some(version));
                }
            }
            Ok(None)
        })
    }
}

/// The flows of a mark; none when they are not what was written.
fn read_flows(versions: &Tree, stored: &StoredMark) -> sled::Result<Option<StoredVersion>> {
    let mut bytes = Vec::new();
    for index in 0..stored.pieces {
        match versions.get(flows_key(stored.mark.number, index))? {
            Some(piece) => bytes.extend_from_slice(&piece),
            None => return Ok(None),
        }
    }
    if checksum(&bytes) != stored.mark.sha256 {
        return Ok(None);
    }
    let flows = serde_json::from_slice(&bytes).ok();
    Ok(flows.map(|flows| StoredVersion {
        rev: stored.mark.info.rev.clone(),
        time: stored.mark.info.time,
        flows: Arc::new(flows),
    }))
}

/// Adds to the batch what the version `newest` makes superfluous: surplus versions, and older ones' credentials.
fn forget(versions: &Tree, newest: u64, batch: &mut Batch) -> sled::Result<()> {
    let mut kept = 1;
    for entry in versions.scan_prefix("m").rev() {
        let (key, value) = entry?;
        let number = number_of(&key);
        if number == newest {
            continue;
        }
        kept += 1;
        if kept > KEPT_VERSIONS {
            remove_version(versions, number, batch)?;
        } else if let Ok(mut stored) = serde_json::from_slice::<StoredMark>(&value)
            && stored.credentials.take().is_some()
        {
            batch.insert(key, json(&stored));
        }
    }
    Ok(())
}

fn remove_version(versions: &Tree, number: u64, batch: &mut Batch) -> sled::Result<()> {
    batch.remove(mark_key(number));
    let mut prefix = b"f".to_vec();
    prefix.extend(number.to_be_bytes());
    for key in versions.scan_prefix(prefix).keys() {
        batch.remove(key?);
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // JSON values with text keys, written to memory, can't fail.
    serde_json::to_vec(value).unwrap_or_default()
}

fn mark_key(number: u64) -> Vec<u8> {
    let mut key = b"m".to_vec();
    key.extend(number.to_be_bytes());
    key
}

fn flows_key(number: u64, piece: u32) -> Vec<u8> {
    let mut key = b"f".to_vec();
    key.extend(number.to_be_bytes());
    key.extend(piece.to_be_bytes());
    key
}

fn number_of(key: &[u8]) -> u64 {
    key.get(1..9)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_be_bytes)
}
