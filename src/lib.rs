//! Flowrill: a visual flow runtime with its own MQTT broker inside.
//!
//! The layers, from the bottom: `message`, `catalog`, `flow`, `engine`; beside them `store`, `script`,
//! `broker` and `mqtt`; then `nodes`, `runtime`, `server`; and `app`, which knows them all.

pub mod app;
pub mod broker;
pub mod catalog;
pub mod cli;
pub mod engine;
pub mod flow;
pub mod import;
pub mod message;
pub mod mqtt;
pub mod nodes;
pub mod runtime;
pub mod script;
pub mod server;
pub mod services;
pub mod settings;
pub mod startup;
pub mod store;
pub mod tls;
