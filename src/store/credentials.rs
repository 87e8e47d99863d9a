//! The credentials of nodes in memory, and how a deploy changes them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What an editor sends instead of a secret that it was never told: keep what is stored.
pub const UNCHANGED: &str = "__PWRD__";

/// Credentials by node id, decrypted. Printing them shows how many there are and nothing else.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(BTreeMap<String, Map<String, Json>>);

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials of {} nodes", self.0.len())
    }
}

impl From<BTreeMap<String, Map<String, Json>>> for Credentials {
    fn from(all: BTreeMap<String, Map<String, Json>>) -> Self {
        Self(all)
    }
}

impl Credentials {
    /// Whether no node has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one node.
    pub fn get(&self, id: &str) -> Option<&Map<String, Json>> {
        self.0.get(id)
    }

    /// Those of one node as a constructor gets them: every value as text.
    pub fn texts(&self, id: &str) -> BTreeMap<String, String> {
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.0
            .get(id)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    /// The ids of nodes that have some.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Applies what a deploy says about one node: a key that is absent keeps its value, `""` and null delete it,
    /// [`UNCHANGED`] keeps it, as `stored` has it.
    pub fn merge(&mut self, id: &str, changes: Map<String, Json>, stored: &Self) {
        let mut values = self.0.remove(id).unwrap_or_default();
        for (name, value) in changes {
            match value {
                Json::Null => drop(values.shift_remove(&name)),
                Json::String(text) if text.is_empty() => drop(values.shift_remove(&name)),
                Json::String(text) if text == UNCHANGED => {
                    let kept = stored.get(id).and_then(|values| values.get(&name));
                    if let (Some(kept), false) = (kept, values.contains_key(&name)) {
                        values.insert(name, kept.clone());
                    }
                }
                value => drop(values.insert(name, value)),
            }
        }
        if !values.is_empty() {
            self.0.insert(id.to_owned(), values);
        }
    }

    /// Drops those of nodes that are not among `keep`.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}
