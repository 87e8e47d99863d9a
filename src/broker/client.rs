//! A connected client: what each of its packets does, and what goes out to it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::BytesMut;

use super::{
    access::Source,
    aliases::{ClientAliases, OwnAliases},
    codec::{
        Packet, PublishHead, PublishPacket, Qos, Refused, Version, Will, decode, encode_ack,
        encode_pingresp, encode_publish, encode_suback, encode_unsuback, protocol_error, reason,
    },
    core::Core,
    ending::Ending,
    inflight::Sent,
    message::{Body, Origin, Publication, PublishProperties},
    session::Session,
    sessions::Closed,
    wills::publish_later,
};

pub(super) const PUBACK: u8 = 0x40;
pub(super) const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
/// Messages that are collected before they go to the bus.
const PUBLISH_BATCH: usize = 256;
/// Messages that are taken from the session at once.
const TAKE: usize = 128;

/// What the handshake found out.
pub(super) struct ClientParts {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
    pub(super) connection: u64,
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
    parts: ClientParts,
    /// What the client has set, and what it was told.
    aliases: ClientAliases,
    own_aliases: OwnAliases,
    /// Messages of QoS 1 that came and are not acknowledged yet.
    unacknowledged: usize,
    publishing: VecDeque<Arc<Publication>>,
    sending: Vec<Sent>,
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
                self.parts.core.bus.send(&mut self.publishing).await;
            }
        };
        // What came before a fault counts.
        if !self.publishing.is_empty() {
            self.parts.core.bus.send(&mut self.publishing).await;
        }
        outcome
    }

    fn packet(&mut self, packet: Packet, out: &mut BytesMut) -> Result<(), Ending> {
        let version = self.parts.version;
        let session = &self.parts.session;
        match packet {
            // [MQTT-3.1.0-2]
            Packet::Connect(_) => {
                return Err(Ending::Refused(protocol_error("CONNECT came twice")));
            }
            Packet::Publish(publish) => self.publish(publish, out)?,
            Packet::PubAck(id) => {
                session.outbox().inflight.acknowledged(id);
            }
            Packet::PubRec(id, code) if code >= 0x80 => session.outbox().inflight.forget(id),
            Packet::PubRec(id, _) => {
                let known = session.outbox().inflight.received(id);
                encode_ack(out, version, PUBREL, id, found(known));
            }
            Packet::PubRel(id) => {
                let known = session.outbox().received.remove(&id);
                encode_ack(out, version, PUBCOMP, id, found(known));
            }
            Packet::PubComp(id) => {
                session.outbox().inflight.completed(id);
            }
            Packet::Subscribe {
                packet_id,
                subscription_id,
                filters,
            } => {
                let codes = self
                    .parts
                    .core
                    .subscribe(session, &filters, subscription_id);
                encode_suback(out, version, packet_id, &codes);
            }
            Packet::Unsubscribe { packet_id, filters } => {
                let existed = self.parts.core.unsubscribe(session, &filters);
                let codes: Vec<u8> = existed
                    .into_iter()
                    .map(|existed| match existed {
                        true => reason::SUCCESS,
                        false => reason::NO_SUBSCRIPTION_EXISTED,
                    })
                    .collect();
                encode_unsuback(out, version, packet_id, &codes);
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

    fn publish(&mut self, packet: PublishPacket, out: &mut BytesMut) -> Result<(), Ending> {
        let mut body = packet.body;
        let alias = packet
            .properties
            .as_ref()
            .and_then(|properties| properties.topic_alias);
        if let Some(alias) = alias {
            body = self.aliases.resolve(alias, body).map_err(Ending::Refused)?;
        }
        if !self.parts.session.identity().may_publish(body.topic()) {
            self.refuse_publish(packet.qos, packet.packet_id, out);
            return Ok(());
        }
        if packet.qos == Qos::ExactlyOnce
            && !self
                .parts
                .session
                .outbox()
                .received
                .insert(packet.packet_id)
        {
            // It has come before and was published then [MQTT-4.3.3-10].
            encode_ack(
                out,
                self.parts.version,
                PUBREC,
                packet.packet_id,
                reason::SUCCESS,
            );
            return Ok(());
        }
        self.unacknowledged += usize::from(packet.qos == Qos::AtLeastOnce);
        self.check_receive_maximum()?;
        let properties = packet
            .properties
            .and_then(|properties| PublishProperties::from_packet(*properties));
        let mut publication = Publication::new(
            body,
            packet.qos,
            packet.retain,
            properties,
            Origin::Client(self.parts.session.clone(), packet.packet_id),
            &self.parts.core.memory,
        );
        self.parts.session.count_published();
        if packet.retain {
            publication.source = Source::of(&self.parts.session);
        }
        self.publishing.push_back(Arc::new(publication));
        Ok(())
    }

    /// Answers a message that the client may not publish. Older versions can't be told [MQTT-3.3.5-2].
    fn refuse_publish(&self, qos: Qos, packet_id: u16, out: &mut BytesMut) {
        let version = self.parts.version;
        let (first, reason) = match (qos, version) {
            (Qos::AtMostOnce, _) => return,
            (Qos::AtLeastOnce, Version::V5) => (PUBACK, reason::NOT_AUTHORIZED),
            (Qos::ExactlyOnce, Version::V5) => (PUBREC, reason::NOT_AUTHORIZED),
            (Qos::AtLeastOnce, _) => (PUBACK, reason::SUCCESS),
            (Qos::ExactlyOnce, _) => {
                self.parts.session.outbox().received.insert(packet_id);
                (PUBREC, reason::SUCCESS)
            }
        };
        encode_ack(out, version, first, packet_id, reason);
    }

    /// [MQTT-3.3.4-7], for what comes in.
    fn check_receive_maximum(&self) -> Result<(), Ending> {
        let Some(most) = self.parts.receive_maximum else {
            return Ok(());
        };
        let open = self.unacknowledged + self.parts.session.outbox().received.len();
        match open > usize::from(most) {
            false => Ok(()),
            true => Err(Ending::Refused(Refused {
                reason: reason::RECEIVE_MAXIMUM_EXCEEDED,
                text: "more messages came unacknowledged than the receive maximum allows",
            })),
        }
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
            let is_idle = self.parts.session.take(&mut self.sending, TAKE);
            packets += self.sending.len();
            self.encode_sending(out);
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
                        self.parts.session.outbox().inflight.forget(packet_id);
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

const fn found(known: bool) -> u8 {
    match known {
        true => reason::SUCCESS,
        false => reason::PACKET_ID_NOT_FOUND,
    }
}
