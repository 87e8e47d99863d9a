//! Clients in this process whose session stays when they leave: what waits in it at QoS 1 and 2 is kept, over a restart, too,
//! until they say that they are done with it.

use std::sync::Arc;

use super::{
    core::Core,
    durable,
    inflight::Sent,
    local::{LocalClient, LocalError, Received},
    outbox::Link,
    session::Session,
    sessions::NEVER,
};

/// The receiving half. Its messages come again until [`Done`] is told.
pub struct LastingReceiver {
    core: Arc<Core>,
    session: Arc<Session>,
    connection: u64,
    taken: Vec<Sent>,
}

/// Says that messages are done with. Clones are handles on the same session.
#[derive(Clone)]
pub struct Done {
    core: Arc<Core>,
    session: Arc<Session>,
}

impl LocalClient {
    /// Opens a lasting session, or goes on with the one that there is. `window` is how many messages of QoS 1 and 2 are
    /// handed out before one of them must be done.
    pub(super) fn open_lasting(
        core: &Arc<Core>,
        id: &str,
        window: usize,
    ) -> Result<(Self, LastingReceiver), LocalError> {
        let client = Self::attach(core, id, Link::Remote, window, None, NEVER)?;
        let (session, connection) = (client.session().clone(), client.connection());
        if core.journal.is_on() {
            session.set_durable();
            core.store_session(&session, NEVER, None);
        }
        let receiver = LastingReceiver {
            core: core.clone(),
            session,
            connection,
            taken: Vec::new(),
        };
        Ok((client, receiver))
    }
}

impl LastingReceiver {
    /// Waits for messages and adds up to `limit` of them to `batch`, each with the number that [`Done`] wants, which is 0 for
    /// QoS 0. False: the session is over, or somebody else has it.
    pub async fn receive(&mut self, batch: &mut Vec<(Received, u16)>, limit: usize) -> bool {
        loop {
            {
                let outbox = self.session.outbox();
                if outbox.kicked.is_some() || outbox.connection != self.connection {
                    return false;
                }
            }
            let mut changes = Vec::new();
            let taken = &mut self.taken;
            let is_idle = self
                .session
                .take(self.connection, taken, &mut changes, limit);
            if !changes.is_empty() {
                self.core.journal.commit(changes, None);
            }
            if !self.taken.is_empty() {
                batch.extend(self.taken.drain(..).filter_map(|sent| match sent {
                    Sent::Publish {
                        delivery,
                        packet_id,
                        ..
                    } => Some((Received::new(delivery), packet_id)),
                    Sent::Release(_) => None,
                }));
                return true;
            }
            if is_idle {
                self.session.woken().await;
            }
        }
    }

    /// What tells that messages are done with.
    pub fn done(&self) -> Done {
        Done {
            core: self.core.clone(),
            session: self.session.clone(),
        }
    }
}

impl Done {
    /// The message with this number need not come again.
    pub fn tell(&self, number: u16) {
        let seq = self.session.outbox().inflight.forget(number);
        if let Some(seq) = seq.filter(|seq| *seq > 0) {
            let change = durable::done(&self.session, seq);
            self.core.journal.commit(vec![change], None);
        }
        // There is room for another one.
        self.session.wake();
    }
}
