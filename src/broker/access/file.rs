//! The file of the data folder that holds the users and rules which were set by command or through the API.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AccessConfig;
use crate::store::{StoreError, read_whole, write_whole};

const NAME: &str = "mqtt-access.json";

/// `mqtt-access.json` in a data folder.
#[derive(Clone, Debug)]
pub struct AccessFile(PathBuf);

/// It can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessFileError {
    #[error(transparent)]
    Io(#[from] StoreError),
    #[error("{} is damaged ({reason}): put a sound copy back, or delete it and set users and rules anew", .path.display())]
    Damaged { path: PathBuf, reason: String },
}

#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    #[serde(flatten)]
    access: AccessConfig,
}

impl AccessFile {
    /// That of this data folder.
    pub fn of(data: &Path) -> Self {
        Self(data.join(NAME))
    }

    /// What it says; nothing when it is not there.
    ///
    /// # Errors
    /// It can't be read or understood.
    pub fn read(&self) -> Result<AccessConfig, AccessFileError> {
        let Some(bytes) = read_whole(&self.0)? else {
            return Ok(AccessConfig::default());
        };
        let path = self.0.clone();
        let damaged = |reason: String| AccessFileError::Damaged { path, reason };
        let content = serde_json::from_slice::<Content>(&bytes);
        let content = content.map_err(|error| damaged.clone()(error.to_string()))?;
        content.access.check().map_err(damaged)?;
        Ok(content.access)
    }

    /// Writes it, readable for its owner only; the old one stays whole until the new one is.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, access: &AccessConfig) -> Result<(), AccessFileError> {
        let content = Content {
            format: 1,
            access: access.clone(),
        };
        // Names and texts, written to memory, can't fail.
        let mut bytes = serde_json::to_vec_pretty(&content).unwrap_or_default();
        bytes.push(b'\n');
        Ok(write_whole(&self.0, &bytes)?)
    }
}
