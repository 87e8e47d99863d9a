//! What clients publish and subscribe to.

use bytes::{BufMut, BytesMut};

use super::{
    model::Subscription,
    play::{Client, Play, Sent},
    steps::{Publishing, Subscribing, packet_id},
    wire::{V5, packet, put_properties, put_text},
};

impl Play<'_> {
    pub async fn publish(&mut self, client: usize, publishing: &Publishing) {
        let number = self.new_message(publishing, Some(client));
        let id = packet_id(publishing.id);
        let Some(message) = self.model.messages.get(&number) else {
            return;
        };
        let Some(connection) = &mut self.clients[client].connection else {
            return;
        };
        let (level, topic) = (connection.level, publishing.topic.text());
        let alias = publishing
            .alias
            .filter(|_| level == V5)
            .map(|alias| u16::from(alias % 3) + 1);
        let is_known =
            alias.is_some_and(|alias| connection.own_aliases.get(&alias) == Some(&topic));
        if let Some(alias) = alias {
            connection.own_aliases.insert(alias, topic);
        }
        let bytes = |topic: &str, alias: Option<u16>| {
            let mut content = BytesMut::new();
            put_text(&mut content, topic.as_bytes());
            if message.qos > 0 {
                content.put_u16(id);
            }
            let [high, low] = alias.unwrap_or_default().to_be_bytes();
            let property = [0x23, high, low];
            let count = if alias.is_some() { 3 } else { 0 };
            put_properties(&mut content, level, &property[..count]);
            content.put_slice(&message.payload);
            content
        };
        let first = 0x30 | message.qos << 1 | u8::from(message.retain);
        let content = bytes(if is_known { "" } else { topic }, alias);
        let qos = message.qos;
        if qos > 0 {
            // Once more it goes without an alias, and a DUP.
            let bytes = packet(first | 0x08, &bytes(topic, None)).to_vec();
            self.clients[client].last = Some(Sent {
                number,
                level,
                id,
                bytes,
            });
        }
        self.sends(client, number, qos, id);
        self.send(client, &packet(first, &content)).await;
    }

    pub async fn resend(&mut self, client: usize) {
        let state = &self.clients[client];
        let level = state.connection.as_ref().map(|connection| connection.level);
        let Some(last) = state.last.clone() else {
            return;
        };
        // Between the versions only properties differ.
        if level.is_none_or(|level| (level == V5) != (last.level == V5)) {
            return;
        }
        let qos = self.model.messages[&last.number].qos;
        self.sends(client, last.number, qos, last.id);
        self.send(client, &last.bytes).await;
    }

    /// Notes what may come of a message that goes to the broker.
    pub fn sends(&mut self, client: usize, number: u64, qos: u8, id: u16) {
        let session = &mut self.clients[client].session;
        let Some(message) = self.model.messages.get_mut(&number) else {
            return;
        };
        let begun = session.unreleased.get(&id).copied().filter(|_| qos == 2);
        if begun != Some(number) {
            message.times += 1;
        }
        if qos == 0 {
            return;
        }
        session.expect(if qos == 1 { 'p' } else { 'q' }, id);
        if begun == Some(number) {
            return;
        }
        let sent = session.sent.entry(id).or_default();
        if !sent.is_empty() {
            session.unclear.insert(id);
        }
        sent.push_back(number);
        if qos == 2 {
            session.unreleased.entry(id).or_insert(number);
        }
    }

    pub async fn release(&mut self, client: usize, which: u8) {
        let session = &mut self.clients[client].session;
        let mut open: Vec<u16> = session.unreleased.keys().copied().collect();
        open.sort_unstable();
        let right = open.get(usize::from(which) % (open.len() + 1)).copied();
        let id = right.unwrap_or(packet_id(which));
        if session.unreleased.remove(&id).is_none() {
            session.unclear.insert(id);
        }
        session.expect('r', id);
        self.send(client, &packet(0x62, &id.to_be_bytes())).await;
    }

    pub async fn subscribe(
        &mut self,
        client: usize,
        id: u8,
        list: &[Subscribing],
        number: Option<u8>,
    ) {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        let level = connection.level;
        let id = packet_id(id);
        let number = number
            .filter(|_| level == V5)
            .map(|number| number % 127 + 1);
        let mut content = BytesMut::new();
        content.put_u16(id);
        let property = number.map(|number| [0x0B, number]);
        put_properties(
            &mut content,
            level,
            property.as_ref().map_or(&[], |bytes| &bytes[..]),
        );
        let mut asked = Vec::new();
        for one in list.iter().take(4) {
            let filter = one.filter.text();
            let is_5 = level == V5;
            let subscription = Subscription {
                filter,
                qos: one.qos % 3,
                no_local: one.no_local && is_5 && !filter.starts_with("$share/"),
                retain_handling: if is_5 { one.retain_handling % 3 } else { 0 },
                id: number.map(u32::from),
                since: None,
                until: None,
                shaky: false,
            };
            put_text(&mut content, filter.as_bytes());
            let options = u8::from(subscription.no_local) << 2
                | u8::from(one.retain_as_published && is_5) << 3
                | subscription.retain_handling << 4;
            content.put_u8(subscription.qos | options);
            let same = session
                .subscriptions
                .iter_mut()
                .filter(|old| old.filter == filter);
            same.for_each(|old| old.shaky = true);
            asked.push(session.subscriptions.len());
            session.subscriptions.push(subscription);
        }
        if asked.is_empty() {
            return;
        }
        connection
            .subscribing
            .entry(id)
            .or_default()
            .push_back(asked);
        self.send(client, &packet(0x82, &content)).await;
    }

    pub async fn unsubscribe(&mut self, client: usize, id: u8, filter: &'static str) {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        let id = packet_id(id);
        let mut content = BytesMut::new();
        content.put_u16(id);
        put_properties(&mut content, connection.level, &[]);
        put_text(&mut content, filter.as_bytes());
        let same = session
            .subscriptions
            .iter_mut()
            .filter(|one| one.filter == filter);
        same.for_each(|one| one.shaky = true);
        let asked = (filter, session.subscriptions.len());
        connection
            .unsubscribing
            .entry(id)
            .or_default()
            .push_back(asked);
        self.send(client, &packet(0xA2, &content)).await;
    }
}
