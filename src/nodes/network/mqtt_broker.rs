//! `mqtt-broker`: a connection that MQTT nodes share (Node-RED's config node of that name).

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{mqtt_broker_props, tls_config::SharedTls};
use crate::{
    engine::{Build, Closing, ConfigError, Failed, LogLevel, Node, NodeContext, NodeError},
    message::{Message, Object, Value},
    mqtt::{
        Address, AddressError, ConnectOptions, Login, Mqtt, MqttConnection, Phase, Protocol,
        Publication, Qos, Transport, Way, Will, valid_topic,
    },
    nodes::shared::mqtt::{IN_NODES, SharedBroker, properties, user_properties},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct BrokerConfig {
    pub(super) builtin: bool,
    pub(super) broker: String,
    pub(super) port: Option<f64>,
    pub(super) usetls: bool,
    /// The id of a `tls-config` node.
    pub(super) tls: String,
    pub(super) protocol_version: String,
    pub(super) clientid: String,
    pub(super) keepalive: Option<f64>,
    pub(super) cleansession: bool,
    pub(super) session_expiry: Option<f64>,
    pub(super) user_props: Json,
    pub(super) auto_connect: bool,
    pub(super) auto_unsubscribe: bool,
    pub(super) birth_topic: String,
    pub(super) birth_payload: String,
    pub(super) birth_qos: String,
    pub(super) birth_retain: bool,
    pub(super) birth_msg: Json,
    pub(super) close_topic: String,
    pub(super) close_payload: String,
    pub(super) close_qos: String,
    pub(super) close_retain: bool,
    pub(super) close_msg: Json,
    pub(super) will_topic: String,
    pub(super) will_payload: String,
    pub(super) will_qos: String,
    pub(super) will_retain: bool,
    pub(super) will_msg: Json,
}

/// A running broker node.
pub(in crate::nodes) struct MqttBroker {
    broker: Arc<SharedBroker>,
    /// Said at the start.
    warning: Option<String>,
    /// For `props`.
    shown: Object,
}

impl MqttBroker {
    /// Reads the configuration. What is wrong with it is an error of this node at the start, and of those that name it.
    pub(in crate::nodes) fn new(
        mqtt: &Mqtt,
        config: BrokerConfig,
        build: &Build,
    ) -> Result<(Self, Arc<SharedBroker>), ConfigError> {
        let mut warning = None;
        let reconnect_ms = build.settings.mqtt_reconnect.as_secs_f64() * 1000.0;
        let shown = mqtt_broker_props::shown(&config, mqtt, reconnect_ms);
        let connection = options(config, mqtt, build, &mut warning)
            .map(|options| mqtt.connection(options, build.settings.mqtt_reconnect));
        let broker = Arc::new(SharedBroker { connection });
        let node = Self {
            broker: broker.clone(),
            warning,
            shown,
        };
        Ok((node, broker))
    }
}

fn options(
    config: BrokerConfig,
    mqtt: &Mqtt,
    build: &Build,
    warning: &mut Option<String>,
) -> Result<ConnectOptions, String> {
    let address = address(&config, build)?;
    let is_plain = matches!(address.way, Way::Plain);
    let builtin = config.builtin || (is_plain && mqtt.is_builtin(&address.host, address.port));
    if builtin && !mqtt.has_builtin() {
        return Err(build.text("mqtt.errors.missing-config", &[]));
    }
    let tls = build.config::<SharedTls>(&config.tls);
    let transport = match builtin {
        true => Transport::Plain,
        false => address.transport(tls.as_deref())?,
    };
    let Address {
        host,
        port,
        login: in_address,
        ..
    } = address;
    let mut clean = config.cleansession;
    let own_id = !config.clientid.is_empty();
    if !clean && !own_id {
        clean = true;
        *warning = Some(build.text("mqtt.errors.nonclean-missingclientid", &[]));
    }
    let mut message = |topic: &str, payload: String, qos: &str, retain, extra: &Json| {
        if topic.is_empty() {
            return None;
        }
        if !valid_topic(topic) {
            *warning = Some(build.text("mqtt.errors.invalid-topic", &[("topic", topic)]));
            return None;
        }
        let extra = Value::from(extra.clone());
        let properties = extra
            .as_object()
            .map(|extra| properties(extra, &IN_NODES))
            .filter(|properties| *properties != Default::default());
        Some(Publication {
            topic: topic.into(),
            payload: Bytes::from(payload),
            qos: qos
                .parse()
                .ok()
                .and_then(Qos::from_bits)
                .unwrap_or_default(),
            retain,
            properties: properties.map(Arc::new),
        })
    };
    let birth = message(
        &config.birth_topic,
        config.birth_payload,
        &config.birth_qos,
        config.birth_retain,
        &config.birth_msg,
    );
    let close = message(
        &config.close_topic,
        config.close_payload,
        &config.close_qos,
        config.close_retain,
        &config.close_msg,
    );
    let will = message(
        &config.will_topic,
        config.will_payload,
        &config.will_qos,
        config.will_retain,
        &config.will_msg,
    )
    .map(|publication| Will {
        publication,
        delay: config
            .will_msg
            .get("delay")
            .and_then(|delay| delay.as_f64().or_else(|| delay.as_str()?.parse().ok()))
            .map(|seconds| seconds as u32),
    });
    let user = build.credentials.get("user").cloned().unwrap_or_default();
    let password = build
        .credentials
        .get("password")
        .cloned()
        .unwrap_or_default();
    Ok(ConnectOptions {
        builtin,
        host,
        port,
        transport,
        protocol: if config.builtin || config.protocol_version == "5" {
            Protocol::V5
        } else {
            Protocol::V4
        },
        client_id: if own_id {
            config.clientid
        } else {
            mqtt.new_client_id()
        },
        keep_alive: config.keepalive.unwrap_or(60.0).clamp(0.0, 65535.0) as u16,
        clean,
        session_expiry: config.session_expiry.map(|seconds| seconds as u32),
        user_properties: user_properties(&Value::from(config.user_props))
            .into_iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        login: match user.is_empty() {
            true => in_address,
            false => Some(Login { user, password }),
        },
        auto_connect: config.auto_connect,
        auto_unsubscribe: config.auto_unsubscribe,
        birth,
        close,
        will,
    })
}

/// Where the broker is: the server may be an address such as `mqtt://host:1883`.
fn address(config: &BrokerConfig, build: &Build) -> Result<Address, String> {
    let server = config.broker.trim();
    let server = match server.is_empty() {
        true => "localhost",
        false => server,
    };
    let port = match config.port {
        // Node-RED's port does not count without a server.
        _ if config.broker.trim().is_empty() && !config.builtin => Some(1883),
        Some(port) if (1.0..=65535.0).contains(&port) => Some(port as u16),
        _ if server.contains("://") => None,
        _ if config.builtin => Some(1883),
        _ => return Err(build.text("mqtt.errors.invalid-port", &[])),
    };
    Address::read(server, port, config.usetls).map_err(|error| match error {
        AddressError::Port => build.text("mqtt.errors.invalid-port", &[]),
        AddressError::Scheme(scheme) => {
            build.text("mqtt.errors.invalid-scheme", &[("scheme", &scheme)])
        }
    })
}

/// Logs what happens to the connection.
async fn log_state(connection: MqttConnection, ctx: NodeContext) {
    let mut states = connection.state();
    drop(connection);
    let mut was_connected = false;
    while states.changed().await.is_ok() {
        let state = states.borrow_and_update().clone();
        let broker = [("broker", &*state.broker)];
        match (state.phase, &state.error) {
            (Phase::Connected, _) => {
                was_connected = true;
                ctx.log(LogLevel::Info, ctx.text("mqtt.state.connected", &broker));
            }
            (Phase::Disconnected, _) if was_connected => {
                was_connected = false;
                ctx.log(LogLevel::Info, ctx.text("mqtt.state.disconnected", &broker));
            }
            (Phase::Disconnected, Some(error)) => {
                let params = [("broker", &*state.broker), ("error", &**error)];
                ctx.warn(ctx.text("mqtt.state.connect-failed-reason", &params));
            }
            _ => {}
        }
    }
}

impl Node for MqttBroker {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if let Some(warning) = self.warning.take() {
            ctx.warn(warning);
        }
        match &self.broker.connection {
            Ok(connection) => {
                ctx.spawn_service(log_state(connection.clone(), ctx.clone()));
                Ok(())
            }
            Err(error) => Err(error.as_str().into()),
        }
    }

    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        match &self.broker.connection {
            Ok(connection) => Closing::Later(Box::pin(connection.close())),
            Err(_) => Closing::Done,
        }
    }

    fn props(&self) -> Object {
        let mut props = self.shown.clone();
        let Ok(connection) = &self.broker.connection else {
            return props;
        };
        let known = connection.options();
        let phase = connection.state().borrow().phase;
        props.insert("cleansession", known.clean.into());
        props.insert("connected", (phase == Phase::Connected).into());
        props.insert("connecting", (phase == Phase::Connecting).into());
        if let Some(Value::Object(options)) = props.get("options") {
            let mut options = options.clone();
            options.insert("clientId", known.client_id.as_str().into());
            options.insert("clean", known.clean.into());
            props.insert("options", options.into());
        }
        props
    }
}
