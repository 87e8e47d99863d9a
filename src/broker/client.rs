//! A connected client: what each of its packets does, and what goes out to it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::BytesMut;

use super::{
    access::Source,
    aliases::{ClientAliases, OwnAliases},
    codec::{
        Packet, PublishHead, Version, Will, decode, encode_ack, encode_pingresp, encode_publish,
        protocol_error, reason,
    },
    core::Core,
    durable,
    ending::Ending,
    inflight::Sent,
    journal::Change,
    message::{Body, Origin, Publication, PublishProperties},
    outbox::Ack,
    session::Session,
    sessions::Closed,
    visitors::UserPlace,
    wills::publish_later,
};

pub(super) const PUBACK: u8 = 0x40;
pub(super) const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
pub(super) const PUBCOMP: u8 = 0x70;
/// Messages that are collected before they go to the bus.
const PUBLISH_BATCH: usize = 256;
/// Messages that are taken from the session at once.
const TAKE: usize = 128;

/// What the handshake found out.
pub(super) struct ClientParts {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
    pub(super) connection: u64,
    /// The session was there before it.
    pub(super) resumed: bool,
    /// Among those of the user.
    pub(super) _place: Option<UserPlace>,
    pub(super) version: Version,
    pub(super) patience: Option<Duration>,
    /// Messages of QoS 1 and 2 that the client may have unacknowledged; none: no limit was told.
    pub(super) receive_maximum: Option<u16>,
    /// Topic aliases that the client takes.
    pub(super) topic_aliases: u16,
    /// The largest packet that the client takes.
    pub(super) max_packet: usize,
    /// Seconds that the session outlives the connection.
    pub(super) expiry: u32,
    pub(super) will: Option<Will>,
}

/// A client and the packets that wait on its way in and out.
pub(super) struct Client {
    pub(super) parts: ClientParts,
    /// What the client has set, and what it was told.
    pub(super) aliases: ClientAliases,
    own_aliases: OwnAliases,
    /// Messages of QoS 1 that came and are not acknowledged yet.
    pub(super) unacknowledged: usize,
    pub(super) publishing: VecDeque<Arc<Publication>>,
    sending: Vec<Sent>,
    /// What is to be stored, and what may be answered once it is.
    pub(super) changes: Vec<Change>,
    later: Vec<Ack>,
    /// The session itself has changed.
    pub(super) has_changed: bool,
    /// Messages of its own may still be on the bus.
    pub(super) has_published: bool,
}

impl Client {
    pub(super) fn new(parts: ClientParts) -> Self {
        Self {
            aliases: ClientAliases::default(),
            own_aliases: OwnAliases::new(parts.topic_aliases),
            parts,
            unacknowledged: 0,
            publishing: VecDeque::new(),
            sending: Vec::new(),
            changes: Vec::new(),
            later: Vec::new(),
            has_changed: false,
            has_published: false,
        }
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.parts.session
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.parts.core
    }

    pub(super) fn version(&self) -> Version {
        self.parts.version
    }

    /// How long the client may be silent; none for ever.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.parts.patience
    }

    /// Handles all complete packets of `input`; direct answers go to `out`.
    pub(super) async fn handle(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<(), Ending> {
        let limit = self.parts.core.config.max_packet_size;
        let outcome = loop {
            match decode(input, self.parts.version, limit) {
                Ok(Some(packet)) => {
                    if let Err(ending) = self.let_earlier_go_first(&packet, out).await {
                        break Err(ending);
                    }
                    let before = out.len();
                    let handled = self.packet(packet, out);
                    let counters = &self.parts.core.counters;
                    counters.packets_in.add(1);
                    counters.packets_out.add(u64::from(out.len() > before));
                    if let Err(ending) = handled {
                        break Err(ending);
                    }
                }
                Ok(None) => break Ok(()),
                Err(refused) => break Err(Ending::Refused(refused)),
            }
            if self.publishing.len() >= PUBLISH_BATCH {
                self.commit();
                self.parts.core.bus.send(&mut self.publishing).await;
            }
        };
        self.commit();
        if std::mem::take(&mut self.has_changed) {
            let (core, session) = (&self.parts.core, &self.parts.session);
            core.store_session(session, self.parts.expiry, None);
            core.stored().await;
        }
        // What came before a fault counts.
        if !self.publishing.is_empty() {
            self.parts.core.bus.send(&mut self.publishing).await;
        }
        outcome
    }

    /// Has what has changed stored, and answers what waits for that.
    pub(super) fn commit(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        if self.later.is_empty() {
            if !changes.is_empty() {
                self.parts.core.journal.commit(changes, None);
            }
            return;
        }
        let (session, later) = (self.parts.session.clone(), std::mem::take(&mut self.later));
        let answer = move || {
            for ack in later {
                session.push_ack(ack);
            }
            session.wake();
        };
        self.parts
            .core
            .journal
            .commit(changes, Some(Box::new(answer)));
    }

    /// A stored message is done with.
    fn is_done(&mut self, seq: Option<u64>) {
        if let Some(seq) = seq.filter(|seq| *seq > 0) {
            self.changes.push(durable::done(&self.parts.session, seq));
        }
    }

    /// Answers now, or if the session is stored once that is.
    pub(super) fn answer(&mut self, first: u8, packet_id: u16, reason: u8, out: &mut BytesMut) {
        match self.parts.session.is_durable() {
            true => self.later.push((first, packet_id, reason)),
            false => encode_ack(out, self.parts.version, first, packet_id, reason),
        }
    }

    fn packet(&mut self, packet: Packet, out: &mut BytesMut) -> Result<(), Ending> {
        let session = &self.parts.session;
        match packet {
            // [MQTT-3.1.0-2]
            Packet::Connect(_) => {
                return Err(Ending::Refused(protocol_error("CONNECT came twice")));
            }
            Packet::Publish(publish) => {
                self.has_published = true;
                self.publish(publish, out)?;
            }
            Packet::PubAck(id) => {
                let seq = session.outbox().inflight.acknowledged(id);
                self.is_done(seq.map_err(Ending::Refused)?);
            }
            Packet::PubRec(id, code) if code >= 0x80 => {
                let seq = session.outbox().inflight.forget(id);
                self.is_done(seq);
            }
            Packet::PubRec(id, _) => {
                let seq = session.outbox().inflight.received(id);
                let seq = seq.map_err(Ending::Refused)?;
                if let Some(seq) = seq.filter(|seq| *seq > 0) {
                    let change = durable::released(session, seq);
                    self.changes.push(change);
                }
                self.answer(PUBREL, id, found(seq.is_some()), out);
            }
            Packet::PubRel(id) => {
                self.has_published = true;
                let begun = session.outbox().received.remove(id);
                self.release(id, begun, out);
            }
            Packet::PubComp(id) => {
                let seq = session.outbox().inflight.completed(id);
                self.is_done(seq.map_err(Ending::Refused)?);
            }
            Packet::Subscribe {
                packet_id,
                subscription_id,
                filters,
            } => self.subscribe(packet_id, subscription_id, filters, out),
            Packet::Unsubscribe { packet_id, filters } => {
                self.unsubscribe(packet_id, filters, out);
            }
            Packet::PingReq => encode_pingresp(out),
            Packet::Disconnect {
                reason,
                session_expiry,
            } => {
                if let Some(expiry) = session_expiry {
                    // [MQTT-3.14.2-2]
                    if self.parts.expiry == 0 && expiry > 0 {
                        return Err(Ending::Refused(protocol_error(
                            "a session that ends with its connection cannot be prolonged",
                        )));
                    }
                    self.parts.expiry = expiry;
                }
                return Err(Ending::Left {
                    // [MQTT-3.14.4-3]: only a normal goodbye takes the will back.
                    with_will: reason != reason::SUCCESS,
                });
            }
        }
        Ok(())
    }

    /// Encodes what waits in the session; gives the receiver that this client should wait for.
    pub(super) fn fill(&mut self, out: &mut BytesMut) -> Result<Option<Arc<Session>>, Ending> {
        let mut hold = None;
        loop {
            let mut outbox = self.parts.session.outbox();
            if let Some(reason) = outbox.kicked {
                return Err(Ending::Kicked(reason));
            }
            if outbox.connection != self.parts.connection {
                return Err(Ending::Kicked(reason::TAKEN_OVER));
            }
            let mut packets = outbox.acks.len();
            for (first, packet_id, reason) in outbox.acks.drain(..) {
                self.unacknowledged -= usize::from(first == PUBACK && self.unacknowledged > 0);
                encode_ack(out, self.parts.version, first, packet_id, reason);
            }
            hold = outbox.hold.take().or(hold);
            drop(outbox);
            let (connection, sending) = (self.parts.connection, &mut self.sending);
            let is_idle = self
                .parts
                .session
                .take(connection, sending, &mut self.changes, TAKE);
            packets += self.sending.len();
            self.encode_sending(out);
            self.commit();
            self.parts.core.counters.packets_out.add(packets as u64);
            // Only a look that finds nothing at all makes the next message wake this task.
            if is_idle || !out.is_empty() {
                return Ok(hold);
            }
        }
    }

    fn encode_sending(&mut self, out: &mut BytesMut) {
        let version = self.parts.version;
        for sent in self.sending.drain(..) {
            match sent {
                Sent::Release(id) => encode_ack(out, version, PUBREL, id, reason::SUCCESS),
                Sent::Publish {
                    delivery,
                    packet_id,
                    dup,
                } => {
                    let start = out.len();
                    let publication = &delivery.publication;
                    let head = PublishHead {
                        alias: self.own_aliases.of(publication.topic()),
                        qos: delivery.qos,
                        retain: delivery.retain,
                        dup,
                        packet_id,
                        expiry: delivery.publication.seconds_left(),
                        subscription_ids: delivery.ids.as_deref().unwrap_or_default(),
                    };
                    let properties = publication.properties.as_deref();
                    encode_publish(out, version, head, &publication.body, properties);
                    // What the client could not take is dropped as if it were delivered [MQTT-3.1.2-25].
                    if out.len() - start > self.parts.max_packet {
                        out.truncate(start);
                        let seq = self.parts.session.outbox().inflight.forget(packet_id);
                        if let Some(seq) = seq.filter(|seq| *seq > 0) {
                            self.changes.push(durable::done(&self.parts.session, seq));
                        }
                    } else if let Some((alias, false)) = head.alias {
                        self.own_aliases.set(publication.topic(), alias);
                    }
                }
            }
        }
    }

    /// The connection is over: the session rests or ends, and the will is published if it should be.
    pub(super) async fn end(self, ending: &Ending) {
        let Self {
            parts:
                ClientParts {
                    core,
                    session,
                    connection,
                    expiry,
                    will,
                    ..
                },
            ..
        } = self;
        let closed = core.sessions.close(&session, connection, expiry);
        if closed == Closed::Rests {
            core.store_session(&session, expiry, durable::ends(expiry));
        }
        let is_due =
            |will: &Will| ending.publishes_will() && session.identity().may_publish(&will.topic);
        let will = will.filter(is_due).map(|will| {
            let delay = will.properties.will_delay.unwrap_or(0).min(expiry);
            (
                will_message(will, &core, &session),
                Duration::from_secs(delay.into()),
            )
        });
        match (will, closed) {
            (Some((will, delay)), Closed::Rests) if !delay.is_zero() => {
                publish_later(&core, &session, will, delay);
            }
            // The client is back before its will is due [MQTT-3.1.3-9].
            (Some((_, delay)), Closed::TakenOver) if !delay.is_zero() => {}
            (Some((will, _)), _) => core.publish(will).await,
            (None, _) => {}
        }
        if closed == Closed::Over {
            core.end(&session);
        }
        session.has_ended(connection);
    }
}

fn will_message(will: Will, core: &Core, session: &Session) -> Publication {
    let retain = will.retain;
    let mut made = Publication::new(
        Body::new(&will.topic, &will.payload),
        will.qos,
        will.retain,
        PublishProperties::from_packet(will.properties),
        Origin::Broker,
        &core.memory,
    );
    if retain {
        made.source = Source::of(session);
    }
    made
}

pub(super) const fn found(known: bool) -> u8 {
    match known {
        true => reason::SUCCESS,
        false => reason::PACKET_ID_NOT_FOUND,
    }
}
