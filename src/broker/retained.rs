//! Retained messages: the last one of each topic, for those who subscribe later (section 3.3.1.3).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::message::{Body, Origin, Publication};

#[derive(Default)]
struct Level {
    children: FxHashMap<Box<str>, Level>,
    message: Option<Arc<Publication>>,
}

/// All retained messages, within limits.
pub(super) struct Retained {
    root: Level,
    count: usize,
    bytes: usize,
    max_count: usize,
    max_bytes: usize,
}

impl Retained {
    pub(super) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self {
            root: Level::default(),
            count: 0,
            bytes: 0,
            max_count,
            max_bytes,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Keeps the message of its topic, or forgets the old one if the payload is empty [MQTT-3.3.1-6]. False if there is
    /// no room for it.
    pub(super) fn store(&mut self, publication: &Publication) -> bool {
        let topic = publication.topic();
        if let Some(old) = self.root.take(topic) {
            self.count -= 1;
            self.bytes -= old.size();
        }
        if publication.body.payload_bytes().is_empty() {
            return true;
        }
        let size = publication.size();
        if self.count >= self.max_count || self.bytes + size > self.max_bytes {
            return false;
        }
        // A copy of its own: the publisher's session must not live as long as the message.
        let kept = Publication {
            body: Body::new(topic, publication.body.payload_bytes()),
            qos: publication.qos,
            retain: true,
            properties: publication.properties.clone(),
            expires: publication.expires,
            origin: Origin::Broker,
            source: publication.source.clone(),
            share: None,
        };
        self.count += 1;
        self.bytes += size;
        self.root.place(topic).message = Some(Arc::new(kept));
        true
    }

    /// The messages that a filter matches and whose time is not over.
    pub(super) fn matching(&self, filter: &str) -> Vec<Arc<Publication>> {
        let mut found = Vec::new();
        self.root.find(Some(filter), true, &mut found);
        found.retain(|publication| !publication.is_expired());
        found
    }

    /// Forgets those whose time is over; their topics.
    pub(super) fn expire(&mut self) -> Vec<String> {
        let mut expired = Vec::new();
        self.root.expired(&mut expired);
        let mut topics = Vec::with_capacity(expired.len());
        for publication in expired {
            if self.root.take(publication.topic()).is_some() {
                self.count -= 1;
                self.bytes -= publication.size();
                topics.push(publication.topic().to_owned());
            }
        }
        topics
    }
}

impl Level {
    fn place(&mut self, topic: &str) -> &mut Self {
        topic.split('/').fold(self, |level, part| {
            level.children.entry(part.into()).or_default()
        })
    }

    fn take(&mut self, topic: &str) -> Option<Arc<Publication>> {
        let (part, rest) = match topic.split_once('/') {
            Some((part, rest)) => (part, Some(rest)),
            None => (topic, None),
        };
        let child = self.children.get_mut(part)?;
        let taken = match rest {
            Some(rest) => child.take(rest),
            None => child.message.take(),
        };
        if child.message.is_none() && child.children.is_empty() {
            self.children.remove(part);
        }
        taken
    }

    fn find(&self, filter: Option<&str>, first: bool, found: &mut Vec<Arc<Publication>>) {
        let Some(filter) = filter else {
            found.extend(self.message.clone());
            return;
        };
        let (part, rest) = match filter.split_once('/') {
            Some((part, rest)) => (part, Some(rest)),
            None => (filter, None),
        };
        match part {
            "#" => self.all(first, found),
            "+" => {
                for (_, child) in self.visible(first) {
                    child.find(rest, false, found);
                }
            }
            part => {
                if let Some(child) = self.children.get(part) {
                    child.find(rest, false, found);
                }
            }
        }
    }

    /// This level and all below.
    fn all(&self, first: bool, found: &mut Vec<Arc<Publication>>) {
        found.extend(self.message.clone());
        for (_, child) in self.visible(first) {
            child.all(false, found);
        }
    }

    /// What a wildcard sees: at the first level nothing that begins with `$` [MQTT-4.7.2-1].
    fn visible(&self, first: bool) -> impl Iterator<Item = (&Box<str>, &Self)> {
        self.children
            .iter()
            .filter(move |(name, _)| !(first && name.starts_with('$')))
    }

    fn expired(&self, expired: &mut Vec<Arc<Publication>>) {
        expired.extend(self.message.clone().filter(|message| message.is_expired()));
        for child in self.children.values() {
            child.expired(expired);
        }
    }
}
