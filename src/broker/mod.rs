//! The built-in MQTT broker: MQTT 3.1, 3.1.1 and 5 on one TCP port, and clients in this process.
//!
//! The way of a message: `connection` reads bytes, `codec` makes a packet of them, `client` a publication, `bus` carries
//! it through the router of rumqttd, `core` hands it to each subscriber's `session`, whose `connection` writes it out.
//! It knows nothing of flows and nodes. Every queue has a limit. The dispatcher never waits for a receiver; who publishes
//! faster than a receiver takes is held back for moments, as long as that helps.

mod access;
mod aliases;
mod begun;
mod bus;
mod client;
mod codec;
mod connection;
mod core;
mod counters;
mod durable;
mod ending;
mod events;
mod fan_out;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod inflight;
mod inspect;
mod journal;
mod kept;
mod lasting;
mod lent;
mod limits;
mod listeners;
mod local;
mod memory;
mod message;
mod observed;
mod outbox;
mod pace;
mod publishing;
mod restore;
mod retained;
mod session;
mod sessions;
mod speed;
mod stream;
mod subscribing;
mod subscriptions;
mod sys;
mod thread;
mod topics;
mod visitors;
mod wills;

#[cfg(test)]
mod tests;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream as Frames};
use serde::Serialize;
use tokio::time::Instant;

use crate::store::{BrokerStore, StoredRecord};

use self::{
    core::Core,
    stream::{Entry, Socket, Stream},
};

pub use access::{
    AccessConfig, AccessFile, AccessFileError, Action, LentUser, NAMELESS, Rule, User,
    hash_password, is_hash,
};
pub use codec::Qos;
pub use events::{ClientEvent, ClientSeen, Happening};
pub use inspect::{ClientInfo, RetainedInfo};
pub use journal::Persistence;
pub use lasting::{Done, LastingReceiver};
pub use limits::Exceeded;
pub use listeners::{
    At, BoundListeners, CertificateName, LentListener, ListenError, ListenerConfig, TlsConfig,
};
pub use local::{LocalClient, LocalError, LocalReceiver, Received, SubscribeOptions};
pub use message::{PublishProperties, Taken};
pub use observed::{Branch, Child, TopicSeen, Value};
pub use stream::Peer;
pub use topics::{is_filter, is_topic, matches};

/// Anybody on the network.
const STRANGER: Peer = Peer::Network(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1));
/// How long stopping may take.
const STOP: Duration = Duration::from_millis(1500);

/// How a broker is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerConfig {
    /// Where it listens at first; [`Broker::set_listeners`] changes that.
    pub listeners: Vec<ListenerConfig>,
    /// The largest packet, in either direction.
    pub max_packet_size: usize,
    /// Network connections at the same time.
    pub max_connections: usize,
    /// Those of one network address, which programs on this machine are not counted by; 0: as many as in all.
    pub max_connections_per_address: usize,
    /// Those of one user; 0: as many as in all.
    pub max_connections_per_user: usize,
    /// Connections that an address may open a second, ten seconds' worth of them at once; 0: any number.
    pub max_connect_rate: u32,
    /// Wrong passwords that may come from an address a minute; 0: any number. Above it passwords that were not right of late
    /// are not looked at.
    pub max_failed_logins: u32,
    /// Messages, and bytes of any kind, that a client may send a second; 0: any number. It is listened to again once that is
    /// no longer too much.
    pub max_message_rate: u32,
    pub max_byte_rate: u32,
    /// Sessions, those that nobody is connected to included.
    pub max_sessions: usize,
    /// Subscriptions of one session.
    pub max_subscriptions: usize,
    /// Messages of QoS 1 and 2 that may be unacknowledged, in each direction.
    pub max_inflight: usize,
    /// Seconds that a client may want to be silent for; 0: as long as it likes. Older clients that want more are refused, those
    /// of MQTT 5 are told.
    pub max_keep_alive: u16,
    /// What is kept for a session that nobody is connected to.
    pub offline_messages: usize,
    pub offline_bytes: usize,
    /// What all messages that wait may hold together. Above it only receivers that keep up get more.
    pub max_memory: usize,
    pub max_retained: usize,
    pub max_retained_bytes: usize,
    /// How careful it is with what it keeps on the disk, if it has a store.
    pub persistence: Persistence,
    /// How long a connection may take to send its CONNECT.
    pub connect_timeout: Duration,
    /// Who may connect and do what at first; [`Broker::set_access`] changes that.
    pub access: AccessConfig,
    /// Clients without a name may come in from the network, too, as long as there are no users (`--auth none`).
    pub open_to_all: bool,
}

impl BrokerConfig {
    /// The addresses that it listens at, as they were asked for.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| match listener.at {
                At::Tcp(address) => Some(address),
                At::Unix(_) => None,
            })
    }
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            max_packet_size: 8 << 20,
            max_connections: 10_000,
            max_connections_per_address: 1000,
            max_connections_per_user: 0,
            max_connect_rate: 100,
            max_failed_logins: 30,
            max_message_rate: 0,
            max_byte_rate: 0,
            max_sessions: 20_000,
            max_subscriptions: 10_000,
            max_inflight: 128,
            max_keep_alive: 0,
            offline_messages: 1000,
            offline_bytes: 8 << 20,
            max_memory: 256 << 20,
            max_retained: 100_000,
            max_retained_bytes: 64 << 20,
            persistence: Persistence::default(),
            connect_timeout: Duration::from_secs(5),
            access: AccessConfig::default(),
            open_to_all: false,
        }
    }
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("{0}")]
    Bus(String),
}

/// Counts of one moment, and since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BrokerStats {
    pub clients: usize,
    pub sessions: usize,
    pub subscriptions: usize,
    pub retained: usize,
    /// Messages that were published.
    pub received: u64,
    /// Messages for subscribers.
    pub delivered: u64,
    /// Messages that a subscriber did not take in time.
    pub dropped: u64,
    /// How often each limit was run into.
    pub exceeded: Exceeded,
}

/// A running broker. Clones are handles on the same one.
#[derive(Clone)]
pub struct Broker {
    core: Arc<Core>,
}

impl Broker {
    /// Listens and serves as [`Broker::open`] does, with nothing that outlives it.
    ///
    /// # Errors
    /// There can't be one of the listeners, or the bus does not start.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        let bound = BoundListeners::bind(config.listeners.clone())?;
        Self::open(config, bound, None)
    }

    /// Serves at these places until [`Broker::stop`]. Goes on with what the store holds, and keeps there what is to be kept.
    ///
    /// # Errors
    /// The bus does not start.
    pub fn open(
        config: BrokerConfig,
        bound: BoundListeners,
        store: Option<(BrokerStore, Vec<StoredRecord>)>,
    ) -> Result<Self, BrokerError> {
        let core =
            Core::start(config, store).map_err(|error| BrokerError::Bus(error.to_string()))?;
        let broker = Self { core };
        broker.core.listeners.begin(&broker.core, bound);
        broker.warn_of_strangers();
        broker.core.spawn(keep_house(broker.core.clone()));
        Ok(broker)
    }

    /// Makes these listeners the ones there are, all or none of them. Connections that are open stay open.
    ///
    /// # Errors
    /// The first one that can't be; everything is as before then.
    pub fn set_listeners(&self, listeners: Vec<ListenerConfig>) -> Result<(), ListenError> {
        self.core.listeners.set(&self.core, listeners)?;
        self.warn_of_strangers();
        Ok(())
    }

    /// Says where everybody can come in.
    fn warn_of_strangers(&self) {
        for (listener, address) in self.core.listeners.list() {
            let Some(address) = address.filter(|address| !address.ip().is_loopback()) else {
                continue;
            };
            if self.core.lets_in_anonymous(STRANGER, listener.anonymous) {
                tracing::warn!(
                    "The broker listens on {address}: everybody on this network can publish and subscribe there{}",
                    if listener.tls.is_some() {
                        ", encrypted"
                    } else {
                        ""
                    }
                );
            }
        }
    }

    /// Who may connect and do what from now on. It holds for open connections, waiting messages and retained ones, too; a
    /// client whose user or password is no longer there is cut off.
    pub fn set_access(&self, access: AccessConfig) {
        self.core.access.set(access);
        self.core.apply_access();
    }

    /// Who may connect and do what.
    pub fn access(&self) -> Arc<AccessConfig> {
        self.core.access.config()
    }

    /// What it listens at, and the addresses that these have in fact.
    pub fn listeners(&self) -> Vec<(ListenerConfig, Option<SocketAddr>)> {
        self.core.listeners.list()
    }

    /// How it was set up; listeners and access may have changed since.
    pub fn config(&self) -> &BrokerConfig {
        &self.core.config
    }

    /// The address of its first listener that has one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners()
            .into_iter()
            .find_map(|(_, address)| address)
    }

    /// Serves a client whose WebSocket somebody else has opened; `frames` are the contents of its binary frames. Ends with
    /// the connection.
    pub async fn serve_websocket(
        &self,
        sink: impl Sink<Bytes, Error = io::Error> + Send + Unpin + 'static,
        frames: impl Frames<Item = io::Result<Bytes>> + Send + Unpin + 'static,
        address: SocketAddr,
    ) {
        self.serve(listeners::socket_of(sink, frames), Peer::Network(address))
            .await;
    }

    /// Serves a client until its connection ends.
    async fn serve(&self, socket: Box<dyn Socket>, peer: Peer) {
        let core = &self.core;
        let stream = Stream::Other(socket);
        let input = BytesMut::new();
        let entry = Entry {
            peer,
            anonymous: None,
            name: None,
        };
        match core.enter(peer) {
            Ok(_place) => {
                let deadline = Instant::now() + core.config.connect_timeout;
                connection::serve(core, stream, input, entry, deadline).await;
            }
            Err(Some(refusal)) => refusal.tell(core, stream, input).await,
            Err(None) => {}
        }
    }

    /// Counts of this moment.
    pub fn stats(&self) -> BrokerStats {
        self.core.stats()
    }

    /// A client in this process, with a clean session. Another client of this name is cut off, as over the network.
    ///
    /// # Errors
    /// The broker stops, or has too many sessions.
    pub fn connect_local(
        &self,
        client_id: &str,
    ) -> Result<(LocalClient, LocalReceiver), LocalError> {
        LocalClient::open(&self.core, client_id, None)
    }

    /// Names this run of the broker.
    pub fn instance(&self) -> String {
        format!("{:016x}", self.core.instance)
    }

    /// A client in this process with a session that stays when it leaves. Another client of this name is cut off. `window` is
    /// how many messages of QoS 1 and 2 it gets before it must be done with one of them.
    ///
    /// # Errors
    /// The broker stops, or has too many sessions.
    pub fn connect_lasting(
        &self,
        client_id: &str,
        window: usize,
    ) -> Result<(LocalClient, LastingReceiver), LocalError> {
        LocalClient::open_lasting(&self.core, client_id, window)
    }

    /// How many messages wait for a client, those included that it has and has not acknowledged.
    pub fn waiting_for(&self, client_id: &str) -> usize {
        self.core.sessions.get(client_id).map_or(0, |session| {
            let outbox = session.outbox();
            outbox.queue.len() + outbox.inflight.count()
        })
    }

    /// Ends the sessions of clients in this process that nobody is connected to, and that are not wanted any more.
    pub fn forget_lasting(&self, is_wanted: impl Fn(&str) -> bool) {
        for session in self.core.sessions.all() {
            let is_left = session.identity().is_flows() && !session.is_online();
            if is_left && !is_wanted(session.id()) {
                self.core.sessions.forget(&session);
                self.core.end(&session);
            }
        }
    }

    /// Publishes below `$SYS/broker/`, retained. Only what it has to say of itself.
    pub(crate) async fn tell_system(&self, name: &str, value: &str) {
        self.core.publish_system(name, value).await;
    }

    /// Says goodbye to all clients and ends, within two seconds.
    pub async fn stop(&self) {
        self.core.sessions.close_all();
        self.core.shutdown.cancel();
        self.core.tasks.close();
        if tokio::time::timeout(STOP, self.core.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("Some clients of the broker did not end in time");
        }
        self.core.journal.finish().await;
    }
}

/// Every few seconds: looks for sessions and retained messages whose time is over, and at the counts.
async fn keep_house(core: Arc<Core>) {
    let mut clock = tokio::time::interval(sys::INTERVAL);
    loop {
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            _ = clock.tick() => {}
        }
        core.expire();
        core.measure_speeds();
        core.visitors.forget();
        core.tell_of_itself().await;
    }
}
