//! Stored sessions: when they are written, and how they come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    begun::Begun,
    core::Core,
    durable::{self, Restful, Restored, StoredSession},
    session::Session,
    sessions::NEVER,
    subscriptions::Options,
    topics::split_shared,
};

impl Core {
    /// Stores a session as it is now, if it is one that is stored. `ends` is when it does, in milliseconds since 1970.
    pub(super) fn store_session(&self, session: &Session, expiry: u32, ends: Option<u64>) {
        if !session.is_durable() {
            return;
        }
        let stored = StoredSession {
            number: session.key(),
            user: session.identity().user().map(|name| name.to_string()),
            flows: session.identity().is_flows(),
            certified: session.identity().is_certified(),
            expiry,
            ends,
            subscriptions: self.routes.lock().subscriptions.stored(session),
        };
        self.journal
            .commit(vec![durable::session(session, &stored)], None);
    }

    /// Returns when all that was to be stored so far is on the disk.
    pub(super) async fn stored(&self) {
        let (done, wait) = oneshot::channel();
        let then = Box::new(move || {
            // Whoever waited may be gone.
            let _ = done.send(());
        });
        self.journal.commit(Vec::new(), Some(then));
        // The journal ends with the broker.
        let _ = wait.await;
    }

    /// Brings a session back. False: its user is no longer there, or it was to end with its connection.
    pub(super) fn restore(self: &Arc<Self>, restored: Restored) -> bool {
        let Restored {
            id,
            stored,
            waiting,
            received,
        } = restored;
        if stored.ends.is_none() && stored.expiry == 0 {
            return false;
        }
        let identity = match stored.flows {
            true => Some(self.access.flows(&id)),
            false => {
                let user = stored.user.as_deref();
                self.access.restored(user, stored.certified, &id)
            }
        };
        let Some(identity) = identity else {
            return false;
        };
        let expires = match (stored.ends, stored.expiry) {
            (Some(ends), _) => durable::instant(ends),
            (None, NEVER) => None,
            // It was connected when the broker ended.
            (None, expiry) => Instant::now().checked_add(Duration::from_secs(expiry.into())),
        };
        let session = self.sessions.restore(&id, stored.number, identity, expires);
        session.restore(waiting, received);
        let mut routes = self.routes.lock();
        for subscription in &stored.subscriptions {
            let Some(filter) = subscription.to_filter() else {
                continue;
            };
            let options = Options {
                qos: filter.qos,
                no_local: filter.no_local,
                retain_as_published: filter.retain_as_published,
                ids: subscription.id.map(|id| Arc::from([id])),
                shared: split_shared(&filter.path).map(|_| filter.path.as_str().into()),
            };
            routes.subscriptions.add(&filter.path, &session, options);
        }
        true
    }
}

impl Session {
    /// Puts in what was stored.
    pub(super) fn restore(&self, waiting: Vec<(u64, Restful)>, received: Vec<(u16, Begun)>) {
        let mut outbox = self.outbox();
        for (packet_id, begun) in received {
            outbox.received.insert(packet_id, begun);
        }
        for (seq, one) in waiting {
            outbox.next_seq = outbox.next_seq.max(seq + 1);
            match one {
                Restful::Released => outbox.inflight.restore_released(seq),
                Restful::Waits(delivery) => {
                    outbox.bytes += delivery.publication.size();
                    outbox.queue.push_back(delivery);
                }
            }
        }
        drop(outbox);
        self.set_durable();
    }
}
