//! The thread that all of the broker runs on, apart from the router's.
//!
//! A message crosses few threads that way, which is what its delay and its cost consist of when there is little to do; and
//! however busy flows are, the broker goes on.

use std::{io, thread, time::Duration};

use tokio::runtime::{Builder, Handle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long tasks may take to end after the broker has waited for them.
const LATE: Duration = Duration::from_secs(3);

/// Starts the thread. It ends after `shutdown`, once `tasks` have.
///
/// # Errors
/// The system gives no thread, or nothing to wait for sockets with.
pub(super) fn start(shutdown: CancellationToken, tasks: TaskTracker) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .thread_name("mqtt-blocking")
        .build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("mqtt-broker".into())
        .spawn(move || {
            runtime.block_on(async {
                shutdown.cancelled().await;
                // What has not ended by then is dropped.
                let _ = tokio::time::timeout(LATE, tasks.wait()).await;
            });
            runtime.shutdown_background();
        })?;
    Ok(handle)
}
