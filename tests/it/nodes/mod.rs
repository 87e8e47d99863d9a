//! What a node's examples can't say: times, targets, several nodes together.

mod bad_input;
mod batch;
mod broker_events;
mod change;
mod debug;
mod deep;
mod delay;
mod exec;
mod file;
mod inject;
mod join;
mod link;
mod mqtt;
mod mqtt_exactly_once;
mod mqtt_remote;
mod mqtt_tls;
mod parser;
mod routing;
mod sort;
mod split;
mod switch;
mod tables;
mod template;
mod trigger;
mod watch;
