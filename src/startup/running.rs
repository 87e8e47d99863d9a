//! Another Flowrill that runs with the same data folder.

use std::path::Path;

/// Tells it to read its settings anew; says on standard output what will happen.
pub fn tell_running(data: &Path) {
    let told = match holder(data) {
        None => return,
        Some(pid) => hang_up(pid),
    };
    let text = match told {
        true => "Flowrill is running; it uses this from now on.",
        false => "Flowrill is running; restart it to use this.",
    };
    crate::cli::say(text);
}

/// The process that holds the folder's lock.
fn holder(data: &Path) -> Option<i32> {
    let path = data.join("lock");
    let lock = std::fs::File::open(&path).ok()?;
    let is_held = matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock));
    let pid = std::fs::read_to_string(&path).ok()?;
    pid.trim().parse().ok().filter(|_| is_held)
}

#[cfg(unix)]
fn hang_up(pid: i32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, Signal::HUP).is_ok())
}

#[cfg(not(unix))]
fn hang_up(_pid: i32) -> bool {
    false
}
