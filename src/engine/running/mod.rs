//! The running flows, and how the outside reaches their nodes.

mod build;
mod deploy;

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
};

use arc_swap::ArcSwap;
use indexmap::IndexMap;
use parking_lot::RwLock;
use rustc_hash::{FxBuildHasher, FxHashMap};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::{
    actor::Command,
    clock::Clock,
    context::NodeContext,
    context_store::Contexts,
    events::{Event, Hub, Interest, LogLevel, Record},
    expressions::Expressions,
    links::Links,
    queue::{FlowShared, NOBODY},
    registry::Registry,
    settings::RuntimeSettings,
};
use crate::{
    catalog::Catalog,
    flow::{Graph, Id, Wiring},
    message::{Message, Object},
};

/// What all nodes of an engine share.
pub(super) struct Shared {
    pub(super) hub: Arc<Hub>,
    pub(super) contexts: Arc<Contexts>,
    pub(super) clock: Clock,
    pub(super) expressions: Arc<dyn Expressions>,
    pub(super) settings: ArcSwap<RuntimeSettings>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) tasks: TaskTracker,
    next_key: AtomicU64,
    /// For look-ups while a deploy may be under way.
    directory: RwLock<FxHashMap<Id, Running>>,
    pub(super) links: ArcSwap<Links>,
}

impl Shared {
    /// The context of a running node.
    pub(super) fn running(&self, id: &str) -> Option<NodeContext> {
        self.directory
            .read()
            .get(id)
            .filter(|running| !running.inert)
            .map(|running| running.ctx.clone())
    }

    /// A text of the runtime itself, or its key.
    pub(super) fn runtime_text(&self, key: &str, english: &str) -> String {
        match self.catalog.lang() {
            "cimode" => key.to_owned(),
            _ => english.to_owned(),
        }
    }

    /// A log record of the runtime itself.
    pub(super) fn log_own(&self, level: LogLevel, text: &str) {
        self.log(Record {
            level,
            msg: text.into(),
            node: None,
            time: self.clock.now(),
        });
    }

    /// To the log of the process and to those who watch.
    pub(super) fn log(&self, record: Record) {
        let text = record.msg.to_text();
        let who = record.node.as_ref().map(|node| {
            format!(
                "[{}:{}] ",
                node.type_name,
                node.shown_name().unwrap_or(&node.id)
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
    pub expressions: Arc<dyn Expressions>,
    pub settings: RuntimeSettings,
}

/// Runs one graph at a time.
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    registry: Registry,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    graph: Arc<Graph>,
    wiring: IndexMap<Id, Wiring, FxBuildHasher>,
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

impl Drop for Engine {
    /// The directory's contexts hold what they share, which holds the directory.
    fn drop(&mut self) {
        self.shared.directory.write().clear();
    }
}

impl Engine {
    /// An engine that runs nothing yet.
    pub fn new(config: EngineConfig) -> Self {
        config.contexts.seed(config.settings.global_context.clone());
        let shared = Shared {
            hub: Arc::default(),
            contexts: config.contexts,
            clock: config.clock,
            expressions: config.expressions,
            settings: ArcSwap::from_pointee(config.settings),
            catalog: config.catalog,
            tasks: TaskTracker::new(),
            next_key: AtomicU64::new(NOBODY + 1),
            directory: RwLock::default(),
            links: ArcSwap::default(),
        };
        Self {
            shared: Arc::new(shared),
            registry: config.registry,
            state: Default::default(),
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
        self.shared.contexts.seed(settings.global_context.clone());
        self.shared.settings.store(Arc::new(settings));
    }

    /// A log record of the runtime itself.
    pub fn log(&self, level: LogLevel, text: &str) {
        self.shared.log_own(level, text);
    }

    /// What runs now.
    pub async fn graph(&self) -> Arc<Graph> {
        self.state.lock().await.graph.clone()
    }

    /// The context of a running node.
    pub fn node(&self, id: &str) -> Option<NodeContext> {
        self.shared.running(id)
    }

    /// Hands messages to nodes' inputs as if they came over wires; those for one flow reach it back to back. False: a node is unknown.
    pub fn receive(&self, deliveries: Vec<(&str, Message)>) -> bool {
        let directory = self.shared.directory.read();
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

    /// Returns when the flows of these nodes have handled what waits in their queues now.
    pub async fn caught_up(&self, ids: impl IntoIterator<Item = String>) {
        let waiting: Vec<_> = {
            let directory = self.shared.directory.read();
            let known = ids
                .into_iter()
                .filter_map(|id| Some(directory.get(&*id)?.ctx.caught_up()));
            known.collect()
        };
        for reached in waiting {
            // An error is how the end is told.
            let _ = reached.await;
        }
    }

    /// Closes a running node, as a deploy without it would; returns when it is closed.
    pub async fn close_node(&self, id: &str) {
        let Some(running) = self.shared.directory.write().remove(id) else {
            return;
        };
        let (closed, wait) = oneshot::channel();
        let close = Command::Close {
            keys: vec![(running.ctx.key(), false)],
            limit: self.settings().close_timeout,
            closed,
        };
        if running.commands.send(close).await.is_ok() {
            // An error means that the flow's task is gone, and the node with it.
            let _ = wait.await;
        }
    }

    /// The effective configuration of a running node, under Node-RED's names; none when no such node runs.
    pub async fn props(&self, id: &str) -> Option<Object> {
        let running = self
            .shared
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
}
