//! Context that outlives the process.
//!
//! All values are in memory, where nodes read and write them; what has changed is written behind, at an interval and at the
//! stop, never for each message. A kill loses what has changed since the last interval.

mod config;
mod disk;
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
use tokio::sync::Notify;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::StoreError;
use crate::{
    engine::{ContextStore, MemoryStore},
    message::{PathPart, PropertyPath, Value},
};
pub use config::{ContextConfig, ContextModule, Place};
use disk::{Disk, open_database};
use temporary::TemporaryFolder;

/// What is written at once.
const BATCH: usize = 8 << 20;
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
        let mut disk = Disk::new(loaded.database);
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
