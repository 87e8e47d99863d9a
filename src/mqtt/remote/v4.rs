//! MQTT 3.1.1 through rumqttc.

use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    Outgoing, Packet, Publish, QoS, SubscribeReasonCode,
};

use super::{
    CONNECT_SECONDS, Events, Happened, MAX_PACKET, REQUESTS, Requests, WINDOW, other_sentence,
    received::Received, transport,
};
use crate::mqtt::{ConnectOptions, Publication, Qos, SubscribeOptions};

/// The two ends of a client.
pub(super) struct Client {
    pub(super) requests: AsyncClient,
    pub(super) events: Wire,
}

/// The connection, and what of its session rumqttc does not keep.
pub(super) struct Wire {
    events: EventLoop,
    received: Received,
}

/// A client that connects when it is polled.
pub(super) fn client(options: &ConnectOptions) -> Client {
    let mut given = MqttOptions::new(&options.client_id, options.place(), options.port);
    given
        .set_keep_alive(Duration::from_secs(u64::from(options.keep_alive)))
        .set_max_packet_size(MAX_PACKET as usize, MAX_PACKET as usize)
        .set_inflight(WINDOW)
        .set_manual_acks(true)
        // Without an id there can only be a clean session; rumqttc panics otherwise.
        .set_clean_session(options.clean || options.client_id.is_empty());
    given.set_transport(transport(&options.transport));
    if let Some(login) = &options.login {
        given.set_credentials(&login.user, &login.password);
    }
    if let Some(will) = &options.will {
        let message = &will.publication;
        given.set_last_will(LastWill::new(
            &*message.topic,
            message.payload.clone(),
            qos(message.qos),
            message.retain,
        ));
    }
    let (requests, mut events) = AsyncClient::new(given, REQUESTS);
    events
        .network_options
        .set_connection_timeout(CONNECT_SECONDS)
        .set_tcp_nodelay(true);
    let received = Received::default();
    let events = Wire { events, received };
    Client { requests, events }
}

fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}

fn from_qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}

impl Wire {
    /// A new connection goes on with the session, or does not.
    fn go_on(&mut self, session_present: bool) -> Result<(), String> {
        let state = &mut self.events.state;
        for id in self.received.go_on(session_present) {
            let mut known = Publish::new("", QoS::ExactlyOnce, Vec::new());
            known.pkid = id;
            let answer = state.handle_incoming_packet(Packet::Publish(known));
            answer.map_err(|error| error.to_string())?;
            // It is no event that anybody waits for.
            state.events.pop_back();
        }
        Ok(())
    }
}

impl Events for Wire {
    async fn poll(&mut self) -> Result<Happened, String> {
        let event = self.events.poll().await;
        let event = event.map_err(|error| sentence(&error))?;
        if let Event::Incoming(Packet::ConnAck(ack)) = &event {
            self.go_on(ack.session_present)?;
        }
        Ok(match event {
            Event::Incoming(Packet::ConnAck(ack)) => Happened::Connected {
                session_present: ack.session_present,
                largest: MAX_PACKET as usize,
            },
            Event::Incoming(Packet::Publish(publish))
                if !self
                    .received
                    .is_new(publish.qos == QoS::ExactlyOnce, publish.pkid) =>
            {
                Happened::Again(publish.pkid)
            }
            Event::Incoming(Packet::PubRel(release)) => {
                self.received.released(release.pkid);
                Happened::Other
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let publication = Publication {
                    topic: publish.topic.into(),
                    payload: publish.payload,
                    qos: from_qos(publish.qos),
                    retain: publish.retain,
                    properties: None,
                };
                Happened::Message(publication, publish.pkid)
            }
            Event::Incoming(Packet::PubAck(ack)) => Happened::Acknowledged(ack.pkid, Ok(())),
            Event::Incoming(Packet::PubComp(ack)) => Happened::Acknowledged(ack.pkid, Ok(())),
            Event::Incoming(Packet::SubAck(ack))
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) =>
            {
                Happened::SubscriptionRefused
            }
            Event::Outgoing(Outgoing::Publish(id)) => Happened::Sent(id),
            _ => Happened::Other,
        })
    }
}

/// What a person can do something with.
fn sentence(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                "The broker does not accept this user name and password".into()
            }
            ConnectReturnCode::BadClientId => "The broker does not accept this client id".into(),
            ConnectReturnCode::ServiceUnavailable => "The broker is not ready".into(),
            ConnectReturnCode::RefusedProtocolVersion => {
                "The broker does not speak this version of MQTT".into()
            }
            other => format!("The broker refused the connection: {other:?}"),
        },
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            "The broker does not answer".into()
        }
        other => other_sentence(other),
    }
}

impl Requests for AsyncClient {
    fn publish(&self, publication: &Publication) -> bool {
        self.try_publish(
            &*publication.topic,
            qos(publication.qos),
            publication.retain,
            publication.payload.clone(),
        )
        .is_ok()
    }

    fn subscribe(&self, filter: &str, options: SubscribeOptions) -> bool {
        self.try_subscribe(filter, qos(options.qos)).is_ok()
    }

    fn unsubscribe(&self, filter: &str) -> bool {
        self.try_unsubscribe(filter).is_ok()
    }

    fn acknowledge(&self, id: u16, level: Qos) -> bool {
        let mut publish = Publish::new("", qos(level), Vec::new());
        publish.pkid = id;
        self.try_ack(&publish).is_ok()
    }

    fn disconnect(&self) -> bool {
        self.try_disconnect().is_ok()
    }
}
