//! How a connection comes to its end.

use std::fmt;

use super::codec::{Refused, reason};

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The network connection is gone.
    Gone,
    /// DISCONNECT; whether the will is to be published all the same.
    Left { with_will: bool },
    /// Nothing came for one and a half times the keep alive.
    Silent,
    /// It broke the protocol.
    Refused(Refused),
    /// Another connection or the broker itself wants it to end.
    Kicked(u8),
}

impl Ending {
    /// The reason code for a client that hears of it.
    pub(super) fn reason(self) -> Option<u8> {
        match self {
            Self::Gone | Self::Left { .. } => None,
            Self::Silent => Some(reason::KEEP_ALIVE_TIMEOUT),
            Self::Refused(refused) => Some(refused.reason),
            Self::Kicked(reason) => Some(reason),
        }
    }

    /// [MQTT-3.1.2-8], [MQTT-3.14.4-3]. When the broker stops, nobody is left to hear of it.
    pub(super) fn publishes_will(self) -> bool {
        match self {
            Self::Left { with_will } => with_will,
            Self::Kicked(reason) => reason != reason::SHUTTING_DOWN,
            _ => true,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => out.write_str("connection lost"),
            Self::Left { .. } => out.write_str("disconnected"),
            Self::Silent => out.write_str("nothing heard within the keep alive"),
            Self::Refused(refused) => refused.fmt(out),
            Self::Kicked(reason::TAKEN_OVER) => out.write_str("taken over by another connection"),
            Self::Kicked(reason::NOT_AUTHORIZED) => {
                out.write_str("its user may not be here any more")
            }
            Self::Kicked(reason::ADMINISTRATIVE_ACTION) => out.write_str("cut off by the owner"),
            Self::Kicked(_) => out.write_str("the broker stops"),
        }
    }
}
