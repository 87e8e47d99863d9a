//! Messages at QoS 2 that have come in and wait for PUBREL (section 4.3.3, method A): only then they are handed to anybody, so
//! that one which comes twice before it counts once.

use rustc_hash::FxHashMap;

use super::message::Publication;

/// An exchange that a client has begun.
pub(super) enum Begun {
    Message(Box<Publication>),
    /// It ends without a message: that may not be published, or was published before.
    Nothing,
}

/// Those of one session, by packet identifier.
#[derive(Default)]
pub(super) struct BegunMessages {
    messages: FxHashMap<u16, Begun>,
    bytes: usize,
}

impl BegunMessages {
    pub(super) fn contains(&self, packet_id: u16) -> bool {
        self.messages.contains_key(&packet_id)
    }

    pub(super) fn insert(&mut self, packet_id: u16, begun: Begun) {
        self.bytes += size(&begun);
        if let Some(old) = self.messages.insert(packet_id, begun) {
            self.bytes -= size(&old);
        }
    }

    /// PUBREL; none: nothing of this identifier was begun.
    pub(super) fn remove(&mut self, packet_id: u16) -> Option<Begun> {
        let begun = self.messages.remove(&packet_id)?;
        self.bytes -= size(&begun);
        Some(begun)
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// What the messages hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(begun: &Begun) -> usize {
    match begun {
        Begun::Message(publication) => publication.size(),
        Begun::Nothing => 0,
    }
}
