//! The plain mirror of the newest version: files that survive a power cut and that a person can read.
//!
//! `flows.json` is exactly the flow array. `flows.meta.json` names the versions whose bytes it may hold, at most two:
//! the one before and the one that is being written, so that each step of a write leaves a consistent state.
//! `credentials.json` holds the encrypted credentials of the same two. The rename of `flows.json` is the commit.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{
    StoreError, StoredVersion,
    file::{Staged, read_whole, sync_folder},
    record::{Mark, Record, checksum},
    secrets::Sealed,
};
use crate::flow::Flows;

/// The mirror's files in a data folder.
pub(super) struct Mirror {
    flows: PathBuf,
    meta: PathBuf,
    credentials: PathBuf,
    /// Of the version that was written last, so that its bytes need not be made again.
    last: Mutex<Option<Mark>>,
}

/// What a mirror holds.
#[derive(Debug)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    Sound(Record),
    /// The flows can be read, but they are not the ones that were written: somebody changed the file.
    Changed(Flows),
    /// A sentence's end that says what is wrong.
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Meta {
    format: u32,
    versions: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    mark: Mark,
    /// The nonce of its credentials.
    credentials: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SealedFile {
    format: u32,
    sets: Vec<Sealed>,
}

/// The flows of a new version, durable beside the old ones.
pub(super) struct StagedFlows {
    file: Staged,
    sha256: String,
}

/// The files of a new version, durable beside the old ones.
pub(super) struct StagedMirror<'a> {
    mirror: &'a Mirror,
    flows: Staged,
    meta: Staged,
    credentials: Option<Staged>,
}

impl Mirror {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            flows: folder.join("flows.json"),
            meta: folder.join("flows.meta.json"),
            credentials: folder.join("credentials.json"),
            last: Mutex::default(),
        }
    }

    pub(super) fn flows_path(&self) -> &Path {
        &self.flows
    }

    pub(super) fn credentials_path(&self) -> &Path {
        &self.credentials
    }

    /// Reads the files and says what they are worth.
    ///
    /// # Errors
    /// When a file is there and can't be read.
    pub(super) fn read(&self) -> Result<Found, StoreError> {
        let Some(bytes) = read_whole(&self.flows)? else {
            return Ok(Found::Nothing);
        };
        let sum = checksum(&bytes);
        let entry = self
            .entries()?
            .into_iter()
            .find(|entry| entry.mark.sha256 == sum);
        let parsed = std::str::from_utf8(&bytes)
            .map_err(|_| "it is not text".to_owned())
            .and_then(Flows::parse);
        Ok(match (parsed, entry) {
            (Ok(flows), Some(entry)) => {
                let sealed = match &entry.credentials {
                    Some(nonce) => self.sets()?.into_iter().find(|set| set.nonce == *nonce),
                    None => None,
                };
                Found::Sound(Record {
                    number: entry.mark.number,
                    version: StoredVersion {
                        rev: entry.mark.info.rev,
                        time: entry.mark.info.time,
                        flows: Arc::new(flows),
                    },
                    sealed,
                })
            }
            (Ok(flows), None) => Found::Changed(flows),
            (Err(reason), _) => Found::Damaged(reason),
        })
    }

    /// Whether the version that the mirror holds should have credentials that are not there.
    pub(super) fn misses_credentials(&self, record: &Record) -> bool {
        record.sealed.is_none()
            && self.entries().is_ok_and(|entries| {
                entries
                    .iter()
                    .any(|entry| entry.mark.number == record.number && entry.credentials.is_some())
            })
    }

    /// Writes the flows of a new version beside the ones that are there. It can be done while the database works.
    ///
    /// # Errors
    /// When they can't be written; the mirror is as it was then.
    pub(super) fn stage_flows(&self, flows: &Flows) -> Result<StagedFlows, StoreError> {
        let text = json(flows);
        Ok(StagedFlows {
            file: Staged::write(&self.flows, &text)?,
            sha256: checksum(&text),
        })
    }

    /// Writes all else that `record` needs beside the files that are there. `before` is what the mirror holds now.
    ///
    /// # Errors
    /// When something can't be written; the mirror is as it was then.
    pub(super) fn stage(
        &self,
        flows: StagedFlows,
        record: &Record,
        before: Option<&Record>,
    ) -> Result<StagedMirror<'_>, StoreError> {
        let mark = Mark::new(record, flows.sha256);
        let mut versions = vec![Entry {
            mark: mark.clone(),
            credentials: record.sealed.as_ref().map(|set| set.nonce.clone()),
        }];
        let mut sets: Vec<Sealed> = record.sealed.iter().cloned().collect();
        if let Some(before) = before {
            versions.push(Entry {
                mark: self.mark_of(before),
                credentials: before.sealed.as_ref().map(|set| set.nonce.clone()),
            });
            let old = before.sealed.iter().filter(|set| !sets.contains(set));
            sets.extend(old.cloned().collect::<Vec<_>>());
        }
        let needed = !sets.is_empty() || self.credentials.exists();
        let credentials = match needed {
            true => Some(Staged::write(
                &self.credentials,
                &json(&SealedFile { format: 1, sets }),
            )?),
            false => None,
        };
        let meta = json(&Meta {
            format: 1,
            versions,
        });
        *self.last.lock() = Some(mark);
        Ok(StagedMirror {
            mirror: self,
            flows: flows.file,
            meta: Staged::write(&self.meta, &meta)?,
            credentials,
        })
    }

    /// The mark of a version that the mirror holds; mostly the one that was written last.
    fn mark_of(&self, record: &Record) -> Mark {
        let last = self.last.lock().clone();
        last.filter(|mark| mark.number == record.number && mark.info == record.version.info())
            .unwrap_or_else(|| Mark::new(record, checksum(&json(&*record.version.flows))))
    }

    /// The newest credentials that there are.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub(super) fn newest_set(&self) -> Result<Option<Sealed>, StoreError> {
        Ok(self.sets()?.into_iter().next())
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let bytes = read_whole(&self.meta)?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).map_or_else(|_| Vec::new(), |meta: Meta| meta.versions))
    }

    fn sets(&self) -> Result<Vec<Sealed>, StoreError> {
        let bytes = read_whole(&self.credentials)?.unwrap_or_default();
        Ok(
            serde_json::from_slice(&bytes)
                .map_or_else(|_| Vec::new(), |file: SealedFile| file.sets),
        )
    }
}

impl StagedMirror<'_> {
    /// Makes the new version the one that the mirror holds, durably.
    ///
    /// # Errors
    /// When the disk refuses; the mirror then holds the old or the new version.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        if let Some(credentials) = self.credentials {
            credentials.commit()?;
        }
        self.meta.commit()?;
        sync_folder(&self.mirror.flows)?;
        self.flows.commit()?;
        sync_folder(&self.mirror.flows)
    }
}

/// Indented, as a person may want to read it.
fn json(value: &impl Serialize) -> Vec<u8> {
    // JSON values with text keys, written to memory, can't fail.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
