//! What a client asks to hear, and in which order that holds.

use bytes::BytesMut;

use super::{
    client::Client,
    codec::{Filter, Packet, encode_suback, encode_unsuback, reason},
    ending::Ending,
    events::Happening,
};

impl Client {
    /// What a client asks for holds for what is published after it only, and the answer to a ping or the end of the
    /// connection says that all before it has been handed on.
    pub(super) async fn let_earlier_go_first(
        &mut self,
        packet: &Packet,
        out: &mut BytesMut,
    ) -> Result<(), Ending> {
        let waits = match packet {
            Packet::Subscribe { .. } | Packet::Unsubscribe { .. } => true,
            Packet::PingReq | Packet::Disconnect { .. } => self.has_published,
            _ => false,
        };
        if !waits {
            return Ok(());
        }
        self.commit();
        let core = &self.parts.core;
        if !self.publishing.is_empty() {
            core.bus.send(&mut self.publishing).await;
        }
        self.has_published = false;
        tokio::select! {
            () = core.shutdown.cancelled() => {}
            () = core.bus.settled() => {}
        }
        // What came for the client itself goes out before the answer, if there is one.
        if !matches!(packet, Packet::Disconnect { .. })
            && let Some(behind) = self.fill(out)?
        {
            self.parts.session.outbox().hold = Some(behind);
        }
        Ok(())
    }

    /// SUBSCRIBE, and its answer.
    pub(super) fn subscribe(
        &mut self,
        packet_id: u16,
        id: Option<u32>,
        filters: Vec<Filter>,
        out: &mut BytesMut,
    ) {
        let (core, session) = (&self.parts.core, &self.parts.session);
        let codes = core.subscribe(session, &filters, id);
        self.has_changed |= session.is_durable();
        for (filter, code) in filters.into_iter().zip(&codes) {
            if *code < 0x80 {
                let (filter, qos) = (filter.path, filter.qos);
                core.tell(session, || Happening::Subscribed { filter, qos });
            }
        }
        encode_suback(out, self.parts.version, packet_id, &codes);
    }

    /// UNSUBSCRIBE, and its answer.
    pub(super) fn unsubscribe(&mut self, packet_id: u16, filters: Vec<String>, out: &mut BytesMut) {
        let (core, session) = (&self.parts.core, &self.parts.session);
        let existed = core.unsubscribe(session, &filters);
        self.has_changed |= session.is_durable();
        for filter in filters {
            core.tell(session, || Happening::Unsubscribed { filter });
        }
        let codes: Vec<u8> = existed
            .into_iter()
            .map(|existed| match existed {
                true => reason::SUCCESS,
                false => reason::NO_SUBSCRIPTION_EXISTED,
            })
            .collect();
        encode_unsuback(out, self.parts.version, packet_id, &codes);
    }
}
