//! A published message as it goes through the broker: made once, shared by all who receive it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    access::Source,
    codec::{Properties, Qos},
    memory::{Memory, Share},
    session::Session,
};

/// Topic and payload, one after the other in one piece of memory.
#[derive(Clone, Debug)]
pub(super) struct Body {
    bytes: Bytes,
    topic_length: usize,
}

impl Body {
    pub(super) fn new(topic: &str, payload: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(topic.len() + payload.len());
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(payload);
        Self {
            bytes: bytes.into(),
            topic_length: topic.len(),
        }
    }

    pub(super) fn topic(&self) -> &str {
        // Made from a `str`, so this never takes the default.
        std::str::from_utf8(self.topic_bytes()).unwrap_or_default()
    }

    pub(super) fn topic_bytes(&self) -> &[u8] {
        &self.bytes[..self.topic_length]
    }

    pub(super) fn payload_bytes(&self) -> &[u8] {
        &self.bytes[self.topic_length..]
    }

    /// The payload, sharing the memory.
    pub(super) fn payload(&self) -> Bytes {
        self.bytes.slice(self.topic_length..)
    }

    /// All of it.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// What MQTT 5 lets a publisher add to a message; older receivers don't see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProperties {
    /// 1: the payload is UTF-8 text; 0: it is bytes.
    pub payload_format: Option<u8>,
    /// Seconds until the message is of no use any more.
    pub message_expiry: Option<u32>,
    pub content_type: Option<String>,
    pub response_topic: Option<String>,
    pub correlation_data: Option<Bytes>,
    pub user_properties: Vec<(String, String)>,
}

impl PublishProperties {
    pub(super) fn from_packet(properties: Properties) -> Option<Box<Self>> {
        let made = Self {
            payload_format: properties.payload_format,
            message_expiry: properties.message_expiry,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data,
            user_properties: properties.user_properties,
        };
        (made != Self::default()).then(|| Box::new(made))
    }

    fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let user: usize = self
            .user_properties
            .iter()
            .map(|(key, value)| key.len() + value.len() + 48)
            .sum();
        let data = self.correlation_data.as_ref().map_or(0, Bytes::len);
        user + data + text(&self.content_type) + text(&self.response_topic)
    }
}

/// Who published a message, and who waits to hear that the broker has it.
#[derive(Default)]
pub(super) enum Origin {
    /// The broker itself: a will.
    #[default]
    Broker,
    /// A client; 0 for QoS 0.
    Client(Arc<Session>, u16),
    /// A publisher in this process, which may wait.
    Local(Arc<Session>, parking_lot::Mutex<Option<Taken>>),
}

/// Called once the broker has taken a message.
pub type Taken = Box<dyn FnOnce() + Send>;

/// A message on its way.
pub(super) struct Publication {
    pub(super) body: Body,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) properties: Option<Box<PublishProperties>>,
    pub(super) expires: Option<Instant>,
    pub(super) origin: Origin,
    /// Of a message that is to be kept: who is to have the right to that.
    pub(super) source: Option<Arc<Source>>,
    /// Its part of the broker's memory; a retained message is counted elsewhere.
    pub(super) share: Option<Share>,
}

impl Publication {
    pub(super) fn new(
        body: Body,
        qos: Qos,
        retain: bool,
        properties: Option<Box<PublishProperties>>,
        origin: Origin,
        memory: &Arc<Memory>,
    ) -> Self {
        let expires = properties
            .as_ref()
            .and_then(|properties| properties.message_expiry)
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds.into())));
        let mut made = Self {
            body,
            qos,
            retain,
            properties,
            expires,
            origin,
            source: None,
            share: None,
        };
        made.share = Some(memory.take(made.size()));
        made
    }

    pub(super) fn topic(&self) -> &str {
        self.body.topic()
    }

    /// Whether somebody waits to hear that the broker has it.
    pub(super) fn is_waited_for(&self) -> bool {
        match self.origin {
            Origin::Broker => false,
            Origin::Client(..) => self.qos > Qos::AtMostOnce,
            Origin::Local(..) => true,
        }
    }

    /// Whether the broker tells something about itself.
    pub(super) fn is_system(&self) -> bool {
        self.body.topic_bytes().starts_with(b"$SYS/")
    }

    /// Bytes that it holds, for limits.
    pub(super) fn size(&self) -> usize {
        let properties = self
            .properties
            .as_ref()
            .map_or(0, |properties| properties.size());
        self.body.size() + properties + 128
    }

    /// Whether its time is over [MQTT-3.3.2-5].
    pub(super) fn is_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Instant::now())
    }

    /// Seconds of its life that are left [MQTT-3.3.2-6].
    pub(super) fn seconds_left(&self) -> Option<u32> {
        let left = self.expires?.saturating_duration_since(Instant::now());
        // A part of a second counts as a whole one: what goes on at once has lost nothing.
        let seconds = left.as_millis().div_ceil(1000);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
    }

    /// The session that published it.
    pub(super) fn publisher(&self) -> Option<&Arc<Session>> {
        match &self.origin {
            Origin::Broker => None,
            Origin::Client(session, _) | Origin::Local(session, _) => Some(session),
        }
    }
}
