//! One stored version as the database and the mirror hand it around.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StoredVersion, VersionInfo, secrets::Sealed};

/// A version with its place in the order of deploys and its credentials, encrypted.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Counts deploys; the higher one is the newer.
    pub(super) number: u64,
    pub(super) version: StoredVersion,
    pub(super) sealed: Option<Sealed>,
}

/// What stands beside a version's flows to tell whether they are sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) number: u64,
    #[serde(flatten)]
    pub(super) info: VersionInfo,
    /// Of the bytes in which the flows are stored.
    pub(super) sha256: String,
}

impl Mark {
    /// Of flows that are stored as their compact text, whose checksum is the revision.
    pub(super) fn of_text(record: &Record) -> Self {
        Self::new(record, record.version.rev.clone())
    }

    pub(super) fn new(record: &Record, sha256: String) -> Self {
        Self {
            number: record.number,
            info: record.version.info(),
            sha256,
        }
    }
}

/// The hex SHA-256 of these bytes.
pub(super) fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
