//! From bytes to the packets that a client sends.

use bytes::{Buf, BytesMut};

use super::{
    Connect, Qos, Refused, Version, malformed,
    properties::{Allowed, Properties},
    protocol_error,
    reader::{Reader, variable_integer},
    reason,
};
use crate::broker::{
    message::Body,
    topics::{is_filter, is_topic},
};

/// A packet from a client.
#[derive(Debug)]
pub(in crate::broker) enum Packet {
    Connect(Box<Connect>),
    Publish(PublishPacket),
    PubAck(u16),
    /// The reason code says whether the receiver took it.
    PubRec(u16, u8),
    PubRel(u16),
    PubComp(u16),
    Subscribe {
        packet_id: u16,
        subscription_id: Option<u32>,
        filters: Vec<Filter>,
    },
    Unsubscribe {
        packet_id: u16,
        filters: Vec<String>,
    },
    PingReq,
    Disconnect {
        reason: u8,
        session_expiry: Option<u32>,
    },
}

/// PUBLISH. The topic is empty only where an alias stands for it.
#[derive(Debug)]
pub(in crate::broker) struct PublishPacket {
    pub(in crate::broker) body: Body,
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) retain: bool,
    /// 0 for QoS 0.
    pub(in crate::broker) packet_id: u16,
    pub(in crate::broker) properties: Option<Box<Properties>>,
}

/// One filter of a SUBSCRIBE and its options.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::broker) struct Filter {
    /// As it came; `None` if it is no valid filter.
    pub(in crate::broker) path: String,
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) no_local: bool,
    pub(in crate::broker) retain_as_published: bool,
    pub(in crate::broker) retain_handling: u8,
}

/// Takes one packet off the front of `buffer`; none when it is not complete yet. `version` is that of the connection,
/// `limit` the largest packet that is accepted.
pub(in crate::broker) fn decode(
    buffer: &mut BytesMut,
    version: Version,
    limit: usize,
) -> Result<Option<Packet>, Refused> {
    let Some(first) = buffer.first().copied() else {
        return Ok(None);
    };
    // Wrong flags are seen before the rest is waited for.
    check_flags(first)?;
    let Some((length, length_size)) = variable_integer(&buffer[1..])? else {
        return Ok(None);
    };
    let total = 1 + length_size + length as usize;
    if total > limit {
        return Err(Refused {
            reason: reason::PACKET_TOO_LARGE,
            text: "a packet is larger than allowed",
        });
    }
    if buffer.len() < total {
        return Ok(None);
    }
    let mut body = Reader::new(&buffer[1 + length_size..total]);
    let packet = read(first, &mut body, version)?;
    buffer.advance(total);
    Ok(Some(packet))
}

/// The four low bits of every kind of packet but PUBLISH are fixed [MQTT-2.1.3-1].
fn check_flags(first: u8) -> Result<(), Refused> {
    let expected = match first >> 4 {
        3 => return Ok(()),
        6 | 8 | 10 => 0x02,
        1 | 4 | 5 | 7 | 12 | 14 => 0x00,
        2 | 9 | 11 | 13 => return Err(protocol_error("a client sent a packet of a server")),
        15 if first & 0x0F == 0 => {
            return Err(protocol_error("extended authentication is not supported"));
        }
        15 => return Err(malformed("the flags of a packet are wrong")), // [MQTT-3.15.1-1]
        _ => return Err(malformed("the packet type is 0")),
    };
    // MQTT 3.1 let clients set DUP on these; some still do.
    match first & 0x0F & !0x08 == expected {
        true if first & 0x08 == 0 || matches!(first >> 4, 6 | 8 | 10) => Ok(()),
        _ => Err(malformed("the flags of a packet are wrong")),
    }
}

fn read(first: u8, bytes: &mut Reader, version: Version) -> Result<Packet, Refused> {
    // DUP on PUBREL, SUBSCRIBE and UNSUBSCRIBE belongs to MQTT 3.1 only.
    if first & 0x08 != 0 && first >> 4 != 3 && version > Version::V31 {
        return Err(malformed("the flags of a packet are wrong"));
    }
    let packet = match first >> 4 {
        1 => Packet::Connect(Box::new(Connect::read(bytes)?)),
        3 => return publish(first, bytes, version).map(Packet::Publish),
        4 => Packet::PubAck(ack(bytes, version)?.0),
        5 => {
            let (packet_id, reason) = ack(bytes, version)?;
            Packet::PubRec(packet_id, reason)
        }
        6 => Packet::PubRel(ack(bytes, version)?.0),
        7 => Packet::PubComp(ack(bytes, version)?.0),
        8 => subscribe(bytes, version)?,
        10 => unsubscribe(bytes, version)?,
        12 => Packet::PingReq,
        14 => disconnect(bytes, version)?,
        _ => return Err(protocol_error("a client sent a packet of a server")),
    };
    match bytes.is_empty() {
        true => Ok(packet),
        false => Err(malformed("a packet is longer than its content")),
    }
}

fn publish(first: u8, bytes: &mut Reader, version: Version) -> Result<PublishPacket, Refused> {
    let qos = Qos::from_bits(first >> 1 & 0x03).ok_or(malformed("the quality of service is 3"))?; // [MQTT-3.3.1-4]
    // [MQTT-3.3.1-2]
    if first & 0x08 != 0 && qos == Qos::AtMostOnce && version > Version::V31 {
        return Err(malformed("DUP is set on a message of QoS 0"));
    }
    let topic = bytes.text()?;
    let packet_id = match qos {
        Qos::AtMostOnce => 0,
        _ => bytes.packet_id()?,
    };
    let properties = match version {
        Version::V5 => read_publish_properties(bytes)?,
        _ => None,
    };
    let aliased = properties
        .as_ref()
        .is_some_and(|properties| properties.topic_alias.is_some());
    if !(is_topic(topic) || topic.is_empty() && aliased) {
        return Err(protocol_error("a topic is empty or contains a wildcard"));
    }
    let payload = bytes.rest();
    let is_text = properties
        .as_ref()
        .is_some_and(|properties| properties.payload_format == Some(1));
    if is_text && std::str::from_utf8(payload).is_err() {
        return Err(Refused {
            reason: reason::PAYLOAD_FORMAT_INVALID,
            text: "a payload is not the text that it is said to be",
        });
    }
    Ok(PublishPacket {
        body: Body::new(topic, payload),
        qos,
        retain: first & 0x01 != 0,
        packet_id,
        properties,
    })
}

fn read_publish_properties(bytes: &mut Reader) -> Result<Option<Box<Properties>>, Refused> {
    if bytes.rest().first() == Some(&0) {
        bytes.u8()?;
        return Ok(None);
    }
    let properties = Properties::read(bytes, Allowed::PUBLISH)?;
    // [MQTT-3.3.4-6]
    if properties.subscription_id.is_some() {
        return Err(protocol_error(
            "a client sent a subscription identifier with a message",
        ));
    }
    Ok(Some(Box::new(properties)))
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP: packet identifier and, in MQTT 5, perhaps a reason code and properties.
fn ack(bytes: &mut Reader, version: Version) -> Result<(u16, u8), Refused> {
    let packet_id = bytes.packet_id()?;
    if version < Version::V5 || bytes.is_empty() {
        return Ok((packet_id, reason::SUCCESS));
    }
    let reason = bytes.u8()?;
    if !bytes.is_empty() {
        Properties::read(bytes, Allowed::ACK)?;
    }
    Ok((packet_id, reason))
}

fn subscribe(bytes: &mut Reader, version: Version) -> Result<Packet, Refused> {
    let packet_id = bytes.packet_id()?;
    let subscription_id = match version {
        Version::V5 => Properties::read(bytes, Allowed::SUBSCRIBE)?.subscription_id,
        _ => None,
    };
    let mut filters = Vec::new();
    while !bytes.is_empty() {
        filters.push(filter(bytes, version)?);
    }
    // [MQTT-3.8.3-2]
    if filters.is_empty() {
        return Err(protocol_error("SUBSCRIBE has no filter"));
    }
    Ok(Packet::Subscribe {
        packet_id,
        subscription_id,
        filters,
    })
}

fn filter(bytes: &mut Reader, version: Version) -> Result<Filter, Refused> {
    let path = bytes.text()?;
    let options = bytes.u8()?;
    let qos = Qos::from_bits(options & 0x03)
        .ok_or(malformed("the quality of service of a subscription is 3"))?; // [MQTT-3.8.3-4]
    let reserved = match version {
        Version::V5 => 0xC0,
        _ => 0xFC,
    };
    // [MQTT-3.8.3-5]
    if options & reserved != 0 {
        return Err(malformed("reserved options of a subscription are set"));
    }
    let retain_handling = options >> 4 & 0x03;
    if retain_handling == 3 {
        return Err(protocol_error("the retain handling of a subscription is 3"));
    }
    if !is_filter(path) {
        return Err(malformed("a topic filter is not valid"));
    }
    let no_local = options & 0x04 != 0;
    // [MQTT-3.8.3-4] of MQTT 5
    if no_local && path.starts_with("$share/") {
        return Err(protocol_error(
            "a shared subscription asks for no local messages",
        ));
    }
    Ok(Filter {
        path: path.to_owned(),
        qos,
        no_local,
        retain_as_published: options & 0x08 != 0,
        retain_handling,
    })
}

fn unsubscribe(bytes: &mut Reader, version: Version) -> Result<Packet, Refused> {
    let packet_id = bytes.packet_id()?;
    if version == Version::V5 {
        Properties::read(bytes, Allowed::UNSUBSCRIBE)?;
    }
    let mut filters = Vec::new();
    while !bytes.is_empty() {
        let path = bytes.text()?;
        if !is_filter(path) {
            return Err(malformed("a topic filter is not valid"));
        }
        filters.push(path.to_owned());
    }
    // [MQTT-3.10.3-2]
    if filters.is_empty() {
        return Err(protocol_error("UNSUBSCRIBE has no filter"));
    }
    Ok(Packet::Unsubscribe { packet_id, filters })
}

fn disconnect(bytes: &mut Reader, version: Version) -> Result<Packet, Refused> {
    if version < Version::V5 || bytes.is_empty() {
        return Ok(Packet::Disconnect {
            reason: reason::SUCCESS,
            session_expiry: None,
        });
    }
    let reason = bytes.u8()?;
    let session_expiry = match bytes.is_empty() {
        true => None,
        false => Properties::read(bytes, Allowed::DISCONNECT)?.session_expiry,
    };
    Ok(Packet::Disconnect {
        reason,
        session_expiry,
    })
}
