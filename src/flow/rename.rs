//! The records of a subflow's definition with the ids that they have in an instance.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Id, Item, graph::text};

/// From the ids of a definition to those of an instance.
pub(super) struct Rename<'a> {
    instance: &'a str,
    members: HashSet<&'a str>,
}

impl<'a> Rename<'a> {
    pub(super) fn new(instance: &'a str, members: &[&'a Item]) -> Self {
        Self {
            instance,
            members: members.iter().filter_map(|item| text(item, "id")).collect(),
        }
    }

    /// None for what is not in the definition.
    pub(super) fn id(&self, id: &str) -> Option<Id> {
        self.members
            .contains(id)
            .then(|| format!("{}-{id}", self.instance).into())
    }

    /// A record of the definition as the instance has it: its id, its place, its wires, and every property that names a
    /// node of the definition.
    pub(super) fn item(&self, item: &Item, instance: &Id) -> Item {
        let kind = text(item, "type").unwrap_or_default();
        let mut renamed = item.clone();
        for (key, value) in &mut renamed {
            match key.as_str() {
                "id" => {
                    *value = format!("{instance}-{}", value.as_str().unwrap_or_default()).into()
                }
                "z" => *value = (&**instance).into(),
                "type" | "name" | "x" | "y" => {}
                "wires" => {
                    for output in value.as_array_mut().into_iter().flatten() {
                        self.list(output);
                    }
                }
                "scope" if matches!(kind, "catch" | "status" | "complete") => self.list(value),
                "links" if matches!(kind, "link in" | "link out") => self.list(value),
                "nodes" if kind == "group" => self.list(value),
                _ => self.named(value),
            }
        }
        renamed
    }

    /// Keeps what is in the definition.
    fn list(&self, value: &mut Json) {
        if let Json::Array(ids) = value {
            *ids = ids
                .iter()
                .filter_map(|id| Some(Json::from(&*self.id(id.as_str()?)?)))
                .collect();
        }
    }

    /// A property that names a node, alone or as the only entry of a list (a link call's target).
    fn named(&self, value: &mut Json) {
        match value {
            Json::String(text) => {
                if let Some(id) = self.id(text) {
                    *text = id.to_string();
                }
            }
            Json::Array(only) if only.len() == 1 => {
                if let Some(Json::String(text)) = only.first_mut()
                    && let Some(id) = self.id(text)
                {
                    *text = id.to_string();
                }
            }
            _ => {}
        }
    }
}
