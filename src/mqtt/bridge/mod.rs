//! Bridges: topics of the built-in broker that are also topics of another one (Mosquitto's `connection`).
//!
//! A bridge is a client of both. Here its session stays while the other broker is away, so that what waits for it does, too,
//! over a restart as well; there it uses the connection that nodes use. What crosses is acknowledged on the side that it came
//! from once the other side has it.

mod echoes;
mod run;
mod set;
mod topics;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Address, AddressError, ConnectOptions, Login, Mqtt, MqttConnection, Phase, Protocol,
    Publication, Qos, Will, valid_topic,
};
use crate::{
    broker::Broker,
    tls::{ClientTls, TlsSettings},
};

pub use set::Bridges;
pub use topics::{BridgeTopic, Direction};

/// How long before a lost connection is tried again.
const RECONNECT: Duration = Duration::from_secs(5);
/// What the client identifiers of bridges begin with here.
const SESSION: &str = "bridge/";

/// How a bridge is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgeConfig {
    /// Names it, and its session.
    pub name: String,
    /// The other broker, such as `mqtts://broker.example.com`.
    pub address: String,
    pub protocol: Protocol,
    /// There; the name's if it is missing.
    pub client_id: Option<String>,
    pub login: Option<Login>,
    /// Seconds.
    pub keep_alive: u16,
    /// Whether the other broker forgets the bridge while it is away.
    pub clean: bool,
    pub tls: BridgeTls,
    pub topics: Vec<BridgeTopic>,
    /// A topic of the other broker that tells whether the bridge is there: "1" or "0", retained.
    pub notification_topic: Option<String>,
}

/// The files that encryption needs, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeTls {
    /// Whose certificates count; nothing: the authorities of this machine.
    pub authority: Option<PathBuf>,
    /// The bridge's own certificate and its key.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// The name in the other broker's certificate, if not that in the address.
    pub server_name: Option<String>,
    /// Any certificate will do.
    pub insecure: bool,
}

/// Why there can't be a bridge: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("The bridge \"{name}\" can't be built: {reason}")]
pub struct BridgeError {
    name: String,
    reason: String,
}

/// How a bridge does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BridgeInfo {
    pub name: String,
    pub address: String,
    pub connected: bool,
    /// Why it is not.
    pub error: Option<String>,
    /// Messages that went out and came in since the start.
    pub sent: u64,
    pub received: u64,
    /// Messages that are still to go out.
    pub waiting: usize,
    /// Messages that one side did not take.
    pub refused: u64,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    refused: AtomicU64,
}

/// A bridge that runs. Dropping it ends it; what waits stays.
pub struct Bridge {
    config: BridgeConfig,
    connection: MqttConnection,
    broker: Broker,
    counts: Arc<Counts>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl BridgeConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// A sentence's end.
    pub fn check(&self) -> Result<(), String> {
        self.address_parts()?;
        if self.topics.is_empty() {
            return Err("it has no topics, so nothing would cross".into());
        }
        if let Some(fault) = self.topics.iter().find_map(BridgeTopic::fault) {
            return Err(fault);
        }
        match &self.notification_topic {
            Some(topic) if !valid_topic(topic) => {
                Err(format!("\"{topic}\" is no topic that can be published to"))
            }
            _ => Ok(()),
        }
    }

    fn address_parts(&self) -> Result<Address, String> {
        let has_tls = self.tls != BridgeTls::default();
        let (server, port) = match self.address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && !self.address.contains("://") => {
                (host, port.parse().ok())
            }
            _ => (&*self.address, Some(if has_tls { 8883 } else { 1883 })),
        };
        Address::read(server, port, has_tls).map_err(|error| match error {
            AddressError::Port => format!("\"{}\" is no address of a broker", self.address),
            AddressError::Scheme(scheme) => format!(
                "\"{scheme}://\" leads to no broker; write mqtt://, mqtts://, ws:// or wss://"
            ),
        })
    }

    fn options(&self) -> Result<ConnectOptions, String> {
        let address = self.address_parts()?;
        let read = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        let tls = ClientTls::new(&TlsSettings {
            authorities: read(&self.tls.authority)?,
            certificate: read(&self.tls.certificate)?,
            key: read(&self.tls.key)?,
            server_name: self.tls.server_name.clone(),
            trusts_anybody: self.tls.insecure,
            ..TlsSettings::default()
        });
        let transport = address.transport(Some(&tls.map_err(|error| error.to_string())))?;
        let state = |text: &'static str| {
            self.notification_topic.as_ref().map(|topic| Publication {
                topic: topic.as_str().into(),
                payload: Bytes::from_static(text.as_bytes()),
                qos: Qos::AtLeastOnce,
                retain: true,
                properties: None,
            })
        };
        let client_id = self.client_id.clone();
        Ok(ConnectOptions {
            host: address.host,
            port: address.port,
            transport,
            protocol: self.protocol,
            client_id: client_id.unwrap_or_else(|| format!("flowrill-{}", self.name)),
            keep_alive: self.keep_alive,
            clean: self.clean,
            session_expiry: (!self.clean).then_some(u32::MAX),
            login: self.login.clone().or(address.login),
            auto_unsubscribe: false,
            birth: state("1"),
            close: state("0"),
            will: state("0").map(|publication| Will {
                publication,
                delay: None,
            }),
            ..ConnectOptions::default()
        })
    }

    /// How to connect to the other broker. Reads the files.
    ///
    /// # Errors
    /// The configuration can't be used.
    fn connect_options(&self) -> Result<ConnectOptions, BridgeError> {
        let options = self.check().and_then(|()| self.options());
        options.map_err(|reason| BridgeError {
            name: self.name.clone(),
            reason,
        })
    }

    /// The client identifier here.
    fn session(&self) -> String {
        format!("{SESSION}{}", self.name)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path)
        .map_err(|error| format!("the file {} can't be read: {error}", path.display()))
}

impl Bridge {
    /// Starts a bridge. It connects, and tries again whenever the connection is lost.
    ///
    /// # Errors
    /// The configuration can't be used.
    pub fn start(config: BridgeConfig, mqtt: &Mqtt, broker: &Broker) -> Result<Self, BridgeError> {
        let connection = mqtt.connection(config.connect_options()?, RECONNECT);
        let bridge = Self {
            connection: connection.clone(),
            broker: broker.clone(),
            counts: Arc::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
        };
        let runner = run::Runner::new(
            bridge.config.clone(),
            connection,
            broker.clone(),
            bridge.counts.clone(),
        );
        bridge.tasks.spawn(runner.run(bridge.stop.clone()));
        bridge.tasks.close();
        Ok(bridge)
    }

    /// How it was set up.
    pub fn config(&self) -> &BridgeConfig {
        &self.config
    }

    /// How it does.
    pub fn info(&self) -> BridgeInfo {
        let state = self.connection.state().borrow().clone();
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        BridgeInfo {
            name: self.config.name.clone(),
            address: self.connection.options().address(),
            connected: state.phase == Phase::Connected,
            error: state.error.map(|error| error.to_string()),
            sent: count(&self.counts.sent),
            received: count(&self.counts.received),
            waiting: self.broker.waiting_for(&self.config.session()),
            refused: count(&self.counts.refused),
        }
    }

    /// Ends it in good order; what waits stays for the next one of its name.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// Ends the sessions of bridges that are not among these.
    fn forget_others(broker: &Broker, bridges: &[Arc<Self>]) {
        broker.forget_lasting(|id| {
            !id.starts_with(SESSION) || bridges.iter().any(|one| one.config.session() == id)
        });
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
