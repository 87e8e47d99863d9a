//! What `/tap` shows of a broker node.

use super::mqtt_broker::BrokerConfig;
use crate::{
    message::{Object, Value, parse_number},
    mqtt::Mqtt,
};

/// What Node-RED's node holds of its configuration, whether or not a connection can be made of it.
pub(super) fn shown(config: &BrokerConfig, mqtt: &Mqtt, reconnect_ms: f64) -> Object {
    let keepalive = Value::from(config.keepalive.unwrap_or(60.0));
    let clean = config.cleansession || config.clientid.is_empty();
    let client_id = match config.clientid.as_str() {
        "" => mqtt.new_client_id(),
        own => own.to_owned(),
    };
    let mut options: Object = [
        ("keepalive", keepalive.clone()),
        ("clean", clean.into()),
        ("clientId", client_id.into()),
        ("reconnectPeriod", reconnect_ms.into()),
    ]
    .into_iter()
    .collect();
    match config.protocol_version.as_str() {
        "5" => {
            let mut properties: Object =
                ["requestResponseInformation", "requestProblemInformation"]
                    .into_iter()
                    .map(|name| (name, true.into()))
                    .collect();
            if let Some(seconds) = config.session_expiry.filter(|seconds| *seconds != 0.0) {
                properties.insert("sessionExpiryInterval", seconds.into());
            }
            options.insert("protocolVersion", 5.into());
            options.insert("properties", properties.into());
        }
        "3" => {
            options.insert("protocolId", "MQIsdp".into());
            options.insert("protocolVersion", 3.into());
        }
        _ => {}
    }
    let mut shown: Object = [
        ("brokerurl", broker_url(config).into()),
        ("connected", false.into()),
        ("connecting", false.into()),
        ("closing", false.into()),
        ("keepalive", keepalive),
        ("cleansession", clean.into()),
    ]
    .into_iter()
    .collect();
    let said = [
        (
            "birthMessage",
            &config.birth_topic,
            &config.birth_payload,
            &config.birth_qos,
            config.birth_retain,
        ),
        (
            "closeMessage",
            &config.close_topic,
            &config.close_payload,
            &config.close_qos,
            config.close_retain,
        ),
        (
            "will",
            &config.will_topic,
            &config.will_payload,
            &config.will_qos,
            config.will_retain,
        ),
    ];
    for (name, topic, payload, qos, retain) in said {
        if topic.is_empty() {
            continue;
        }
        let message: Object = [
            ("topic", topic.as_str().into()),
            ("payload", payload.as_str().into()),
            ("qos", parse_number(qos).into()),
            ("retain", retain.into()),
        ]
        .into_iter()
        .collect();
        match name {
            "will" => drop(options.insert(name, message.into())),
            name => drop(shown.insert(name, message.into())),
        }
    }
    shown.insert("options", options.into());
    shown
}

fn broker_url(config: &BrokerConfig) -> String {
    let server = &config.broker;
    let scheme = if config.usetls { "mqtts" } else { "mqtt" };
    let port = config.port.filter(|port| *port != 0.0).unwrap_or(1883.0);
    match server {
        server if server.contains("://") => server.clone(),
        server if server.is_empty() => format!("{scheme}://localhost:1883"),
        server if server.contains(':') => format!("{scheme}://[{server}]:{port}"),
        server => format!("{scheme}://{server}:{port}"),
    }
}
