//! Context that outlives the process.
//!
//! All values are in memory, where nodes read and write them; what has changed is written behind, at an interval and at the
//! stop, never for each message. A kill loses what has changed since the last interval.

mod config;
mod encode;
mod temporary;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::{
    StoreError,
    database::{ContextChange, SledContext, StoredContext},
    file::set_aside,
};
use crate::{
    engine::{ContextStore, MemoryStore},
    message::{PathPart, PropertyPath, Value},
};
pub use config::{ContextConfig, ContextModule, Place};
use encode::{Encoded, decode, encode};
use temporary::TemporaryFolder;

/// A value that takes more than this on the disk is not kept there.
const MAX_VALUE: usize = 16 << 20;
/// Nor are values beyond this, all together.
const MAX_ALL: usize = 256 << 20;
/// What is written at once.
const BATCH: usize = 8 << 20;
/// Values that are remembered as warned about.
const MAX_WARNED: usize = 1_000;

/// A context store on the disk.
pub struct DiskContext {
    memory: MemoryStore,
    /// What has changed since the last flush: names by scope.
    dirty: Mutex<HashMap<String, HashSet<String>>>,
    changed: Arc<Notify>,
    tasks: TaskTracker,
    writer: OnceLock<AbortOnDropHandle<()>>,
    disk: Mutex<Disk>,
    /// Goes away with the store, after the database in it.
    _temporary: Option<TemporaryFolder>,
}

struct Disk {
    database: SledContext,
    stored: HashMap<(String, String), Stored>,
    next_order: u64,
    /// The length of all values together.
    length: usize,
    /// What could not be kept, so that it is said once.
    warned: HashSet<(String, String)>,
    /// The last flush failed, which was said.
    failing: bool,
}

/// What the database holds of a value.
#[derive(Clone, Copy)]
struct Stored {
    order: u64,
    length: usize,
    checksum: [u8; 32],
}

impl DiskContext {
    /// Opens the store in the folder `path` and reads its values. Damage is set aside, and told in the sentences returned.
    ///
    /// # Errors
    /// When the files can't be read or written at all.
    pub fn open(path: &Path) -> Result<(Self, Vec<String>), StoreError> {
        Self::open_in(path, None)
    }

    /// A new store that goes away with its folder.
    ///
    /// # Errors
    /// When it can't be written.
    fn open_temporary(folder: TemporaryFolder) -> Result<(Self, Vec<String>), StoreError> {
        let path = folder.path().to_owned();
        Self::open_in(&path, Some(folder))
    }

    fn open_in(
        path: &Path,
        temporary: Option<TemporaryFolder>,
    ) -> Result<(Self, Vec<String>), StoreError> {
        let mut notices = Vec::new();
        let (loaded, sound) = open_database(path, &mut notices)?;
        let memory = MemoryStore::default();
        let mut disk = Disk {
            database: loaded.database,
            stored: HashMap::new(),
            next_order: 0,
            length: 0,
            warned: HashSet::new(),
            failing: false,
        };
        let mut dirty: HashMap<String, HashSet<String>> = HashMap::new();
        for (value, content) in loaded.values {
            memory.put(&value.scope, &value.name, content);
            match sound {
                true => disk.remember(value),
                // The database is a new one: what was saved of the old one is written into it.
                false => drop(dirty.entry(value.scope).or_default().insert(value.name)),
            }
        }
        let changed = Arc::new(Notify::new());
        if !dirty.is_empty() {
            changed.notify_one();
        }
        let store = Self {
            memory,
            dirty: Mutex::new(dirty),
            changed,
            tasks: TaskTracker::new(),
            writer: OnceLock::new(),
            disk: Mutex::new(disk),
            _temporary: temporary,
        };
        Ok((store, notices))
    }

    /// From here on changes are written `interval` after the first of them, until the store is dropped. Needs tokio.
    pub fn write_behind(self: &Arc<Self>, interval: Duration) {
        let task = write_behind(Arc::downgrade(self), self.changed.clone(), interval);
        self.writer
            .get_or_init(|| AbortOnDropHandle::new(self.tasks.spawn(task)));
    }

    fn mark(&self, scope: &str, name: &str) {
        let mut dirty = self.dirty.lock();
        match dirty.get_mut(scope) {
            Some(names) if names.contains(name) => return,
            Some(names) => drop(names.insert(name.to_owned())),
            None => drop(dirty.insert(scope.to_owned(), HashSet::from([name.to_owned()]))),
        }
        drop(dirty);
        self.changed.notify_one();
    }

    /// The names in `names` that the scope holds, in its order, then those that it holds no longer.
    fn in_order(&self, scope: &str, names: &HashSet<String>) -> Vec<String> {
        let mut ordered = self.memory.keys(scope);
        ordered.retain(|name| names.contains(name));
        let held: HashSet<&String> = ordered.iter().collect();
        let mut gone: Vec<String> = names
            .iter()
            .filter(|name| !held.contains(name))
            .cloned()
            .collect();
        gone.sort_unstable();
        ordered.extend(gone);
        ordered
    }

    fn write(
        &self,
        disk: &mut Disk,
        dirty: &HashMap<String, HashSet<String>>,
    ) -> Result<(), StoreError> {
        let (mut changes, mut size) = (Vec::new(), 0);
        let mut written = false;
        for (scope, names) in dirty {
            for name in self.in_order(scope, names) {
                let value = self.memory.value(scope, &name);
                let Some(change) = disk.change(scope, name, &value) else {
                    continue;
                };
                size += change.bytes.as_ref().map_or(0, Vec::len);
                changes.push(change);
                if size >= BATCH {
                    disk.apply(std::mem::take(&mut changes))?;
                    (size, written) = (0, true);
                }
            }
        }
        if !changes.is_empty() {
            disk.apply(changes)?;
            written = true;
        }
        match written {
            true => disk.database.flush(),
            false => Ok(()),
        }
    }
}

async fn write_behind(store: Weak<DiskContext>, changed: Arc<Notify>, interval: Duration) {
    loop {
        changed.notified().await;
        tokio::time::sleep(interval).await;
        let Some(store) = store.upgrade() else { return };
        // It can't be joined only if it was cancelled, with everything else.
        let _ = tokio::task::spawn_blocking(move || store.flush()).await;
    }
}

impl Disk {
    fn remember(&mut self, value: StoredContext) {
        self.next_order = self.next_order.max(value.order + 1);
        self.length += value.bytes.len();
        let stored = Stored {
            order: value.order,
            length: value.bytes.len(),
            checksum: Sha256::digest(&value.bytes).into(),
        };
        self.stored.insert((value.scope, value.name), stored);
    }

    /// What to write so that the database holds this value; none when it does.
    fn change(&mut self, scope: &str, name: String, value: &Value) -> Option<ContextChange> {
        let place = (scope.to_owned(), name);
        let stored = self.stored.get(&place).copied();
        let before = stored.map_or(0, |stored| stored.length);
        let encoded = match value.is_undefined() {
            true => Encoded::default(),
            false => encode(value),
        };
        let all = self.length - before;
        let (bytes, lost) = match encoded.bytes {
            Some(bytes) if bytes.len() > MAX_VALUE => (None, Some("is too large")),
            Some(bytes) if all + bytes.len() > MAX_ALL => (None, Some("finds no more room")),
            bytes => (bytes, encoded.lost),
        };
        self.tell(&place, lost);
        let same = match (&bytes, stored) {
            (Some(bytes), Some(stored)) => *Sha256::digest(bytes) == stored.checksum,
            (None, None) => true,
            _ => false,
        };
        if same {
            return None;
        }
        let order = stored.map_or(self.next_order, |stored| stored.order);
        self.next_order = self.next_order.max(order + 1);
        let (scope, name) = place;
        Some(ContextChange {
            scope,
            name,
            order,
            bytes,
            before,
        })
    }

    /// Warns of what is not kept, once until it is kept again.
    fn tell(&mut self, place: &(String, String), lost: Option<&str>) {
        let Some(lost) = lost else {
            self.warned.remove(place);
            return;
        };
        if self.warned.len() < MAX_WARNED && self.warned.insert(place.clone()) {
            let (scope, name) = place;
            tracing::warn!(
                "The context value \"{name}\" of {scope} {lost}: that will be gone after a restart"
            );
        }
    }

    fn apply(&mut self, changes: Vec<ContextChange>) -> Result<(), StoreError> {
        self.database.write(&changes)?;
        for change in changes {
            self.length -= change.before;
            match change.bytes {
                Some(bytes) => self.remember(StoredContext {
                    scope: change.scope,
                    name: change.name,
                    order: change.order,
                    bytes,
                }),
                None => drop(self.stored.remove(&(change.scope, change.name))),
            }
        }
        Ok(())
    }
}

impl ContextStore for DiskContext {
    fn get(&self, scope: &str, path: &PropertyPath) -> Value {
        self.memory.get(scope, path)
    }

    fn set(&self, scope: &str, path: &PropertyPath, value: Value) {
        self.memory.set(scope, path, value);
        // A path begins with a name.
        if let Some(PathPart::Key(name)) = path.parts().first() {
            self.mark(scope, name);
        }
    }

    fn keys(&self, scope: &str) -> Vec<String> {
        self.memory.keys(scope)
    }

    fn delete(&self, scope: &str) {
        let names = self.memory.keys(scope);
        self.memory.delete(scope);
        names.iter().for_each(|name| self.mark(scope, name));
    }

    fn retain(&self, keep: &dyn Fn(&str) -> bool) {
        let scopes = self.memory.scopes();
        let gone = scopes.iter().filter(|scope| !keep(scope));
        gone.for_each(|scope| self.delete(scope));
    }

    fn clear(&self) {
        self.retain(&|_| false);
    }

    fn flush(&self) {
        let mut disk = self.disk.lock();
        let dirty = std::mem::take(&mut *self.dirty.lock());
        match self.write(&mut disk, &dirty) {
            Ok(()) => disk.failing = false,
            Err(error) => {
                if !std::mem::replace(&mut disk.failing, true) {
                    tracing::error!(
                        "Context could not be written and will be tried again. {error}"
                    );
                }
                for (scope, names) in dirty {
                    names.iter().for_each(|name| self.mark(&scope, name));
                }
            }
        }
    }
}

/// A database and what is in it.
struct Loaded {
    database: SledContext,
    /// Its sound values, in their order.
    values: Vec<(StoredContext, Value)>,
    /// How many are not.
    damaged: usize,
}

/// The database with its values, and whether it is the one that they were read from: a damaged one is set aside, and a new
/// one takes its place.
fn open_database(path: &Path, notices: &mut Vec<String>) -> Result<(Loaded, bool), StoreError> {
    let (reason, values) = match load(path) {
        Ok(loaded) if loaded.damaged == 0 => return Ok((loaded, true)),
        Ok(loaded) => {
            let reason = format!(
                "{} of its values can't be read; the others were kept",
                loaded.damaged
            );
            (reason, loaded.values)
        }
        Err(StoreError::Database {
            damaged: true,
            reason,
            ..
        }) => (format!("{reason}; its values are gone"), Vec::new()),
        Err(error) => return Err(error),
    };
    let aside = set_aside(path, "damaged")?;
    notices.push(format!(
        "THE CONTEXT STORE {} IS DAMAGED ({reason}). It was set aside as {}",
        path.display(),
        aside.display()
    ));
    let loaded = Loaded {
        database: SledContext::open(path)?,
        values,
        damaged: 0,
    };
    Ok((loaded, false))
}

fn load(path: &Path) -> Result<Loaded, StoreError> {
    let database = SledContext::open(path)?;
    let (stored, mut damaged) = database.load()?;
    let mut values = Vec::with_capacity(stored.len());
    for value in stored {
        match decode(&value.bytes) {
            Some(content) => values.push((value, content)),
            None => damaged += 1,
        }
    }
    values.sort_by_key(|(value, _)| value.order);
    Ok(Loaded {
        database,
        values,
        damaged,
    })
}
