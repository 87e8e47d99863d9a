//! Dates as texts, the way JavaScript writes them.

use chrono::{DateTime, Local, Utc};

/// As `toISOString` gives it, or none if it is invalid.
pub(super) fn iso_text(unix_ms: f64) -> Option<String> {
    Some(utc(unix_ms)?.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// As `String(date)` gives it, in local time. JavaScript adds the zone's name in the system's language; only that of UTC
/// is known here.
pub(super) fn long_text(unix_ms: f64) -> String {
    let Some(utc) = utc(unix_ms) else {
        return "Invalid Date".into();
    };
    let local = utc.with_timezone(&Local);
    let zone = match local.offset().local_minus_utc() {
        0 => " (Coordinated Universal Time)",
        _ => "",
    };
    local.format("%a %b %d %Y %H:%M:%S GMT%z").to_string() + zone
}

fn utc(unix_ms: f64) -> Option<DateTime<Utc>> {
    if !unix_ms.is_finite() || unix_ms.abs() > 8.64e15 {
        return None;
    }
    DateTime::from_timestamp_millis(unix_ms as i64)
}
