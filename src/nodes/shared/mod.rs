//! What nodes of several types need.

pub(in crate::nodes) mod deadlines;
pub(in crate::nodes) mod encoding;
pub(in crate::nodes) mod files;
pub(in crate::nodes) mod held;
pub(in crate::nodes) mod mqtt;
pub(in crate::nodes) mod mustache;
pub(in crate::nodes) mod outbox;
pub(in crate::nodes) mod parts;
pub(in crate::nodes) mod property;
pub(in crate::nodes) mod separator;
pub(in crate::nodes) mod sorted;
pub(in crate::nodes) mod yaml;
