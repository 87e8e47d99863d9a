//! A folder for what must not outlive the process.

use std::path::{Path, PathBuf};

/// A new folder among the system's temporary ones, removed when this is dropped.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Chooses a name that nobody else has. Whoever uses the folder makes it.
    pub(super) fn new() -> Self {
        let name = format!("flowrill-{}", crate::engine::new_id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What can't be removed now is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
