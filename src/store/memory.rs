//! Flows in memory, gone when the process ends: for `--tap` and for tests.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Credentials, FlowStore, KEPT_VERSIONS, StoreError, StoredVersion, VersionInfo};
use crate::flow::Flows;

/// Keeps the last versions in memory.
#[derive(Default)]
pub struct MemoryFlowStore {
    versions: Mutex<Vec<(StoredVersion, Credentials)>>,
}

impl FlowStore for MemoryFlowStore {
    fn load(&self) -> Result<Option<(StoredVersion, Credentials)>, StoreError> {
        Ok(self.versions.lock().last().cloned())
    }

    fn save(
        &self,
        flows: Arc<Flows>,
        time: u64,
        credentials: &Credentials,
    ) -> Result<StoredVersion, StoreError> {
        let version = StoredVersion {
            rev: flows.rev(),
            time,
            flows,
        };
        let mut versions = self.versions.lock();
        // Only the running version needs its credentials; earlier ones are there to look at.
        if let Some((_, credentials)) = versions.last_mut() {
            *credentials = Credentials::default();
        }
        versions.push((version.clone(), credentials.clone()));
        let surplus = versions.len().saturating_sub(KEPT_VERSIONS);
        versions.drain(..surplus);
        Ok(version)
    }

    fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        let versions = self.versions.lock();
        Ok(versions
            .iter()
            .rev()
            .map(|(version, _)| version.info())
            .collect())
    }

    fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError> {
        let versions = self.versions.lock();
        let found = versions
            .iter()
            .rev()
            .find(|(version, _)| version.rev == rev);
        Ok(found.map(|(version, _)| version.clone()))
    }
}
