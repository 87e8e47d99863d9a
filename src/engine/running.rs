//! The running flows: deploys go in, nodes are built, stopped, wired and started.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use indexmap::IndexMap;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::{
    actor::{Actor, Command},
    clock::Clock,
    context::{NodeContext, NodeInfo},
    events::{Event, Hub, Interest, LogLevel, Record, Status},
    node::{Failed, Node},
    queue::FlowShared,
    registry::{Build, Registry},
    routes::{NodeRoutes, Target},
    scope::{Contexts, node_scope},
    settings::RuntimeSettings,
};
use crate::{
    catalog::Catalog,
    flow::{DeployMode, GLOBAL, Graph, Id, Level, NodeDef, Problem, diff, wire},
    message::{Message, Object},
};

/// What all nodes of an engine share.
pub(super) struct Shared {
    pub(super) hub: Arc<Hub>,
    pub(super) contexts: Arc<Contexts>,
    pub(super) clock: Clock,
    pub(super) settings: ArcSwap<RuntimeSettings>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) tasks: TaskTracker,
    next_key: AtomicU64,
}

impl Shared {
    /// To the log of the process and to those who watch.
    pub(super) fn log(&self, record: Record) {
        let text = record.msg.to_text();
        let who = record.node.as_ref().map(|node| {
            format!(
                "[{}:{}] ",
                node.type_name,
                node.name.as_ref().unwrap_or(&node.id)
            )
        });
        let who = who.unwrap_or_default();
        match record.level {
            LogLevel::Error => tracing::error!(target: "flow", "{who}{text}"),
            LogLevel::Warn => tracing::warn!(target: "flow", "{who}{text}"),
            LogLevel::Info => tracing::info!(target: "flow", "{who}{text}"),
            LogLevel::Debug => tracing::debug!(target: "flow", "{who}{text}"),
            LogLevel::Trace => tracing::trace!(target: "flow", "{who}{text}"),
        }
        if self.hub.wants(Interest::LOG) {
            self.hub.publish(Event::Log(record));
        }
    }
}

/// What an engine is made of.
pub struct EngineConfig {
    pub catalog: Arc<Catalog>,
    pub registry: Registry,
    pub contexts: Arc<Contexts>,
    pub clock: Clock,
    pub settings: RuntimeSettings,
}

/// Runs one graph at a time.
pub struct Engine {
    shared: Arc<Shared>,
    registry: Registry,
    state: tokio::sync::Mutex<State>,
    /// For look-ups from outside, while a deploy may be under way.
    directory: RwLock<HashMap<Id, Running>>,
}

#[derive(Default)]
struct State {
    graph: Graph,
    flows: IndexMap<Id, FlowHandle>,
    /// What config nodes share, by id.
    services: HashMap<Id, Arc<dyn Any + Send + Sync>>,
}

struct FlowHandle {
    flow: Arc<FlowShared>,
    commands: mpsc::Sender<Command>,
}

#[derive(Clone)]
struct Running {
    ctx: NodeContext,
    commands: mpsc::Sender<Command>,
    /// The strict configuration and the wires, for `props`.
    config: Arc<Object>,
    /// It could not be built, and an inert node stands in its place.
    inert: bool,
}

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
    /// An engine that runs nothing yet.
    pub fn new(config: EngineConfig) -> Self {
        let shared = Shared {
            hub: Arc::default(),
            contexts: config.contexts,
            clock: config.clock,
            settings: ArcSwap::from_pointee(config.settings),
            catalog: config.catalog,
            tasks: TaskTracker::new(),
            next_key: AtomicU64::new(1),
        };
        Self {
            shared: Arc::new(shared),
            registry: config.registry,
            state: Default::default(),
            directory: RwLock::default(),
        }
    }

    /// Where its events come out.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    /// The node types it can build.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The context stores.
    pub fn contexts(&self) -> &Arc<Contexts> {
        &self.shared.contexts
    }

    /// The settings that hold now.
    pub fn settings(&self) -> Arc<RuntimeSettings> {
        self.shared.settings.load_full()
    }

    /// Changes settings at once.
    pub fn change_settings(&self, settings: RuntimeSettings) {
        self.shared.settings.store(Arc::new(settings));
    }

    /// A log record of the runtime itself.
    pub fn log(&self, level: LogLevel, text: &str) {
        let record = Record {
            level,
            msg: text.into(),
            node: None,
            time: self.shared.clock.now(),
        };
        self.shared.log(record);
    }

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
        self.rewire(&graph, &state);
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

    /// The context of a running node.
    pub fn node(&self, id: &str) -> Option<NodeContext> {
        self.directory
            .read()
            .get(id)
            .filter(|running| !running.inert)
            .map(|running| running.ctx.clone())
    }

    /// Hands messages to nodes' inputs as if they came over wires; those for one flow reach it back to back. False: a node is unknown.
    pub fn receive(&self, deliveries: Vec<(&str, Message)>) -> bool {
        let directory = self.directory.read();
        let mut all_known = true;
        let mut batch: Vec<(&NodeContext, Message)> = Vec::new();
        for (id, msg) in deliveries {
            let Some(running) = directory.get(id) else {
                all_known = false;
                continue;
            };
            if batch
                .last()
                .is_some_and(|(last, _)| !last.same_flow(&running.ctx))
            {
                NodeContext::receive_batch(std::mem::take(&mut batch));
            }
            batch.push((&running.ctx, msg));
        }
        NodeContext::receive_batch(batch);
        all_known
    }

    /// The effective configuration of a running node, under Node-RED's names; none when no such node runs.
    pub async fn props(&self, id: &str) -> Option<Object> {
        let running = self
            .directory
            .read()
            .get(id)
            .cloned()
            .filter(|running| !running.inert)?;
        let (answer, props) = oneshot::channel();
        running
            .commands
            .send(Command::Props {
                key: running.ctx.key(),
                props: answer,
            })
            .await
            .ok()?;
        let own = props.await.ok()??;
        let mut all = (*running.config).clone();
        for (key, value) in own.iter() {
            all.insert(key.as_str(), value.clone());
        }
        Some(all)
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

    fn rewire(&self, graph: &Graph, _state: &State) {
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
