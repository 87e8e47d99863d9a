//! MQTT packets on the wire, for MQTT 3.1, 3.1.1 and 5: what a server reads and what it writes.
//!
//! Reading is strict: whatever the standard calls malformed or a protocol error is refused here with the reason code
//! for it, so that nothing behind this module sees a bad packet. It never panics, whatever the bytes.

mod connect;
mod decode;
mod encode;
mod properties;
mod reader;

#[cfg(test)]
mod tests;

pub(super) use connect::{Connect, Will};
pub(super) use decode::{Filter, Packet, PublishPacket, decode};
pub(super) use encode::{
    ConnAck, PublishHead, encode_ack, encode_connack, encode_disconnect, encode_pingresp,
    encode_publish, encode_suback, encode_unsuback,
};
pub(super) use properties::Properties;

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// MQTT 3.1 (`MQIsdp`, level 3).
    V31,
    /// MQTT 3.1.1 (level 4).
    V311,
    /// MQTT 5 (level 5).
    V5,
}

/// Quality of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Qos {
    /// Fire and forget.
    #[default]
    AtMostOnce = 0,
    /// Acknowledged; may come twice.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// The level with this number; none for 3 and above.
    pub fn from_bits(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// As on the wire.
    pub fn bits(self) -> u8 {
        self as u8
    }
}

/// Reason codes of MQTT 5 that this broker sends.
pub(super) mod reason {
    pub(in crate::broker) const SUCCESS: u8 = 0x00;
    pub(in crate::broker) const NO_MATCHING_SUBSCRIBERS: u8 = 0x10;
    pub(in crate::broker) const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
    pub(in crate::broker) const MALFORMED: u8 = 0x81;
    pub(in crate::broker) const PROTOCOL_ERROR: u8 = 0x82;
    pub(in crate::broker) const UNSUPPORTED_VERSION: u8 = 0x84;
    pub(in crate::broker) const CLIENT_ID_NOT_VALID: u8 = 0x85;
    pub(in crate::broker) const BAD_LOGIN: u8 = 0x86;
    pub(in crate::broker) const NOT_AUTHORIZED: u8 = 0x87;
    pub(in crate::broker) const SERVER_UNAVAILABLE: u8 = 0x88;
    pub(in crate::broker) const SERVER_BUSY: u8 = 0x89;
    pub(in crate::broker) const SHUTTING_DOWN: u8 = 0x8B;
    pub(in crate::broker) const BAD_AUTHENTICATION_METHOD: u8 = 0x8C;
    pub(in crate::broker) const KEEP_ALIVE_TIMEOUT: u8 = 0x8D;
    pub(in crate::broker) const TAKEN_OVER: u8 = 0x8E;
    pub(in crate::broker) const PACKET_ID_NOT_FOUND: u8 = 0x92;
    pub(in crate::broker) const RECEIVE_MAXIMUM_EXCEEDED: u8 = 0x93;
    pub(in crate::broker) const TOPIC_ALIAS_INVALID: u8 = 0x94;
    pub(in crate::broker) const PACKET_TOO_LARGE: u8 = 0x95;
    pub(in crate::broker) const QUOTA_EXCEEDED: u8 = 0x97;
    pub(in crate::broker) const ADMINISTRATIVE_ACTION: u8 = 0x98;
    pub(in crate::broker) const PAYLOAD_FORMAT_INVALID: u8 = 0x99;
    pub(in crate::broker) const CONNECTION_RATE_EXCEEDED: u8 = 0x9F;
}

/// Why a connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} (reason code {reason:#04x})")]
pub(super) struct Refused {
    pub(super) reason: u8,
    pub(super) text: &'static str,
}

/// A packet that does not follow its own format.
pub(super) const fn malformed(text: &'static str) -> Refused {
    Refused {
        reason: reason::MALFORMED,
        text,
    }
}

/// A well-formed packet that may not come here or so.
pub(super) const fn protocol_error(text: &'static str) -> Refused {
    Refused {
        reason: reason::PROTOCOL_ERROR,
        text,
    }
}
