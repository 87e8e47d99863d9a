//! What happens once, before anything runs: addresses are taken, the log is set up, the first flows are chosen.
//! Whatever goes wrong here is one sentence and the end.

mod access;
mod flows;
mod listen;
mod log;
mod nodes;
mod open_files;
mod running;
mod signal;

use std::{net::SocketAddr, path::PathBuf};

pub use access::broker_access;
pub use flows::{first_steps, read_flows};
pub use listen::{address_error, broker_error, listen};
pub use log::start_log;
pub use nodes::node_folders;
pub use open_files::allow_connections;
pub use running::tell_running;
pub use signal::{Signal, Signals};

use crate::{
    settings::SettingsError,
    store::{FolderError, StoreError},
};

/// Why nothing was started: a sentence that names what to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "The address {address} is in use by another program, perhaps {who}. Stop that one, or choose another address with {advice}"
    )]
    InUse {
        address: SocketAddr,
        who: &'static str,
        advice: String,
    },
    #[error("Flowrill may not listen on {address}: {reason}. Choose another address with {option}")]
    Address {
        address: SocketAddr,
        reason: String,
        option: &'static str,
    },
    #[error("The flow file {} can't be deployed: {reason}. Choose another one with --flows", .path.display())]
    Flows { path: PathBuf, reason: String },
    /// What no setting can put right.
    #[error("Flowrill can't start: {0}")]
    Other(String),
}
