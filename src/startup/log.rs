//! The log on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::LogLevel;

/// Starts to log: Flowrill and its flows at this level, the libraries below only when something is wrong.
pub fn start_log(level: LogLevel) {
    let below = match level {
        LogLevel::TRACE => LogLevel::DEBUG,
        level => level.min(LogLevel::ERROR),
    };
    let targets = Targets::new()
        .with_default(below)
        // Its spans of level error would cost something for every message; what matters of it the broker says itself.
        .with_target("rumqttd", LogLevel::OFF)
        .with_target("flowrill", level)
        .with_target("flow", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // It fails when a test has already set one up, which then is the one to use.
    let _ = tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init();
}
