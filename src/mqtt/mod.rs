//! The client side of MQTT that nodes use: one [`MqttConnection`] for each broker configuration, to the built-in broker
//! without a socket or to another one over the network. Knows nothing of flows.

mod address;
mod bridge;
mod connection;
mod driver;
mod inbox;
mod local;
mod options;
mod publication;
mod remote;
mod session;
mod subscription;

use std::{
    net::IpAddr,
    sync::{
        Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

pub use crate::broker::{
    Broker, Qos, SubscribeOptions, is_filter as valid_filter, is_topic as valid_topic, matches,
};
pub use address::{Address, AddressError, Way};
pub use bridge::{
    Bridge, BridgeConfig, BridgeError, BridgeInfo, BridgeTls, BridgeTopic, Bridges, Direction,
};
pub use connection::{ConnectionState, MqttConnection, Phase, PublishFailure, Published, User};
pub use options::{ConnectOptions, Login, Protocol, Transport, Will};
pub use publication::{Publication, PublishProperties};
pub use subscription::{Filters, Incoming, Subscription};

/// The service that nodes get: makes connections, and knows the built-in broker if there is one.
#[derive(Default)]
pub struct Mqtt {
    broker: Option<Broker>,
    tasks: TaskTracker,
    /// What nodes share that name no broker.
    unnamed: Mutex<Weak<connection::Handle>>,
    next_client: AtomicU64,
}

impl Mqtt {
    /// With the built-in broker, or without one.
    pub fn new(broker: Option<Broker>) -> Self {
        Self {
            broker,
            ..Self::default()
        }
    }

    /// The built-in broker.
    pub fn builtin(&self) -> Option<&Broker> {
        self.broker.as_ref()
    }

    /// Whether there is a built-in broker.
    pub fn has_builtin(&self) -> bool {
        self.broker.is_some()
    }

    /// A connection of its own. It ends when the last handle is gone.
    pub fn connection(&self, options: ConnectOptions, reconnect: Duration) -> MqttConnection {
        let (connection, driver) = driver::new(options, reconnect, self.broker.clone());
        self.tasks.spawn(driver.run());
        connection
    }

    /// The connection to the built-in broker that nodes share which name no broker; none without that broker.
    pub fn unnamed(&self, reconnect: Duration) -> Option<MqttConnection> {
        self.broker.as_ref()?;
        let mut unnamed = self.unnamed.lock();
        if let Some(connection) = MqttConnection::upgrade(&unnamed) {
            return Some(connection);
        }
        let options = ConnectOptions {
            builtin: true,
            client_id: self.new_client_id(),
            ..ConnectOptions::default()
        };
        let connection = self.connection(options, reconnect);
        *unnamed = connection.downgrade();
        Some(connection)
    }

    /// Whether this address is the built-in broker's own.
    pub fn is_builtin(&self, host: &str, port: u16) -> bool {
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let listens = |broker: &Broker| {
            let mut addresses = broker.listeners().into_iter();
            addresses.any(|(_, address)| address.is_some_and(|own| own.port() == port))
        };
        loopback && self.broker.as_ref().is_some_and(listens)
    }

    /// A client id that nobody else has.
    pub fn new_client_id(&self) -> String {
        let number = self.next_client.fetch_add(1, Ordering::Relaxed);
        let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
        format!("nodered_{random:016x}_{number}")
    }
}
