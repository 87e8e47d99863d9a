//! `mqtt out`: publishes what comes in (Node-RED's mqtt out node).

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Message, Object, Value, stringify},
    mqtt::{
        Mqtt, MqttConnection, Protocol, Publication, PublishFailure, PublishProperties, Qos, User,
        valid_topic,
    },
    nodes::shared::mqtt::{
        IN_MESSAGES, IN_NODES, connect_action, connection, disconnect_action, properties,
        show_state,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct MqttOutConfig {
    topic: String,
    qos: String,
    retain: String,
    broker: String,
    content_type: String,
    resp_topic: String,
    correl: String,
    expiry: String,
    user_props: Json,
}

/// A running mqtt out node.
pub(in crate::nodes) struct MqttOut {
    /// None: the message's.
    topic: Option<Arc<str>>,
    qos: Option<Qos>,
    retain: Option<bool>,
    properties: PublishProperties,
    connection: Result<MqttConnection, String>,
    v5: bool,
    user: Option<User>,
}

impl MqttOut {
    /// Reads the configuration. Nothing refuses to start, as in Node-RED.
    pub(in crate::nodes) fn new(
        mqtt: &Mqtt,
        config: MqttOutConfig,
        build: &Build,
    ) -> Result<Self, ConfigError> {
        let connection = connection(&config.broker, mqtt, build);
        let own: Object = [
            ("contentType", Value::from(config.content_type)),
            ("respTopic", config.resp_topic.into()),
            ("correl", config.correl.into()),
            ("expiry", config.expiry.into()),
            ("userProps", config.user_props.into()),
        ]
        .into_iter()
        .collect();
        let v5 = connection
            .as_ref()
            .is_ok_and(|connection| connection.options().protocol == Protocol::V5);
        Ok(Self {
            topic: (!config.topic.is_empty()).then(|| config.topic.into()),
            qos: config.qos.trim().parse().ok().and_then(Qos::from_bits),
            retain: match &*config.retain {
                "" => None,
                text => Some(text == "true"),
            },
            properties: properties(&own, &IN_NODES),
            connection,
            v5,
            user: None,
        })
    }

    /// What the message is to be published as; none if its topic is no valid one.
    fn publication(&self, msg: &Message) -> Option<Publication> {
        let topic = match (&self.topic, msg.get("topic")) {
            (Some(topic), _) => topic.clone(),
            (None, Value::String(topic)) => topic.clone(),
            _ => return None,
        };
        if !valid_topic(&topic) {
            return None;
        }
        let qos = self.qos.or_else(|| {
            let bits = msg.get("qos").to_number();
            (bits.fract() == 0.0 && (0.0..=2.0).contains(&bits))
                .then(|| Qos::from_bits(bits as u8))?
        });
        let retain = self.retain.unwrap_or_else(|| match msg.get("retain") {
            Value::Bool(retain) => *retain,
            Value::String(text) => &**text == "true",
            _ => false,
        });
        Some(Publication {
            topic,
            payload: payload(msg.payload()),
            qos: qos.unwrap_or_default(),
            retain,
            properties: self.v5.then(|| self.properties_for(msg)).flatten(),
        })
    }

    /// The node's MQTT 5 properties over the message's.
    fn properties_for(&self, msg: &Message) -> Option<Arc<PublishProperties>> {
        let given = properties(msg.fields(), &IN_MESSAGES);
        let own = &self.properties;
        let both = PublishProperties {
            payload_format: given.payload_format,
            message_expiry: own.message_expiry.or(given.message_expiry),
            content_type: own.content_type.clone().or(given.content_type),
            response_topic: own.response_topic.clone().or(given.response_topic),
            correlation_data: own.correlation_data.clone().or(given.correlation_data),
            user_properties: if own.user_properties.is_empty() {
                given.user_properties
            } else {
                own.user_properties.clone()
            },
        };
        (both != PublishProperties::default()).then(|| Arc::new(both))
    }

    fn publish(
        &self,
        connection: &MqttConnection,
        msg: Message,
        ctx: &NodeContext,
    ) -> Result<(), Failed> {
        if !msg.fields().contains_key("payload") {
            ctx.completion(&msg).done();
            return Ok(());
        }
        let Some(publication) = self.publication(&msg) else {
            ctx.warn(ctx.text("mqtt.errors.invalid-topic", &[]));
            ctx.completion(&msg).done();
            return Ok(());
        };
        let (node, kept, busy) = (ctx.clone(), msg.clone(), ctx.busy());
        let published = move |result: Result<(), PublishFailure>| {
            match result {
                Ok(()) => node.completion(&kept).done(),
                Err(failure) => node.failed(failure_text(&failure, &node), kept),
            }
            drop(busy);
        };
        connection
            .publish(publication, Some(Box::new(published)))
            .map_err(|failure| Failed::with(failure_text(&failure, ctx), msg))
    }
}

fn failure_text(failure: &PublishFailure, ctx: &NodeContext) -> String {
    match failure {
        PublishFailure::NotConnected => ctx.text("mqtt.errors.not-connected", &[]),
        PublishFailure::Full => ctx.text("mqtt.errors.queue-full", &[]),
        PublishFailure::Refused(error) => ctx.text("mqtt.errors.refused", &[("error", error)]),
    }
}

/// Bytes as they are, text as UTF-8, nothing for null and undefined, objects as JSON, the rest as text.
fn payload(value: &Value) -> Bytes {
    match value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::String(text) => Bytes::copy_from_slice(text.as_bytes()),
        Value::Undefined | Value::Null => Bytes::new(),
        Value::Number(_) | Value::Bool(_) | Value::BigInt(_) => value.to_text().into(),
        other => match stringify(other) {
            Ok(Some(json)) => json.into(),
            // A function, which JSON leaves out.
            Ok(None) | Err(_) => other.to_text().into(),
        },
    }
}

impl Node for MqttOut {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        match &self.connection {
            Ok(connection) => {
                show_state(connection, ctx);
                self.user = Some(connection.attach());
                Ok(())
            }
            Err(error) => Err(error.as_str().into()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let connection = match &self.connection {
            Ok(connection) => connection,
            Err(_) => return Ok(()),
        };
        match msg.get("action") {
            action if !action.is_truthy() => self.publish(connection, msg, ctx),
            Value::String(action) if &**action == "connect" => connect_action(connection, msg, ctx),
            Value::String(action) if &**action == "disconnect" => {
                disconnect_action(connection, msg, ctx);
                Ok(())
            }
            _ => {
                let text = ctx.text("mqtt.errors.invalid-action-action", &[]);
                Err(Failed::with(text, msg))
            }
        }
    }

    fn on_close(&mut self, removed: bool, _ctx: &NodeContext) -> Closing {
        if let Some(user) = self.user.take() {
            user.leave(removed);
        }
        Closing::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse_json;

    #[test]
    fn payloads_are_bytes_text_or_json() {
        for (value, expected) in [
            (Value::from("on"), &b"on"[..]),
            (Value::Undefined, b""),
            (Value::Null, b""),
            (21.5.into(), b"21.5"),
            (1883.0.into(), b"1883"),
            (true.into(), b"true"),
            (Bytes::from_static(b"\xff\x00").into(), b"\xff\x00"),
            (parse_json("{\"a\":[1,null]}").unwrap(), b"{\"a\":[1,null]}"),
            (Value::Date(0.0), b"\"1970-01-01T00:00:00.000Z\""),
        ] {
            assert_eq!(payload(&value), expected, "{value:?}");
        }
    }
}
