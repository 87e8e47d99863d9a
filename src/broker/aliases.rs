//! Topic aliases of MQTT 5 (section 3.3.2.3.4): short numbers in place of topics, for one connection and one direction.

use rustc_hash::FxHashMap;

use super::{
    codec::{Refused, protocol_error, reason},
    handshake::TOPIC_ALIASES,
    message::Body,
};

/// What the client has set.
#[derive(Default)]
pub(super) struct ClientAliases(FxHashMap<u16, Box<str>>);

impl ClientAliases {
    /// Sets an alias if the message has a topic, else gives the message the topic of the alias.
    ///
    /// # Errors
    /// The alias is out of range, or unknown.
    pub(super) fn resolve(&mut self, alias: u16, body: Body) -> Result<Body, Refused> {
        if alias == 0 || alias > TOPIC_ALIASES {
            return Err(Refused {
                reason: reason::TOPIC_ALIAS_INVALID,
                text: "a topic alias is 0 or larger than allowed",
            });
        }
        if body.topic_bytes().is_empty() {
            let unknown = protocol_error("a topic alias was not set before");
            let topic = self.0.get(&alias).ok_or(unknown)?;
            return Ok(Body::new(topic, body.payload_bytes()));
        }
        self.0.insert(alias, body.topic().into());
        Ok(body)
    }
}

/// The topic aliases that this side has set: one for each of the first topics.
pub(super) struct OwnAliases {
    most: u16,
    by_topic: FxHashMap<Box<str>, u16>,
}

impl OwnAliases {
    /// `most`: how many the client takes.
    pub(super) fn new(most: u16) -> Self {
        Self {
            most,
            by_topic: FxHashMap::default(),
        }
    }

    /// The alias of a topic, and whether the client knows it; none when it takes no more.
    pub(super) fn of(&self, topic: &str) -> Option<(u16, bool)> {
        if self.most == 0 {
            return None;
        }
        if let Some(alias) = self.by_topic.get(topic) {
            return Some((*alias, true));
        }
        let next = self.by_topic.len() as u16 + 1;
        (next <= self.most).then_some((next, false))
    }

    pub(super) fn set(&mut self, topic: &str, alias: u16) {
        self.by_topic.insert(topic.into(), alias);
    }
}
