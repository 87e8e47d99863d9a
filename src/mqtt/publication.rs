//! A message as nodes publish and receive it, whichever broker it goes through.

use std::sync::Arc;

use bytes::Bytes;

use crate::broker::Qos;

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
