//! What a node's examples can't say: times, targets, several nodes together.

mod change;
mod common;
mod delay;
mod exec;
mod batch;
mod common;
mod delay;
mod join;
mod file;
mod link;
mod mqtt;
mod mqtt_remote;
mod parser;
mod routing;
mod switch;
mod tables;
mod sort;
mod split;
mod template;
mod trigger;
mod watch;
