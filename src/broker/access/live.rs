//! What the access rules mean for whoever is there already: open connections, sessions that wait, retained messages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Action, Identity};
use crate::broker::{
    codec::{Qos, reason},
    core::Core,
    durable,
    message::Publication,
    outbox::{Delivery, partition},
    session::Session,
    stream::Peer,
};

/// Who has published a message that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::broker) struct Source {
    user: Option<Arc<str>>,
    client_id: Arc<str>,
}

impl Source {
    /// The client of a session; none for the flows of this process, which are asked at once or never.
    pub(in crate::broker) fn of(session: &Session) -> Option<Arc<Self>> {
        let identity = session.identity();
        (!identity.is_flows).then(|| {
            Arc::new(Self {
                user: identity.user().cloned(),
                client_id: session.id().clone(),
            })
        })
    }
}

impl Core {
    /// Whether clients without a name may come in from there; `anonymous` is what their listener says of it.
    pub(in crate::broker) fn lets_in_anonymous(&self, peer: Peer, anonymous: Option<bool>) -> bool {
        anonymous.unwrap_or_else(|| {
            let is_near = peer.is_local() || self.config.open_to_all;
            is_near && self.access.config().users.is_empty()
        })
    }

    /// Whether whoever has published a retained message may still do that (CVE-2018-12546).
    pub(in crate::broker) fn may_be_kept(&self, publication: &Publication) -> bool {
        publication.source.as_ref().is_none_or(|source| {
            let config = self.access.config();
            let rights = config.rights(source.user.as_deref(), &source.client_id);
            rights.allow(Action::Publish, publication.topic())
        })
    }

    /// Makes changed rules hold for the sessions that there are.
    pub(in crate::broker) fn apply_access(self: &Arc<Self>) {
        for session in self.sessions.all() {
            self.renew_identity(&session);
        }
    }

    /// Gives a session the rights that it has now, and takes from it what it may not have any more. One whose user is gone
    /// ends.
    pub(in crate::broker) fn renew_identity(self: &Arc<Self>, session: &Arc<Session>) {
        match self.access.renewed(&session.identity(), session.id()) {
            Some(identity) => {
                session.set_identity(identity);
                let gone = session.keep_allowed().into_iter();
                let gone = gone.map(|seq| durable::done(session, seq)).collect();
                self.journal.commit(gone, None);
            }
            None => {
                session.kick(reason::NOT_AUTHORIZED);
                self.sessions.forget(session);
                self.end(session);
            }
        }
    }
}

impl Session {
    /// Drops waiting messages that the client may not have any more; the places of those that were stored.
    pub(super) fn keep_allowed(&self) -> Vec<u64> {
        let identity = self.identity();
        let allowed = |delivery: &Delivery| {
            let topic = delivery.publication.topic();
            identity.rights.allow(Action::Receive, topic)
        };
        let mut outbox = self.outbox();
        let mut places = outbox.inflight.keep(allowed);
        let (kept, gone) = partition(std::mem::take(&mut outbox.queue), allowed);
        outbox.bytes = kept
            .iter()
            .map(|delivery| delivery.publication.size())
            .sum();
        outbox.at_most_once = kept.iter().filter(|one| one.qos == Qos::AtMostOnce).count();
        outbox.queue = kept;
        drop(outbox);
        places.extend(gone.iter().map(|delivery| delivery.seq));
        places.retain(|seq| *seq > 0);
        places
    }
}

/// A client that was let in, before and after: the same person, as far as one can tell.
pub(in crate::broker) fn is_same_client(one: &Identity, other: &Identity) -> bool {
    one.is_flows == other.is_flows && one.user() == other.user()
}
