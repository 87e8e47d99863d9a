//! What clients do, as the fuzzer makes it up.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

pub const CLIENTS: usize = 4;
/// Few, so that they are used again.
const PACKET_IDS: u8 = 6;

pub fn packet_id(number: u8) -> u16 {
    u16::from(number % PACKET_IDS) + 1
}

const TOPICS: [&str; 6] = ["a", "a/b", "b/b", "/", "$x/a", "$SYS/a"];
const FILTERS: [&str; 12] = [
    "a",
    "a/b",
    "a/#",
    "#",
    "+/b",
    "+/+",
    "$x/#",
    "$SYS/#",
    "$share/g/a",
    "$share/g/#",
    "$share/h/a/#",
    "$share/h/+/b",
];

/// One client does one thing, and connects before if it is not connected.
#[derive(Arbitrary, Debug)]
pub struct Step {
    pub client: u8,
    pub action: Action,
    /// The next step does not wait for what this one leads to.
    pub hasty: bool,
}

#[derive(Arbitrary, Debug)]
pub enum Action {
    /// Takes over from its own connection if it has one.
    Connect(Connecting),
    Publish(Publishing),
    /// The last message of QoS 1 or 2 again.
    Resend,
    /// One of the open messages, or none.
    Release(u8),
    Ack(Ack),
    Subscribe(u8, Vec<Subscribing>, Option<u8>),
    Unsubscribe(u8, Filter),
    Disconnect {
        with_will: bool,
        expiry: Option<Expiry>,
    },
    /// Closes the connection without a word, perhaps within a packet.
    Drop {
        in_packet: bool,
    },
    Wrong(Wrong),
    /// All wait until nothing is on its way.
    Settle,
}

#[derive(Arbitrary, Debug, Default)]
pub struct Connecting {
    pub level: Level,
    pub clean: bool,
    pub expiry: Expiry,
    pub receive_maximum: Option<u8>,
    pub topic_aliases: u8,
    pub small_packets: Option<u8>,
    pub will: Option<Publishing>,
    pub delayed_will: bool,
    /// The network holds a few bytes only.
    pub narrow: bool,
}

impl Connecting {
    /// How a client comes of which no step has said it; it goes on with its session.
    pub fn usual(client: usize) -> Self {
        let level = match client {
            0 => Level::V31,
            1 => Level::V311,
            _ => Level::V5,
        };
        Self {
            level,
            expiry: Expiry::Never,
            ..Self::default()
        }
    }
}

#[derive(Arbitrary, Debug, Default)]
pub enum Level {
    V31,
    V311,
    #[default]
    V5,
}

impl Level {
    pub fn number(&self) -> u8 {
        match self {
            Self::V31 => 3,
            Self::V311 => 4,
            Self::V5 => 5,
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug, Default)]
pub enum Expiry {
    #[default]
    None,
    Hour,
    Never,
}

impl Expiry {
    pub fn seconds(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Hour => 3600,
            Self::Never => super::wire::NEVER,
        }
    }
}

#[derive(Arbitrary, Debug)]
pub struct Publishing {
    pub topic: Topic,
    pub qos: u8,
    pub retain: bool,
    pub id: u8,
    pub content: Content,
    pub alias: Option<u8>,
}

#[derive(Arbitrary, Debug)]
pub enum Content {
    Empty,
    Small,
    Large,
}

#[derive(Arbitrary, Debug)]
pub struct Topic(u8);

impl Topic {
    pub fn text(&self) -> &'static str {
        TOPICS[usize::from(self.0) % TOPICS.len()]
    }

    /// All that there are.
    pub fn all() -> impl Iterator<Item = &'static str> {
        TOPICS.into_iter()
    }
}

#[derive(Arbitrary, Debug)]
pub struct Filter(u8);

impl Filter {
    pub fn text(&self) -> &'static str {
        FILTERS[usize::from(self.0) % FILTERS.len()]
    }
}

#[derive(Arbitrary, Debug)]
pub struct Subscribing {
    pub filter: Filter,
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: u8,
}

#[derive(Arbitrary, Debug)]
pub enum Ack {
    /// What comes next for one of the open messages.
    Right(u8),
    All,
    /// The subscriber does not take it.
    Refuse(u8),
    /// Of this kind, whatever the identifier is of.
    Any {
        kind: u8,
        id: u8,
    },
}

/// Packets that end the connection.
#[derive(Arbitrary, Debug)]
pub enum Wrong {
    ConnectAgain,
    Type,
    Flags,
    Qos,
    NoIdentifier,
    Filter,
    Length,
    Utf8,
}

impl Wrong {
    pub fn bytes(&self) -> &'static [u8] {
        match self {
            Self::ConnectAgain => b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01z",
            Self::Type => b"\x20\x02\0\0",
            Self::Flags => b"\x60\x02\0\x01",
            Self::Qos => b"\x36\x05\0\x01a\0\x01",
            Self::NoIdentifier => b"\x40\x02\0\0",
            Self::Filter => b"\x82\x07\0\x01\0\0\x02a#",
            Self::Length => b"\x30\xff\xff\xff\xff",
            Self::Utf8 => b"\x30\x05\0\x02\xff\xff\0",
        }
    }
}
