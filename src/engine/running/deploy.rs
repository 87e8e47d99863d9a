//! A deploy: build what is new, stop what goes, swap the routes, start.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use tokio::sync::{mpsc, oneshot};

use super::{
    Engine, FlowHandle, Running, State,
    build::{Fresh, base_props},
};
use crate::{
    engine::{
        NodeInfo,
        actor::{Actor, Command},
        context_store::node_scope,
        events::{Event, LogLevel, Record, Status},
        links::Links,
        queue::FlowShared,
        routes::{NodeRoutes, Target},
    },
    flow::{CredentialsOf, DeployMode, Graph, Id, Problem, diff, same_wiring, wire},
};

/// What a change of the running flows does besides.
struct Change<'a> {
    mode: DeployMode,
    new_credentials: &'a HashSet<Id>,
    /// The context of what no longer exists is forgotten.
    forget: bool,
}

/// Nodes that are built and not yet started, in the order of the graph.
type FreshNodes = IndexMap<Id, Fresh, FxBuildHasher>;

impl Engine {
    /// Makes `graph` what runs: builds what is new, stops what goes, swaps the routes, starts. A node that cannot be
    /// built is a problem on that node, and the rest runs. The context of what no longer exists is forgotten.
    /// `credentials` are those of a node, `new_credentials` the nodes whose credentials have changed.
    pub async fn deploy(
        &self,
        graph: impl Into<Arc<Graph>>,
        mode: DeployMode,
        new_credentials: &HashSet<Id>,
        credentials: CredentialsOf<'_>,
    ) -> Vec<Problem> {
        let change = Change {
            mode,
            new_credentials,
            forget: true,
        };
        self.change(graph.into(), change, credentials).await
    }

    /// As a full [`Engine::deploy`], at the start: no context is forgotten, for what could not be loaded now may come back.
    pub async fn load(
        &self,
        graph: impl Into<Arc<Graph>>,
        credentials: CredentialsOf<'_>,
    ) -> Vec<Problem> {
        let change = Change {
            mode: DeployMode::Full,
            new_credentials: &HashSet::new(),
            forget: false,
        };
        self.change(graph.into(), change, credentials).await
    }

    async fn change(
        &self,
        graph: Arc<Graph>,
        change: Change<'_>,
        credentials: CredentialsOf<'_>,
    ) -> Vec<Problem> {
        let mut state = self.state.lock().await;
        let changes = diff(&state.graph, &graph, change.mode, change.new_credentials);
        for (flow, error) in &graph.env_errors {
            self.shared.log(Record {
                level: LogLevel::Error,
                msg: error.as_str().into(),
                node: Some(NodeInfo::of_flow(flow).into()),
                time: self.shared.clock.now(),
            });
        }
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
        let mut fresh = FreshNodes::default();
        for def in changes.start.iter().filter_map(|id| graph.nodes.get(id)) {
            let Some(handle) = state.flows.get(&def.tab) else {
                continue;
            };
            let (built, problem) = self.build(
                def,
                handle,
                &mut services,
                graph.around(&def.flow),
                credentials,
            );
            problems.extend(problem);
            fresh.insert(def.id.clone(), built);
        }
        self.stop_nodes(&state, &changes.stop).await;
        if change.forget {
            self.shared.contexts.retain(&|scope| graph.has_scope(scope));
        }
        state.services = services;
        self.register(&graph, &state, &fresh);
        self.rewire(&graph, &mut state, &fresh);
        self.shared.links.store(Arc::new(Links::of(&graph)));
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
                    .shared
                    .directory
                    .read()
                    .get(id)
                    .map(|running| running.ctx.key());
                if let (Some(key), Some(def)) = (running, state.graph.nodes.get(id)) {
                    by_flow.entry(&def.tab).or_default().push((key, *removed));
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
        let mut directory = self.shared.directory.write();
        for (id, removed) in stop {
            directory.remove(id);
            if let Some(def) = state.graph.nodes.get(id) {
                self.shared
                    .contexts
                    .node_stopped(&node_scope(id, &def.flow));
            }
            // Of what stands in an instance, the status goes with every stop.
            let inner = state
                .graph
                .nodes
                .get(id)
                .is_some_and(|def| !def.instances.is_empty());
            if (*removed || inner) && self.shared.hub.status(id).is_some() {
                self.shared.hub.publish(Event::Status {
                    node: id.clone(),
                    status: Status::default(),
                });
            }
        }
    }

    fn register(&self, graph: &Graph, state: &State, fresh: &FreshNodes) {
        let mut directory = self.shared.directory.write();
        for (id, built) in fresh {
            let Some(def) = graph.nodes.get(id) else {
                continue;
            };
            let Some(handle) = state.flows.get(&def.tab) else {
                continue;
            };
            let running = Running {
                ctx: built.ctx.clone(),
                commands: handle.commands.clone(),
                config: Arc::new(base_props(def, &self.shared.catalog)),
                inert: built.inert,
            };
            directory.insert(id.clone(), running);
        }
        // Nodes that keep running may have got new wires, a new place and a new name is a restart.
        for def in graph
            .nodes
            .values()
            .filter(|def| !fresh.contains_key(&def.id))
        {
            let same = state.graph.nodes.get(&def.id).is_some_and(|before| {
                before.wires == def.wires && before.z == def.z && before.groups == def.groups
            });
            if !same && let Some(running) = directory.get_mut(&def.id) {
                running.config = Arc::new(base_props(def, &self.shared.catalog));
            }
        }
    }

    /// Gives every node its targets. What leads to the same running nodes as before is left as it is.
    fn rewire(&self, graph: &Graph, state: &mut State, fresh: &FreshNodes) {
        let directory = self.shared.directory.read();
        let target =
            |id: &Id| -> Option<Target> { directory.get(id).map(|running| running.ctx.target()) };
        let kept = same_wiring(&state.graph, graph);
        let wiring = match kept {
            true => std::mem::take(&mut state.wiring),
            false => wire(graph),
        };
        for (id, wiring) in &wiring {
            let same = (kept || state.wiring.get(id) == Some(wiring))
                && !fresh.contains_key(id)
                && !wiring.leads_to(&|id| fresh.contains_key(id));
            if same {
                continue;
            }
            let Some(running) = directory.get(id) else {
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
        state.wiring = wiring;
    }

    async fn start(&self, graph: &Graph, state: &mut State, fresh: FreshNodes) {
        let mut by_flow: IndexMap<Id, Vec<Fresh>> = graph
            .flows
            .keys()
            .map(|id| (id.clone(), Vec::new()))
            .collect();
        for (id, built) in fresh {
            if let Some(list) = graph
                .nodes
                .get(&id)
                .and_then(|def| by_flow.get_mut(&def.tab))
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
