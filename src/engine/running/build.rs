//! Building one node from its definition.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use serde_json::Value as Json;

use super::{Engine, FlowHandle};
use crate::{
    catalog::{Catalog, Ports},
    engine::{
        context::{NodeContext, NodeInfo},
        events::LogLevel,
        node::{Failed, Node},
        registry::Build,
        subflow,
    },
    flow::{CredentialsOf, Id, Level, NodeDef, Problem},
    message::{Message, Object, Value},
};

/// Stands in for what cannot run: takes messages and does nothing.
pub(super) struct Inert;

impl Node for Inert {
    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }
}

/// A node that is built and not yet installed.
pub(super) struct Fresh {
    pub(super) ctx: NodeContext,
    pub(super) node: Box<dyn Node>,
    /// It could not be built, and something that does nothing stands in its place.
    pub(super) inert: bool,
}

impl Fresh {
    fn new(ctx: NodeContext, node: Box<dyn Node>) -> Self {
        Self {
            ctx,
            node,
            inert: false,
        }
    }

    fn inert(ctx: NodeContext) -> Self {
        Self {
            ctx,
            node: Box::new(Inert),
            inert: true,
        }
    }
}

impl Engine {
    pub(super) fn build(
        &self,
        def: &NodeDef,
        handle: &FlowHandle,
        services: &mut HashMap<Id, Arc<dyn Any + Send + Sync>>,
        around: Vec<Id>,
        credentials: CredentialsOf,
    ) -> (Fresh, Option<Problem>) {
        let info = Arc::new(NodeInfo {
            id: def.id.clone(),
            type_name: def.type_name.clone(),
            name: name(def, &self.shared.catalog),
            flow: def.flow.clone(),
            around: around.into(),
            z: def.z.clone(),
            group: def.groups.first().cloned(),
            path: def.path.clone(),
        });
        let key = self.shared.next_key.fetch_add(1, Ordering::Relaxed);
        let ctx = NodeContext::new(
            key,
            info,
            handle.flow.clone(),
            self.shared.clone(),
            def.env.clone(),
        );
        let settings = self.shared.settings.load();
        let context = Build {
            ctx: &ctx,
            info: ctx.info(),
            credentials: credentials(def.file_id()),
            settings: &settings,
            wires: &def.wires,
            node_type: self.shared.catalog.get(&def.type_name),
            services,
        };
        if let Some(node) = subflow::build(def) {
            return (Fresh::new(ctx, node), None);
        }
        match self
            .registry
            .build(&def.type_name, def.config.clone(), &context)
        {
            // An unknown type: kept, shown as missing, does nothing.
            None => (Fresh::inert(ctx), None),
            Some(Ok(built)) => {
                if let Some(shared) = built.shared {
                    services.insert(def.id.clone(), shared);
                }
                (Fresh::new(ctx, built.node), None)
            }
            Some(Err(error)) => {
                let message = error.to_string();
                ctx.record(LogLevel::Error, message.as_str().into());
                let problem = Problem {
                    node: Some(def.id.clone()),
                    level: Level::Error,
                    code: "config",
                    message,
                };
                (Fresh::inert(ctx), Some(problem))
            }
        }
    }
}

/// The name as reports have it.
fn name(def: &NodeDef, catalog: &Catalog) -> Option<Id> {
    def.name.clone().or_else(|| {
        let known = catalog.get(&def.type_name)?;
        let is_empty = def.item.get("name").and_then(Json::as_str) == Some("");
        (known.manifest.empty_name && is_empty).then(|| "".into())
    })
}

/// What `/tap`'s op `node` shows before the node adds its own. As in Node-RED, what a record leaves out and the runtime has no
/// default for is undefined, and so is a number of ports.
pub(super) fn base_props(def: &NodeDef, catalog: &Catalog) -> Object {
    let mut props = Object::new();
    props.insert("id", def.id.clone().into());
    props.insert("type", def.type_name.clone().into());
    let given = [
        ("name", name(def, catalog)),
        ("z", def.z.clone()),
        ("g", def.groups.first().cloned()),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            props.insert(key, value.into());
        }
    }
    let known = catalog.get(&def.type_name);
    if known.is_some_and(|known| known.manifest.empty_name) && !props.contains_key("name") {
        props.insert("name", Value::Undefined);
    }
    let of_output = |ids: &Vec<Id>| {
        Value::from(
            ids.iter()
                .map(|id| id.clone().into())
                .collect::<Vec<Value>>(),
        )
    };
    let wires: Vec<Value> = def.wires.iter().map(of_output).collect();
    props.insert("wires", wires.into());
    let counts_ports = |key: &str| {
        known.is_some_and(|known| {
            let ports = [&known.manifest.inputs, &known.manifest.outputs];
            ports
                .into_iter()
                .any(|ports| matches!(ports, Ports::Property { property } if property == key))
        })
    };
    for (key, value) in &def.config {
        if props.contains_key(key) {
            continue;
        }
        let is_none = value.is_null() || value.as_str() == Some("");
        let left_out = !def.item.contains_key(key) && (is_none || counts_ports(key));
        let value = match left_out {
            true => Value::Undefined,
            false => value.clone().into(),
        };
        props.insert(key.as_str(), value);
    }
    props
}
