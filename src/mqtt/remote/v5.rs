//! MQTT 5 through rumqttc.

use std::{sync::Arc, time::Duration};

use rumqttc::{
    Outgoing,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
        mqttbytes::QoS,
        mqttbytes::v5::{
            ConnectProperties, ConnectReturnCode, Filter, LastWill, LastWillProperties, Packet,
            PubAckReason, PubCompReason, PubRecReason, Publish,
            PublishProperties as WireProperties, RetainForwardRule, SubscribeReasonCode,
        },
    },
};

use super::{
    CONNECT_SECONDS, Events, Happened, MAX_PACKET, REQUESTS, Requests, WINDOW, other_sentence,
    received::Received, transport,
};
use crate::mqtt::{ConnectOptions, Publication, PublishProperties, Qos, SubscribeOptions};

/// rumqttc pings without pause at 0, which means no pings at all: this comes nearest.
const LONGEST_KEEP_ALIVE: u16 = u16::MAX;

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
    let keep_alive = match options.keep_alive {
        0 => LONGEST_KEEP_ALIVE,
        seconds => seconds.max(5),
    };
    let properties = ConnectProperties {
        session_expiry_interval: options.session_expiry,
        receive_maximum: Some(WINDOW),
        max_packet_size: Some(MAX_PACKET),
        user_properties: options.user_properties.clone(),
        ..ConnectProperties::new()
    };
    given
        .set_keep_alive(Duration::from_secs(u64::from(keep_alive)))
        .set_connect_properties(properties)
        .set_outgoing_inflight_upper_limit(WINDOW)
        .set_connection_timeout(CONNECT_SECONDS)
        .set_manual_acks(true)
        .set_clean_start(options.clean);
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
            Some(will_properties(message.properties.as_deref(), will.delay)),
        ));
    }
    let mut network = given.network_options();
    network.set_tcp_nodelay(true);
    given.set_network_options(network);
    let (requests, events) = AsyncClient::new(given, REQUESTS);
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

fn will_properties(
    properties: Option<&PublishProperties>,
    delay: Option<u32>,
) -> LastWillProperties {
    let wire = properties.map(to_wire).unwrap_or_default();
    LastWillProperties {
        delay_interval: delay,
        payload_format_indicator: wire.payload_format_indicator,
        message_expiry_interval: wire.message_expiry_interval,
        content_type: wire.content_type,
        response_topic: wire.response_topic,
        correlation_data: wire.correlation_data,
        user_properties: wire.user_properties,
    }
}

fn to_wire(properties: &PublishProperties) -> WireProperties {
    let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    WireProperties {
        payload_format_indicator: properties.payload_format,
        message_expiry_interval: properties.message_expiry,
        response_topic: text(&properties.response_topic),
        correlation_data: properties.correlation_data.clone(),
        user_properties: properties
            .user_properties
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        content_type: text(&properties.content_type),
        ..WireProperties::default()
    }
}

fn from_wire(wire: WireProperties) -> PublishProperties {
    PublishProperties {
        payload_format: wire.payload_format_indicator,
        message_expiry: wire.message_expiry_interval,
        content_type: wire.content_type.map(Arc::from),
        response_topic: wire.response_topic.map(Arc::from),
        correlation_data: wire.correlation_data,
        user_properties: wire
            .user_properties
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect(),
    }
}

impl Wire {
    /// A new connection goes on with the session, or does not.
    fn go_on(&mut self, session_present: bool) -> Result<(), String> {
        let state = &mut self.events.state;
        for id in self.received.go_on(session_present) {
            let mut known = Publish::new("", QoS::ExactlyOnce, Vec::new(), None);
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
                largest: ack
                    .properties
                    .and_then(|properties| properties.max_packet_size)
                    .map_or(MAX_PACKET, |size| size.min(MAX_PACKET))
                    as usize,
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
                let id = publish.pkid;
                Happened::Message(publication(publish)?, id)
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                let taken = matches!(
                    ack.reason,
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                );
                Happened::Acknowledged(ack.pkid, answer(taken, &ack.reason))
            }
            // A refused one goes no further than this; others end with PubComp.
            Event::Incoming(Packet::PubRec(ack))
                if !matches!(
                    ack.reason,
                    PubRecReason::Success | PubRecReason::NoMatchingSubscribers
                ) =>
            {
                Happened::Acknowledged(ack.pkid, answer(false, &ack.reason))
            }
            Event::Incoming(Packet::PubComp(ack)) => {
                let taken = ack.reason == PubCompReason::Success;
                Happened::Acknowledged(ack.pkid, answer(taken, &ack.reason))
            }
            Event::Incoming(Packet::SubAck(ack))
                if !ack
                    .return_codes
                    .iter()
                    .all(|code| matches!(code, SubscribeReasonCode::Success(_))) =>
            {
                Happened::SubscriptionRefused
            }
            Event::Outgoing(Outgoing::Publish(id)) => Happened::Sent(id),
            _ => Happened::Other,
        })
    }
}

fn publication(publish: Publish) -> Result<Publication, String> {
    let topic = std::str::from_utf8(&publish.topic)
        .map_err(|_| "The broker sent a topic that is no text".to_owned())?;
    Ok(Publication {
        topic: topic.into(),
        payload: publish.payload,
        qos: from_qos(publish.qos),
        retain: publish.retain,
        properties: publish.properties.map(|wire| Arc::new(from_wire(wire))),
    })
}

fn answer(taken: bool, reason: &impl std::fmt::Debug) -> Result<(), String> {
    if taken {
        Ok(())
    } else {
        Err(format!("{reason:?}"))
    }
}

/// What a person can do something with.
fn sentence(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                "The broker does not accept this user name and password".into()
            }
            ConnectReturnCode::ClientIdentifierNotValid => {
                "The broker does not accept this client id".into()
            }
            ConnectReturnCode::UnsupportedProtocolVersion => {
                "The broker does not speak MQTT 5".into()
            }
            other => format!("The broker refused the connection: {other:?}"),
        },
        ConnectionError::Timeout(_) => "The broker does not answer".into(),
        other => other_sentence(other),
    }
}

impl Requests for AsyncClient {
    fn publish(&self, publication: &Publication) -> bool {
        let (topic, level) = (&*publication.topic, qos(publication.qos));
        let (retain, payload) = (publication.retain, publication.payload.clone());
        match &publication.properties {
            Some(properties) => {
                self.try_publish_with_properties(topic, level, retain, payload, to_wire(properties))
            }
            None => self.try_publish(topic, level, retain, payload),
        }
        .is_ok()
    }

    fn subscribe(&self, filter: &str, options: SubscribeOptions) -> bool {
        let mut wanted = Filter::new(filter, qos(options.qos));
        wanted.nolocal = options.no_local;
        wanted.preserve_retain = options.retain_as_published;
        wanted.retain_forward_rule = match options.retain_handling {
            1 => RetainForwardRule::OnNewSubscribe,
            2 => RetainForwardRule::Never,
            _ => RetainForwardRule::OnEverySubscribe,
        };
        self.try_subscribe_many([wanted]).is_ok()
    }

    fn unsubscribe(&self, filter: &str) -> bool {
        self.try_unsubscribe(filter).is_ok()
    }

    fn acknowledge(&self, id: u16, level: Qos) -> bool {
        let mut publish = Publish::new("", qos(level), Vec::new(), None);
        publish.pkid = id;
        self.try_ack(&publish).is_ok()
    }

    fn disconnect(&self) -> bool {
        self.try_disconnect().is_ok()
    }
}
