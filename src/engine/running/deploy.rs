//! A deploy: build what is new, stop what goes, swap the routes, start.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use indexmap::IndexMap;
use tokio::sync::{mpsc, oneshot};

use super::{Engine, FlowHandle, Running, State};
use crate::{
    engine::{
        actor::{Actor, Command},
        context::{NodeContext, NodeInfo},
        events::{Event, LogLevel, Status},
        node::{Failed, Node},
        queue::FlowShared,
        registry::Build,
        routes::{NodeRoutes, Target},
        scope::node_scope,
    },
    flow::{DeployMode, GLOBAL, Graph, Id, Level, NodeDef, Problem, diff, wire},
    message::{Message, Object},
};

/// Stands in for what cannot run: takes messages and does nothing.
struct Inert;

impl Node for Inert {
    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }
}

/// A node that is built and not yet installed.
struct Fresh {
    ctx: NodeContext,
    node: Box<dyn Node>,
}

impl Engine {
    /// Makes `graph` what runs: builds what is new, stops what goes, swaps the routes, starts. A node that cannot be
    /// built is a problem on that node, and the rest runs. `credentials` are those of a node, `new_credentials` the
    /// nodes whose credentials have changed.
    pub async fn deploy(
        &self,
        graph: Graph,
        mode: DeployMode,
        new_credentials: &HashSet<Id>,
        credentials: &(dyn Fn(&str) -> BTreeMap<String, String> + Send + Sync),
    ) -> Vec<Problem> {
        let mut state = self.state.lock().await;
        let changes = diff(&state.graph, &graph, mode, new_credentials);
        let mut problems = Vec::new();
        for id in graph.flows.keys() {
            if !state.flows.contains_key(id) {
                let handle = self.open();
                state.flows.insert(id.clone(), handle);
            }
        }
        let stopping: HashSet<&Id> = changes.stop.iter().map(|(id, _)| id).collect();
        let mut services: HashMap<Id, Arc<dyn Any + Send + Sync>> = HashMap::new();
        services.extend(
            state
                .services
                .drain()
                .filter(|(id, _)| !stopping.contains(id)),
        );
        let mut fresh: IndexMap<Id, Fresh> = IndexMap::new();
        let mut inert = HashSet::new();
        for def in changes.start.iter().filter_map(|id| graph.nodes.get(id)) {
            let Some(handle) = state.flows.get(&def.flow) else {
                continue;
            };
            let (built, problem) = self.build(def, handle, &mut services, credentials);
            if let Some(problem) = problem {
                inert.insert(def.id.clone());
                problems.push(problem);
            }
            fresh.insert(def.id.clone(), built);
        }
        self.stop_nodes(&state, &changes.stop).await;
        state.services = services;
        self.register(&graph, &state, &fresh, &inert);
        self.rewire(&graph);
        self.start(&graph, &mut state, fresh).await;
        state.flows.retain(|id, _| graph.flows.contains_key(id));
        state.graph = graph;
        problems
    }

    /// Stops every node and closes every flow.
    pub async fn stop(&self) {
        let mut state = self.state.lock().await;
        let all: Vec<(Id, bool)> = state
            .graph
            .nodes
            .keys()
            .map(|id| (id.clone(), false))
            .collect();
        self.stop_nodes(&state, &all).await;
        *state = State::default();
    }

    fn open(&self) -> FlowHandle {
        let flow = Arc::new(FlowShared::new(self.shared.tasks.clone()));
        let (commands, receiver) = mpsc::channel(16);
        self.shared
            .tasks
            .spawn(Actor::new(flow.clone(), receiver).run());
        FlowHandle { flow, commands }
    }

    fn build(
        &self,
        def: &NodeDef,
        handle: &FlowHandle,
        services: &mut HashMap<Id, Arc<dyn Any + Send + Sync>>,
        credentials: &(dyn Fn(&str) -> BTreeMap<String, String> + Send + Sync),
    ) -> (Fresh, Option<Problem>) {
        let info = Arc::new(NodeInfo {
            id: def.id.clone(),
            type_name: def.type_name.clone(),
            name: def.name.clone(),
            flow: def.flow.clone(),
            z: def.z.clone(),
            group: def.groups.first().cloned(),
            path: def.path(),
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
            info: ctx.info(),
            credentials: credentials(&def.id),
            settings: &settings,
            wires: &def.wires,
            node_type: self.shared.catalog.get(&def.type_name),
            services,
        };
        match self
            .registry
            .build(&def.type_name, def.config.clone(), &context)
        {
            // An unknown type: kept, shown as missing, does nothing.
            None => (
                Fresh {
                    ctx,
                    node: Box::new(Inert),
                },
                None,
            ),
            Some(Ok(built)) => {
                if let Some(shared) = built.shared {
                    services.insert(def.id.clone(), shared);
                }
                (
                    Fresh {
                        ctx,
                        node: built.node,
                    },
                    None,
                )
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
                (
                    Fresh {
                        ctx,
                        node: Box::new(Inert),
                    },
                    Some(problem),
                )
            }
        }
    }

    /// Nodes before config nodes, each flow for itself, all within the close limit.
    async fn stop_nodes(&self, state: &State, stop: &[(Id, bool)]) {
        let limit = self.shared.settings.load().close_timeout;
        let is_service = |id: &Id| {
            state.services.contains_key(id)
                || state.graph.nodes.get(id).is_some_and(|def| {
                    self.shared
                        .catalog
                        .get(&def.type_name)
                        .is_some_and(|known| known.manifest.config)
                })
        };
        for services in [false, true] {
            let mut by_flow: IndexMap<&Id, Vec<(u64, bool)>> = IndexMap::new();
            for (id, removed) in stop.iter().filter(|(id, _)| is_service(id) == services) {
                let running = self
                    .directory
                    .read()
                    .get(id)
                    .map(|running| running.ctx.key());
                if let (Some(key), Some(def)) = (running, state.graph.nodes.get(id)) {
                    by_flow.entry(&def.flow).or_default().push((key, *removed));
                }
            }
            let mut waiting = Vec::new();
            for (flow, keys) in by_flow {
                let Some(handle) = state.flows.get(flow) else {
                    continue;
                };
                let (closed, wait) = oneshot::channel();
                if handle
                    .commands
                    .send(Command::Close {
                        keys,
                        limit,
                        closed,
                    })
                    .await
                    .is_ok()
                {
                    waiting.push(wait);
                }
            }
            for wait in waiting {
                // An error means that the flow's task is gone, and its nodes with it.
                let _ = wait.await;
            }
        }
        let mut directory = self.directory.write();
        for (id, removed) in stop {
            directory.remove(id);
            if let Some(def) = state.graph.nodes.get(id) {
                self.shared.contexts.delete(&node_scope(id, &def.flow));
            }
            if *removed && self.shared.hub.status(id).is_some() {
                self.shared.hub.publish(Event::Status {
                    node: id.clone(),
                    status: Status::default(),
                });
            }
        }
    }

    fn register(
        &self,
        graph: &Graph,
        state: &State,
        fresh: &IndexMap<Id, Fresh>,
        inert: &HashSet<Id>,
    ) {
        let mut directory = self.directory.write();
        for (id, built) in fresh {
            let Some(def) = graph.nodes.get(id) else {
                continue;
            };
            let Some(handle) = state.flows.get(&def.flow) else {
                continue;
            };
            let running = Running {
                ctx: built.ctx.clone(),
                commands: handle.commands.clone(),
                config: Arc::new(base_props(def)),
                inert: inert.contains(id),
            };
            directory.insert(id.clone(), running);
        }
        // Nodes that keep running may have got new wires, a new place and a new name is a restart.
        for def in graph
            .nodes
            .values()
            .filter(|def| !fresh.contains_key(&def.id))
        {
            if let Some(running) = directory.get_mut(&def.id) {
                running.config = Arc::new(base_props(def));
            }
        }
        for id in state
            .graph
            .flows
            .keys()
            .filter(|id| !graph.flows.contains_key(*id) && &***id != GLOBAL)
        {
            self.shared.contexts.delete(id);
        }
    }

    fn rewire(&self, graph: &Graph) {
        let directory = self.directory.read();
        let target =
            |id: &Id| -> Option<Target> { directory.get(id).map(|running| running.ctx.target()) };
        for (id, wiring) in wire(graph) {
            let Some(running) = directory.get(&id) else {
                continue;
            };
            running.ctx.set_routes(NodeRoutes {
                outputs: wiring
                    .outputs
                    .iter()
                    .map(|targets| targets.iter().filter_map(target).collect())
                    .collect(),
                catch: wiring
                    .catch
                    .iter()
                    .filter_map(|(id, uncaught)| Some((target(id)?, *uncaught)))
                    .collect(),
                status: wiring.status.iter().filter_map(target).collect(),
                complete: wiring.complete.iter().filter_map(target).collect(),
            });
        }
    }

    async fn start(&self, graph: &Graph, state: &mut State, fresh: IndexMap<Id, Fresh>) {
        let mut by_flow: IndexMap<Id, Vec<Fresh>> = graph
            .flows
            .keys()
            .map(|id| (id.clone(), Vec::new()))
            .collect();
        for (id, built) in fresh {
            if let Some(list) = graph
                .nodes
                .get(&id)
                .and_then(|def| by_flow.get_mut(&def.flow))
            {
                list.push(built);
            }
        }
        let mut order = Vec::new();
        for (flow, built) in by_flow {
            let Some(handle) = state.flows.get(&flow).filter(|_| !built.is_empty()) else {
                continue;
            };
            let keys: Vec<u64> = built.iter().map(|fresh| fresh.ctx.key()).collect();
            let nodes = built
                .into_iter()
                .map(|fresh| (fresh.ctx, fresh.node))
                .collect();
            if handle.commands.send(Command::Install(nodes)).await.is_ok() {
                order.push((handle.commands.clone(), keys));
            }
        }
        // Everything is in its place before the first node starts: what it sends finds its target, in any tab.
        for (commands, keys) in order {
            let (started, wait) = oneshot::channel();
            if commands
                .send(Command::Start { keys, started })
                .await
                .is_ok()
            {
                let _ = wait.await;
            }
        }
    }
}

/// What `/tap`'s op `node` shows before the node adds its own.
fn base_props(def: &NodeDef) -> Object {
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
