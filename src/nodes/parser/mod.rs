//! Nodes that turn text of some format into values, and values into text.

mod yaml;

pub(super) use yaml::Yaml;
