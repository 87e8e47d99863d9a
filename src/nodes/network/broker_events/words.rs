//! Events as those packages tell them.

use crate::{
    broker::{ClientEvent, ClientSeen, Happening, Peer, Received},
    message::{Message, Object, Value},
};

/// Whose words events are told in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Aedes,
    Mosca,
}

impl Words {
    /// What is sent for an event.
    pub(super) fn messages(self, event: &ClientEvent) -> Vec<Message> {
        let is_there = matches!(
            event.what,
            Happening::Connected | Happening::Subscribed { .. } | Happening::Unsubscribed { .. }
        );
        let client = || Value::from(self.client(&event.client, is_there));
        let with = |more: Vec<(&str, Value)>| {
            let mut payload: Object = more.into_iter().collect();
            payload.insert("client", client());
            payload
        };
        let error = |text: &str| {
            let error: Object = [("message", Value::from(text))].into_iter().collect();
            with(vec![("err", error.into())])
        };
        let told: Vec<(&str, Object)> = match (self, &event.what) {
            (Self::Aedes, Happening::Connected) => {
                vec![("client", with(vec![])), ("clientReady", with(vec![]))]
            }
            (Self::Mosca, Happening::Connected) => vec![("clientConnected", with(vec![]))],
            (Self::Aedes, Happening::Disconnected) => vec![("clientDisconnect", with(vec![]))],
            (Self::Mosca, Happening::Disconnected) => vec![("clientDisconnected", with(vec![]))],
            (Self::Aedes, Happening::Failed(text)) => vec![("clientError", error(text))],
            (Self::Aedes, Happening::Silent) => vec![("keepaliveTimeout", with(vec![]))],
            (Self::Aedes, Happening::Refused(reason)) => {
                let text = format!("Connection refused: reason code 0x{reason:02x}");
                vec![("connectionError", error(&text))]
            }
            (Self::Mosca, Happening::Failed(_) | Happening::Silent | Happening::Refused(_)) => {
                Vec::new()
            }
            (Self::Aedes, Happening::Subscribed { filter, qos }) => {
                let qos = f64::from(qos.bits()).into();
                let more = vec![("topic", filter.as_str().into()), ("qos", qos)];
                vec![("subscribe", with(more))]
            }
            (Self::Aedes, Happening::Unsubscribed { filter }) => {
                vec![("unsubscribe", with(vec![("topic", filter.as_str().into())]))]
            }
            (Self::Mosca, Happening::Subscribed { filter, .. }) => {
                vec![("subscribed", with(vec![("topic", filter.as_str().into())]))]
            }
            (Self::Mosca, Happening::Unsubscribed { filter }) => {
                vec![(
                    "unsubscribed",
                    with(vec![("topic", filter.as_str().into())]),
                )]
            }
        };
        told.into_iter()
            .map(|(topic, payload)| message(topic, payload))
            .collect()
    }

    /// What is sent for a message that was published.
    pub(super) fn published(self, received: &Received) -> Message {
        let packet: Object = [
            ("cmd", Value::from("publish")),
            ("topic", received.topic().into()),
            ("payload", received.payload().into()),
            ("qos", f64::from(received.qos().bits()).into()),
            ("retain", received.retain().into()),
            ("dup", false.into()),
        ]
        .into_iter()
        .collect();
        let client = received
            .publisher()
            .map_or(Value::Null, |client| self.client(&client, true).into());
        let payload = [("packet", packet.into()), ("client", client)];
        let topic = match self {
            Self::Aedes => "publish",
            Self::Mosca => "published",
        };
        message(topic, payload.into_iter().collect())
    }

    /// A client, with those properties of Aedes' and Mosca's own that say something outside them.
    fn client(self, client: &ClientSeen, is_there: bool) -> Object {
        let mut made = Object::new();
        made.insert("id", client.id.as_str().into());
        made.insert("connected", is_there.into());
        if let Some(user) = &client.user {
            made.insert("user", user.as_str().into());
        }
        if let Some(version) = client.version {
            made.insert("version", f64::from(version).into());
        }
        if let Some(Peer::Network(address)) = client.peer {
            let ip = address.ip().to_canonical().to_string();
            let conn: Object = [
                ("remoteAddress", Value::from(ip)),
                ("remotePort", f64::from(address.port()).into()),
            ]
            .into_iter()
            .collect();
            let name = match self {
                Self::Aedes => "conn",
                Self::Mosca => "connection",
            };
            made.insert(name, conn.into());
        }
        made
    }
}

fn message(topic: &str, payload: Object) -> Message {
    let fields = [("topic", Value::from(topic)), ("payload", payload.into())];
    Message::new(fields.into_iter().collect())
}
