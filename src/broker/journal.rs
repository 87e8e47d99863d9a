//! What has to outlive the process is written here, in groups: while one is on its way to the disk the next one gathers.
//!
//! Who waits for an acknowledgement gets it once everything that it stands for is on the disk.

use std::{mem, sync::Arc, time::Duration};

use indexmap::IndexMap;
use parking_lot::{Mutex, MutexGuard};
use rustc_hash::FxBuildHasher;
use tokio::{sync::Notify, task};

use super::core::Core;
use crate::store::{BrokerStore, RecordChange};

/// Bytes that may wait for the disk; who publishes then waits, too.
const MAX_WAITING: usize = 16 << 20;
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How careful the broker is with what it keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persistence {
    /// What is acknowledged is on the disk.
    #[default]
    Safe,
    /// Acknowledgements do not wait, and the disk is written to every half a minute: for SD cards.
    Relaxed,
}

/// How long changes gather when acknowledgements do not wait for them.
const RELAXED: Duration = Duration::from_secs(30);

/// What is done once the changes before it are on the disk.
pub(super) type Then = Box<dyn FnOnce() + Send>;

/// The way to the disk; without a store there is none, and nothing waits.
pub(super) struct Journal {
    store: Option<Arc<BrokerStore>>,
    persistence: Persistence,
    state: Mutex<State>,
    /// Held while changes come one by one that belong together.
    whole: Mutex<()>,
    wake: Notify,
    room: Notify,
}

type Key = (String, String);

#[derive(Default)]
struct State {
    /// The latest of each.
    changes: IndexMap<Key, Option<Vec<u8>>, FxBuildHasher>,
    bytes: usize,
    thens: Vec<Then>,
    /// A group is on its way.
    is_busy: bool,
    /// It was said that the disk refuses.
    told: bool,
}

/// One change.
pub(super) struct Change {
    pub(super) scope: String,
    pub(super) name: String,
    /// None: it is gone.
    pub(super) bytes: Option<Vec<u8>>,
}

/// The name that stands for all that there is in a scope.
const ALL: &str = "";

impl Change {
    /// That nothing is left of a scope. What is in it may not be written again.
    pub(super) fn whole(scope: String) -> Self {
        Self {
            scope,
            name: ALL.into(),
            bytes: None,
        }
    }
}

impl Journal {
    pub(super) fn new(store: Option<BrokerStore>, persistence: Persistence) -> Self {
        Self {
            store: store.map(Arc::new),
            persistence,
            state: Mutex::default(),
            whole: Mutex::default(),
            wake: Notify::new(),
            room: Notify::new(),
        }
    }

    /// Whether anything is kept.
    pub(super) fn is_on(&self) -> bool {
        self.store.is_some()
    }

    /// What comes while this is held goes to the disk together.
    pub(super) fn together(&self) -> MutexGuard<'_, ()> {
        self.whole.lock()
    }

    /// Writes a change. What is to be written after it may be known to others only then.
    pub(super) fn add(&self, change: Change) {
        if self.is_on() {
            self.state.lock().add([change]);
            self.wake.notify_one();
        }
    }

    /// Writes changes, and does `then` once they and all before them are on the disk; at once where nothing waits.
    pub(super) fn commit(&self, changes: Vec<Change>, then: Option<Then>) {
        let now = {
            let mut state = self.state.lock();
            if self.is_on() && !changes.is_empty() {
                state.add(changes);
                self.wake.notify_one();
            }
            let waits = self.persistence == Persistence::Safe
                && (state.is_busy || !state.changes.is_empty());
            match then {
                Some(then) if waits => {
                    state.thens.push(then);
                    None
                }
                then => then,
            }
        };
        if let Some(then) = now {
            then();
        }
    }

    /// Returns when not too much waits.
    pub(super) async fn has_room(&self) {
        loop {
            let room = self.room.notified();
            let mut room = std::pin::pin!(room);
            room.as_mut().enable();
            if self.state.lock().bytes < MAX_WAITING {
                return;
            }
            room.await;
        }
    }

    /// Brings to the disk what came while everything ended.
    pub(super) async fn finish(&self) {
        if let Some(store) = &self.store {
            self.write_group(store).await;
        }
    }

    /// Brings groups to the disk until the broker stops; what is left then, too.
    pub(super) async fn run(core: Arc<Core>) {
        let journal = &core.journal;
        let Some(store) = journal.store.clone() else {
            return;
        };
        loop {
            let is_last = tokio::select! {
                () = core.shutdown.cancelled() => true,
                () = journal.wake.notified() => false,
            };
            if !is_last && journal.persistence == Persistence::Relaxed {
                tokio::select! {
                    () = core.shutdown.cancelled() => {}
                    () = tokio::time::sleep(RELAXED) => {}
                }
            }
            let is_written = journal.write_group(&store).await;
            if is_last {
                return;
            }
            if !is_written {
                tokio::select! {
                    () = core.shutdown.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
                journal.wake.notify_one();
            }
        }
    }

    /// False: the disk refuses.
    async fn write_group(&self, store: &Arc<BrokerStore>) -> bool {
        let (changes, thens) = {
            let _whole = self.together();
            let mut state = self.state.lock();
            state.is_busy = true;
            state.bytes = 0;
            (mem::take(&mut state.changes), mem::take(&mut state.thens))
        };
        let records: Vec<RecordChange> = changes
            .iter()
            .map(|((scope, name), bytes)| RecordChange {
                scope: scope.clone(),
                name: (name != ALL).then(|| name.clone()),
                bytes: bytes.clone(),
            })
            .collect();
        let writer = store.clone();
        let written = match records.is_empty() {
            true => Ok(Ok(())),
            false => task::spawn_blocking(move || writer.write(records)).await,
        };
        let failed = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the store ended in the middle".to_owned()),
        };
        // A full disk does not stop the messages: they are acknowledged, and tried again with what comes later.
        for then in thens {
            then();
        }
        let mut state = self.state.lock();
        state.is_busy = false;
        if let Some(reason) = &failed {
            for (key, bytes) in changes {
                state.put_back(key, bytes);
            }
            if !mem::replace(&mut state.told, true) {
                tracing::error!(
                    "The broker can't write what it should keep, so it would be lost with this process. {reason}"
                );
            }
        } else if mem::replace(&mut state.told, false) {
            tracing::info!("The broker can write again; what it should keep is on the disk");
        }
        let later = mem::take(&mut state.thens);
        let rest = !state.changes.is_empty();
        let wait = rest && failed.is_none();
        if wait {
            state.thens = later;
            drop(state);
            self.wake.notify_one();
        } else {
            drop(state);
            later.into_iter().for_each(|then| then());
        }
        self.room.notify_waiters();
        failed.is_none()
    }
}

impl State {
    fn add(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.bytes += change.bytes.as_ref().map_or(64, |bytes| bytes.len() + 64);
            if change.name == ALL {
                self.changes.retain(|(scope, _), _| *scope != change.scope);
            }
            self.changes
                .insert((change.scope, change.name), change.bytes);
        }
    }

    /// What could not be written, unless something newer has come.
    fn put_back(&mut self, key: Key, bytes: Option<Vec<u8>>) {
        self.changes.entry(key).or_insert(bytes);
    }
}
