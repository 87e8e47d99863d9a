//! The packets that the broker sends, as bytes.

use bytes::{BufMut, BytesMut};

use super::{Qos, Version, reason};
use crate::broker::message::{Body, PublishProperties};

/// The largest value of a variable byte integer.
const MAX_VARIABLE: usize = 268_435_455;

fn put_variable(out: &mut BytesMut, value: usize) {
    let mut rest = value.min(MAX_VARIABLE);
    loop {
        let byte = (rest & 0x7F) as u8;
        rest >>= 7;
        if rest == 0 {
            out.put_u8(byte);
            return;
        }
        out.put_u8(byte | 0x80);
    }
}

const fn variable_size(value: usize) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

fn put_text(out: &mut BytesMut, text: &[u8]) {
    // Longer texts cannot come in over MQTT, and in-process publishers are checked.
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    out.put_u16(text.len() as u16);
    out.put_slice(text);
}

/// What CONNACK says.
#[derive(Debug, Default)]
pub(in crate::broker) struct ConnAck<'a> {
    pub(in crate::broker) session_present: bool,
    pub(in crate::broker) reason: u8,
    pub(in crate::broker) assigned_client_id: Option<&'a str>,
    pub(in crate::broker) maximum_packet_size: u32,
    pub(in crate::broker) topic_alias_maximum: u16,
    pub(in crate::broker) receive_maximum: u16,
    /// Where it differs from what the client wants.
    pub(in crate::broker) keep_alive: Option<u16>,
}

/// CONNACK. Reason codes become the return codes of section 3.2.2.3 for older clients.
pub(in crate::broker) fn encode_connack(out: &mut BytesMut, version: Version, ack: &ConnAck) {
    let session_present = u8::from(ack.session_present && version > Version::V31);
    if version < Version::V5 {
        let code = match ack.reason {
            reason::SUCCESS => 0,
            reason::UNSUPPORTED_VERSION => 1,
            reason::CLIENT_ID_NOT_VALID => 2,
            reason::BAD_LOGIN => 4,
            reason::NOT_AUTHORIZED => 5,
            _ => 3,
        };
        out.put_slice(&[0x20, 2, session_present, code]);
        return;
    }
    let mut properties = BytesMut::new();
    if ack.reason == reason::SUCCESS {
        properties.put_u8(0x22);
        properties.put_u16(ack.topic_alias_maximum);
        properties.put_u8(0x21);
        properties.put_u16(ack.receive_maximum);
        properties.put_u8(0x27);
        properties.put_u32(ack.maximum_packet_size);
    }
    if let Some(seconds) = ack.keep_alive {
        properties.put_u8(0x13);
        properties.put_u16(seconds);
    }
    if let Some(id) = ack.assigned_client_id {
        properties.put_u8(0x12);
        put_text(&mut properties, id.as_bytes());
    }
    out.put_u8(0x20);
    put_variable(out, 2 + variable_size(properties.len()) + properties.len());
    out.put_slice(&[session_present, ack.reason]);
    put_variable(out, properties.len());
    out.put_slice(&properties);
}

/// What differs from receiver to receiver of one message.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct PublishHead<'a> {
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) retain: bool,
    pub(in crate::broker) dup: bool,
    /// 0 for QoS 0.
    pub(in crate::broker) packet_id: u16,
    /// The topic's alias on this connection, and whether the receiver knows it already.
    pub(in crate::broker) alias: Option<(u16, bool)>,
    /// Seconds that are left of the message's life.
    pub(in crate::broker) expiry: Option<u32>,
    pub(in crate::broker) subscription_ids: &'a [u32],
}

/// PUBLISH.
pub(in crate::broker) fn encode_publish(
    out: &mut BytesMut,
    version: Version,
    head: PublishHead,
    body: &Body,
    properties: Option<&PublishProperties>,
) {
    let flags = u8::from(head.dup) << 3 | (head.qos as u8) << 1 | u8::from(head.retain);
    let id_size = if head.qos == Qos::AtMostOnce { 0 } else { 2 };
    let topic = match head.alias {
        Some((_, true)) => &[],
        _ => body.topic_bytes(),
    };
    let mut length = 2 + topic.len() + id_size + body.payload_bytes().len();
    let properties = match version {
        Version::V5 => Some(publish_properties(head, properties)),
        _ => None,
    };
    if let Some(properties) = &properties {
        length += variable_size(properties.len()) + properties.len();
    }
    out.reserve(5 + length);
    out.put_u8(0x30 | flags);
    put_variable(out, length);
    put_text(out, topic);
    if id_size > 0 {
        out.put_u16(head.packet_id);
    }
    if let Some(properties) = &properties {
        put_variable(out, properties.len());
        out.put_slice(properties);
    }
    out.put_slice(body.payload_bytes());
}

/// The encoded properties; allocates nothing where there are none.
fn publish_properties(head: PublishHead, properties: Option<&PublishProperties>) -> BytesMut {
    let mut out = BytesMut::new();
    if let Some((alias, _)) = head.alias {
        out.put_u8(0x23);
        out.put_u16(alias);
    }
    for id in head.subscription_ids {
        out.put_u8(0x0B);
        put_variable(&mut out, *id as usize);
    }
    let Some(properties) = properties else {
        return out;
    };
    // Unaltered [MQTT-3.3.2-4].
    if let Some(format) = properties.payload_format {
        out.put_slice(&[0x01, format]);
    }
    if let Some(seconds) = head.expiry {
        out.put_u8(0x02);
        out.put_u32(seconds);
    }
    if let Some(content_type) = &properties.content_type {
        out.put_u8(0x03);
        put_text(&mut out, content_type.as_bytes());
    }
    if let Some(topic) = &properties.response_topic {
        out.put_u8(0x08);
        put_text(&mut out, topic.as_bytes());
    }
    if let Some(data) = &properties.correlation_data {
        out.put_u8(0x09);
        put_text(&mut out, data);
    }
    for (key, value) in &properties.user_properties {
        out.put_u8(0x26);
        put_text(&mut out, key.as_bytes());
        put_text(&mut out, value.as_bytes());
    }
    out
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by the first byte of the packet.
pub(in crate::broker) fn encode_ack(
    out: &mut BytesMut,
    version: Version,
    first: u8,
    packet_id: u16,
    reason: u8,
) {
    let [high, low] = packet_id.to_be_bytes();
    match version == Version::V5 && reason != reason::SUCCESS {
        true => out.put_slice(&[first, 3, high, low, reason]),
        false => out.put_slice(&[first, 2, high, low]),
    }
}

/// SUBACK with one code a filter [MQTT-3.9.3-1].
pub(in crate::broker) fn encode_suback(
    out: &mut BytesMut,
    version: Version,
    packet_id: u16,
    codes: &[u8],
) {
    let no_properties = usize::from(version == Version::V5);
    out.put_u8(0x90);
    put_variable(out, 2 + no_properties + codes.len());
    out.put_u16(packet_id);
    out.put_bytes(0, no_properties);
    // Older versions know one code for every failure.
    out.extend(codes.iter().map(|code| match code {
        0x80.. if version < Version::V5 => 0x80,
        code => *code,
    }));
}

/// UNSUBACK; the codes are for MQTT 5 only.
pub(in crate::broker) fn encode_unsuback(
    out: &mut BytesMut,
    version: Version,
    packet_id: u16,
    codes: &[u8],
) {
    out.put_u8(0xB0);
    if version < Version::V5 {
        out.put_u8(2);
        out.put_u16(packet_id);
        return;
    }
    put_variable(out, 3 + codes.len());
    out.put_u16(packet_id);
    out.put_u8(0);
    out.put_slice(codes);
}

/// PINGRESP.
pub(in crate::broker) fn encode_pingresp(out: &mut BytesMut) {
    out.put_slice(&[0xD0, 0]);
}

/// DISCONNECT, which only MQTT 5 lets a server send.
pub(in crate::broker) fn encode_disconnect(out: &mut BytesMut, version: Version, reason: u8) {
    if version == Version::V5 {
        out.put_slice(&[0xE0, 1, reason]);
    }
}
