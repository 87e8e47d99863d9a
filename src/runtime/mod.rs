//! The running instance as API, command line and tests see it: which flows run, how they are changed, what is wrong with them.

mod credentials;
mod deploy;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use deploy::{Deploy, DeployError, Deployed};

use crate::{
    catalog::Catalog,
    engine::{Clock, Contexts, Engine, EngineConfig, Expressions, Registry, RuntimeSettings},
    flow::{Flows, Problem, ProcessEnv},
    store::{Credentials, FlowStore, StoreError, StoredVersion, VersionInfo},
};

/// How long the flows may take for an orderly stop; what comes after them needs the rest of the five seconds.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// How long a request waits for flows that are being started.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// A version of the flows: that which runs, or an earlier one.
pub type Version = StoredVersion;

/// What a runtime is made of.
pub struct RuntimeConfig {
    pub catalog: Arc<Catalog>,
    pub registry: Registry,
    pub store: Box<dyn FlowStore>,
    pub process_env: ProcessEnv,
    pub settings: RuntimeSettings,
    pub clock: Clock,
    pub expressions: Arc<dyn Expressions>,
    pub contexts: Arc<Contexts>,
}

/// One running instance.
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    catalog: Arc<Catalog>,
    store: Box<dyn FlowStore>,
    process_env: ProcessEnv,
    clock: Clock,
    current: ArcSwap<Version>,
    problems: ArcSwap<Problems>,
    /// Those of the running flows, decrypted.
    credentials: Mutex<Arc<Credentials>>,
    /// Held while flows change: one deploy at a time, the next one sees what the last one left.
    changing: tokio::sync::Mutex<()>,
    /// Whether nodes run; not after a stop of the flows, until the next deploy.
    running: AtomicBool,
    /// Whether the stored flows have had their start.
    started: watch::Sender<bool>,
    /// Set by the orderly stop: nothing is started any more.
    ended: AtomicBool,
    /// Deploys go on when the one who asked for them has hung up.
    tasks: TaskTracker,
}

/// What is wrong with the running flows.
#[derive(Default)]
struct Problems {
    /// From looking at the flow file.
    lint: Vec<Problem>,
    /// From building the nodes.
    build: Vec<Problem>,
}

impl Runtime {
    /// A runtime over what the store holds. Nothing runs before [`Runtime::start`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(config: RuntimeConfig) -> Result<Self, StoreError> {
        let (current, credentials) = config.store.load()?.unwrap_or_else(|| {
            let flows = Flows::default();
            let empty = Version {
                rev: flows.rev(),
                time: 0,
                flows: Arc::new(flows),
            };
            (empty, Credentials::default())
        });
        let engine = Engine::new(EngineConfig {
            catalog: config.catalog.clone(),
            registry: config.registry,
            contexts: config.contexts,
            clock: config.clock,
            expressions: config.expressions,
            settings: config.settings,
        });
        let inner = Inner {
            engine,
            catalog: config.catalog,
            store: config.store,
            process_env: config.process_env,
            clock: config.clock,
            current: ArcSwap::from_pointee(current),
            problems: ArcSwap::default(),
            credentials: Mutex::new(Arc::new(credentials)),
            changing: tokio::sync::Mutex::new(()),
            running: AtomicBool::new(false),
            started: watch::Sender::new(false),
            ended: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Runs the stored version, unless flows run already: a deploy may have come first.
    pub async fn start(&self) {
        let inner = self.inner.clone();
        self.run(async move { inner.restart().await }).await;
        self.inner.started.send_replace(true);
    }

    /// Returns when the start is over, and the deploy that is under way, or after [`SETTLE_LIMIT`]. Who asks for a node
    /// before that would miss it.
    pub async fn settled(&self) {
        let settle = async {
            let mut started = self.inner.started.subscribe();
            // An error means that the runtime is gone.
            let _ = started.wait_for(|started| *started).await;
            drop(self.inner.changing.lock().await);
        };
        // Whoever waits longer is told what there is.
        let _ = tokio::time::timeout(SETTLE_LIMIT, settle).await;
    }

    /// Makes other flows the running ones: stores them as a new version, then starts what changed. Deploys are carried
    /// out one after the other, and to their end, even if the caller goes away.
    ///
    /// # Errors
    /// [`DeployError`]; whichever it is, the flows that ran before still run.
    pub async fn deploy(&self, deploy: Deploy) -> Result<Deployed, DeployError> {
        let inner = self.inner.clone();
        let outcome = self.run(async move { inner.deploy(deploy).await }).await;
        if matches!(outcome, Some(Ok(_))) {
            self.inner.started.send_replace(true);
        }
        outcome.unwrap_or(Err(DeployError::Interrupted))
    }

    /// Reads the stored version again and starts all of it anew (Node-RED's deployment type `reload`).
    ///
    /// # Errors
    /// When the store cannot be read; the flows that ran before still run.
    pub async fn reload(&self) -> Result<Deployed, DeployError> {
        let inner = self.inner.clone();
        let outcome = self.run(async move { inner.reload().await }).await;
        outcome.unwrap_or(Err(DeployError::Interrupted))
    }

    /// The flows that run, or that would run after [`Runtime::start`].
    pub fn current(&self) -> Arc<Version> {
        self.inner.current.load_full()
    }

    /// What is wrong with the running flows.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner.problems.load().all()
    }

    /// The kept versions, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        let inner = self.inner.clone();
        self.blocking(move || inner.store.history()).await
    }

    /// A kept version; none when there is none with this revision.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn version(&self, rev: &str) -> Result<Option<Version>, StoreError> {
        let (inner, rev) = (self.inner.clone(), rev.to_owned());
        self.blocking(move || inner.store.version(&rev)).await
    }

    /// Which credentials a node has: texts as they are, secrets only as `has_<name>: true`.
    pub fn credentials_state(&self, type_name: &str, id: &str) -> Map<String, Json> {
        let credentials = self.inner.credentials.lock().clone();
        credentials::visible(&self.inner.catalog, type_name, credentials.get(id))
    }

    /// What runs the flows.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The node types.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.inner.catalog
    }

    /// The environment variables that flows see.
    pub fn process_env(&self) -> &ProcessEnv {
        &self.inner.process_env
    }

    /// What the store had to put right when it was opened.
    pub fn store_notices(&self) -> Vec<String> {
        self.inner.store.notices()
    }

    /// Whether the flows run: they are started, and were not stopped since.
    pub fn is_running(&self) -> bool {
        self.inner.running.load(Ordering::Relaxed)
    }

    /// Stops all nodes; the flows stay deployed, and the next deploy starts them.
    pub async fn stop_flows(&self) {
        let inner = self.inner.clone();
        self.run(async move {
            let _one_at_a_time = inner.changing.lock().await;
            inner.engine.stop().await;
            inner.running.store(false, Ordering::Relaxed);
        })
        .await;
    }

    /// Ends in good order: a deploy under way is finished, every node gets its time to close, within three seconds in all.
    pub async fn stop(&self) {
        self.inner.ended.store(true, Ordering::Relaxed);
        let mut settings = (*self.inner.engine.settings()).clone();
        settings.close_timeout = settings.close_timeout.min(STOP_LIMIT / 2);
        self.inner.engine.change_settings(settings);
        if tokio::time::timeout(STOP_LIMIT, self.stop_flows())
            .await
            .is_err()
        {
            tracing::warn!("Some nodes did not close in time and were left behind");
        }
        self.inner.tasks.close();
    }

    /// Runs to the end even if the caller goes away; none when it panicked.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.inner.tasks.spawn(work).await.ok()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outcome = self.inner.tasks.spawn_blocking(work).await;
        outcome.unwrap_or(Err(StoreError::Interrupted))
    }
}

impl Problems {
    fn all(&self) -> Vec<Problem> {
        self.lint.iter().chain(&self.build).cloned().collect()
    }
}
