//! Nodes that turn text of some format into values, and values into text.

mod csv;
mod html;
mod json;
mod xml;
mod yaml;

pub(super) use csv::Csv;
pub(super) use html::Html;
pub(super) use json::Json;
pub(super) use xml::Xml;
pub(super) use yaml::Yaml;
