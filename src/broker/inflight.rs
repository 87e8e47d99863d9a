//! Messages of QoS 1 and 2 that were sent to a client and are not acknowledged yet (section 4.3, 4.4).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{
    codec::{Qos, Refused, protocol_error},
    outbox::Delivery,
};

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
    /// Its place in a stored session, or 0.
    seq: u64,
    /// It was sent on this connection.
    is_open: bool,
    state: State,
}

/// Another packet than the one that the message's quality of service asks for [MQTT-4.3.2-3], [MQTT-4.3.3-4].
const WRONG: Refused =
    protocol_error("an acknowledgement is not the one that its message waits for");

/// The window of one session.
#[derive(Default)]
pub(super) struct Inflight {
    flights: FxHashMap<u16, Flight>,
    window: usize,
    /// How many of them were sent on this connection.
    open: usize,
    last_id: u16,
    next_order: u64,
    /// Packet identifiers to send again after a reconnect, in the order of the first time [MQTT-4.6.0-1].
    again: VecDeque<u16>,
}

impl Inflight {
    /// A connection begins: everything unacknowledged goes out again [MQTT-4.4.0-1].
    pub(super) fn resume(&mut self, window: usize) {
        self.window = window.max(1);
        self.open = 0;
        let mut order: Vec<(u64, u16)> = self
            .flights
            .iter_mut()
            .map(|(id, flight)| {
                flight.is_open = false;
                (flight.order, *id)
            })
            .collect();
        order.sort_unstable();
        self.again = order.into_iter().map(|(_, id)| id).collect();
    }

    /// The next of those that go out again. Of messages no more than the window allows, which may have become smaller
    /// [MQTT-3.3.4-9].
    pub(super) fn next_again(&mut self) -> Option<Sent> {
        loop {
            let packet_id = *self.again.front()?;
            let Some(flight) = self.flights.get_mut(&packet_id) else {
                self.again.pop_front();
                continue;
            };
            let sent = match &flight.state {
                State::Published(_) if self.open >= self.window => return None,
                State::Published(delivery) => Sent::Publish {
                    delivery: delivery.clone(),
                    packet_id,
                    dup: true,
                },
                State::Released => Sent::Release(packet_id),
            };
            flight.is_open = true;
            self.open += 1;
            self.again.pop_front();
            return Some(sent);
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

    /// Forgets what may not be sent again, and gives the places of those that are stored. Exchanges that the receiver has begun
    /// go on.
    pub(super) fn keep(&mut self, allowed: impl Fn(&Delivery) -> bool) -> Vec<u64> {
        let mut gone = Vec::new();
        let open = &mut self.open;
        self.flights.retain(|_, flight| {
            let stays = match &flight.state {
                State::Published(delivery) => allowed(delivery),
                State::Released => true,
            };
            if !stays {
                gone.push(flight.seq);
                *open -= usize::from(flight.is_open);
            }
            stays
        });
        gone
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.flights.len() < self.window
    }

    /// Whether there is a packet identifier for a message. That of one that is stored follows from its place.
    pub(super) fn is_free(&self, delivery: &Delivery) -> bool {
        delivery.seq == 0 || !self.flights.contains_key(&id_of(delivery.seq))
    }

    /// An exchange that was not over at a restart: the receiver has the message.
    pub(super) fn restore_released(&mut self, seq: u64) {
        let flight = Flight {
            order: self.next_order,
            seq,
            is_open: false,
            state: State::Released,
        };
        self.next_order += 1;
        self.flights.insert(id_of(seq), flight);
    }

    /// Gives a message a free packet identifier [MQTT-2.2.1-4]. Only when there is room, so there is a free one.
    pub(super) fn begin(&mut self, delivery: &Delivery) -> u16 {
        match delivery.seq {
            0 => loop {
                self.last_id = self.last_id.checked_add(1).unwrap_or(1);
                if !self.flights.contains_key(&self.last_id) {
                    break;
                }
            },
            seq => self.last_id = id_of(seq),
        }
        let flight = Flight {
            order: self.next_order,
            seq: delivery.seq,
            is_open: true,
            state: State::Published(delivery.clone()),
        };
        self.next_order += 1;
        self.open += 1;
        self.flights.insert(self.last_id, flight);
        self.last_id
    }

    /// PUBACK: the message's place in a stored session, or 0; none if nothing waits for it.
    ///
    /// # Errors
    /// That is not what the message waits for.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Result<Option<u64>, Refused> {
        self.end(
            packet_id,
            |state| matches!(state, State::Published(delivery) if delivery.qos == Qos::AtLeastOnce),
        )
    }

    /// PUBREC: the receiver has it, and its identifier is to be released. As for [`Inflight::acknowledged`].
    ///
    /// # Errors
    /// The message is not one of QoS 2.
    pub(super) fn received(&mut self, packet_id: u16) -> Result<Option<u64>, Refused> {
        let Some(flight) = self.flights.get_mut(&packet_id) else {
            return Ok(None);
        };
        match &flight.state {
            State::Published(delivery) if delivery.qos == Qos::AtLeastOnce => Err(WRONG),
            _ => {
                flight.state = State::Released;
                Ok(Some(flight.seq))
            }
        }
    }

    /// PUBCOMP. As for [`Inflight::acknowledged`].
    ///
    /// # Errors
    /// PUBREC has not come.
    pub(super) fn completed(&mut self, packet_id: u16) -> Result<Option<u64>, Refused> {
        self.end(packet_id, |state| matches!(state, State::Released))
    }

    /// The message will not be sent, or the receiver refused it. As for [`Inflight::acknowledged`].
    pub(super) fn forget(&mut self, packet_id: u16) -> Option<u64> {
        let flight = self.flights.remove(&packet_id)?;
        self.open -= usize::from(flight.is_open);
        Some(flight.seq)
    }

    fn end(
        &mut self,
        packet_id: u16,
        expected: impl Fn(&State) -> bool,
    ) -> Result<Option<u64>, Refused> {
        match self.flights.get(&packet_id) {
            None => Ok(None),
            Some(flight) if expected(&flight.state) => Ok(self.forget(packet_id)),
            Some(_) => Err(WRONG),
        }
    }
}

/// The packet identifier of a stored message.
fn id_of(seq: u64) -> u16 {
    ((seq - 1) % u64::from(u16::MAX) + 1) as u16
}
