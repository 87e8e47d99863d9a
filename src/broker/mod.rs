//! The built-in MQTT broker: MQTT 3.1, 3.1.1 and 5 on one TCP port, and clients in this process.
//!
//! The way of a message: `connection` reads bytes, `codec` makes a packet of them, `client` a publication, `bus` carries
//! it through the router of rumqttd, `core` hands it to each subscriber's `session`, whose `connection` writes it out.
//! It knows nothing of flows and nodes. Every queue has a limit. The dispatcher never waits for a receiver; who publishes
//! faster than a receiver takes is held back for moments, as long as that helps.

mod bus;
mod client;
mod codec;
mod connection;
mod core;
mod handshake;
mod inflight;
mod listener;
mod local;
mod memory;
mod message;
mod recent;
mod retained;
mod session;
mod sessions;
mod subscriptions;
mod topics;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::net::TcpListener;

use self::core::Core;

pub use codec::Qos;
pub use local::{LocalClient, LocalError, LocalReceiver, Received, SubscribeOptions};
pub use message::{PublishProperties, Taken};
pub use recent::TopicSeen;
pub use topics::{is_filter, is_topic, matches};

/// How often sessions and retained messages are looked through for those whose time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(10);
/// How long stopping may take.
const STOP: Duration = Duration::from_millis(1500);

/// How a broker is set up.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The largest packet, in either direction.
    pub max_packet_size: usize,
    /// Network connections at the same time.
    pub max_connections: usize,
    /// Sessions, those that nobody is connected to included.
    pub max_sessions: usize,
    /// Subscriptions of one session.
    pub max_subscriptions: usize,
    /// Messages of QoS 1 and 2 that a client may have unacknowledged.
    pub max_inflight: usize,
    /// What is kept for a session that nobody is connected to.
    pub offline_messages: usize,
    pub offline_bytes: usize,
    /// What all messages that wait may hold together. Above it only receivers that keep up get more.
    pub max_memory: usize,
    pub max_retained: usize,
    pub max_retained_bytes: usize,
    /// How long a connection may take to send its CONNECT.
    pub connect_timeout: Duration,
    /// Names and passwords of those who may connect; empty: everybody may.
    pub users: BTreeMap<String, String>,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 1883).into(),
            max_packet_size: 1 << 20,
            max_connections: 10_000,
            max_sessions: 20_000,
            max_subscriptions: 10_000,
            max_inflight: 128,
            offline_messages: 1000,
            offline_bytes: 8 << 20,
            max_memory: 256 << 20,
            max_retained: 100_000,
            max_retained_bytes: 64 << 20,
            connect_timeout: Duration::from_secs(5),
            users: BTreeMap::new(),
        }
    }
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("{0} is in use by another program")]
    AddressInUse(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("{0}")]
    Bus(String),
}

/// Counts of one moment, and since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

/// A running broker. Clones are handles on the same one.
#[derive(Clone)]
pub struct Broker {
    core: Arc<Core>,
    address: SocketAddr,
}

impl Broker {
    /// Listens and serves until [`Broker::stop`].
    ///
    /// # Errors
    /// The address is in use or cannot be listened on, or the bus does not start.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        let wanted = config.listen;
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|error| listen_error(wanted, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| listen_error(wanted, error))?;
        let core = Core::start(config).map_err(|error| BrokerError::Bus(error.to_string()))?;
        if !address.ip().is_loopback() && core.config.users.is_empty() {
            tracing::warn!(
                "The broker listens on {address}: everybody on this network can publish and subscribe there"
            );
        }
        core.tasks.spawn(listener::accept(core.clone(), listener));
        core.tasks.spawn(expire(core.clone()));
        Ok(Self { core, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The topics that were published to lately (at most 500), the latest first.
    pub fn recent_topics(&self) -> Vec<TopicSeen> {
        self.core.recent.lock().list()
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
    }
}

fn listen_error(address: SocketAddr, error: io::Error) -> BrokerError {
    match error.kind() {
        io::ErrorKind::AddrInUse => BrokerError::AddressInUse(address),
        _ => BrokerError::Listen(address, error),
    }
}

async fn expire(core: Arc<Core>) {
    let mut clock = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            () = core.shutdown.cancelled() => return,
            _ = clock.tick() => core.expire(),
        }
    }
}
