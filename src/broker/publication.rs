//! What the broker carries: a publication, how a subscriber wants it, and what arrives.

use std::sync::Arc;

use bytes::Bytes;

/// Quality of service: at most once, at least once, exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    #[default]
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

impl Qos {
    /// The two bits of the wire; 3 is none.
    pub fn from_bits(bits: u8) -> Option<Qos> {
        match bits {
            0 => Some(Qos::AtMostOnce),
            1 => Some(Qos::AtLeastOnce),
            2 => Some(Qos::ExactlyOnce),
            _ => None,
        }
    }

    /// As on the wire.
    pub fn bits(self) -> u8 {
        self as u8
    }
}

/// The MQTT 5 properties of a message that travel from publisher to subscriber unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProperties {
    pub payload_format: Option<u8>,
    /// Seconds; what is left of it is what a subscriber sees [MQTT-3.3.2-6].
    pub message_expiry: Option<u32>,
    pub content_type: Option<Arc<str>>,
    pub response_topic: Option<Arc<str>>,
    pub correlation_data: Option<Bytes>,
    /// In the publisher's order [MQTT-3.3.2-18].
    pub user_properties: Vec<(Arc<str>, Arc<str>)>,
}

/// One message. A clone copies three pointers.
#[derive(Clone, Debug)]
pub struct Publication {
    pub topic: Arc<str>,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
    pub properties: Option<Arc<PublishProperties>>,
}

impl Default for Publication {
    fn default() -> Self {
        Publication {
            topic: Arc::from(""),
            payload: Bytes::new(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: None,
        }
    }
}

/// What a subscriber asks for with a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The highest quality of service that is delivered.
    pub qos: Qos,
    /// Not my own messages [MQTT-3.8.3-3].
    pub no_local: bool,
    /// The retain flag as the publisher set it [MQTT-3.3.1-12].
    pub retain_as_published: bool,
    /// 0: retained messages at every subscribe, 1: only at the first, 2: never [MQTT-3.3.1-9 to 11].
    pub retain_handling: u8,
}

/// A message as one session gets it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `qos` is the lower of publisher's and subscriber's, `retain` the flag as delivered.
    pub publication: Publication,
    /// The filters of this session that matched.
    pub filters: Arc<[Arc<str>]>,
}

/// A topic that was in use lately, for the editor's suggestions.
#[derive(Clone, Debug)]
pub struct TopicSeen {
    pub topic: String,
    /// The first 256 bytes.
    pub payload: Bytes,
    pub retained: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}
