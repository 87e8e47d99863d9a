//! The time that nodes see.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where `ctx.now()` comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Starts at `unix_ms` and runs with tokio's clock, which tests pause.
    Virtual {
        unix_ms: f64,
        since: tokio::time::Instant,
    },
}

impl Clock {
    /// Milliseconds since 1970.
    pub fn now(&self) -> f64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |past| past.as_millis() as f64),
            Self::Virtual { unix_ms, since } => unix_ms + since.elapsed().as_millis() as f64,
        }
    }
}
