//! `manifest.json`: what a node type is. The format is described in `nodes/README.md`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A node type's manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    #[serde(rename = "type")]
    pub type_name: String,
    pub category: String,
    /// A config node: no ports, no place on the canvas.
    #[serde(default)]
    pub config: bool,
    #[serde(default)]
    pub icon: Option<String>,
    #[serde(default)]
    pub inputs: Ports,
    #[serde(default)]
    pub outputs: Ports,
    #[serde(default)]
    pub align: Option<String>,
    #[serde(default)]
    pub color: Option<String>,
    #[serde(default)]
    pub label: Vec<String>,
    /// A name that is empty counts as one: `source.name` of an error is then "" and not missing.
    #[serde(default, rename = "emptyName")]
    pub empty_name: bool,
    #[serde(default)]
    pub button: Option<Button>,
    #[serde(default)]
    pub properties: Vec<Property>,
    #[serde(default)]
    pub credentials: Vec<Property>,
}

/// How many ports a node has.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Ports {
    Fixed(usize),
    /// The number that stands in this property.
    Property {
        property: String,
    },
    /// As many as this list has entries. The editor also writes the number into the property `count`, for Node-RED.
    Length {
        length: String,
        #[serde(default)]
        count: Option<String>,
    },
}

impl Default for Ports {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl Ports {
    /// The count for a node with this configuration.
    pub fn count(&self, config: &Map<String, Value>) -> usize {
        let number = |value: &Value| match value {
            Value::Number(number) => number.as_f64().unwrap_or(0.0).max(0.0) as usize,
            Value::String(text) => text.trim().parse().unwrap_or(0),
            _ => 0,
        };
        match self {
            Self::Fixed(count) => *count,
            Self::Property { property } => config.get(property).map_or(0, number),
            Self::Length { length, .. } => config
                .get(length)
                .and_then(Value::as_array)
                .map_or(0, Vec::len),
        }
    }
}

/// The button beside a node.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Button {
    Inject,
    Toggle { property: String },
}

/// One property of a type, or one field of a list's entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Property {
    pub name: String,
    pub kind: PropertyKind,
    /// What the runtime takes when the property is missing.
    #[serde(default)]
    pub default: Value,
    /// What the editor writes into a new node.
    #[serde(default)]
    pub fresh: Option<Value>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub when: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    pub section: Option<String>,
    #[serde(default)]
    pub advanced: bool,
    #[serde(default)]
    pub min: Option<f64>,
    #[serde(default)]
    pub max: Option<f64>,
    #[serde(default)]
    pub step: Option<f64>,
    #[serde(default)]
    pub options: Vec<Value>,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub type_property: Option<String>,
    #[serde(default)]
    pub type_default: Value,
    #[serde(default)]
    pub type_fresh: Option<Value>,
    #[serde(default)]
    pub language: Option<String>,
    /// For kind `config`: the type of the config node.
    #[serde(default, rename = "type")]
    pub config_type: Option<String>,
    #[serde(default)]
    pub fields: Vec<Property>,
    #[serde(default)]
    pub unit: Option<String>,
    /// For kind `secret`: it has several lines.
    #[serde(default)]
    pub lines: bool,
    /// For kind `bool`: which texts in its place are true.
    #[serde(default)]
    pub texts: TrueTexts,
}

/// Which texts a bool takes for true. Node-RED's nodes differ in this, since each asks in its own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrueTexts {
    /// All but `false` and the empty text.
    #[default]
    Said,
    /// All but the empty text, so that `false` is true.
    Any,
    /// None, and no number either: it has to be `true` itself.
    None,
}

/// What kind of value a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PropertyKind {
    Text,
    Multiline,
    MessagePath,
    Topic,
    File,
    Colour,
    Icon,
    Number,
    Duration,
    Bool,
    Select,
    Typed,
    Code,
    Config,
    Secret,
    List,
    Nodes,
    Json,
    #[serde(other)]
    Unknown,
}
