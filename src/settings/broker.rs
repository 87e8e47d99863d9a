//! The table `[broker]`: the built-in broker's limits, and its listeners besides that of `mqtt`.

use std::{collections::BTreeMap, num::NonZeroU16, path::PathBuf, time::Duration};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeString, DeValue, ValueDeserializer},
};

use super::{SettingsError, bridge::Bridge, file::Source};
use crate::{
    broker::{
        AccessConfig, At, BrokerConfig, CertificateName, ListenerConfig, Persistence, Rule,
        TlsConfig, User,
    },
    mqtt::BridgeConfig,
};

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    max_connections: Option<usize>,
    max_connections_per_address: Option<usize>,
    max_connections_per_user: Option<usize>,
    max_connect_rate: Option<u32>,
    max_failed_logins: Option<u32>,
    max_message_rate: Option<u32>,
    max_byte_rate: Option<u32>,
    max_sessions: Option<usize>,
    max_subscriptions: Option<usize>,
    max_inflight: Option<NonZeroU16>,
    /// Seconds.
    max_keep_alive: Option<u16>,
    max_packet_size: Option<u32>,
    max_memory: Option<usize>,
    max_retained: Option<usize>,
    max_retained_bytes: Option<usize>,
    offline_messages: Option<usize>,
    offline_bytes: Option<usize>,
    persistence: Option<Persistence>,
    /// Seconds.
    connect_timeout: Option<f64>,
    #[serde(default)]
    users: BTreeMap<String, User>,
    #[serde(default)]
    roles: BTreeMap<String, Vec<Rule>>,
    #[serde(default)]
    everybody: Vec<Rule>,
    #[serde(default)]
    listeners: Vec<Spanned<Listener>>,
    #[serde(default)]
    bridges: Vec<Spanned<Bridge>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listener {
    address: Option<String>,
    socket: Option<PathBuf>,
    websocket: Option<bool>,
    anonymous: Option<bool>,
    #[serde(default)]
    origins: Vec<String>,
    tls: Option<Tls>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    client_authority: Option<PathBuf>,
    #[serde(default)]
    client_certificate_required: bool,
    client_name: Option<ClientName>,
    #[serde(default)]
    plain_too: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ClientName {
    CommonName,
    Subject,
}

/// What the file says of the broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) config: BrokerConfig,
    /// The file, and the lines that the listeners stand in.
    pub(super) path: PathBuf,
    pub(super) lines: Vec<usize>,
    pub(super) bridges: Vec<BridgeConfig>,
}

impl Source<'_> {
    /// Reads `[broker]` and each `[[broker.listeners]]`. Paths are meant relative to the file.
    pub(super) fn broker(
        &self,
        key: &Spanned<DeString>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Found, SettingsError> {
        self.table(key, value)?;
        let read = Table::deserialize(ValueDeserializer::from(value.clone()));
        let table = read.map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(&span));
            self.error(line, &format!("in [broker]: {}", error.message()))
        })?;
        let mut config = BrokerConfig::default();
        let set = |to: &mut usize, given: Option<usize>| *to = given.unwrap_or(*to);
        set(&mut config.max_connections, table.max_connections);
        set(
            &mut config.max_connections_per_address,
            table.max_connections_per_address,
        );
        set(
            &mut config.max_connections_per_user,
            table.max_connections_per_user,
        );
        for (to, given) in [
            (&mut config.max_connect_rate, table.max_connect_rate),
            (&mut config.max_failed_logins, table.max_failed_logins),
            (&mut config.max_message_rate, table.max_message_rate),
            (&mut config.max_byte_rate, table.max_byte_rate),
        ] {
            *to = given.unwrap_or(*to);
        }
        set(&mut config.max_sessions, table.max_sessions);
        set(&mut config.max_subscriptions, table.max_subscriptions);
        set(
            &mut config.max_inflight,
            table.max_inflight.map(|count| usize::from(count.get())),
        );
        config.max_keep_alive = table.max_keep_alive.unwrap_or(config.max_keep_alive);
        set(
            &mut config.max_packet_size,
            table.max_packet_size.map(|size| size as usize),
        );
        set(&mut config.max_memory, table.max_memory);
        set(&mut config.max_retained, table.max_retained);
        set(&mut config.max_retained_bytes, table.max_retained_bytes);
        set(&mut config.offline_messages, table.offline_messages);
        set(&mut config.offline_bytes, table.offline_bytes);
        config.persistence = table.persistence.unwrap_or_default();
        if let Some(seconds) = table.connect_timeout {
            let line = self.line(&key.span());
            config.connect_timeout = Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|time| !time.is_zero())
                .ok_or_else(|| {
                    self.error(
                        line,
                        "in [broker]: connect_timeout is a number of seconds above 0",
                    )
                })?;
        }
        config.access = AccessConfig {
            users: table.users,
            roles: table.roles,
            everybody: table.everybody,
            closed: false,
        };
        let line = self.line(&key.span());
        config
            .access
            .check()
            .map_err(|reason| self.error(line, &format!("in [broker]: {reason}")))?;
        let mut lines = Vec::new();
        for listener in table.listeners {
            let line = self.line(&listener.span());
            config
                .listeners
                .push(self.listener(line, listener.into_inner())?);
            lines.push(line);
        }
        let mut bridges: Vec<BridgeConfig> = Vec::new();
        for bridge in table.bridges {
            let line = self.line(&bridge.span());
            let wrong =
                |reason: String| self.error(line, &format!("in [[broker.bridges]]: {reason}"));
            let bridge = bridge.into_inner();
            let bridge = bridge.complete(&|path| self.place(path)).map_err(wrong)?;
            if bridges.iter().any(|other| other.name == bridge.name) {
                return Err(wrong(format!("there are two named \"{}\"", bridge.name)));
            }
            bridges.push(bridge);
        }
        Ok(Found {
            bridges,
            config,
            path: self.path().to_owned(),
            lines,
        })
    }

    fn listener(&self, line: usize, listener: Listener) -> Result<ListenerConfig, SettingsError> {
        let wrong = |reason: &str| self.error(line, &format!("in [[broker.listeners]]: {reason}"));
        let at = match (listener.address, listener.socket) {
            (Some(address), None) => At::Tcp(super::parse_address(&address).ok_or_else(|| {
                wrong(&format!(
                    "\"{address}\" is no address to listen on; give it as ADDRESS:PORT, for example 127.0.0.1:8883"
                ))
            })?),
            (None, Some(path)) => At::Unix(self.place(path)),
            _ => return Err(wrong("give each either an address or a socket")),
        };
        let tls = listener.tls.map(|tls| TlsConfig {
            certificate: self.place(tls.certificate),
            key: self.place(tls.key),
            client_authority: tls.client_authority.map(|path| self.place(path)),
            client_certificate_required: tls.client_certificate_required,
            client_name: tls.client_name.map(|name| match name {
                ClientName::CommonName => CertificateName::CommonName,
                ClientName::Subject => CertificateName::Subject,
            }),
            plain_too: tls.plain_too,
        });
        Ok(ListenerConfig {
            at,
            tls,
            websocket: listener.websocket.unwrap_or(true),
            anonymous: listener.anonymous,
            origins: listener.origins,
        })
    }
}
