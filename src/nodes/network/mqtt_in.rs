//! `mqtt in`: a message for each one that is published on a topic; with an input, the topics come from messages
//! (Node-RED's mqtt in node).

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::Instant;

use super::mqtt_payload::{Datatype, Unreadable};
use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Key, Message, Object, Value},
    mqtt::{
        Filters, Incoming, Mqtt, MqttConnection, Protocol, PublishProperties, Qos,
        SubscribeOptions, Subscription, User, valid_filter,
    },
    nodes::shared::mqtt::{connect_action, connection, disconnect_action, error, show_state},
};

/// Drops are told at most this often.
const TELL_EVERY: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct MqttInConfig {
    inputs: Option<f64>,
    topic: String,
    qos: String,
    datatype: String,
    broker: String,
    nl: bool,
    rap: bool,
    rh: String,
}

/// A running mqtt in node.
pub(in crate::nodes) struct MqttIn {
    topic: String,
    options: SubscribeOptions,
    dynamic: bool,
    connection: Result<MqttConnection, String>,
    reader: Arc<Reader>,
    filters: Option<Filters>,
    user: Option<User>,
    /// What messages have subscribed, in order, as they asked for it.
    subscribed: Vec<(Arc<str>, Object)>,
}

impl MqttIn {
    /// Reads the configuration. Nothing refuses to start, as in Node-RED: a wrong topic is told at the start.
    pub(in crate::nodes) fn new(
        mqtt: &Mqtt,
        config: MqttInConfig,
        build: &Build,
    ) -> Result<Self, ConfigError> {
        let connection = connection(&config.broker, mqtt, build);
        let qos = config.qos.trim().parse().ok().and_then(Qos::from_bits);
        let options = connection.as_ref().ok().map(MqttConnection::options);
        let local = options.is_some_and(|options| {
            options.builtin || ["localhost", "127.0.0.1"].contains(&&*options.host)
        });
        Ok(Self {
            options: SubscribeOptions {
                qos: qos.unwrap_or(Qos::ExactlyOnce),
                no_local: config.nl,
                retain_as_published: config.rap,
                retain_handling: config.rh.trim().parse().unwrap_or(0).min(2),
            },
            topic: config.topic,
            dynamic: config.inputs == Some(1.0),
            reader: Arc::new(Reader {
                datatype: Datatype::from_name(&config.datatype),
                own_datatypes: Mutex::default(),
                v5: options.is_some_and(|options| options.protocol == Protocol::V5),
                local,
                keys: Keys::default(),
            }),
            connection,
            filters: None,
            user: None,
            subscribed: Vec::new(),
        })
    }

    fn subscribe(&mut self, wanted: Vec<Object>, ctx: &NodeContext) -> Result<(), NodeError> {
        let Some(filters) = &self.filters else {
            return Ok(());
        };
        for mut sub in wanted {
            let topic: Arc<str> = match sub.get("topic") {
                Some(Value::String(topic)) if valid_filter(topic) => topic.clone(),
                _ => return Err(error("mqtt.errors.invalid-topic", ctx).into()),
            };
            let level = |key: &str, highest: f64, default: f64| {
                let number = sub.get(key).map_or(f64::NAN, Value::to_number);
                if number.fract() == 0.0 && (0.0..=highest).contains(&number) {
                    number
                } else {
                    default
                }
            };
            let flag = |key: &str, default| {
                sub.get(key).map_or(default, |value| match value {
                    Value::String(text) => &**text == "true",
                    other => other.is_truthy(),
                })
            };
            let (qos, rh) = (level("qos", 2.0, 2.0), level("rh", 2.0, 0.0));
            let (rap, nl) = (flag("rap", true), flag("nl", false));
            let options = SubscribeOptions {
                qos: Qos::from_bits(qos as u8).unwrap_or_default(),
                no_local: nl,
                retain_as_published: rap,
                retain_handling: rh as u8,
            };
            sub.insert("qos", qos.into());
            if self.reader.v5 {
                sub.insert("rh", rh.into());
                sub.insert("rap", rap.into());
                // Kept only where it says something.
                match sub.get("nl").map(Value::to_text).as_deref() {
                    Some("true" | "false") => sub.insert("nl", nl.into()),
                    _ => sub.remove("nl"),
                };
            }
            let mut datatypes = self.reader.own_datatypes.lock();
            match sub.get("datatype").and_then(Value::as_str) {
                Some(name) => datatypes.insert(topic.clone(), Datatype::from_name(name)),
                None => datatypes.remove(&topic),
            };
            drop(datatypes);
            self.subscribed.retain(|(known, _)| *known != topic);
            filters.add(&topic, options);
            self.subscribed.push((topic, sub));
        }
        Ok(())
    }

    fn unsubscribe(&mut self, topics: &[Object]) {
        let Some(filters) = &self.filters else {
            return;
        };
        for sub in topics {
            let Some(topic) = sub.get("topic").and_then(Value::as_str) else {
                continue;
            };
            filters.remove(topic);
            self.reader.own_datatypes.lock().remove(topic);
            self.subscribed.retain(|(known, _)| &**known != topic);
        }
    }

    fn subscriptions(&self) -> Value {
        let list: Vec<Value> = self
            .subscribed
            .iter()
            .map(|(_, sub)| sub.clone().into())
            .collect();
        list.into()
    }
}

/// `msg.topic` of an action: a topic, an object with one, or a list of either.
fn topics(value: &Value) -> Option<Vec<Object>> {
    let one = |value: &Value| match value {
        Value::String(_) => {
            let mut sub = Object::new();
            sub.insert("topic", value.clone());
            Some(sub)
        }
        Value::Object(sub) => Some(sub.clone()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        single => one(single).map(|sub| vec![sub]),
    }
}

impl Node for MqttIn {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if !self.dynamic && self.topic.is_empty() {
            return Err(ctx.text("mqtt.errors.not-defined", &[]).into());
        }
        if !self.dynamic && !valid_filter(&self.topic) {
            ctx.warn(ctx.text("mqtt.errors.invalid-topic", &[]));
            return Ok(());
        }
        let connection = match &self.connection {
            Ok(connection) => connection,
            Err(error) => return Err(error.as_str().into()),
        };
        show_state(connection, ctx);
        let (filters, subscription) = connection.listen(&ctx.info().id);
        if !self.dynamic {
            filters.add(&self.topic, self.options);
        }
        self.filters = Some(filters);
        ctx.spawn_service(listen(subscription, self.reader.clone(), ctx.clone()));
        self.user = Some(connection.attach());
        Ok(())
    }

    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let Ok(connection) = self.connection.clone() else {
            return Ok(());
        };
        let action = msg.get("action").as_str().unwrap_or_default().to_owned();
        match &*action {
            "connect" => return connect_action(&connection, msg, ctx),
            "disconnect" => disconnect_action(&connection, msg, ctx),
            "getSubscriptions" => {
                msg.set("topic", "subscriptions");
                msg.set("payload", self.subscriptions());
                ctx.send_done(msg);
            }
            "subscribe" | "unsubscribe" => {
                let all = action == "unsubscribe" && msg.get("topic") == &Value::Bool(true);
                let wanted = if all {
                    Some(self.subscribed.iter().map(|(_, sub)| sub.clone()).collect())
                } else {
                    topics(msg.get("topic"))
                };
                let Some(wanted) = wanted else {
                    let error = error("mqtt.errors.invalid-action-badsubscription", ctx);
                    return Err(Failed::with(error, msg));
                };
                if action == "unsubscribe" {
                    self.unsubscribe(&wanted);
                } else if let Err(error) = self.subscribe(wanted, ctx) {
                    return Err(Failed::with(error, msg));
                }
                msg.set("subscriptions", self.subscriptions());
                ctx.completion(&msg).done();
            }
            _ => {
                let error = error("mqtt.errors.invalid-action-action", ctx);
                return Err(Failed::with(error, msg));
            }
        }
        Ok(())
    }

    fn on_close(&mut self, removed: bool, _ctx: &NodeContext) -> Closing {
        // The subscription ends with the task that reads it.
        self.filters = None;
        if let Some(user) = self.user.take() {
            user.leave(removed);
        }
        Closing::Done
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("qos", f64::from(self.options.qos.bits()).into());
        props.insert("isDynamic", self.dynamic.into());
        props
    }
}

/// Hands on what comes, as fast as the flow takes it.
async fn listen(mut subscription: Subscription, reader: Arc<Reader>, ctx: NodeContext) {
    let mut batch = Vec::new();
    let (mut told, mut told_at) = (0, None::<Instant>);
    loop {
        subscription.next_batch(&mut batch).await;
        for incoming in batch.drain(..) {
            ctx.ready().await;
            reader.hand_on(&incoming, &ctx);
        }
        let dropped = subscription.dropped();
        if dropped > told && told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            let count = (dropped - told).to_string();
            ctx.warn(ctx.text("mqtt.errors.dropped", &[("count", &count)]));
            (told, told_at) = (dropped, Some(Instant::now()));
        }
    }
}

/// Makes messages of what is published.
struct Reader {
    datatype: Datatype,
    /// Of topics that messages subscribed with a datatype of their own.
    own_datatypes: Mutex<HashMap<Arc<str>, Datatype>>,
    v5: bool,
    /// The broker is on this computer: messages say their topic twice, as Node-RED's do.
    local: bool,
    keys: Keys,
}

/// The names in every message, made once.
struct Keys {
    topic: Key,
    payload: Key,
    qos: Key,
    retain: Key,
    own_topic: Key,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            topic: "topic".into(),
            payload: "payload".into(),
            qos: "qos".into(),
            retain: "retain".into(),
            own_topic: "_topic".into(),
        }
    }
}

impl Reader {
    fn datatype(&self, filter: Option<&Arc<str>>) -> Datatype {
        let own = self.own_datatypes.lock();
        if own.is_empty() {
            return self.datatype;
        }
        filter
            .and_then(|filter| own.get(filter))
            .copied()
            .unwrap_or(self.datatype)
    }

    fn hand_on(&self, incoming: &Incoming, ctx: &NodeContext) {
        let publication = &incoming.publication;
        let properties = publication.properties.as_deref().filter(|_| self.v5);
        let read = self
            .datatype(incoming.filter.as_ref())
            .read(&publication.payload, properties);
        let (payload, error) = match read {
            Ok(payload) => (payload, None),
            Err(Unreadable::NoText(payload)) => (payload, Some("mqtt.errors.invalid-json-string")),
            Err(Unreadable::NoJson(payload)) => (payload, Some("mqtt.errors.invalid-json-parse")),
        };
        let topic = Value::String(publication.topic.clone());
        let mut fields = Object::with_capacity(8);
        fields.insert(self.keys.topic.clone(), topic.clone());
        fields.insert(self.keys.payload.clone(), payload);
        let qos = f64::from(publication.qos.bits());
        fields.insert(self.keys.qos.clone(), Value::Number(qos));
        fields.insert(self.keys.retain.clone(), Value::Bool(publication.retain));
        if let Some(key) = error {
            ctx.error(ctx.text(key, &[]), Some(&Message::new(fields)));
            return;
        }
        if let Some(properties) = properties {
            add_properties(&mut fields, properties);
        }
        if self.local {
            fields.insert(self.keys.own_topic.clone(), topic);
        }
        ctx.send(Message::new(fields));
    }
}

/// The MQTT 5 properties under Node-RED's names.
fn add_properties(fields: &mut Object, properties: &PublishProperties) {
    if let Some(topic) = &properties.response_topic {
        fields.insert("responseTopic", topic.clone().into());
    }
    if let Some(data) = &properties.correlation_data {
        fields.insert("correlationData", data.clone().into());
    }
    if let Some(name) = &properties.content_type {
        fields.insert("contentType", name.clone().into());
    }
    if let Some(seconds) = properties.message_expiry {
        fields.insert("messageExpiryInterval", seconds.into());
    }
    if let Some(format) = properties.payload_format {
        fields.insert("payloadFormatIndicator", (format == 1).into());
    }
    if properties.user_properties.is_empty() {
        return;
    }
    let mut user = Object::new();
    for (key, value) in &properties.user_properties {
        let value = Value::String(value.clone());
        let list = match user.get(key) {
            None => value,
            Some(Value::Array(list)) => {
                let mut list = list.to_vec();
                list.push(value);
                list.into()
            }
            Some(first) => vec![first.clone(), value].into(),
        };
        user.insert(key.clone(), list);
    }
    fields.insert("userProperties", user.into());
}
