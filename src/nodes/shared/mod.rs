//! What nodes of several types need.

pub(in crate::nodes) mod mqtt;
