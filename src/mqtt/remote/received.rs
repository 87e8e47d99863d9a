//! Which messages of QoS 2 have come and are not released yet: a part of the session that the client keeps (section 4.1).
//!
//! rumqttc forgets them with the connection. It then takes the PUBREL of one for a fault, which ends each new connection, and
//! gives out a message that is sent again once more.

use std::collections::BTreeSet;

#[derive(Default)]
pub(super) struct Received(BTreeSet<u16>);

impl Received {
    /// A message has come. False: it was there before.
    pub(super) fn is_new(&mut self, is_exactly_once: bool, id: u16) -> bool {
        !is_exactly_once || self.0.insert(id)
    }

    /// Its exchange is over.
    pub(super) fn released(&mut self, id: u16) {
        self.0.remove(&id);
    }

    /// There is a new connection; each that is to be known in it, if the session goes on.
    pub(super) fn go_on(&mut self, session_present: bool) -> impl Iterator<Item = u16> {
        if !session_present {
            self.0.clear();
        }
        self.0.iter().copied()
    }
}
