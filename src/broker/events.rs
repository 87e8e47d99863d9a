//! What happens to clients, told to those who want to hear it. It costs nothing as long as nobody does.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{
    Broker,
    codec::{Connect, Qos, Version},
    core::Core,
    session::Session,
    stream::Peer,
};

/// Events that may wait for one hearer; the oldest of more are lost to it, which it is told.
const WAITING: usize = 1024;

/// Something that has happened to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEvent {
    pub client: ClientSeen,
    pub what: Happening,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Connected,
    /// The connection is over, however that came.
    Disconnected,
    /// The connection is about to end because the client has broken the protocol: how.
    Failed(String),
    /// The connection is about to end because nothing was heard for too long.
    Silent,
    /// It was not let in: the reason code.
    Refused(u8),
    Subscribed {
        filter: String,
        qos: Qos,
    },
    Unsubscribed {
        filter: String,
    },
}

/// A client as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSeen {
    pub id: String,
    /// The user's name; none for clients without one.
    pub user: Option<String>,
    /// Where it comes from; none for flows in this process.
    pub peer: Option<Peer>,
    /// The level of the protocol: 3 (MQTT 3.1), 4 (3.1.1) or 5; none for flows in this process, and where it is not known.
    pub version: Option<u8>,
}

/// Whom events go to.
pub(super) struct Events(broadcast::Sender<ClientEvent>);

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }

    pub(super) fn hear(&self) -> broadcast::Receiver<ClientEvent> {
        self.0.subscribe()
    }

    fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

impl ClientSeen {
    pub(super) fn of(session: &Session) -> Self {
        let about = session.about();
        Self {
            id: session.id().to_string(),
            user: session.identity().user().map(|name| name.to_string()),
            peer: about.map(|about| about.peer),
            version: about.map(|about| level(about.version)),
        }
    }
}

fn level(version: Version) -> u8 {
    match version {
        Version::V31 => 3,
        Version::V311 => 4,
        Version::V5 => 5,
    }
}

impl Core {
    /// Tells what happens to the client of a session.
    pub(super) fn tell(&self, session: &Arc<Session>, what: impl FnOnce() -> Happening) {
        if self.events.is_heard() {
            let client = ClientSeen::of(session);
            // Nobody hears it any more: that is no fault.
            let _ = self.events.0.send(ClientEvent {
                client,
                what: what(),
            });
        }
    }

    /// Tells that a client is not let in.
    pub(super) fn tell_refused(&self, connect: &Connect, peer: Peer, reason: u8) {
        if self.events.is_heard() {
            let client = ClientSeen {
                id: connect.client_id.clone(),
                user: connect.user.clone(),
                peer: Some(peer),
                version: Some(level(connect.version)),
            };
            let what = Happening::Refused(reason);
            let _ = self.events.0.send(ClientEvent { client, what });
        }
    }
}

impl Broker {
    /// Hears from now on what happens to clients that come over the network.
    pub fn hear_clients(&self) -> broadcast::Receiver<ClientEvent> {
        self.core.events.hear()
    }

    /// How many of them are connected.
    pub fn connected(&self) -> usize {
        let sessions = self.core.sessions.all().into_iter();
        let is_client =
            |session: &Arc<Session>| session.is_online() && !session.identity().is_flows();
        sessions.filter(is_client).count()
    }
}
