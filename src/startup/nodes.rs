//! Where node types of the user's own are looked for.

use std::path::PathBuf;

use crate::settings::Settings;

/// The folder within the data folder.
const FOLDER: &str = "nodes";

/// The folders that were named, and the one in the data folder if it is there.
pub fn node_folders(settings: &Settings) -> Vec<PathBuf> {
    let in_data = settings.data.join(FOLDER);
    let in_data = in_data.is_dir().then_some(in_data);
    settings.nodes.iter().cloned().chain(in_data).collect()
}
