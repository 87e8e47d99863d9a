//! sled: all that Flowrill keeps in a database stands below here.

mod values;
mod versions;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use parking_lot::Mutex;
use sled::{Db, Mode, Tree};

use super::StoreError;
pub(super) use values::{SledValues, StoredValue, ValueChange};
pub(super) use versions::SledVersions;

/// sled rewrites whole leaves, so large values are cut into pieces of this size.
const PIECE: usize = 32 * 1024;
const CACHE: u64 = 1024 * 1024;
/// Two of sled's segments.
const ROOM: usize = 1024 * 1024;

/// A database with one tree. One that failed is closed and opened anew by the next call, for instance when the disk has
/// room again.
struct Database {
    path: PathBuf,
    tree: &'static str,
    open: Mutex<Option<Opened>>,
}

#[derive(Clone)]
struct Opened {
    _db: Db,
    tree: Tree,
}

impl Database {
    /// Opens the database in `path`, or makes one.
    ///
    /// # Errors
    /// When it is damaged or can't be opened.
    fn open(path: &Path, tree: &'static str) -> Result<Self, StoreError> {
        let database = Self {
            path: path.to_owned(),
            tree,
            open: Mutex::default(),
        };
        database.with(|_| Ok(()))?;
        Ok(database)
    }

    /// Works on the open database. sled may panic on a damaged file; here that is an error like any other.
    fn with<T>(&self, work: impl FnOnce(&Tree) -> sled::Result<T>) -> Result<T, StoreError> {
        let mut open = self.open.lock();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let opened = match open.take() {
                Some(opened) => opened,
                None => open_database(&self.path, self.tree)?,
            };
            let outcome = work(&opened.tree)?;
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

fn open_database(path: &Path, tree: &str) -> sled::Result<Opened> {
    // Whoever writes flushes: no thread of its own is needed for that.
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
    let tree = db.open_tree(tree)?;
    Ok(Opened { _db: db, tree })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_failed_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("db"), "tree").unwrap();
        for _ in 0..20 {
            let failed = database.with::<()>(|_| Err(sled::Error::Unsupported("no".into())));
            assert!(matches!(
                failed,
                Err(StoreError::Database { damaged: true, .. })
            ));
            let panicked = database.with::<()>(|_| panic!("as sled may on damaged files"));
            assert!(panicked.is_err());
            assert!(database.with(|tree| Ok(tree.is_empty())).unwrap());
        }
        let full = sled::Error::Io(std::io::Error::from_raw_os_error(28));
        let failed = database.with::<()>(|_| Err(full));
        assert!(matches!(
            failed,
            Err(StoreError::Database { damaged: false, .. })
        ));
    }
}
