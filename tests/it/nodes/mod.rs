//! What a node's examples can't say: times, targets, several nodes together.

mod common;
mod delay;
mod exec;
mod link;
mod mqtt;
mod mqtt_remote;
mod parser;
mod template;
mod trigger;
