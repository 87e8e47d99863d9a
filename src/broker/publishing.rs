//! A message that a client publishes: whether it may, and what it becomes.

use std::sync::Arc;

use bytes::BytesMut;

use super::{
    access::Source,
    begun::Begun,
    client::{Client, PUBACK, PUBCOMP, PUBREC, found},
    codec::{PublishPacket, Qos, Refused, Version, encode_ack, reason},
    durable,
    ending::Ending,
    message::{Origin, Publication, PublishProperties},
};

/// What a client may have begun at QoS 2 when the memory is full.
const BEGUN_BYTES: usize = 1 << 20;

impl Client {
    /// Takes a PUBLISH in; the bus gets it with the others of its batch.
    pub(super) fn publish(
        &mut self,
        packet: PublishPacket,
        out: &mut BytesMut,
    ) -> Result<(), Ending> {
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
            && self
                .parts
                .session
                .outbox()
                .received
                .contains(packet.packet_id)
        {
            // It has come before [MQTT-4.3.3-10].
            self.answer(PUBREC, packet.packet_id, reason::SUCCESS, out);
            return Ok(());
        }
        self.unacknowledged += usize::from(packet.qos == Qos::AtLeastOnce);
        self.check_receive_maximum(packet.qos)?;
        let properties = packet
            .properties
            .and_then(|properties| PublishProperties::from_packet(*properties));
        let session = &self.parts.session;
        let origin = match packet.qos {
            // The session would hold itself.
            Qos::ExactlyOnce => Origin::Broker,
            _ => Origin::Client(session.clone(), packet.packet_id),
        };
        let mut publication = Publication::new(
            body,
            packet.qos,
            packet.retain,
            properties,
            origin,
            &self.parts.core.memory,
        );
        session.count_published();
        if packet.retain {
            publication.source = Source::of(session);
        }
        match packet.qos {
            Qos::ExactlyOnce => self.begin(packet.packet_id, publication, out),
            _ => self.publishing.push_back(Arc::new(publication)),
        }
        Ok(())
    }

    /// Keeps a message of QoS 2 until PUBREL.
    fn begin(&mut self, packet_id: u16, publication: Publication, out: &mut BytesMut) {
        let session = &self.parts.session;
        if session.is_durable() {
            let change = durable::begun(session, packet_id, &publication);
            self.changes.push(change);
        }
        let begun = Begun::Message(Box::new(publication));
        session.outbox().received.insert(packet_id, begun);
        self.answer(PUBREC, packet_id, reason::SUCCESS, out);
    }

    /// PUBREL: hands a message of QoS 2 on. PUBCOMP is sent once the broker has done that.
    pub(super) fn release(&mut self, packet_id: u16, begun: Option<Begun>, out: &mut BytesMut) {
        let session = &self.parts.session;
        let known = begun.is_some();
        if let Some(Begun::Message(mut publication)) = begun
            && session.identity().may_publish(publication.topic())
        {
            publication.origin = Origin::Client(session.clone(), packet_id);
            self.publishing.push_back(Arc::from(publication));
            return;
        }
        if known && session.is_durable() {
            self.changes.push(durable::ended(session, packet_id));
        }
        // Where a session goes on, its client may not know that the exchange was over: that is no error (section 3.7.2.1).
        let is_fine = known || self.parts.resumed;
        self.answer(PUBCOMP, packet_id, found(is_fine), out);
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
                let mut outbox = self.parts.session.outbox();
                outbox.received.insert(packet_id, Begun::Nothing);
                (PUBREC, reason::SUCCESS)
            }
        };
        encode_ack(out, version, first, packet_id, reason);
    }

    /// [MQTT-3.3.4-7], for what comes in.
    fn check_receive_maximum(&self, qos: Qos) -> Result<(), Ending> {
        let outbox = self.parts.session.outbox();
        if outbox.received.bytes() > BEGUN_BYTES && self.parts.core.memory.is_full() {
            return Err(Ending::Refused(Refused {
                reason: reason::QUOTA_EXCEEDED,
                text: "the memory is full, and many messages of QoS 2 were begun and not released",
            }));
        }
        let Some(most) = self.parts.receive_maximum else {
            return Ok(());
        };
        let new = usize::from(qos == Qos::ExactlyOnce);
        let open = self.unacknowledged + outbox.received.len() + new;
        match open > usize::from(most) {
            false => Ok(()),
            true => Err(Ending::Refused(Refused {
                reason: reason::RECEIVE_MAXIMUM_EXCEEDED,
                text: "more messages came unacknowledged than the receive maximum allows",
            })),
        }
    }
}
