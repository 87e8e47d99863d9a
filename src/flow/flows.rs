//! The flow file as people have it: an array of JSON objects, kept exactly as it came.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// One record of a flow file: a tab, a node, a config node, a group, a subflow definition.
/// The order of its properties and all that Flowrill does not know are kept.
pub type Item = Map<String, Value>;

/// A whole flow file. The raw form is what is stored and exported; `flow::graph` makes the strict one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flows {
    /// Versions share the records that are the same in them.
    pub items: Vec<Arc<Item>>,
}

/// Names one version of the flows: the hex SHA-256 of their compact JSON text.
pub type Rev = String;

impl Flows {
    /// Reads a flow file. Both a bare array and Node-RED's `{"flows": […]}` are taken.
    ///
    /// # Errors
    /// A sentence with line and column when the text is no JSON, or that says what stands there instead of an array of objects.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| format!("This is not valid JSON: {error}"))?;
        Self::from_value(value)
    }

    /// As [`Flows::parse`], from JSON that is already read.
    ///
    /// # Errors
    /// A sentence that says which entry is not an object.
    pub fn from_value(value: Value) -> Result<Self, String> {
        let list =
            match value {
                Value::Array(list) => list,
                Value::Object(mut object) => match object.remove("flows") {
                    Some(Value::Array(list)) => list,
                    _ => return Err(
                        "A flow file is a JSON array of nodes; this is an object without \"flows\""
                            .into(),
                    ),
                },
                _ => return Err("A flow file is a JSON array of nodes".into()),
            };
        let mut items = Vec::with_capacity(list.len());
        for (index, entry) in list.into_iter().enumerate() {
            match entry {
                Value::Object(item) => items.push(Arc::new(item)),
                _ => {
                    return Err(format!(
                        "Entry {} of the flow file is not an object",
                        index + 1
                    ));
                }
            }
        }
        Ok(Self { items })
    }

    /// The compact JSON text of exactly these flows.
    pub fn text(&self) -> Vec<u8> {
        // Room for records of the usual size, so that growing does not copy it all over and over.
        let mut text = Vec::with_capacity(self.items.len() * 384);
        // JSON values with text keys, written to memory, can't fail.
        let _ = serde_json::to_writer(&mut text, self);
        text
    }

    /// The revision of exactly these flows.
    pub fn rev(&self) -> Rev {
        Self::rev_of(&self.text())
    }

    /// The revision of flows with this compact text.
    pub fn rev_of(text: &[u8]) -> Rev {
        Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Takes the records that are the same in `before` from there, so that they are kept once, and what was worked out for
    /// them counts on ([`super::Graph::resolve_after`]). Gives back its own of them, for they take a while to be freed.
    #[must_use]
    pub fn share(&mut self, before: &Self) -> Vec<Arc<Item>> {
        fn id(item: &Item) -> Option<&str> {
            item.get("id").and_then(Value::as_str)
        }
        let mut known: HashMap<&str, &Arc<Item>, FxBuildHasher> = HashMap::default();
        let mut replaced = Vec::new();
        for (index, item) in self.items.iter_mut().enumerate() {
            // Nearly always both have it in the same place.
            let same_place = before.items.get(index).filter(|old| same(old, item));
            let old = same_place.or_else(|| {
                let old = before.items.get(index);
                if old.is_some_and(|old| id(old) == id(item)) {
                    return None;
                }
                if known.is_empty() {
                    known.extend(before.items.iter().filter_map(|old| Some((id(old)?, old))));
                }
                let moved = known.get(id(item)?).copied();
                moved.filter(|old| same(old, item))
            });
            if let Some(old) = old {
                replaced.push(std::mem::replace(item, old.clone()));
            }
        }
        replaced
    }
}

/// Whether two records have the same text: their order counts, too.
fn same(one: &Item, other: &Item) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((key, value), (other_key, other))| key == other_key && same_value(value, other))
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => same(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| same_value(one, other))
        }
        // 0 and -0 are equal.
        (Value::Number(one), Value::Number(other)) => {
            one == other && one.as_f64().map(f64::to_bits) == other.as_f64().map(f64::to_bits)
        }
        (one, other) => one == other,
    }
}
