//! Who may use the broker: what stands in the settings, and what was set by command in the data folder.

use crate::{
    broker::{AccessConfig, AccessFile},
    settings::Settings,
};

/// Both together. If the file in the data folder can't be used nobody comes in from outside, and the log says why.
pub fn broker_access(settings: &Settings) -> AccessConfig {
    let fixed = settings
        .broker
        .as_ref()
        .map(|broker| broker.access.clone())
        .unwrap_or_default();
    // A folder that can't be used is reported by whoever opens it.
    if settings.tap || !settings.data.is_dir() {
        return fixed;
    }
    match AccessFile::of(&settings.data).read() {
        Ok(access) => access.under(&fixed),
        Err(error) => {
            tracing::error!(
                "{error}. Until then the broker lets nobody in but the flows of this process"
            );
            AccessConfig {
                closed: true,
                ..fixed
            }
        }
    }
}
