//! The flow file as people have it: an array of JSON objects, kept exactly as it came.

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
    pub items: Vec<Item>,
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
                Value::Object(item) => items.push(item),
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

    /// The revision of exactly these flows.
    pub fn rev(&self) -> Rev {
        let mut hash = Sha256::new();
        // Writing JSON values into a hash cannot fail: they have only string keys, and the writer has no errors.
        let _ = serde_json::to_writer(HashWriter(&mut hash), self);
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
