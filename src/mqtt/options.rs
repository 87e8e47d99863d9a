//! How to connect, and what to publish on the way.

use super::Publication;
use crate::tls::ClientTls;

/// The version of MQTT to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// 3.1.1; also what a configuration for 3.1 gets.
    #[default]
    V4,
    V5,
}

/// How the bytes travel.
#[derive(Clone, Debug, Default)]
pub enum Transport {
    #[default]
    Plain,
    Tls(ClientTls),
    /// To this address, beginning with `ws://` or `wss://`; the latter with these settings.
    WebSocket(String, Option<ClientTls>),
}

/// User name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What the broker publishes when the connection is lost.
#[derive(Clone, Debug)]
pub struct Will {
    pub publication: Publication,
    /// MQTT 5: seconds that the broker waits for the client to come back.
    pub delay: Option<u32>,
}

/// Everything about a connection.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The built-in broker, without the network: `host` and `port` do not count.
    pub builtin: bool,
    pub host: String,
    pub port: u16,
    pub transport: Transport,
    pub protocol: Protocol,
    pub client_id: String,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
    pub clean: bool,
    /// MQTT 5: seconds that the session outlives the connection.
    pub session_expiry: Option<u32>,
    /// MQTT 5, in order.
    pub user_properties: Vec<(String, String)>,
    pub login: Option<Login>,
    /// Connect when the first node needs it.
    pub auto_connect: bool,
    /// Unsubscribe before disconnecting from a session that lasts.
    pub auto_unsubscribe: bool,
    pub birth: Option<Publication>,
    pub close: Option<Publication>,
    pub will: Option<Will>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            builtin: false,
            host: "localhost".into(),
            port: 1883,
            transport: Transport::Plain,
            protocol: Protocol::V4,
            client_id: String::new(),
            keep_alive: 60,
            clean: true,
            session_expiry: None,
            user_properties: Vec::new(),
            login: None,
            auto_connect: true,
            auto_unsubscribe: true,
            birth: None,
            close: None,
            will: None,
        }
    }
}

impl ConnectOptions {
    /// How people call the broker: `mqtt://host:port`, as Node-RED's logs do.
    pub fn address(&self) -> String {
        let scheme = match &self.transport {
            Transport::Plain => "mqtt",
            Transport::Tls(_) => "mqtts",
            Transport::WebSocket(url, _) => return url.clone(),
        };
        format!("{scheme}://{}:{}", self.host_part(), self.port)
    }

    /// What rumqttc connects to: a host, or a WebSocket's address.
    pub(super) fn place(&self) -> String {
        match &self.transport {
            Transport::WebSocket(url, _) => url.clone(),
            Transport::Plain | Transport::Tls(_) => self.host_part(),
        }
    }

    /// The host as it stands before a port: an IPv6 address in brackets.
    pub(super) fn host_part(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host.trim_matches(['[', ']']))
        } else {
            self.host.clone()
        }
    }
}
