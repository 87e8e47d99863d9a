//! `mqtt out`: publishes what comes in (Node-RED's mqtt out node).

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Message, Object, Value, parse_float, stringify},
    mqtt::{
        Mqtt, MqttConnection, Protocol, Publication, PublishFailure, PublishProperties, Qos, User,
        valid_topic,
    },
    nodes::shared::mqtt::{
        IN_MESSAGES, connect_action, connection, disconnect_action, error, properties, show_state,
        user_object,
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
    /// MQTT 5 properties, under the names that they have in a message.
    own: Object,
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
        let mut own = Object::new();
        for (name, text) in [
            ("responseTopic", config.resp_topic),
            ("correlationData", config.correl),
            ("contentType", config.content_type),
            ("messageExpiryInterval", config.expiry),
        ] {
            if !text.is_empty() {
                own.insert(name, text.into());
            }
        }
        if let Some(user) = user_object(&config.user_props.into()) {
            own.insert("userProperties", user.into());
        }
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
            own,
            connection,
            v5,
            user: None,
        })
    }

    /// Completes the message with what it is published with, as Node-RED does: complete nodes see it.
    fn complete(&self, msg: &mut Message) {
        if let Some(topic) = &self.topic {
            msg.set("topic", topic.clone());
        }
        let given = msg.get("qos");
        let bits = match given {
            Value::String(text) => parse_float(text).trunc(),
            other => other.to_number().trunc(),
        };
        let qos = self.qos.map_or(bits, |qos| f64::from(qos.bits()));
        let qos = if (0.0..=2.0).contains(&qos) { qos } else { 0.0 };
        msg.set("qos", qos);
        let retain =
            self.retain
                .filter(|retain| *retain)
                .unwrap_or_else(|| match msg.get("retain") {
                    // A node that says "false" overrides the message.
                    _ if self.retain.is_some() => false,
                    Value::Bool(retain) => *retain,
                    Value::String(text) => &**text == "true",
                    _ => false,
                });
        msg.set("retain", retain);
        if !self.v5 {
            return;
        }
        if !matches!(
            msg.get("userProperties"),
            Value::Object(_) | Value::Array(_)
        ) {
            msg.remove("userProperties");
        }
        for (key, value) in &self.own {
            msg.set(key.as_str(), value.clone());
        }
        // A request without a topic goes where the answer is wanted.
        if !msg.get("topic").is_truthy()
            && let Value::String(topic) = msg.get("responseTopic").clone()
        {
            msg.set("topic", topic);
            msg.remove("responseTopic");
        }
    }

    /// What a completed message is to be published as; none if its topic is no valid one.
    fn publication(&self, msg: &Message) -> Option<Publication> {
        let topic = match msg.get("topic") {
            Value::String(topic) => topic.clone(),
            _ => return None,
        };
        if !valid_topic(&topic) {
            return None;
        }
        let qos = msg.get("qos").as_number().map(|bits| bits as u8);
        let properties = self
            .v5
            .then(|| properties(msg.fields(), &IN_MESSAGES))
            .filter(|properties| *properties != PublishProperties::default());
        Some(Publication {
            topic,
            payload: payload(msg.payload()),
            qos: qos.and_then(Qos::from_bits).unwrap_or_default(),
            retain: *msg.get("retain") == Value::Bool(true),
            properties: properties.map(Arc::new),
        })
    }

    fn publish(
        &self,
        connection: &MqttConnection,
        mut msg: Message,
        ctx: &NodeContext,
    ) -> Result<(), Failed> {
        self.complete(&mut msg);
        if !msg.fields().contains_key("payload") {
            ctx.completion(&msg).done();
            return Ok(());
        }
        if let Some(text) = sent_text(msg.payload()) {
            msg.set("payload", text);
        }
        // As in Node-RED, the node is never done with a message that has no valid topic.
        let Some(publication) = self.publication(&msg) else {
            let mut error = error("mqtt.errors.invalid-topic", ctx);
            error.properties.insert("warn", true.into());
            ctx.warn(error);
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

/// The text that a payload is sent as: nothing for null and undefined, objects as JSON, the rest as text. None for what is
/// text or bytes already.
fn sent_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bytes(_) | Value::String(_) => return None,
        Value::Undefined | Value::Null => String::new(),
        Value::Number(_) | Value::Bool(_) | Value::BigInt(_) => value.to_text(),
        other => match stringify(other) {
            Ok(Some(json)) => json,
            // A function, which JSON leaves out.
            Ok(None) | Err(_) => other.to_text(),
        },
    })
}

fn payload(value: &Value) -> Bytes {
    match value {
        Value::Bytes(bytes) => Bytes::clone(bytes),
        Value::String(text) => Bytes::copy_from_slice(text.as_bytes()),
        _ => Bytes::new(),
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
            _ => Err(Failed::with(
                error("mqtt.errors.invalid-action-action", ctx),
                msg,
            )),
        }
    }

    fn props(&self) -> Object {
        let qos = self
            .qos
            .map_or(Value::Null, |qos| qos.bits().to_string().into());
        [("qos", qos)].into_iter().collect()
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
            let value = sent_text(&value).map_or(value, Value::from);
            assert_eq!(payload(&value), expected, "{value:?}");
        }
    }
}
