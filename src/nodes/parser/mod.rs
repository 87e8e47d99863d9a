//! Nodes that turn text of some format into values, and values into text.

mod csv;
mod yaml;

pub(super) use csv::Csv;
pub(super) use yaml::Yaml;
