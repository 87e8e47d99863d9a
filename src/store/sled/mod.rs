//! The versions of the flows in a sled database.
//!
//! A version is a mark (`m` and its number) and its flows in pieces (`f`, number, piece): sled rewrites whole leaves, so large
//! values are cut up. Only the newest version has its credentials with it, in its mark.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sled::{Batch, Db, Mode, Tree};

use super::{
    KEPT_VERSIONS, StoreError, StoredVersion, VersionInfo,
    record::{Mark, Record, checksum},
    secrets::Sealed,
};

const PIECE: usize = 32 * 1024;
const CACHE: u64 = 1024 * 1024;
/// Two of sled's segments.
const ROOM: usize = 1024 * 1024;

/// The database. One that failed is closed and opened anew by the next call, for instance when the disk has room again.
pub(super) struct SledVersions {
    path: PathBuf,
    open: Mutex<Option<Opened>>,
}

#[derive(Clone)]
struct Opened {
    _db: Db,
    versions: Tree,
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
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Self {
            path: path.to_owned(),
            open: Mutex::default(),
        };
        database.with(|_| Ok(()))?;
        Ok(database)
    }

    /// The newest sound version, and the numbers of newer ones that are damaged.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(super) fn newest(&self) -> Result<(Option<Record>, Vec<u64>), StoreError> {
        self.with(|versions| {
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

    /// Adds a version and forgets the oldest. When it returns, the version is flushed.
    ///
    /// # Errors
    /// When it can't be written; the versions before are still there then.
    pub(super) fn add(&self, record: &Record) -> Result<(), StoreError> {
        let bytes = json(&*record.version.flows);
        let stored = StoredMark {
            mark: Mark::new(record, &bytes),
            pieces: bytes.len().div_ceil(PIECE) as u32,
            credentials: record.sealed.clone(),
        };
        let mark = json(&stored);
        self.with(|versions| {
            let mut batch = Batch::default();
            for (index, piece) in (0_u32..).zip(bytes.chunks(PIECE)) {
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
    pub(super) fn remove(
        &self,
        number: u64,
        sealed_before: Option<&Record>,
    ) -> Result<(), StoreError> {
        self.with(|versions| {
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
    pub(super) fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        self.with(|versions| {
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
    pub(super) fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError> {
        self.with(|versions| {
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

    /// Works on the open database. sled may panic on a damaged file; here that is an error like any other.
    fn with<T>(&self, work: impl FnOnce(&Tree) -> sled::Result<T>) -> Result<T, StoreError> {
        let mut open = self.open.lock();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let opened = match open.take() {
                Some(opened) => opened,
                None => open_database(&self.path)?,
            };
            let outcome = work(&opened.versions)?;
            Ok::<_, sled::Error>((opened, outcome))
        }));
        match outcome {
            Ok(Ok((opened, outcome))) => {
                *open = Some(opened);
                Ok(outcome)
            }
            Ok(Err(error)) => {
                let reason = error.to_string();
                Err(self.error(reason.clone(), !by_system(&error, &reason)))
            }
            Err(_) => Err(self.error("its files are damaged".into(), true)),
        }
    }

    fn error(&self, reason: String, damaged: bool) -> StoreError {
        StoreError::Database {
            path: self.path.clone(),
            reason,
            damaged,
        }
    }
}

fn open_database(path: &Path) -> sled::Result<Opened> {
    // Written only by deploys, which flush themselves: no thread of its own is needed for that.
    let mut private = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    private.recursive(true).create(path)?;
    make_sure_of_room(path)?;
    let config = sled::Config::new()
        .path(path)
        .mode(Mode::LowSpace)
        .cache_capacity(CACHE)
        .flush_every_ms(None);
    // sled's threads may hold on to a database for a moment after it was closed.
    let mut attempts = 0;
    let db = loop {
        match config.open() {
            Err(error) if attempts < 100 && error.to_string().contains("acquire lock") => {
                attempts += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => break opened?,
        }
    };
    let versions = db.open_tree("flows")?;
    Ok(Opened { _db: db, versions })
}

/// sled damages its file when the disk fills up while it opens it, so it is not opened on a full disk.
fn make_sure_of_room(path: &Path) -> std::io::Result<()> {
    let probe = path.join("room");
    let written = std::fs::write(&probe, vec![0_u8; ROOM]);
    std::fs::remove_file(&probe).and(written)
}

/// Whether the operating system refused, which says nothing about the files. sled passes some of its words on as text.
fn by_system(error: &sled::Error, reason: &str) -> bool {
    matches!(error, sled::Error::Io(error) if error.raw_os_error().is_some())
        || reason.contains("(os error")
        || reason.contains("Os { code")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_failed_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let database = SledVersions::open(&folder.path().join("db")).unwrap();
        for _ in 0..20 {
            let failed = database.with::<()>(|_| Err(sled::Error::Unsupported("no".into())));
            assert!(matches!(
                failed,
                Err(StoreError::Database { damaged: true, .. })
            ));
            let panicked = database.with::<()>(|_| panic!("as sled may on damaged files"));
            assert!(panicked.is_err());
            assert!(database.history().unwrap().is_empty());
        }
        let full = sled::Error::Io(std::io::Error::from_raw_os_error(28));
        let failed = database.with::<()>(|_| Err(full));
        assert!(matches!(
            failed,
            Err(StoreError::Database { damaged: false, .. })
        ));
    }
}
