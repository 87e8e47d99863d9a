//! Wills that wait: MQTT 5 lets a client say how long (section 3.1.3.2.2), so that a short interruption harms nobody.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio_util::sync::CancellationToken;

use super::{core::Core, message::Publication, session::Session};

/// The wills that wait, by the key of their session.
#[derive(Default)]
pub(super) struct Wills(Mutex<FxHashMap<u64, Waiting>>);

struct Waiting {
    will: Publication,
    /// Ends the wait.
    over: CancellationToken,
}

impl Wills {
    /// The session goes on: its will is not published [MQTT-3.1.3-9].
    pub(super) fn take_back(&self, session: &Session) {
        drop(self.take(session.key()));
    }

    /// The session is over: its will is due now, if one waits.
    pub(super) fn due(&self, session: &Session) -> Option<Publication> {
        self.take(session.key())
    }

    fn take(&self, key: u64) -> Option<Publication> {
        let waiting = self.0.lock().remove(&key)?;
        waiting.over.cancel();
        Some(waiting.will)
    }
}

/// Publishes a will after `delay`, unless the session goes on or ends before.
pub(super) fn publish_later(
    core: &Arc<Core>,
    session: &Session,
    will: Publication,
    delay: Duration,
) {
    let over = core.shutdown.child_token();
    let waiting = Waiting {
        will,
        over: over.clone(),
    };
    let key = session.key();
    core.wills.0.lock().insert(key, waiting);
    let core = core.clone();
    core.tasks.clone().spawn(async move {
        tokio::select! {
            () = over.cancelled() => {}
            () = tokio::time::sleep(delay) => {
                if let Some(will) = core.wills.take(key) {
                    core.publish(will).await;
                }
            }
        }
    });
}
