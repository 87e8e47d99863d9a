//! Properties of MQTT 5 packets (section 2.2.2).

use bytes::Bytes;

use super::{Refused, malformed, protocol_error, reader::Reader};
use crate::broker::topics::is_topic;

/// The properties of one packet; those that it may not have are refused while reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::broker) struct Properties {
    pub(in crate::broker) payload_format: Option<u8>,
    pub(in crate::broker) message_expiry: Option<u32>,
    pub(in crate::broker) content_type: Option<String>,
    pub(in crate::broker) response_topic: Option<String>,
    pub(in crate::broker) correlation_data: Option<Bytes>,
    pub(in crate::broker) subscription_id: Option<u32>,
    pub(in crate::broker) session_expiry: Option<u32>,
    pub(in crate::broker) has_auth_method: bool,
    pub(in crate::broker) has_auth_data: bool,
    pub(in crate::broker) will_delay: Option<u32>,
    pub(in crate::broker) receive_maximum: Option<u16>,
    pub(in crate::broker) topic_alias: Option<u16>,
    pub(in crate::broker) topic_alias_maximum: Option<u16>,
    pub(in crate::broker) maximum_packet_size: Option<u32>,
    pub(in crate::broker) user_properties: Vec<(String, String)>,
}

/// Which properties a kind of packet may have, as bits by identifier.
#[derive(Clone, Copy)]
pub(super) struct Allowed(u64);

const fn allow(identifiers: &[u8]) -> Allowed {
    let (mut bits, mut index) = (0, 0);
    while index < identifiers.len() {
        bits |= 1 << identifiers[index];
        index += 1;
    }
    Allowed(bits)
}

impl Allowed {
    pub(super) const CONNECT: Self = allow(&[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]);
    pub(super) const WILL: Self = allow(&[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]);
    pub(super) const PUBLISH: Self = allow(&[0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26]);
    pub(super) const ACK: Self = allow(&[0x1F, 0x26]);
    pub(super) const SUBSCRIBE: Self = allow(&[0x0B, 0x26]);
    pub(super) const UNSUBSCRIBE: Self = allow(&[0x26]);
    pub(super) const DISCONNECT: Self = allow(&[0x11, 0x1C, 0x1F, 0x26]);
}

impl Properties {
    /// Reads the length and the properties after it.
    pub(super) fn read(packet: &mut Reader, allowed: Allowed) -> Result<Self, Refused> {
        let length = packet.variable()?;
        let mut bytes = Reader::new(packet.take(length as usize)?);
        let mut properties = Self::default();
        let mut seen = 0_u64;
        while !bytes.is_empty() {
            let identifier = bytes.variable()?;
            let bit = 1_u64.checked_shl(identifier).unwrap_or(0);
            if allowed.0 & bit == 0 {
                // Section 2.2.2.2.
                return Err(malformed("a packet has a property that it may not have"));
            }
            if seen & bit != 0 && identifier != 0x26 {
                return Err(protocol_error("a property is given twice"));
            }
            seen |= bit;
            properties.read_one(identifier, &mut bytes)?;
        }
        Ok(properties)
    }

    fn read_one(&mut self, identifier: u32, bytes: &mut Reader) -> Result<(), Refused> {
        match identifier {
            0x01 => self.payload_format = Some(flag(bytes)?),
            0x02 => self.message_expiry = Some(bytes.u32()?),
            0x03 => self.content_type = Some(bytes.text()?.to_owned()),
            0x08 => {
                let topic = bytes.text()?;
                // [MQTT-3.3.2-14]
                if !is_topic(topic) {
                    return Err(protocol_error("the response topic is not a topic"));
                }
                self.response_topic = Some(topic.to_owned());
            }
            0x09 => self.correlation_data = Some(Bytes::copy_from_slice(bytes.binary()?)),
            0x0B => self.subscription_id = Some(not_zero(bytes.variable()?)?),
            0x11 => self.session_expiry = Some(bytes.u32()?),
            0x15 => {
                bytes.text()?;
                self.has_auth_method = true;
            }
            0x16 => {
                bytes.binary()?;
                self.has_auth_data = true;
            }
            0x17 | 0x19 => drop(flag(bytes)?),
            0x18 => self.will_delay = Some(bytes.u32()?),
            0x1C | 0x1F => drop(bytes.text()?),
            0x21 => self.receive_maximum = Some(not_zero(bytes.u16()?)?),
            0x22 => self.topic_alias_maximum = Some(bytes.u16()?),
            0x23 => self.topic_alias = Some(bytes.u16()?),
            0x26 => {
                let entry = (bytes.text()?.to_owned(), bytes.text()?.to_owned());
                self.user_properties.push(entry);
            }
            0x27 => self.maximum_packet_size = Some(not_zero(bytes.u32()?)?),
            _ => return Err(malformed("a property is unknown")),
        }
        Ok(())
    }
}

fn flag(bytes: &mut Reader) -> Result<u8, Refused> {
    match bytes.u8()? {
        flag @ 0..=1 => Ok(flag),
        _ => Err(protocol_error(
            "a property that is 0 or 1 has another value",
        )),
    }
}

fn not_zero<T: Default + PartialEq>(value: T) -> Result<T, Refused> {
    match value == T::default() {
        true => Err(protocol_error("a property that may not be zero is zero")),
        false => Ok(value),
    }
}
