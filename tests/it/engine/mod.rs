//! The engine's rules, with flow JSON: deploys, order, copies, errors, limits.

mod context;
mod deploy;
mod messages;
mod reports;
mod restarts;
mod subflows;
