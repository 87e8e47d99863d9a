//! How clients come and go.

use bytes::{BufMut, BytesMut};

use super::{
    connection::Connection,
    model::{Message, Session},
    play::Play,
    steps::{Connecting, Expiry},
    wire::{Answer, V5, packet, put_properties, put_text},
};

impl Play<'_> {
    pub async fn connect(&mut self, client: usize, connecting: &Connecting) {
        let level = connecting.level.number();
        // MQTT 3.1 does not tell whether there is a session.
        let clean = connecting.clean || level == 3 && self.clients[client].lives.is_none();
        let expiry = connecting.expiry.seconds();
        let connection = Connection::open(self.broker, connecting.narrow, level);
        let old = self.clients[client].connection.replace(connection);
        let is_refused = self.introduce(client, connecting, clean).await;
        let fresh = self.clients[client].connection.take();
        if is_refused {
            self.clients[client].connection = old;
            self.leaving
                .extend(fresh.map(|connection| connection.serving));
            return;
        }
        let Some(mut fresh) = fresh else { return };
        let answer = fresh.next().await;
        let Some(Answer::ConnAck { present, code }) = answer else {
            panic!("{answer:?} after CONNECT")
        };
        assert_eq!(code, 0, "the client is refused");
        // What came through the old connection came before.
        self.clients[client].connection = old;
        self.drain(client).await;
        let state = &mut self.clients[client];
        let is_there = match (level, clean) {
            (_, true) => Some(false),
            (3, _) => state.lives,
            _ => {
                assert!(
                    state.lives.is_none_or(|lives| lives == present),
                    "session present: {present}"
                );
                Some(present)
            }
        };
        assert!(
            !(clean && present),
            "a session is present for a client that wants none"
        );
        if is_there != Some(true) {
            state.session = Session::default();
        }
        state.session.limited |= fresh.max_packet < usize::MAX;
        state.lives = Some(if level == V5 { expiry > 0 } else { !clean });
        state.connection = Some(fresh);
    }

    /// Sends CONNECT; true if the broker refuses the client, as it should.
    pub async fn introduce(&mut self, client: usize, connecting: &Connecting, clean: bool) -> bool {
        let will = connecting
            .will
            .as_ref()
            .map(|will| self.new_message(will, None));
        let will = will.and_then(|number| self.model.messages.get(&number));
        let Some(connection) = &mut self.clients[client].connection else {
            return true;
        };
        let level = connection.level;
        let mut content = BytesMut::new();
        put_text(&mut content, if level == 3 { b"MQIsdp" } else { b"MQTT" });
        content.put_u8(level);
        let will_flags = will.map_or(0, |will| 0x04 | will.qos << 3 | u8::from(will.retain) << 5);
        content.put_u8(will_flags | u8::from(clean) << 1);
        content.put_u16(0);
        let mut properties = BytesMut::new();
        if level == V5 {
            properties.put_u8(0x11);
            properties.put_u32(connecting.expiry.seconds());
            if let Some(most) = connecting.receive_maximum {
                connection.receive_maximum = usize::from(most % 4) + 1;
                properties.put_u8(0x21);
                properties.put_u16(u16::from(most % 4) + 1);
            }
            if let Some(most) = connecting.small_packets {
                connection.max_packet = 24 + usize::from(most % 16);
                properties.put_u8(0x27);
                properties.put_u32(24 + u32::from(most % 16));
            }
            connection.topic_aliases = u16::from(connecting.topic_aliases % 4);
            properties.put_u8(0x22);
            properties.put_u16(connection.topic_aliases);
        }
        put_properties(&mut content, level, &properties);
        put_text(&mut content, format!("client{client}").as_bytes());
        if let Some(will) = will {
            let delay: &[u8] = if connecting.delayed_will {
                &[0x18, 0, 0, 14, 16]
            } else {
                &[]
            };
            put_properties(&mut content, level, delay);
            put_text(&mut content, will.topic.as_bytes());
            put_text(&mut content, &will.payload);
        }
        connection.send(&packet(0x10, &content)).await;
        if !will.is_some_and(Message::is_forbidden) {
            return false;
        }
        let answer = connection.next().await;
        let refused = matches!(answer, Some(Answer::ConnAck { code: 1.., .. }));
        assert!(refused, "{answer:?} for a will that is not allowed");
        assert!(connection.next().await.is_none());
        true
    }

    pub async fn disconnect(&mut self, client: usize, with_will: bool, expiry: Option<Expiry>) {
        let state = &mut self.clients[client];
        let Some(connection) = &mut state.connection else {
            return;
        };
        let mut content = BytesMut::new();
        if connection.level == V5 && (with_will || expiry.is_some()) {
            content.put_u8(if with_will { 0x04 } else { 0 });
            let mut properties = BytesMut::new();
            if let Some(expiry) = expiry {
                properties.put_u8(0x11);
                properties.put_u32(expiry.seconds());
                // Whether the broker has got that far is not told.
                state.lives = state.lives.filter(|lives| !lives);
            }
            put_properties(&mut content, V5, &properties);
        }
        connection.send(&packet(0xE0, &content)).await;
        self.drain(client).await;
    }
}
