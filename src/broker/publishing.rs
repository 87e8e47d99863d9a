//! A message that a client publishes: whether it may, and what it becomes.

use std::sync::Arc;

use bytes::BytesMut;

use super::{
    access::Source,
    client::{Client, PUBACK, PUBREC},
    codec::{PublishPacket, Qos, Refused, Version, encode_ack, reason},
    durable,
    ending::Ending,
    message::{Origin, Publication, PublishProperties},
};

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
            && !self
                .parts
                .session
                .outbox()
                .received
                .insert(packet.packet_id)
        {
            // It has come before and was published then [MQTT-4.3.3-10].
            self.answer(PUBREC, packet.packet_id, reason::SUCCESS, out);
            return Ok(());
        }
        if packet.qos == Qos::ExactlyOnce && self.parts.session.is_durable() {
            let change = durable::received(&self.parts.session, packet.packet_id, true);
            self.changes.push(change);
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
}
