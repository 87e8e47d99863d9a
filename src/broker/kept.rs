//! Retained messages as they are stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    access::Source,
    codec::Qos,
    inspect::now_ms,
    journal::Change,
    message::{Body, Origin, Publication, PublishProperties},
};
use crate::store::StoredRecord;

/// The scope of retained messages.
const RETAINED: &str = "retained";

/// What stands before the payload.
#[derive(Serialize, Deserialize)]
struct Head {
    qos: u8,
    /// When it ends, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    properties: Option<StoredProperties>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

#[derive(Serialize, Deserialize)]
struct StoredProperties {
    #[serde(default)]
    payload_format: Option<u8>,
    message_expiry: Option<u32>,
    content_type: Option<String>,
    response_topic: Option<String>,
    correlation_data: Option<Vec<u8>>,
    user_properties: Vec<(String, String)>,
}

/// That this message is retained now; with an empty payload, that none is.
pub(super) fn change(publication: &Publication) -> Change {
    let payload = publication.body.payload_bytes();
    Change {
        scope: RETAINED.into(),
        name: publication.topic().to_owned(),
        bytes: (!payload.is_empty()).then(|| encode(publication)),
    }
}

/// That nothing is retained under a topic any more.
pub(super) fn removal(topic: &str) -> Change {
    Change {
        scope: RETAINED.into(),
        name: topic.to_owned(),
        bytes: None,
    }
}

/// A message without its topic.
pub(super) fn encode(publication: &Publication) -> Vec<u8> {
    let left = |expires: Instant| expires.saturating_duration_since(Instant::now());
    let head = Head {
        qos: publication.qos.bits(),
        expires: publication
            .expires
            .map(|expires| now_ms() + left(expires).as_millis() as u64),
        properties: publication.properties.as_deref().map(stored),
        source: publication.source.as_deref().cloned(),
    };
    let mut bytes = with_head(&head);
    bytes.extend_from_slice(publication.body.payload_bytes());
    bytes
}

/// A head, with its length before it.
pub(super) fn with_head(head: &impl Serialize) -> Vec<u8> {
    // Texts and numbers, written to memory, can't fail.
    let head = serde_json::to_vec(head).unwrap_or_default();
    let mut bytes = Vec::with_capacity(4 + head.len());
    bytes.extend((head.len() as u32).to_be_bytes());
    bytes.extend(head);
    bytes
}

/// A head, and what follows it.
pub(super) fn split_head<H: DeserializeOwned>(bytes: &[u8]) -> Option<(H, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (head, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, rest))
}

fn stored(properties: &PublishProperties) -> StoredProperties {
    StoredProperties {
        payload_format: properties.payload_format,
        message_expiry: properties.message_expiry,
        content_type: properties.content_type.clone(),
        response_topic: properties.response_topic.clone(),
        correlation_data: properties.correlation_data.as_deref().map(<[u8]>::to_vec),
        user_properties: properties.user_properties.clone(),
    }
}

/// The retained message of a record; none if it is something else, its time is over, or it can't be understood.
pub(super) fn read(record: &StoredRecord) -> Option<Publication> {
    if record.scope != RETAINED {
        return None;
    }
    let mut publication = decode(&record.name, &record.bytes)?;
    publication.retain = true;
    Some(publication)
}

/// A message without its topic, read; none if its time is over, or it can't be understood.
pub(super) fn decode(topic: &str, bytes: &[u8]) -> Option<Publication> {
    let (head, payload): (Head, _) = split_head(bytes)?;
    let expires = match head.expires {
        None => None,
        Some(end) => {
            let left = end.checked_sub(now_ms()).filter(|left| *left > 0)?;
            Some(Instant::now().checked_add(Duration::from_millis(left))?)
        }
    };
    let properties = head.properties.map(|properties| {
        Box::new(PublishProperties {
            payload_format: properties.payload_format,
            message_expiry: properties.message_expiry,
            content_type: properties.content_type,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data.map(Bytes::from),
            user_properties: properties.user_properties,
        })
    });
    Some(Publication {
        body: Body::new(topic, payload),
        qos: Qos::from_bits(head.qos)?,
        retain: false,
        properties,
        expires,
        origin: Origin::Broker,
        source: head.source.map(Arc::new),
        share: None,
    })
}
