//! All integration tests in one binary: it links once.

// Helpers of tests fail loudly, as the tests themselves do (clippy.toml exempts only the latter), and take `json!(…)` as it comes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::needless_pass_by_value
)]

mod architecture;
mod bridge;
mod broker;
mod cli;
mod clients;
mod corpus;
mod engine;
mod examples;
mod expressions;
mod first_steps;
mod javascript;
mod manifests;
mod mosquitto;
mod mqtt_recovery;
mod mqtt_users;
mod nodes;
mod own_nodes;
mod recovery;
mod support;
mod tap;
