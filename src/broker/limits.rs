//! The broker's limits: how often somebody has run into each, and what it is answered with.

use std::{fmt, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    codec::{Refused, reason},
    counters::Counter,
};

/// A limit that somebody can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Connections,
    ConnectionsOfAddress,
    ConnectionsOfUser,
    ConnectRate,
    FailedLogins,
    Sessions,
    Subscriptions,
    KeepAlive,
    PacketSize,
    Inflight,
    Retained,
    Rate,
}

impl Limit {
    /// The reason code of MQTT 5 for a connection that this limit refuses. Older versions hear "server unavailable", and come
    /// back later.
    pub(super) fn reason(self) -> u8 {
        match self {
            Self::Connections => reason::SERVER_BUSY,
            Self::ConnectRate | Self::FailedLogins => reason::CONNECTION_RATE_EXCEEDED,
            _ => reason::QUOTA_EXCEEDED,
        }
    }
}

impl fmt::Display for Limit {
    /// The end of "The broker refused …".
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connections => "a connection, since max_connections are open",
            Self::ConnectionsOfAddress => {
                "a connection, since its address has max_connections_per_address"
            }
            Self::ConnectionsOfUser => "a client, since its user has max_connections_per_user",
            Self::ConnectRate => {
                "a connection, since its address opens more than max_connect_rate a second"
            }
            Self::FailedLogins => {
                "a login, since its address has tried more than max_failed_logins that were wrong"
            }
            Self::Sessions => "a client, since there are max_sessions",
            Self::Subscriptions => "a subscription, since its session has max_subscriptions",
            Self::KeepAlive => "a client that wants to be silent for longer than max_keep_alive",
            Self::PacketSize => "a packet that is larger than max_packet_size",
            Self::Inflight => "a client that has more than max_inflight messages unacknowledged",
            Self::Retained => {
                "to retain a message, since there are max_retained or max_retained_bytes"
            }
            Self::Rate => {
                "to listen for a moment to a client that sends more than max_message_rate or max_byte_rate"
            }
        })
    }
}

const COUNT: usize = Limit::Rate as usize + 1;
/// How often the log tells of one limit.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How often each limit was run into.
#[derive(Debug, Default)]
pub(super) struct LimitCounts {
    counts: [Counter; COUNT],
    told: Mutex<[Option<Instant>; COUNT]>,
}

impl LimitCounts {
    /// Counts, and tells the log of it if that was not done of late.
    pub(super) fn add(&self, limit: Limit, who: &dyn fmt::Display) {
        self.counts[limit as usize].add(1);
        let now = Instant::now();
        let told = &mut self.told.lock()[limit as usize];
        if told.is_none_or(|told| now - told >= TELL_EVERY) {
            *told = Some(now);
            tracing::warn!(
                "The broker refused {limit} ({who}; said once a minute, counted each time)"
            );
        }
    }

    /// Counts a packet or a connection that breaks a limit, if that is what this refusal is.
    pub(super) fn add_refused(&self, refused: Refused, who: &dyn fmt::Display) {
        match refused.reason {
            reason::PACKET_TOO_LARGE => self.add(Limit::PacketSize, who),
            reason::RECEIVE_MAXIMUM_EXCEEDED => self.add(Limit::Inflight, who),
            _ => {}
        }
    }

    /// All of them at this moment.
    pub(super) fn list(&self) -> Exceeded {
        let count = |limit: Limit| self.counts[limit as usize].get();
        Exceeded {
            connections: count(Limit::Connections),
            connections_per_address: count(Limit::ConnectionsOfAddress),
            connections_per_user: count(Limit::ConnectionsOfUser),
            connect_rate: count(Limit::ConnectRate),
            failed_logins: count(Limit::FailedLogins),
            sessions: count(Limit::Sessions),
            subscriptions: count(Limit::Subscriptions),
            keep_alive: count(Limit::KeepAlive),
            packet_size: count(Limit::PacketSize),
            inflight: count(Limit::Inflight),
            retained: count(Limit::Retained),
            rate: count(Limit::Rate),
        }
    }
}

/// How often each limit was run into since the start. What waits and finds no room is counted as dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exceeded {
    /// Connections that were refused, by why.
    pub connections: u64,
    pub connections_per_address: u64,
    pub connections_per_user: u64,
    pub connect_rate: u64,
    /// Logins that were not looked at, because too many had been wrong.
    pub failed_logins: u64,
    pub sessions: u64,
    /// Subscriptions that were refused.
    pub subscriptions: u64,
    /// Clients that wanted to be silent for longer, and could not be told otherwise.
    pub keep_alive: u64,
    /// Packets that were too large, and clients that sent more than may be unacknowledged; their connections were ended.
    pub packet_size: u64,
    pub inflight: u64,
    /// Messages that went to the subscribers there were, but were not retained.
    pub retained: u64,
    /// Moments for which a client that sent too fast was not listened to.
    pub rate: u64,
}
