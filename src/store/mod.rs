//! Where flows, their earlier versions, their credentials and their context are kept.
//!
//! [`FlowStore`] is what the runtime sees. On disk ([`DiskFlowStore`]) a version lives twice: in a database, with its
//! history, and in plain files that survive a power cut.

mod broker;
mod context;
mod credentials;
mod disk;
mod file;
mod folder;
mod memory;
mod mirror;
mod record;
mod recovery;
mod secrets;
mod sled;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use self::sled as database;
pub use broker::{BrokerStore, RecordChange, StoredRecord};
pub use context::{ContextConfig, ContextModule, DiskContext, Place};
pub use credentials::{Credentials, UNCHANGED};
pub use disk::DiskFlowStore;
pub(crate) use file::{read_whole, write_whole};
pub use folder::{DataFolder, FolderError};
pub use memory::MemoryFlowStore;

use crate::flow::{Flows, Rev};

/// How many versions a store keeps.
pub const KEPT_VERSIONS: usize = 50;

/// A version of the flows as it is stored.
#[derive(Clone, Debug)]
pub struct StoredVersion {
    pub rev: Rev,
    /// When it was deployed, in milliseconds since 1970.
    pub time: u64,
    pub flows: Arc<Flows>,
}

impl StoredVersion {
    /// What a list of versions says about it.
    pub fn info(&self) -> VersionInfo {
        VersionInfo {
            rev: self.rev.clone(),
            time: self.time,
            nodes: self.flows.items.len(),
        }
    }
}

/// What a list of versions says about one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    pub rev: Rev,
    /// When it was deployed, in milliseconds since 1970.
    pub time: u64,
    /// How many entries its flow file has.
    pub nodes: usize,
}

/// Keeps flows and their credentials. Its calls may block on the disk; the runtime makes them from a blocking thread.
pub trait FlowStore: Send + Sync {
    /// The version that was deployed last, with its credentials; none when nothing ever was.
    ///
    /// # Errors
    /// When the store cannot be read at all. Damage that leaves something to load is a notice, not an error.
    fn load(&self) -> Result<Option<(StoredVersion, Credentials)>, StoreError>;

    /// Makes these flows, deployed at `time` (milliseconds since 1970), the version that [`FlowStore::load`] gives. When it
    /// returns, the version is on the disk; when it fails, the one before still is. Flows and credentials change together.
    ///
    /// # Errors
    /// When it could not be written, for instance because the disk is full.
    fn save(
        &self,
        flows: Arc<Flows>,
        time: u64,
        credentials: &Credentials,
    ) -> Result<StoredVersion, StoreError>;

    /// The kept versions, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn history(&self) -> Result<Vec<VersionInfo>, StoreError>;

    /// The latest version with this revision; none when it is not kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError>;

    /// What went wrong and was put right when the store was opened: sentences for the person who runs it.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} can't be {action}: {source}. Check that the folder exists, belongs to the user who runs Flowrill, and that its disk is not full", .path.display())]
    Io {
        /// "read" or "written".
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("The database in {} failed: {reason}. Check that its disk is not full and can be written", .path.display())]
    Database {
        path: PathBuf,
        reason: String,
        /// Its files are not what a database writes; a disk that is full or forbidden is no damage.
        damaged: bool,
    },
    #[error(
        "The store ended in the middle because of a fault in Flowrill; see its log, and try again"
    )]
    Interrupted,
}
