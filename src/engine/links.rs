//! Link calls: which running `link in` a name or id means, and the way back (Node-RED's link call).

use std::{collections::HashMap, sync::Arc};

use super::context::NodeContext;
use crate::{
    flow::{Graph, Id},
    message::Message,
};

/// What comes back to a node that has called a `link in`: the number of the call, and the message.
#[derive(Debug)]
pub struct LinkReturn {
    pub call: Arc<str>,
    pub msg: Message,
}

/// The `link in` nodes that run.
#[derive(Default)]
pub(super) struct Links {
    by_id: HashMap<Id, LinkIn>,
    by_name: HashMap<Id, Vec<Id>>,
}

struct LinkIn {
    flow: Id,
    in_subflow: bool,
}

impl Links {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut links = Self::default();
        for node in graph.nodes.values() {
            if &*node.type_name != "link in" {
                continue;
            }
            let name = node.name.as_ref().unwrap_or(&node.id);
            links
                .by_name
                .entry(name.clone())
                .or_default()
                .push(node.id.clone());
            let link_in = LinkIn {
                flow: node.flow.clone(),
                in_subflow: !node.instances.is_empty(),
            };
            links.by_id.insert(node.id.clone(), link_in);
        }
        links
    }

    /// The id of a `link in`; by name only if `by_name`: the only one of the caller's flow, else the only one of all tabs.
    fn find(&self, target: &str, by_name: bool, flow: &str) -> Result<Id, String> {
        if let Some((id, _)) = self.by_id.get_key_value(target) {
            return Ok(id.clone());
        }
        let missing = || format!("target link-in node '{target}' not found");
        if !by_name {
            return Err(missing());
        }
        let named = self.by_name.get(target).map_or(&[][..], Vec::as_slice);
        let only = |wanted: &dyn Fn(&LinkIn) -> bool| {
            let mut found = named
                .iter()
                .filter(|id| self.by_id.get(*id).is_some_and(wanted));
            (found.next(), found.next().is_some())
        };
        if let (Some(id), false) = only(&|link_in| &*link_in.flow == flow) {
            return Ok(id.clone());
        }
        match only(&|link_in| !link_in.in_subflow) {
            (Some(id), false) => Ok(id.clone()),
            (Some(_), true) => Err(format!("Multiple link-in nodes named '{target}' found")),
            (None, _) => Err(missing()),
        }
    }
}

impl NodeContext {
    /// Another running node.
    pub fn peer(&self, id: &str) -> Option<NodeContext> {
        self.shared().running(id)
    }

    /// The `link in` that a call goes to: by id, or, if `by_name`, also by its name.
    ///
    /// # Errors
    /// Node-RED's sentence: none of this name, or several.
    pub fn link_in(&self, target: &str, by_name: bool) -> Result<NodeContext, String> {
        let id = self
            .shared()
            .links
            .load()
            .find(target, by_name, &self.info().flow)?;
        self.peer(&id)
            .ok_or_else(|| format!("target link-in node '{target}' not found"))
    }
}
