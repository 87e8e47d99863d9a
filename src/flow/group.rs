//! Groups: which group a node is in, at every depth.

use std::collections::HashMap;

use super::{Id, Item, subflow::Placed};

/// The groups of a flow file, by id.
#[derive(Default)]
pub(super) struct Groups<'a> {
    items: HashMap<&'a str, &'a Item>,
}

impl<'a> Groups<'a> {
    pub(super) fn of(groups: &'a [Placed]) -> Self {
        Self {
            items: groups
                .iter()
                .filter_map(|placed| Some((placed.item.get("id")?.as_str()?, &*placed.item)))
                .collect(),
        }
    }
    pub(super) fn get(&self, id: &str) -> Option<&'a Item> {
        self.items.get(id).copied()
    }

    /// What the members of each group depend on.
    pub(super) fn relevant(&self) -> HashMap<Id, Item> {
        let drawn = ["nodes", "style", "x", "y", "w", "h"];
        let part = |item: &Item| {
            item.iter()
                .filter(|(key, _)| !drawn.contains(&key.as_str()))
                .map(clone_pair)
                .collect()
        };
        self.items
            .iter()
            .map(|(id, item)| (Id::from(*id), part(item)))
            .collect()
    }

    /// The groups around something that names `group` as its `g`, the innermost first. A loop of groups ends where it closes.
    pub(super) fn chain(&self, group: Option<&str>) -> Vec<Id> {
        let mut chain: Vec<Id> = Vec::new();
        let mut next = group;
        while let Some(id) = next {
            let Some(item) = self.items.get(id) else {
                break;
            };
            if chain.iter().any(|seen| &**seen == id) {
                break;
            }
            chain.push(id.into());
            next = item.get("g").and_then(|outer| outer.as_str());
        }
        chain
    }
}

fn clone_pair((key, value): (&String, &serde_json::Value)) -> (String, serde_json::Value) {
    (key.clone(), value.clone())
}
