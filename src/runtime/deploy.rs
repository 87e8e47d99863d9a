//! How flows are changed.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use serde_json::{Map, Value as Json, json};

use tokio::{sync::MutexGuard, task::JoinHandle};

use super::{Inner, Problems, Version, credentials};
use crate::{
    engine::Event,
    flow::{DeployMode, Flows, Graph, Id, Problem, Rev, lint},
    store::{Credentials, StoreError},
};

/// A request to change the flows.
pub struct Deploy {
    /// Nodes may carry changes to their own credentials in a property `credentials`, which is not stored with the flows.
    pub flows: Flows,
    /// The revision that these flows were made from; a deploy over another one is refused.
    pub base: Option<Rev>,
    /// By node id. When given, this is the full set.
    pub credentials: Option<BTreeMap<String, Map<String, Json>>>,
    pub mode: DeployMode,
}

impl Deploy {
    /// These flows over whatever runs, with everything restarted.
    pub fn full(flows: Flows) -> Self {
        Self {
            flows,
            base: None,
            credentials: None,
            mode: DeployMode::Full,
        }
    }
}

/// What a deploy led to.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub rev: Rev,
    /// What is wrong with the flows that run now.
    pub problems: Vec<Problem>,
}

/// Why nothing was deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(
        "Somebody else has deployed in the meantime (revision {running}); load the running flows, bring in your changes and deploy again"
    )]
    Stale { running: Rev },
    #[error("{}", .0.first().map_or("These flows can't be understood", |problem| problem.message.as_str()))]
    Invalid(Vec<Problem>),
    #[error("The flows could not be stored, so the ones before keep running. {0}")]
    Store(#[from] StoreError),
    #[error("Flowrill is stopping; deploy again when it is back")]
    Stopping,
    #[error(
        "The deploy ended in the middle because of a fault in Flowrill; see its log, and deploy again"
    )]
    Interrupted,
}

/// The current version, worked out.
struct Prepared {
    graph: Arc<Graph>,
    /// Types without code, once each.
    missing: Vec<Id>,
    lint: Vec<Problem>,
}

impl Inner {
    pub(super) async fn deploy(self: &Arc<Self>, deploy: Deploy) -> Result<Deployed, DeployError> {
        let _one_at_a_time = self.begin().await?;
        let running = self.current.load().rev.clone();
        if deploy.base.as_ref().is_some_and(|base| *base != running) {
            return Err(DeployError::Stale { running });
        }
        let before = self.credentials.lock().clone();
        let mut flows = deploy.flows;
        let after = credentials::take(&mut flows, deploy.credentials, &before, &self.catalog)
            .map_err(DeployError::Invalid)?;
        let replaced = flows.share(&self.current.load().flows);
        let flows = Arc::new(flows);
        let save = self.save(flows.clone(), &after);
        // While the disk works, for both take long.
        let prepared = self.prepare(&flows, &after).await;
        let version = match save.await.unwrap_or(Err(StoreError::Interrupted)) {
            Ok(version) => version,
            Err(error) => {
                tracing::error!("The flows could not be stored. {error}");
                self.engine.hub().publish(Event::Flows {
                    rev: running,
                    missing: Vec::new(),
                    error: Some(error.to_string()),
                });
                return Err(error.into());
            }
        };
        let changed = changed_credentials(&before, &after);
        *self.credentials.lock() = Arc::new(after);
        self.current.store(Arc::new(version));
        let deployed = self.run(prepared, Some(deploy.mode), &changed).await;
        self.tasks.spawn_blocking(move || drop(replaced));
        Ok(deployed)
    }

    pub(super) async fn reload(self: &Arc<Self>) -> Result<Deployed, DeployError> {
        let _one_at_a_time = self.begin().await?;
        let inner = self.clone();
        let read = self.tasks.spawn_blocking(move || inner.store.load());
        let loaded = read.await.map_err(|_| DeployError::Interrupted)??;
        if let Some((version, credentials)) = loaded {
            *self.credentials.lock() = Arc::new(credentials);
            self.current.store(Arc::new(version));
        }
        Ok(self
            .run_current(Some(DeployMode::Full), &HashSet::new())
            .await)
    }

    pub(super) async fn restart(&self) {
        if let Ok(_one_at_a_time) = self.begin().await
            && !self.running.load(Ordering::Relaxed)
        {
            self.run_current(None, &HashSet::new()).await;
        }
    }

    /// Waits for its turn to change the flows.
    async fn begin(&self) -> Result<MutexGuard<'_, ()>, DeployError> {
        let turn = self.changing.lock().await;
        match self.ended.load(Ordering::Relaxed) {
            true => Err(DeployError::Stopping),
            false => Ok(turn),
        }
    }

    fn save(
        self: &Arc<Self>,
        flows: Arc<Flows>,
        credentials: &Credentials,
    ) -> JoinHandle<Result<Version, StoreError>> {
        let (inner, credentials) = (self.clone(), credentials.clone());
        let time = self.clock.now() as u64;
        self.tasks
            .spawn_blocking(move || inner.store.save(flows, time, &credentials))
    }

    /// As [`Inner::run`], with the current version.
    async fn run_current(&self, mode: Option<DeployMode>, changed: &HashSet<Id>) -> Deployed {
        let credentials = self.credentials.lock().clone();
        let version = self.current.load_full();
        let prepared = self.prepare(&version.flows, &credentials).await;
        self.run(prepared, mode, changed).await
    }

    /// Works out what these flows make run and what is wrong with them.
    async fn prepare(&self, flows: &Flows, credentials: &Credentials) -> Prepared {
        let texts = |id: &str| credentials.texts(id);
        let running = self.engine.graph().await;
        let graph = running.resolve_after(flows, &self.catalog, &self.process_env, &texts);
        let registry = self.engine.registry();
        let mut missing: Vec<Id> = Vec::new();
        for node in graph.nodes.values() {
            let known = node.is_of_subflow() || registry.knows(&node.type_name);
            if !known && !missing.contains(&node.type_name) {
                missing.push(node.type_name.clone());
            }
        }
        let mut lint = lint(flows, &self.catalog);
        // A type may do without a manifest (the helper of `--tap`), and a manifest without its code is of no use.
        lint.retain(|problem| {
            let node = problem.node.as_ref().and_then(|id| graph.nodes.get(id));
            problem.code != "missing_type"
                || !node.is_some_and(|node| registry.knows(&node.type_name))
        });
        Prepared {
            graph: Arc::new(graph),
            missing,
            lint,
        }
    }

    /// Makes what is prepared what the engine runs, and tells everybody. No mode: it is a start.
    async fn run(
        &self,
        prepared: Prepared,
        mode: Option<DeployMode>,
        changed: &HashSet<Id>,
    ) -> Deployed {
        let Prepared {
            graph,
            missing,
            lint,
        } = prepared;
        let version = self.current.load_full();
        let credentials = self.credentials.lock().clone();
        let texts = |id: &str| credentials.texts(id);
        let failed = self.failed_before(&graph);
        let build = match mode {
            Some(mode) => self.engine.deploy(graph, mode, changed, &texts).await,
            None => self.engine.load(graph, &texts).await,
        };
        let problems = Problems {
            lint,
            build: self.still_failing(failed, &build),
        };
        let all = problems.all();
        self.running.store(true, Ordering::Relaxed);
        self.problems.store(Arc::new(problems));
        let hub = self.engine.hub();
        hub.publish(Event::Flows {
            rev: version.rev.clone(),
            missing,
            error: None,
        });
        hub.publish(Event::Notification {
            topic: "runtime-deploy",
            data: json!({ "revision": version.rev }),
        });
        hub.publish(Event::Notification {
            topic: "problems",
            data: json!({ "problems": all }),
        });
        Deployed {
            rev: version.rev.clone(),
            problems: all,
        }
    }

    /// Nodes of these flows that could not be built in an earlier deploy.
    fn failed_before(&self, graph: &Graph) -> Vec<Problem> {
        let before = self.problems.load();
        let of_these = before.build.iter().filter(|problem| {
            let node = problem.node.as_ref();
            node.is_some_and(|id| graph.nodes.contains_key(id))
        });
        of_these.cloned().collect()
    }

    /// The engine names only nodes that it has just built: those that failed before and were left alone fail still.
    fn still_failing(&self, before: Vec<Problem>, new: &[Problem]) -> Vec<Problem> {
        let named: HashSet<&Id> = new
            .iter()
            .filter_map(|problem| problem.node.as_ref())
            .collect();
        let old = before.into_iter().filter(|problem| {
            let node = problem.node.as_ref();
            node.is_some_and(|id| !named.contains(id) && self.engine.node(id).is_none())
        });
        old.chain(new.iter().cloned()).collect()
    }
}

fn changed_credentials(before: &Credentials, after: &Credentials) -> HashSet<Id> {
    let ids: HashSet<&str> = before.ids().chain(after.ids()).collect();
    ids.into_iter()
        .filter(|id| before.get(id) != after.get(id))
        .map(Id::from)
        .collect()
}
