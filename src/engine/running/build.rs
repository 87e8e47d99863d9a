//! Building one node from its definition.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use super::{Engine, FlowHandle};
use crate::{
    engine::{
        context::{NodeContext, NodeInfo},
        events::LogLevel,
        node::{Failed, Node},
        registry::Build,
        subflow,
    },
    flow::{CredentialsOf, Id, Level, NodeDef, Problem},
    message::{Message, Object},
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
            name: def.name.clone(),
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

/// What `/tap`'s op `node` shows before the node adds its own.
pub(super) fn base_props(def: &NodeDef) -> Object {
    let mut props = Object::new();
    props.insert("id", def.id.clone().into());
    props.insert("type", def.type_name.clone().into());
    if let Some(name) = &def.name {
        props.insert("name", name.clone().into());
    }
    if let Some(z) = &def.z {
        props.insert("z", z.clone().into());
    }
    if let Some(group) = def.groups.first() {
        props.insert("g", group.clone().into());
    }
    let wires: Vec<serde_json::Value> = def
        .wires
        .iter()
        .map(|targets| {
            targets
                .iter()
                .map(|id| (**id).into())
                .collect::<Vec<serde_json::Value>>()
                .into()
        })
        .collect();
    props.insert("wires", serde_json::Value::Array(wires).into());
    for (key, value) in &def.config {
        if !props.contains_key(key) {
            props.insert(key.as_str(), value.clone().into());
        }
    }
    props
}
