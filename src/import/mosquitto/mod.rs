//! Mosquitto's configuration: `mosquitto.conf` with what it includes, password and ACL files.
//!
//! Everything is read first, and nothing is written by this module: it gives the settings as a piece of `flowrill.toml`, the
//! users and rules, and a line for each thing that has no counterpart.

mod access;
mod bridge;
mod convert;
mod lines;
mod options;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::broker::AccessConfig;

pub use options::document;

/// What a configuration comes to.
#[derive(Debug, Default, PartialEq)]
pub struct Imported {
    /// For `flowrill.toml`; empty if there is nothing to set.
    pub settings: String,
    pub access: AccessConfig,
    /// What was taken over, and what was not and why, each with its file and line.
    pub taken: Vec<String>,
    pub left: Vec<String>,
}

/// It can't be read: a sentence with file and line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImportError(String);

/// Reads a configuration file, and a password and an ACL file if they are given besides.
///
/// # Errors
/// The first thing that can't be read or understood. Nothing is taken over then.
pub fn import(
    config: Option<&Path>,
    passwords: Option<&Path>,
    rules: Option<&Path>,
) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    if let Some(config) = config {
        convert::convert(&lines::read(config)?, &mut imported)?;
    }
    if let Some(file) = passwords {
        access::add_passwords(file, &mut imported)?;
    }
    if let Some(file) = rules {
        access::add_rules(file, &mut imported)?;
    }
    imported.access.check().map_err(|reason| {
        ImportError(format!("The users and rules do not fit together: {reason}"))
    })?;
    Ok(imported)
}
