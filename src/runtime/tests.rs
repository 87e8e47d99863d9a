//! The runtime with flows as JSON: modes, revisions, credentials, what is published.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::{
    engine::{Build, ConfigError, Event, Failed, Interest, Node, NodeContext, Subscription},
    flow::DeployMode,
    message::Message,
    store::MemoryFlowStore,
};

/// Remembers what it was built with.
#[derive(Default)]
struct Log {
    built: Mutex<Vec<String>>,
    closed: AtomicUsize,
}

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.built.lock())
    }
}

struct Probe(Arc<Log>);

impl Node for Probe {
    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }
    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> crate::engine::Closing {
        self.0.closed.fetch_add(1, Ordering::Relaxed);
        crate::engine::Closing::Done
    }
}

/// A store that refuses while `full` is set.
#[derive(Default)]
struct Disk {
    store: MemoryFlowStore,
    full: Arc<AtomicBool>,
}

impl FlowStore for Disk {
    fn load(&self) -> Result<Option<(StoredVersion, Credentials)>, StoreError> {
        self.store.load()
    }
    fn save(
        &self,
        flows: Arc<Flows>,
        time: u64,
        credentials: &Credentials,
    ) -> Result<StoredVersion, StoreError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Io {
                action: "written",
                path: "flows.json".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        self.store.save(flows, time, credentials)
    }
    fn history(&self) -> Result<Vec<VersionInfo>, StoreError> {
        self.store.history()
    }
    fn version(&self, rev: &str) -> Result<Option<StoredVersion>, StoreError> {
        self.store.version(rev)
    }
}

struct Bench {
    runtime: Runtime,
    log: Arc<Log>,
    full: Arc<AtomicBool>,
    events: Subscription,
}

fn bench() -> Bench {
    let log = Arc::new(Log::default());
    let mut registry = Registry::default();
    let built = log.clone();
    registry.add(
        "probe",
        move |config: Map<String, Json>, build: &Build| -> Result<Probe, ConfigError> {
            if config.get("fail") == Some(&json!(true)) {
                return Err("this probe fails".into());
            }
            let credentials = serde_json::to_string(&build.credentials).unwrap();
            built
                .built
                .lock()
                .push(format!("{} {credentials}", build.info.id));
            Ok(Probe(built.clone()))
        },
    );
    let store = Disk::default();
    let full = store.full.clone();
    let runtime = Runtime::open(RuntimeConfig {
        catalog: Arc::new(Catalog::builtin("en").unwrap()),
        registry,
        store: Box::new(store),
        process_env: ProcessEnv::default(),
        settings: RuntimeSettings::default(),
        clock: Clock::System,
        expressions: Arc::new(crate::script::Jsonata),
        contexts: Arc::default(),
    })
    .unwrap();
    let interest = Interest::FLOWS.and(Interest::NOTIFICATION);
    let events = runtime.engine().hub().subscribe(interest, 100);
    Bench {
        runtime,
        log,
        full,
        events,
    }
}

fn flows(list: Json) -> Flows {
    Flows::from_value(list).unwrap()
}

impl Bench {
    async fn deploy(&self, list: Json, mode: DeployMode) -> Deployed {
        let deploy = Deploy {
            mode,
            ..Deploy::full(flows(list))
        };
        self.runtime.deploy(deploy).await.unwrap()
    }

    async fn deploy_with(&self, list: Json, credentials: Json) -> Deployed {
        let deploy = Deploy {
            credentials: Some(serde_json::from_value(credentials).unwrap()),
            ..Deploy::full(flows(list))
        };
        self.runtime.deploy(deploy).await.unwrap()
    }

    fn stored(&self) -> Credentials {
        self.runtime.inner.store.load().unwrap().unwrap().1
    }

    fn stored_is(&self, expected: &Json) {
        let stored = serde_json::to_value(self.stored()).unwrap();
        assert_eq!(stored, *expected);
    }
}

#[tokio::test]
async fn a_fresh_runtime_has_empty_flows() {
    let bench = bench();
    let current = bench.runtime.current();
    assert_eq!(current.rev, Flows::default().rev());
    assert!(bench.runtime.history().await.unwrap().is_empty());
    bench.runtime.start().await;
}

#[tokio::test]
async fn every_deploy_is_a_version_and_is_told() {
    let mut bench = bench();
    let list = json!([{"id": "a", "type": "probe"}, {"id": "b", "type": "no such"}]);
    for _ in 0..2 {
        let deployed = bench.deploy(list.clone(), DeployMode::Nodes).await;
        assert_eq!(deployed.rev, flows(list.clone()).rev());
        let told: Vec<Event> =
            std::iter::from_fn(|| bench.events.try_next().map(|event| (*event.event).clone()))
                .collect();
        let [
            Event::Flows {
                rev,
                missing,
                error: None,
            },
            Event::Notification {
                topic: "runtime-deploy",
                data,
            },
            Event::Notification {
                topic: "problems",
                data: problems,
            },
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!(*rev, deployed.rev);
        assert!(missing.iter().any(|type_name| &**type_name == "no such"));
        assert_eq!(*data, json!({"revision": deployed.rev}));
        assert_eq!(problems["problems"], json!(deployed.problems));
        assert!(!deployed.problems.is_empty());
    }
    assert_eq!(
        bench.log.take(),
        ["a {}"],
        "nothing changed, nothing restarts"
    );
    let history = bench.runtime.history().await.unwrap();
    assert_eq!(history.len(), 2);
    let old = bench.runtime.version(&history[1].rev).await.unwrap();
    assert_eq!(*old.unwrap().flows, flows(list));
    assert!(bench.runtime.version("x").await.unwrap().is_none());
}

#[tokio::test]
async fn a_deploy_over_another_revision_is_refused() {
    let bench = bench();
    let base = bench.runtime.current().rev.clone();
    let mine = Deploy {
        base: Some(base.clone()),
        ..Deploy::full(flows(json!([{"id": "a", "type": "probe"}])))
    };
    let rev = bench.runtime.deploy(mine).await.unwrap().rev;
    let late = Deploy {
        base: Some(base),
        ..Deploy::full(flows(json!([])))
    };
    let refused = bench.runtime.deploy(late).await.unwrap_err();
    assert!(matches!(refused, DeployError::Stale { running } if running == rev));
    assert_eq!(bench.runtime.current().flows.items.len(), 1);
}

#[tokio::test]
async fn modes_restart_what_they_should() {
    let bench = bench();
    let list = |a: u64| json!([{"id": "a", "type": "probe", "n": a}, {"id": "b", "type": "probe"}]);
    bench.deploy(list(1), DeployMode::Full).await;
    bench.log.take();
    bench.deploy(list(2), DeployMode::Nodes).await;
    assert_eq!(bench.log.take(), ["a {}"]);
    bench.deploy(list(2), DeployMode::Full).await;
    assert_eq!(bench.log.take(), ["a {}", "b {}"]);
    bench.runtime.reload().await.unwrap();
    assert_eq!(bench.log.take(), ["a {}", "b {}"]);
    bench.runtime.stop_flows().await;
    assert!(bench.runtime.engine().node("a").is_none());
    bench.deploy(list(2), DeployMode::Nodes).await;
    assert_eq!(bench.log.take(), ["a {}", "b {}"]);
    bench.deploy(json!([]), DeployMode::Full).await;
    assert!(bench.runtime.engine().node("a").is_none());
}

#[tokio::test]
async fn credentials_are_merged_kept_apart_and_dropped() {
    let bench = bench();
    let node = |credentials: Json| json!([{"id": "a", "type": "probe", "credentials": credentials}, {"id": "b", "type": "probe"}]);
    bench
        .deploy(
            node(json!({"user": "u", "password": "p", "has_password": true})),
            DeployMode::Full,
        )
        .await;
    bench.stored_is(&json!({"a": {"user": "u", "password": "p"}}));
    let current = bench.runtime.current();
    assert!(
        !serde_json::to_string(&*current.flows)
            .unwrap()
            .contains("credentials")
    );
    assert_eq!(current.rev, current.flows.rev());
    assert_eq!(
        bench.log.take(),
        [r#"a {"password":"p","user":"u"}"#, "b {}"]
    );

    // Only what has other credentials restarts.
    let changed = node(json!({"user": "v", "password": "__PWRD__"}));
    bench.deploy(changed, DeployMode::Nodes).await;
    bench.stored_is(&json!({"a": {"user": "v", "password": "p"}}));
    assert_eq!(bench.log.take(), [r#"a {"password":"p","user":"v"}"#]);

    bench
        .deploy(node(json!({"user": ""})), DeployMode::Nodes)
        .await;
    bench.stored_is(&json!({"a": {"password": "p"}}));
    bench.deploy(node(json!(null)), DeployMode::Nodes).await;
    bench.stored_is(&json!({"a": {"password": "p"}}));
    assert_eq!(
        Json::Object(bench.runtime.credentials_state("probe", "a")),
        json!({"has_password": true})
    );

    let plain = json!([{"id": "a", "type": "probe"}, {"id": "b", "type": "probe"}]);
    let full = json!({"a": {"password": "__PWRD__"}, "b": {"x": "y"}, "gone": {"x": "y"}});
    bench.deploy_with(plain.clone(), full).await;
    bench.stored_is(&json!({"a": {"password": "p"}, "b": {"x": "y"}}));
    bench
        .deploy_with(plain.clone(), json!({"b": {"x": "z"}}))
        .await;
    bench.stored_is(&json!({"b": {"x": "z"}}));
    bench
        .deploy(json!([{"id": "a", "type": "probe"}]), DeployMode::Full)
        .await;
    bench.stored_is(&json!({}));

    let bad = Deploy::full(flows(
        json!([{"id": "a", "type": "probe", "credentials": "x"}]),
    ));
    let refused = bench.runtime.deploy(bad).await.unwrap_err();
    assert!(
        refused.to_string().contains("must be an object"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_cannot_be_stored_does_not_run() {
    let mut bench = bench();
    let rev = bench
        .deploy(json!([{"id": "a", "type": "probe"}]), DeployMode::Full)
        .await
        .rev;
    while bench.events.try_next().is_some() {}
    bench.full.store(true, Ordering::Relaxed);
    let other = Deploy::full(flows(
        json!([{"id": "b", "type": "probe", "credentials": {"x": "y"}}]),
    ));
    let refused = bench.runtime.deploy(other).await.unwrap_err();
    assert!(refused.to_string().contains("keep running"), "{refused}");
    assert!(bench.runtime.engine().node("a").is_some());
    assert_eq!(bench.runtime.current().rev, rev);
    let told = bench.events.try_next().unwrap();
    assert!(
        matches!(&*told.event, Event::Flows { rev: running, error: Some(_), .. } if *running == rev)
    );
    bench.full.store(false, Ordering::Relaxed);
    bench.deploy(json!([]), DeployMode::Full).await;
    bench.stored_is(&json!({}));
}

#[tokio::test]
async fn a_node_that_fails_stays_a_problem_until_it_is_put_right() {
    let bench = bench();
    let list = |a: Json, b: u64| json!([{"id": "a", "type": "probe", "fail": a}, {"id": "b", "type": "probe", "n": b}]);
    let failing = |problems: Vec<Problem>| {
        let failing = problems
            .into_iter()
            .filter(|problem| problem.code == "config");
        failing.count()
    };
    let first = bench.deploy(list(json!(true), 1), DeployMode::Full).await;
    assert_eq!(failing(first.problems), 1);
    let second = bench.deploy(list(json!(true), 2), DeployMode::Nodes).await;
    assert_eq!(failing(second.problems), 1);
    bench.deploy(list(json!(false), 2), DeployMode::Nodes).await;
    assert_eq!(failing(bench.runtime.problems()), 0);
}

#[tokio::test]
async fn a_deploy_goes_on_when_its_caller_hangs_up() {
    let bench = bench();
    let deploy = Deploy::full(flows(json!([{"id": "a", "type": "probe"}])));
    tokio::select! {
        biased;
        _ = bench.runtime.deploy(deploy) => panic!("nothing to wait for"),
        () = std::future::ready(()) => {}
    }
    let again = bench
        .deploy(json!([{"id": "a", "type": "probe"}]), DeployMode::Nodes)
        .await;
    assert_eq!(bench.log.take(), ["a {}"]);
    assert_eq!(bench.runtime.current().rev, again.rev);
    assert_eq!(bench.runtime.history().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_stop_closes_every_node() {
    let bench = bench();
    bench
        .deploy(json!([{"id": "a", "type": "probe"}]), DeployMode::Full)
        .await;
    bench.runtime.stop().await;
    assert_eq!(bench.log.closed.load(Ordering::Relaxed), 1);
    let late = bench.runtime.deploy(Deploy::full(flows(json!([])))).await;
    assert!(matches!(late, Err(DeployError::Stopping)));
}
