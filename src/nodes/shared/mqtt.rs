//! What the MQTT nodes have in common: their connection, its state as a status, the actions `connect` and `disconnect`,
//! and MQTT 5 properties as values of a message.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    engine::{Build, Failed, NodeContext, Status},
    message::{ErrorValue, Message, Object, Value, parse_json, stringify},
    mqtt::{
        Address, AddressError, ConnectOptions, ConnectionState, Login, Mqtt, MqttConnection, Phase,
        Protocol, PublishProperties, Transport,
    },
};

/// What a broker node shares with those that name it.
pub(in crate::nodes) struct SharedBroker {
    /// Or why there is none.
    pub(in crate::nodes) connection: Result<MqttConnection, String>,
}

/// The connection of a node: that of the broker node it names, else the one to the built-in broker.
pub(in crate::nodes) fn connection(
    broker: &str,
    mqtt: &Mqtt,
    build: &Build,
) -> Result<MqttConnection, String> {
    if let Some(shared) = build.config::<SharedBroker>(broker) {
        return shared.connection.clone();
    }
    mqtt.unnamed(build.settings.mqtt_reconnect)
        .ok_or_else(|| build.text("mqtt.errors.missing-config", &[]))
}

/// Shows the connection's state under the node from now on.
pub(in crate::nodes) fn show_state(connection: &MqttConnection, ctx: &NodeContext) {
    let mut states = connection.state();
    let node = ctx.clone();
    show(&states.borrow_and_update().clone(), &node);
    ctx.spawn_service(async move {
        while states.changed().await.is_ok() {
            let state = states.borrow_and_update().clone();
            show(&state, &node);
        }
    });
}

fn show(state: &ConnectionState, ctx: &NodeContext) {
    let (fill, shape, key) = match state.phase {
        Phase::Connecting => ("yellow", "ring", "node-red:common.status.connecting"),
        Phase::Connected => ("green", "dot", "node-red:common.status.connected"),
        Phase::Disconnected => ("red", "ring", "node-red:common.status.disconnected"),
    };
    ctx.status(Status {
        fill: Some(fill.into()),
        shape: Some(shape.into()),
        text: Some(ctx.text(key, &[]).into()),
    });
}

/// An error object with one of the nodes' texts.
pub(in crate::nodes) fn error(key: &str, ctx: &NodeContext) -> ErrorValue {
    ErrorValue {
        name: "Error".into(),
        message: ctx.text(key, &[]).into(),
        ..ErrorValue::default()
    }
}

/// `msg.action` is `connect`: with `msg.broker` as options over the configured ones; its `force` cuts a connection that is up.
pub(in crate::nodes) fn connect_action(
    connection: &MqttConnection,
    msg: Message,
    ctx: &NodeContext,
) -> Result<(), Failed> {
    let given = msg.get("broker").as_object().cloned();
    let free = connection.state().borrow().phase == Phase::Disconnected;
    let force = given
        .as_ref()
        .and_then(|given| given.get("force"))
        .is_some_and(Value::is_truthy);
    let options = match given {
        Some(_) if !free && !force => {
            let error = error("mqtt.errors.invalid-action-alreadyconnected", ctx);
            return Err(Failed::with(error, msg));
        }
        Some(given) => match with_overrides(connection.options(), &given) {
            Ok(options) => Some(options),
            Err(error) => return Err(Failed::with(error, msg)),
        },
        None if !free => {
            ctx.completion(&msg).done();
            return Ok(());
        }
        None => None,
    };
    let connecting = connection.connect(options);
    let node = ctx.clone();
    ctx.spawn(async move {
        match connecting.await {
            Ok(()) => node.completion(&msg).done(),
            Err(error) => node.failed(error, msg),
        }
    });
    Ok(())
}

/// `msg.action` is `disconnect`.
pub(in crate::nodes) fn disconnect_action(
    connection: &MqttConnection,
    msg: Message,
    ctx: &NodeContext,
) {
    let disconnecting = connection.disconnect();
    let node = ctx.clone();
    ctx.spawn(async move {
        disconnecting.await;
        node.completion(&msg).done();
    });
}

/// The options with what a message says about them, under the names of the broker node's properties.
fn with_overrides(options: &ConnectOptions, given: &Object) -> Result<ConnectOptions, String> {
    let text = |key| {
        given
            .get(key)
            .filter(|value| !value.is_nullish())
            .map(Value::to_text)
    };
    let number = |key| given.get(key).map(Value::to_number);
    let mut new = options.clone();
    let port = match number("port") {
        Some(port) if !(1.0..=65535.0).contains(&port) => {
            return Err("msg.broker.port is no port number".into());
        }
        port => port.map(|port| port as u16),
    };
    if let Some(port) = port {
        new.builtin = false;
        new.port = port;
    }
    let server = text("url").or_else(|| text("broker"));
    if let Some(server) = server.filter(|server| !server.is_empty()) {
        let is_encrypted = matches!(new.transport, Transport::Tls(_));
        let tls = given.get("usetls").map_or(is_encrypted, Value::is_truthy);
        let address = read_address(&server, port.unwrap_or(new.port), tls)?;
        let known = match &new.transport {
            Transport::Tls(tls) | Transport::WebSocket(_, Some(tls)) => Some(Ok(tls.clone())),
            Transport::Plain | Transport::WebSocket(_, None) => None,
        };
        new.builtin = false;
        new.transport = address.transport(known.as_ref())?;
        (new.host, new.port) = (address.host, address.port);
        new.login = address.login.or(new.login);
    }
    if let Some(id) = text("clientid").filter(|id| !id.is_empty()) {
        new.client_id = id;
    }
    if let Some(version) = number("protocolVersion") {
        new.protocol = if version == 5.0 {
            Protocol::V5
        } else {
            Protocol::V4
        };
    }
    if let Some(seconds) = number("keepalive").filter(|seconds| *seconds >= 0.0) {
        new.keep_alive = seconds.min(65535.0) as u16;
    }
    if let Some(clean) = given.get("cleansession") {
        new.clean = clean.is_truthy();
    }
    let login = |key| text(key).filter(|text| !text.is_empty());
    if let Some(user) = login("username").or_else(|| login("user")) {
        new.login = Some(Login {
            user,
            password: text("password").unwrap_or_default(),
        });
    }
    Ok(new)
}

/// A host may have its port behind it.
fn read_address(server: &str, port: u16, tls: bool) -> Result<Address, String> {
    let (server, port) = match server.rsplit_once(':') {
        Some((host, own)) if !host.contains(':') => match own.parse() {
            Ok(own) => (host, own),
            Err(_) => (server, port),
        },
        _ => (server, port),
    };
    Address::read(server, Some(port), tls).map_err(|error| match error {
        AddressError::Port => format!("msg.broker names no broker: \"{server}\""),
        AddressError::Scheme(scheme) => format!(
            "msg.broker begins with \"{scheme}://\"; mqtt://, mqtts://, ws:// and wss:// lead to a broker"
        ),
    })
}

/// An object, or the one that a JSON text means.
pub(in crate::nodes) fn user_object(value: &Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => match parse_json(text) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// User properties as Node-RED keeps them: an object, or its JSON; values that are no text as JSON. A list of values is the
/// name several times, as it comes in; Node-RED writes it as JSON.
pub(in crate::nodes) fn user_properties(value: &Value) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(object) = user_object(value) else {
        return Vec::new();
    };
    let mut properties = Vec::new();
    for (key, value) in &object {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Undefined | Value::Null => continue,
                value => match stringify(value) {
                    Ok(Some(json)) => json.into(),
                    Ok(None) | Err(_) => continue,
                },
            };
            properties.push((key.shared(), text));
        }
    }
    properties
}

/// Text that is set.
fn set_text(value: Option<&Value>) -> Option<Arc<str>> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Seconds that are set.
fn set_seconds(value: Option<&Value>) -> Option<u32> {
    let seconds = match value? {
        Value::Number(seconds) => *seconds,
        Value::String(text) if !text.trim().is_empty() => value?.to_number(),
        _ => return None,
    };
    (seconds >= 0.0 && seconds <= f64::from(u32::MAX)).then_some(seconds as u32)
}

/// The properties that a node or a message names: what Node-RED calls them there.
pub(in crate::nodes) struct PropertyNames {
    content_type: &'static str,
    response_topic: &'static str,
    correlation_data: &'static str,
    expiry: &'static str,
    user_properties: &'static str,
}

/// In a message.
pub(in crate::nodes) const IN_MESSAGES: PropertyNames = PropertyNames {
    content_type: "contentType",
    response_topic: "responseTopic",
    correlation_data: "correlationData",
    expiry: "messageExpiryInterval",
    user_properties: "userProperties",
};

/// In a node's configuration.
pub(in crate::nodes) const IN_NODES: PropertyNames = PropertyNames {
    content_type: "contentType",
    response_topic: "respTopic",
    correlation_data: "correl",
    expiry: "expiry",
    user_properties: "userProps",
};

/// The MQTT 5 properties that `object` holds.
pub(in crate::nodes) fn properties(object: &Object, names: &PropertyNames) -> PublishProperties {
    PublishProperties {
        payload_format: match object.get("payloadFormatIndicator") {
            Some(Value::Bool(text)) => Some(u8::from(*text)),
            Some(Value::Number(format)) if *format == 0.0 || *format == 1.0 => Some(*format as u8),
            _ => None,
        },
        message_expiry: set_seconds(object.get(names.expiry)),
        content_type: set_text(object.get(names.content_type)),
        response_topic: set_text(object.get(names.response_topic))
            .filter(|topic| crate::mqtt::valid_topic(topic)),
        correlation_data: match object.get(names.correlation_data) {
            Some(Value::Bytes(bytes)) => Some(Bytes::clone(bytes)),
            other => set_text(other).map(|text| Bytes::copy_from_slice(text.as_bytes())),
        },
        user_properties: object
            .get(names.user_properties)
            .map(user_properties)
            .unwrap_or_default(),
    }
}
