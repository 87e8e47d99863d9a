//! A connected client: what each of its packets does, and what goes out to it.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use bytes::BytesMut;
use rustc_hash::FxHashMap;

use super::{
    codec::{
        Packet, PublishHead, PublishPacket, Qos, Refused, Version, Will, decode, encode_ack,
        encode_pingresp, encode_publish, encode_suback, encode_unsuback, protocol_error, reason,
    },
    core::Core,
    handshake::TOPIC_ALIASES,
    inflight::Sent,
    message::{Body, Origin, Publication, PublishProperties},
    session::Session,
};

const PUBREL: u8 = 0x62;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;
/// Messages that are collected before they go to the bus.
const PUBLISH_BATCH: usize = 256;
/// Messages that are taken from the session at once.
const TAKE: usize = 128;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The network connection is gone.
    Gone,
    /// DISCONNECT; whether the will is to be published all the same.
    Left { with_will: bool },
    /// Nothing came for one and a half times the keep alive.
    Silent,
    /// It broke the protocol.
    Refused(Refused),
    /// Another connection or the broker itself wants it to end.
    Kicked(u8),
}

impl Ending {
    /// The reason code for a client that hears of it.
    pub(super) fn reason(self) -> Option<u8> {
        match self {
            Self::Gone | Self::Left { .. } => None,
            Self::Silent => Some(reason::KEEP_ALIVE_TIMEOUT),
            Self::Refused(refused) => Some(refused.reason),
            Self::Kicked(reason) => Some(reason),
        }
    }

    /// [MQTT-3.1.2-8], [MQTT-3.14.4-3]. When the broker stops, nobody is left to hear of it.
    fn publishes_will(self) -> bool {
        match self {
            Self::Left { with_will } => with_will,
            Self::Kicked(reason) => reason != reason::SHUTTING_DOWN,
            _ => true,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => out.write_str("connection lost"),
            Self::Left { .. } => out.write_str("disconnected"),
            Self::Silent => out.write_str("nothing heard within the keep alive"),
            Self::Refused(refused) => refused.fmt(out),
            Self::Kicked(reason::TAKEN_OVER) => out.write_str("taken over by another connection"),
            Self::Kicked(_) => out.write_str("the broker stops"),
        }
    }
}

/// What the handshake found out.
pub(super) struct ClientParts {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
    pub(super) connection: u64,
    pub(super) version: Version,
    pub(super) patience: Option<Duration>,
    /// The largest packet that the client takes.
    pub(super) max_packet: usize,
    /// Seconds that the session outlives the connection.
    pub(super) expiry: u32,
    pub(super) will: Option<Will>,
}

/// A client and the packets that wait on its way in and out.
pub(super) struct Client {
    parts: ClientParts,
    aliases: FxHashMap<u16, Box<str>>,
    publishing: VecDeque<Arc<Publication>>,
    sending: Vec<Sent>,
}

impl Client {
    pub(super) fn new(parts: ClientParts) -> Self {
        Self {
            parts,
            aliases: FxHashMap::default(),
            publishing: VecDeque::new(),
            sending: Vec::new(),
        }
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.parts.session
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
                    if let Err(ending) = self.packet(packet, out) {
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
            body = self.resolve_alias(alias, body)?;
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
        let properties = packet
            .properties
            .and_then(|properties| PublishProperties::from_packet(*properties));
        self.publishing.push_back(Arc::new(Publication::new(
            body,
            packet.qos,
            packet.retain,
            properties,
            Origin::Client(self.parts.session.clone(), packet.packet_id),
            &self.parts.core.memory,
        )));
        Ok(())
    }

    /// Section 3.3.2.3.4.
    fn resolve_alias(&mut self, alias: u16, body: Body) -> Result<Body, Ending> {
        let wrong = Ending::Refused(Refused {
            reason: reason::TOPIC_ALIAS_INVALID,
            text: "a topic alias is not known",
        });
        if alias == 0 || alias > TOPIC_ALIASES {
            return Err(wrong);
        }
        if body.topic_bytes().is_empty() {
            let topic = self.aliases.get(&alias).ok_or(wrong)?;
            return Ok(Body::new(topic, body.payload_bytes()));
        }
        self.aliases.insert(alias, body.topic().into());
        Ok(body)
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
            for (first, packet_id) in outbox.acks.drain(..) {
                encode_ack(out, self.parts.version, first, packet_id, reason::SUCCESS);
            }
            hold = outbox.hold.take().or(hold);
            drop(outbox);
            let is_idle = self.parts.session.take(&mut self.sending, TAKE);
            self.encode_sending(out);
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
                    let head = PublishHead {
                        qos: delivery.qos,
                        retain: delivery.retain,
                        dup,
                        packet_id,
                        expiry: delivery.publication.seconds_left(),
                        subscription_ids: delivery.ids.as_deref().unwrap_or_default(),
                    };
                    let publication = &delivery.publication;
                    let properties = publication.properties.as_deref();
                    encode_publish(out, version, head, &publication.body, properties);
                    // What the client could not take is dropped as if it were delivered [MQTT-3.1.2-25].
                    if out.len() - start > self.parts.max_packet {
                        out.truncate(start);
                        self.parts.session.outbox().inflight.forget(packet_id);
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
        if core.sessions.close(&session, connection, expiry) {
            core.end(&session);
        }
        let Some(will) = will.filter(|_| ending.publishes_will()) else {
            return;
        };
        let delay = will.properties.will_delay.unwrap_or(0).min(expiry);
        if delay == 0 {
            core.publish(will_message(will, &core)).await;
            return;
        }
        let publish_later = {
            let core = core.clone();
            async move {
                let delay = Duration::from_secs(delay.into());
                if timeout_or(&core, delay).await && !session.is_online() {
                    core.publish(will_message(will, &core)).await;
                }
            }
        };
        core.tasks.spawn(publish_later);
    }
}

/// Sleeps; false if the broker stops meanwhile.
async fn timeout_or(core: &Core, delay: Duration) -> bool {
    tokio::select! {
        () = core.shutdown.cancelled() => false,
        () = tokio::time::sleep(delay) => true,
    }
}

fn will_message(will: Will, core: &Core) -> Publication {
    Publication::new(
        Body::new(&will.topic, &will.payload),
        will.qos,
        will.retain,
        PublishProperties::from_packet(will.properties),
        Origin::Broker,
        &core.memory,
    )
}

const fn found(known: bool) -> u8 {
    match known {
        true => reason::SUCCESS,
        false => reason::PACKET_ID_NOT_FOUND,
    }
}
