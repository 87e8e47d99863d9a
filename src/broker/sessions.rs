//! The sessions by client identifier (section 4.1): who takes over from whom, and how long they live.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{
    BrokerConfig,
    access::{Identity, is_same_client},
    codec::reason,
    memory::Memory,
    outbox::Link,
    session::{Limits, Session},
};

/// A session expiry interval that never ends.
pub(super) const NEVER: u32 = u32::MAX;

struct Known {
    session: Arc<Session>,
    /// When a session that nobody serves ends; none while it is served, or if it never does.
    expires: Option<Instant>,
    /// It ends with the connection that it has now, so no other one may go on with it.
    ends_with_connection: bool,
}

/// What a client wants when it connects.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// No session that was before.
    pub(super) clean: bool,
    /// How many seconds the session is to outlive the connection.
    pub(super) expiry: u32,
}

#[derive(Default)]
struct Table {
    by_id: FxHashMap<Arc<str>, Known>,
    /// The broker stops: no session begins.
    closed: bool,
}

/// What becomes of a session whose connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// It waits for its client.
    Rests,
    /// Another connection has it.
    TakenOver,
    Over,
}

/// All sessions.
pub(super) struct Sessions {
    table: Mutex<Table>,
    limits: Limits,
    max: usize,
    next_key: AtomicU64,
}

/// A session that begins or goes on.
pub(super) struct Opened {
    pub(super) session: Arc<Session>,
    /// Names this connection of it.
    pub(super) connection: u64,
    /// It was there before.
    pub(super) present: bool,
    /// An older session of the client that must end.
    pub(super) replaced: Option<Arc<Session>>,
}

impl Sessions {
    pub(super) fn new(config: &BrokerConfig, memory: &Arc<Memory>) -> Self {
        Self {
            table: Mutex::default(),
            limits: Limits {
                messages: config.offline_messages,
                bytes: config.offline_bytes,
                memory: memory.clone(),
            },
            max: config.max_sessions,
            next_key: AtomicU64::new(1),
        }
    }

    /// Tells the network connection of this client, if there is one, to make room for `identity`; gives it.
    pub(super) fn ask_to_leave(
        &self,
        id: &str,
        identity: &Identity,
    ) -> Option<(Arc<Session>, u64)> {
        let table = self.table.lock();
        let session = &table.by_id.get(id)?.session;
        if session.identity().is_flows() && !identity.is_flows() {
            return None;
        }
        let connection = {
            let outbox = session.outbox();
            (outbox.link == Link::Remote).then_some(outbox.connection)?
        };
        session.kick(reason::TAKEN_OVER);
        Some((session.clone(), connection))
    }

    /// Begins a session or takes an existing one over [MQTT-3.1.4-3]. The error is a reason code. `family` is
    /// the one of a session that belongs to the same client.
    pub(super) fn open(
        &self,
        id: &str,
        start: Start,
        link: Link,
        window: usize,
        family: Option<u64>,
        identity: Identity,
    ) -> Result<Opened, u8> {
        let mut table = self.table.lock();
        if table.closed {
            return Err(reason::SERVER_UNAVAILABLE);
        }
        let now = Instant::now();
        let mut replaced = None;
        if let Some(known) = table.by_id.get_mut(id) {
            // Nobody from outside takes the place of a part of this process.
            if known.session.identity().is_flows() && !identity.is_flows() {
                return Err(reason::CLIENT_ID_NOT_VALID);
            }
            if known.session.is_online() {
                known.session.kick(reason::TAKEN_OVER);
            }
            // The client may be back before its lost connection is seen to be gone [MQTT-3.1.2-6 of 3.1.1, MQTT-4.1.0-2 of 5].
            let is_over =
                known.ends_with_connection || known.expires.is_some_and(|expires| expires <= now);
            // A session is its user's, whoever else knows the client's identifier.
            let is_own = is_same_client(&known.session.identity(), &identity);
            if !start.clean && !is_over && is_own {
                known.session.set_identity(identity);
                known.expires = None;
                known.ends_with_connection = start.expiry == 0;
                let connection = known.session.attach(link, window);
                return Ok(Opened {
                    session: known.session.clone(),
                    connection,
                    present: true,
                    replaced: None,
                });
            }
            replaced = table.by_id.remove(id).map(|known| known.session);
        }
        if table.by_id.len() >= self.max {
            return Err(reason::QUOTA_EXCEEDED);
        }
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(
            id.into(),
            key,
            family.unwrap_or(key),
            self.limits.clone(),
            identity,
        ));
        let connection = session.attach(link, window);
        let known = Known {
            session: session.clone(),
            expires: None,
            ends_with_connection: start.expiry == 0,
        };
        table.by_id.insert(session.id().clone(), known);
        Ok(Opened {
            session,
            connection,
            present: false,
            replaced,
        })
    }

    /// The connection is over; if the session is, too, its subscriptions must go. `expiry` is in seconds.
    pub(super) fn close(&self, session: &Arc<Session>, connection: u64, expiry: u32) -> Closed {
        let mut table = self.table.lock();
        if !session.detach(connection) {
            return Closed::TakenOver;
        }
        let Some(known) = table
            .by_id
            .get_mut(&**session.id())
            .filter(|known| known.session.key() == session.key())
        else {
            // A new session of the same client has replaced it.
            return Closed::Over;
        };
        if expiry == 0 {
            table.by_id.remove(&**session.id());
            return Closed::Over;
        }
        known.ends_with_connection = false;
        known.expires = match expiry {
            NEVER => None,
            seconds => Instant::now().checked_add(Duration::from_secs(seconds.into())),
        };
        Closed::Rests
    }

    /// Takes out the sessions whose time is over.
    pub(super) fn take_expired(&self) -> Vec<Arc<Session>> {
        let now = Instant::now();
        let mut expired = Vec::new();
        self.table.lock().by_id.retain(|_, known| {
            let is_over = known.expires.is_some_and(|expires| expires <= now);
            if is_over {
                expired.push(known.session.clone());
            }
            !is_over
        });
        expired
    }

    /// Takes in a session that was stored; `expires` is when it ends.
    pub(super) fn restore(
        &self,
        id: &str,
        number: u64,
        identity: Identity,
        expires: Option<Instant>,
    ) -> Arc<Session> {
        self.next_key.fetch_max(number + 1, Ordering::Relaxed);
        let limits = self.limits.clone();
        let session = Arc::new(Session::new(id.into(), number, number, limits, identity));
        let known = Known {
            session: session.clone(),
            expires,
            ends_with_connection: false,
        };
        self.table.lock().by_id.insert(session.id().clone(), known);
        session
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        let table = self.table.lock();
        let known = table.by_id.values();
        known.map(|known| known.session.clone()).collect()
    }

    /// The session of a client.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Session>> {
        let table = self.table.lock();
        table.by_id.get(id).map(|known| known.session.clone())
    }

    /// Takes a session out.
    pub(super) fn forget(&self, session: &Session) {
        let mut table = self.table.lock();
        let known = table.by_id.get(&**session.id());
        if known.is_some_and(|known| known.session.key() == session.key()) {
            table.by_id.remove(&**session.id());
        }
    }

    /// Ends every connection; no session begins any more.
    pub(super) fn close_all(&self) {
        let mut table = self.table.lock();
        table.closed = true;
        for known in table.by_id.values() {
            known.session.kick(reason::SHUTTING_DOWN);
        }
    }

    /// Connected clients, and sessions in all.
    pub(super) fn count(&self) -> (usize, usize) {
        let table = self.table.lock();
        let online = table
            .by_id
            .values()
            .filter(|known| known.session.is_online())
            .count();
        (online, table.by_id.len())
    }
}
