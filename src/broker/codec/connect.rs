//! CONNECT: the packet that opens a connection (section 3.1).

use bytes::Bytes;

use super::{
    Qos, Refused, Version, malformed,
    properties::{Allowed, Properties},
    protocol_error,
    reader::Reader,
    reason,
};
use crate::broker::topics::is_topic;

/// What a client wants of its connection.
#[derive(Debug)]
pub(in crate::broker) struct Connect {
    pub(in crate::broker) version: Version,
    pub(in crate::broker) client_id: String,
    pub(in crate::broker) clean_start: bool,
    pub(in crate::broker) keep_alive: u16,
    pub(in crate::broker) will: Option<Will>,
    pub(in crate::broker) user: Option<String>,
    pub(in crate::broker) password: Option<Bytes>,
    pub(in crate::broker) properties: Properties,
}

/// The message that the server publishes when the client is gone without a word.
#[derive(Clone, Debug)]
pub(in crate::broker) struct Will {
    pub(in crate::broker) topic: String,
    pub(in crate::broker) payload: Bytes,
    pub(in crate::broker) qos: Qos,
    pub(in crate::broker) retain: bool,
    pub(in crate::broker) properties: Properties,
}

impl Connect {
    pub(super) fn read(packet: &mut Reader) -> Result<Self, Refused> {
        let name = packet.text()?;
        let level = packet.u8()?;
        // The highest bit marks a bridge (mosquitto); it is otherwise an ordinary client.
        let version = match (name, level & 0x7F) {
            ("MQIsdp", 3) => Version::V31,
            ("MQTT", 4) => Version::V311,
            ("MQTT", 5) => Version::V5,
            // [MQTT-3.1.2-2]
            ("MQTT" | "MQIsdp", _) => {
                return Err(Refused {
                    reason: reason::UNSUPPORTED_VERSION,
                    text: "the protocol version is not supported",
                });
            }
            _ => return Err(malformed("this is not MQTT")),
        };
        let flags = packet.u8()?;
        // [MQTT-3.1.2-3]
        if flags & 0x01 != 0 && version > Version::V31 {
            return Err(malformed("the reserved flag of CONNECT is set"));
        }
        let keep_alive = packet.u16()?;
        let properties = match version {
            Version::V5 => Properties::read(packet, Allowed::CONNECT)?,
            _ => Properties::default(),
        };
        // Section 3.1.2.11.10.
        if properties.has_auth_data && !properties.has_auth_method {
            return Err(protocol_error("there is data to log in by no method"));
        }
        let client_id = packet.text()?.to_owned();
        let will = Will::read(packet, flags, version)?;
        // MQTT 3.1: a packet that ends before them has none, whatever the flags say.
        let is_there = |packet: &Reader| version > Version::V31 || !packet.is_empty();
        let has_user = flags & 0x80 != 0 && is_there(packet);
        let user = match has_user {
            true => Some(packet.text()?.to_owned()),
            false => None,
        };
        let has_password = flags & 0x40 != 0 && is_there(packet);
        // [MQTT-3.1.2-22] of 3.1.1; MQTT 5 allows it.
        if has_password && !has_user && version == Version::V311 {
            return Err(malformed("there is a password without a user name"));
        }
        let password = match has_password {
            true => Some(Bytes::copy_from_slice(packet.binary()?)),
            false => None,
        };
        Ok(Self {
            version,
            client_id,
            clean_start: flags & 0x02 != 0,
            keep_alive,
            will,
            user,
            password,
            properties,
        })
    }
}

impl Will {
    fn read(packet: &mut Reader, flags: u8, version: Version) -> Result<Option<Self>, Refused> {
        let qos = Qos::from_bits(flags >> 3 & 0x03)
            .ok_or(malformed("the quality of service of the will is 3"))?; // [MQTT-3.1.2-12]
        let retain = flags & 0x20 != 0;
        if flags & 0x04 == 0 {
            // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
            if qos != Qos::AtMostOnce || retain {
                return Err(malformed("there are flags of a will, but no will"));
            }
            return Ok(None);
        }
        let properties = match version {
            Version::V5 => Properties::read(packet, Allowed::WILL)?,
            _ => Properties::default(),
        };
        let topic = packet.text()?;
        if !is_topic(topic) {
            return Err(protocol_error("the topic of the will is not a topic"));
        }
        Ok(Some(Self {
            topic: topic.to_owned(),
            payload: Bytes::copy_from_slice(packet.binary()?),
            qos,
            retain,
            properties,
        }))
    }
}
