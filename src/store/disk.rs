//! Flows on disk: a database with the history, and the plain mirror of the newest version. Either can be lost.

use std::{sync::Arc, thread};

use parking_lot::Mutex;

use super::{
    Credentials, FlowStore, StoreError, StoredVersion, VersionInfo,
    database::SledVersions,
    folder::DataFolder,
    mirror::Mirror,
    record::Record,
    recovery::{Recovered, recover},
    secrets::{Sealed, SecretKey},
};
use crate::flow::Flows;

/// The store of a data folder.
pub struct DiskFlowStore {
    /// Held as long as the store lives.
    _folder: DataFolder,
    database: SledVersions,
    mirror: Mirror,
    key: SecretKey,
    state: Mutex<State>,
    notices: Vec<String>,
}

struct State {
    /// What [`FlowStore::load`] gives: the newest version, which database and mirror agree on.
    newest: Option<Record>,
    credentials: Credentials,
    last_number: u64,
}

impl DiskFlowStore {
    /// Opens the store, sets aside what is damaged, and makes database and mirror agree on the newest sound version.
    ///
    /// # Errors
    /// When files in the folder can't be read or written at all.
    pub fn open(folder: DataFolder) -> Result<Self, StoreError> {
        let Recovered {
            database,
            mirror,
            key,
            newest,
            credentials,
            last_number,
            notices,
        } = recover(folder.path())?;
        let state = State {
            newest,
            credentials,
            last_number,
        };
        Ok(Self {
            _folder: folder,
            database,
            mirror,
            key,
            state: Mutex::new(state),
            notices,
        })
    }

    /// Adds a version to the database: what was added, and whether it worked.
    ///
    /// # Errors
    /// When its credentials can't be encrypted; nothing was added then.
    fn add(
        &self,
        flows: &Arc<Flows>,
        time: u64,
        credentials: &Credentials,
        state: &State,
    ) -> Result<(Record, Result<(), StoreError>), StoreError> {
        let sealed = self.seal(credentials, state)?;
        let text = flows.text();
        let version = StoredVersion {
            rev: Flows::rev_of(&text),
            time,
            flows: flows.clone(),
        };
        let record = Record {
            number: state.last_number + 1,
            version,
            sealed,
        };
        let added = self.database.add(&record, &text);
        Ok((record, added))
    }

    fn seal(&self, credentials: &Credentials, state: &State) -> Result<Option<Sealed>, StoreError> {
        let before = state
            .newest
            .as_ref()
            .and_then(|record| record.sealed.as_ref());
        if let (Some(sealed), true) = (before, *credentials == state.credentials) {
            return Ok(Some(sealed.clone()));
        }
        self.key.seal(credentials).map_err(|error| StoreError::Io {
            action: "written",
            path: self.mirror.credentials_path().to_owned(),
            source: std::io::Error::other(error.to_string()),
        })
    }
}

impl FlowStore for DiskFlowStore {
    fn load(&self) -> Result<Option<(StoredVersion, Credentials)>, StoreError> {
        let state = self.state.lock();
        let newest = state.newest.as_ref();
        Ok(newest.map(|record| (record.version.clone(), state.credentials.clone())))
    }

    fn save(
        &self,
        flows: Arc<Flows>,
        time: u64,
        credentials: &Credentials,
    ) -> Result<StoredVersion, StoreError> {
        let mut state = self.state.lock();
        // Both copies take long, so they are made side by side. After that only small files and names change.
        let (staged, added) = thread::scope(|scope| {
            let stage = || self.mirror.stage_flows(&flows);
            let helper = thread::Builder::new().spawn_scoped(scope, stage);
            let added = self.add(&flows, time, credentials, &state);
            let staged = match helper {
                Ok(helper) => helper.join().unwrap_or(Err(StoreError::Interrupted)),
                // The system has no thread to spare.
                Err(_) => stage(),
            };
            (staged, added)
        });
        let (record, added) = added?;
        let written = added.and_then(|()| {
            let before = state.newest.as_ref();
            self.mirror.stage(staged?, &record, before)?.commit()
        });
        if let Err(error) = written {
            // The deploy fails, so its version must not come back at the next start.
            let before = state.newest.as_ref();
            if let Err(second) = self.database.remove(record.number, before) {
                tracing::warn!("A deploy that failed could not be taken back. {second}");
            }
            return Err(error);
        }
        let version = record.version.clone();
        state.last_number = record.number;
        state.newest = Some(record);
        state.credentials = credentials.clone();
        Ok(version)
    }

    fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        self.database.history()
    }

    fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError> {
        self.database.version(rev)
    }

    fn notices(&self) -> Vec<String> {
        self.notices.clone()
    }
}
