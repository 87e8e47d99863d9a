//! Nodes that speak to the world outside.

mod broker_events;
mod mqtt_broker;
mod mqtt_broker_props;
mod mqtt_in;
mod mqtt_out;
mod mqtt_payload;
mod tls_config;

pub(super) use broker_events::BrokerEvents;
pub(super) use mqtt_broker::MqttBroker;
pub(super) use mqtt_in::MqttIn;
pub(super) use mqtt_out::MqttOut;
pub(super) use tls_config::TlsConfigNode;
