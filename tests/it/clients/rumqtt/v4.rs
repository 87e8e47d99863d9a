//! rumqttc's client of MQTT 3.1.1.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Packet, QoS, SubscribeReasonCode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::task::TaskTracker;

use super::client::{Command, LARGEST, Options, Seen};

fn qos(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn given(options: &Options) -> MqttOptions {
    let mut given = MqttOptions::new(&options.id, &options.way.host, options.way.port);
    given.set_transport(options.way.transport.clone());
    if options.way.login {
        given.set_credentials("ann", "right");
    }
    given
        .set_max_packet_size(LARGEST, LARGEST)
        .set_clean_session(!options.lasting);
    if let Some((topic, payload, wanted, retain)) = &options.will {
        given.set_last_will(LastWill::new(topic, payload.clone(), qos(*wanted), *retain));
    }
    given
}

fn seen(event: Event) -> Option<Seen> {
    let Event::Incoming(packet) = event else {
        return None;
    };
    match packet {
        Packet::ConnAck(ack) => Some(Seen::Connected(ack.session_present)),
        Packet::SubAck(ack) => match ack.return_codes[0] {
            SubscribeReasonCode::Success(qos) => Some(Seen::Subscribed(qos as u8)),
            _ => Some(Seen::Subscribed(0x80)),
        },
        Packet::PubAck(_) | Packet::PubComp(_) => Some(Seen::Published),
        Packet::Publish(publish) => Some(Seen::Message((
            publish.topic,
            publish.payload.to_vec(),
            publish.qos as u8,
            publish.retain,
        ))),
        _ => None,
    }
}

/// Runs a client until its commands end.
pub(super) fn spawn(
    options: Options,
    mut commands: UnboundedReceiver<Command>,
    tell: UnboundedSender<Seen>,
) {
    let (client, mut events) = AsyncClient::new(given(&options), 1000);
    TaskTracker::new().spawn(async move {
        let obey = async {
            while let Some(command) = commands.recv().await {
                match command {
                    Command::Subscribe(filter, wanted) => {
                        client.subscribe(filter, qos(wanted)).await.unwrap();
                    }
                    Command::Publish((topic, payload, wanted, retain)) => {
                        let sent = client.publish(topic, qos(wanted), retain, payload);
                        sent.await.unwrap();
                        if wanted == 0 {
                            let _ = tell.send(Seen::Published);
                        }
                    }
                    Command::Leave => client.disconnect().await.unwrap(),
                }
            }
        };
        let poll = async {
            loop {
                match events.poll().await {
                    Ok(event) => {
                        if let Some(seen) = seen(event) {
                            let _ = tell.send(seen);
                        }
                    }
                    Err(_) if options.steady => {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    Err(error) => {
                        let _ = tell.send(Seen::Ended(error.to_string()));
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = obey => {}
            () = poll => {}
        }
    });
}
