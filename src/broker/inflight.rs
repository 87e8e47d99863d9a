//! Messages of QoS 1 and 2 that were sent to a client and are not acknowledged yet (section 4.3, 4.4).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{codec::Qos, outbox::Delivery};

/// Something to write to a client.
pub(super) enum Sent {
    Publish {
        delivery: Delivery,
        /// 0 for QoS 0.
        packet_id: u16,
        dup: bool,
    },
    /// PUBREL for this packet identifier.
    Release(u16),
}

enum State {
    /// PUBLISH was sent.
    Published(Delivery),
    /// PUBREC has come; PUBREL was sent.
    Released,
}

struct Flight {
    order: u64,
    state: State,
}

/// The window of one session.
#[derive(Default)]
pub(super) struct Inflight {
    flights: FxHashMap<u16, Flight>,
    window: usize,
    last_id: u16,
    next_order: u64,
    /// Packet identifiers to send again after a reconnect, in the order of the first time [MQTT-4.6.0-1].
    again: VecDeque<u16>,
}

impl Inflight {
    /// A connection begins: everything unacknowledged goes out again [MQTT-4.4.0-1].
    pub(super) fn resume(&mut self, window: usize) {
        self.window = window.max(1);
        let mut order: Vec<(u64, u16)> = self
            .flights
            .iter()
            .map(|(id, flight)| (flight.order, *id))
            .collect();
        order.sort_unstable();
        self.again = order.into_iter().map(|(_, id)| id).collect();
    }

    /// The next of those that go out again.
    pub(super) fn next_again(&mut self) -> Option<Sent> {
        loop {
            let packet_id = self.again.pop_front()?;
            match self.flights.get(&packet_id).map(|flight| &flight.state) {
                Some(State::Published(delivery)) => {
                    return Some(Sent::Publish {
                        delivery: delivery.clone(),
                        packet_id,
                        dup: true,
                    });
                }
                Some(State::Released) => return Some(Sent::Release(packet_id)),
                None => {}
            }
        }
    }

    /// What was sent and not acknowledged, in the order of the first time.
    pub(super) fn into_unacknowledged(self) -> Vec<Delivery> {
        let flights = self.flights.into_values();
        let mut sent: Vec<(u64, Delivery)> = flights
            .filter_map(|flight| match flight.state {
                State::Published(delivery) => Some((flight.order, delivery)),
                State::Released => None,
            })
            .collect();
        sent.sort_unstable_by_key(|(order, _)| *order);
        sent.into_iter().map(|(_, delivery)| delivery).collect()
    }

    /// Forgets what may not be sent again. Exchanges that the receiver has begun go on.
    pub(super) fn keep(&mut self, allowed: impl Fn(&Delivery) -> bool) {
        self.flights.retain(|_, flight| match &flight.state {
            State::Published(delivery) => allowed(delivery),
            State::Released => true,
        });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.flights.len() < self.window
    }

    /// Gives a message a free packet identifier [MQTT-2.2.1-4]. Only when there is room, so there is a free one.
    pub(super) fn begin(&mut self, delivery: &Delivery) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.flights.contains_key(&self.last_id) {
                break;
            }
        }
        let flight = Flight {
            order: self.next_order,
            state: State::Published(delivery.clone()),
        };
        self.next_order += 1;
        self.flights.insert(self.last_id, flight);
        self.last_id
    }

    /// PUBACK; false if nothing waits for it.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> bool {
        self.end(
            packet_id,
            |state| matches!(state, State::Published(delivery) if delivery.qos == Qos::AtLeastOnce),
        )
    }

    /// PUBREC: the receiver has it, and its identifier is to be released; false if it is not known.
    pub(super) fn received(&mut self, packet_id: u16) -> bool {
        match self.flights.get_mut(&packet_id) {
            Some(flight) => match &flight.state {
                State::Published(delivery) if delivery.qos == Qos::AtLeastOnce => false,
                _ => {
                    flight.state = State::Released;
                    true
                }
            },
            None => false,
        }
    }

    /// PUBCOMP; false if nothing waits for it.
    pub(super) fn completed(&mut self, packet_id: u16) -> bool {
        self.end(packet_id, |state| matches!(state, State::Released))
    }

    /// The message will not be sent, or the receiver refused it.
    pub(super) fn forget(&mut self, packet_id: u16) {
        self.flights.remove(&packet_id);
    }

    fn end(&mut self, packet_id: u16, expected: impl Fn(&State) -> bool) -> bool {
        let fits = self
            .flights
            .get(&packet_id)
            .is_some_and(|flight| expected(&flight.state));
        if fits {
            self.flights.remove(&packet_id);
        }
        fits
    }
}
