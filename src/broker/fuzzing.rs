//! What the fuzz targets in `fuzz/` need of the broker's inside; built for them and for tests only.

use std::sync::Arc;

use bytes::BytesMut;

use super::{
    BrokerConfig,
    access::Access,
    codec::{
        self, Packet, PublishHead, Qos, Version, encode_ack, encode_disconnect, encode_publish,
    },
    memory::Memory,
    message::{Body, Origin, Publication, PublishProperties},
    outbox::Link,
    retained::Retained,
    session::Session,
    sessions::{Sessions, Start},
    subscriptions::{Options, Subscriptions},
    topics,
};

/// The protocol levels of MQTT 3.1, 3.1.1 and 5.
pub const LEVELS: [u8; 3] = [3, 4, 5];

/// A packet as the broker understands it.
#[derive(Debug)]
pub struct ClientPacket(Packet);

fn version(level: u8) -> Version {
    match level {
        3 => Version::V31,
        4 => Version::V311,
        _ => Version::V5,
    }
}

/// Takes one packet off the front of `buffer`; none when it is not complete yet.
///
/// # Errors
/// Why the connection is to be closed.
pub fn decode(
    buffer: &mut BytesMut,
    level: u8,
    limit: usize,
) -> Result<Option<ClientPacket>, String> {
    codec::decode(buffer, version(level), limit)
        .map(|packet| packet.map(ClientPacket))
        .map_err(|refused| refused.to_string())
}

impl ClientPacket {
    /// As bytes again; none if it is of a kind that only clients send.
    pub fn encode(self, level: u8) -> Option<BytesMut> {
        let version = version(level);
        let mut out = BytesMut::new();
        match self.0 {
            Packet::Publish(packet) => {
                let properties = packet.properties.map(|boxed| *boxed).unwrap_or_default();
                let is_known = packet.body.topic().is_empty();
                let head = PublishHead {
                    qos: packet.qos,
                    retain: packet.retain,
                    dup: false,
                    packet_id: packet.packet_id,
                    alias: properties.topic_alias.map(|alias| (alias, is_known)),
                    expiry: properties.message_expiry,
                    subscription_ids: &[],
                };
                let properties = PublishProperties::from_packet(properties);
                encode_publish(&mut out, version, head, &packet.body, properties.as_deref());
            }
            Packet::PubAck(id) => encode_ack(&mut out, version, 0x40, id, 0),
            Packet::PubRec(id, reason) => encode_ack(&mut out, version, 0x50, id, reason),
            Packet::PubRel(id) => encode_ack(&mut out, version, 0x62, id, 0),
            Packet::PubComp(id) => encode_ack(&mut out, version, 0x70, id, 0),
            Packet::Disconnect {
                reason,
                session_expiry: None,
            } if version == Version::V5 => encode_disconnect(&mut out, version, reason),
            _ => return None,
        }
        Some(out)
    }
}

/// Whether there are topics that both filters match.
pub fn overlaps(one: &str, other: &str) -> bool {
    topics::overlaps(one, other)
}

/// The subscriptions of some sessions, which are named by their numbers.
pub struct SubscriptionTree {
    subscriptions: Subscriptions,
    sessions: Vec<Arc<Session>>,
}

impl SubscriptionTree {
    /// With so many sessions, none of which is connected.
    pub fn new(count: usize) -> Self {
        let config = BrokerConfig::default();
        let sessions = Sessions::new(&config, &Memory::new(config.max_memory));
        let access = Access::new(config.access);
        let start = Start {
            clean: true,
            expiry: 1,
        };
        let open = |number: usize| {
            let id = number.to_string();
            let identity = access.identity(None, &id);
            let opened = sessions.open(&id, start, Link::Remote, 1, None, identity);
            let opened = opened.ok()?;
            opened.session.detach(opened.connection);
            Some(opened.session)
        };
        Self {
            subscriptions: Subscriptions::default(),
            sessions: (0..count).filter_map(open).collect(),
        }
    }

    /// Shared subscriptions prefer those who are connected.
    pub fn set_online(&self, session: usize, online: bool) {
        let session = &self.sessions[session];
        let connection = session.attach(Link::Remote, 1);
        if !online {
            session.detach(connection);
        }
    }

    /// True if there was no such subscription.
    pub fn add(&mut self, session: usize, filter: &str) -> bool {
        let options = Options {
            qos: Qos::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            ids: None,
            shared: topics::split_shared(filter).map(|_| filter.into()),
        };
        self.subscriptions
            .add(filter, &self.sessions[session], options)
    }

    /// False if there was no such subscription.
    pub fn remove(&mut self, session: usize, filter: &str) -> bool {
        self.subscriptions.remove(filter, &self.sessions[session])
    }

    /// Ends all subscriptions of a session.
    pub fn remove_all(&mut self, session: usize) {
        self.subscriptions.remove_all(&self.sessions[session]);
    }

    /// The filters of a session, in order.
    pub fn filters(&self, session: usize) -> Vec<String> {
        self.subscriptions.filters(&self.sessions[session])
    }

    /// How many subscriptions there are.
    pub fn count(&self) -> usize {
        self.subscriptions.count()
    }

    /// Who gets a message of this topic, and by which shared subscription if by one.
    pub fn receivers(&self, topic: &str) -> Vec<(usize, Option<String>)> {
        let leaves = self.subscriptions.matching(topic);
        let entries = leaves.iter().flat_map(|leaf| leaf.receivers());
        entries
            .filter_map(|entry| {
                let session = entry.session.id().parse().ok()?;
                let shared = entry.options.shared.as_deref().map(str::to_owned);
                Some((session, shared))
            })
            .collect()
    }
}

/// Retained messages.
pub struct RetainedTree(Retained);

impl RetainedTree {
    /// With room for so many.
    pub fn new(most: usize) -> Self {
        Self(Retained::new(most, usize::MAX))
    }

    /// Keeps a message, or forgets the one of this topic if it is empty; false if there is no room.
    pub fn store(&mut self, topic: &str, payload: &[u8]) -> bool {
        let memory = Memory::new(usize::MAX);
        self.0.store(&Publication::new(
            Body::new(topic, payload),
            Qos::AtMostOnce,
            true,
            None,
            Origin::Broker,
            &memory,
        ))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// Topics and contents of those that a filter matches.
    pub fn matching(&self, filter: &str) -> Vec<(String, Vec<u8>)> {
        let found = self.0.matching(filter);
        let found = found.iter().map(|publication| {
            let payload = publication.body.payload_bytes().to_vec();
            (publication.topic().to_owned(), payload)
        });
        found.collect()
    }
}
