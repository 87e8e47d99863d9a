//! How long a deploy takes: 1,000 tabs of 10 nodes at once, and a change of one node among them.
//!
//! `make bench-deploy`. The bars, for a machine of today with nothing else to do: 2 s for all of it, 50 ms for one node, the saving
//! on the disk included.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flowrill::{
    catalog::Catalog,
    engine::{Clock, Contexts, Registry, RuntimeSettings},
    flow::{DeployMode, Flows, Graph, ProcessEnv, diff, lint, wire},
    nodes,
    runtime::{Deploy, Runtime, RuntimeConfig},
    script::Jsonata,
    services::Services,
    store::{DataFolder, DiskFlowStore, FlowStore},
};
use serde_json::json;

const TABS: usize = 1_000;

/// Tabs with a chain of an inject, eight nodes that work and a debug. `changed` is the name of one of them.
fn flows(changed: &str) -> Flows {
    let mut items = Vec::with_capacity(TABS * 11);
    for tab in 0..TABS {
        items.push(json!({"id": format!("t{tab}"), "type": "tab", "label": format!("Tab {tab}"), "disabled": false, "info": ""}));
        let node = |index: usize, type_name: &str, properties: serde_json::Value| {
            let wires = match index {
                9 => json!([]),
                index => json!([[format!("n{tab}-{}", index + 1)]]),
            };
            let mut node = json!({
                "id": format!("n{tab}-{index}"), "type": type_name, "z": format!("t{tab}"),
                "name": format!("node {index}"), "x": 100 + 160 * index, "y": 100, "wires": wires
            });
            for (key, value) in properties.as_object().into_iter().flatten() {
                node[key] = value.clone();
            }
            node
        };
        items.push(node(
            0,
            "inject",
            json!({
                "props": [{"p": "payload"}, {"p": "topic", "vt": "str"}], "repeat": "", "crontab": "", "once": false,
                "onceDelay": 0.1, "topic": "", "payload": "", "payloadType": "date"
            }),
        ));
        for index in 1..9 {
            let code = json!({
                "func": "msg.payload = (msg.payload || 0) + 1;\nreturn msg;", "outputs": 1, "timeout": 0, "noerr": 0,
                "initialize": "", "finalize": "", "libs": []
            });
            items.push(match index % 4 {
                0 => node(index, "function", code),
                1 => node(index, "junction", json!({})),
                2 => node(index, "catch", json!({"scope": null, "uncaught": false})),
                _ => node(index, "status", json!({"scope": null})),
            });
        }
        items.push(node(
            9,
            "debug",
            json!({
                "active": false, "tosidebar": true, "console": false, "tostatus": false, "complete": "payload",
                "targetType": "msg", "statusVal": "", "statusType": "auto"
            }),
        ));
    }
    let one = TABS / 2 * 11 + 1;
    items[one]["name"] = changed.into();
    Flows::from_value(items.into()).unwrap_or_default()
}

/// What can't fail in a benchmark, whose flows and folders are its own.
fn sure<T>(outcome: Result<T, impl std::fmt::Display>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => unreachable!("{error}"),
    }
}

struct Bench {
    tokio: tokio::runtime::Runtime,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let tokio = tokio::runtime::Runtime::new();
        let tokio = sure(tokio);
        let folder = sure(tempfile::tempdir());
        let store = DataFolder::open(folder.path())
            .map_err(|error| error.to_string())
            .and_then(|data| DiskFlowStore::open(data).map_err(|error| error.to_string()));
        let mut registry = Registry::default();
        nodes::register(&mut registry, &Services::default());
        let runtime = Runtime::open(RuntimeConfig {
            catalog: catalog(),
            registry,
            store: Box::new(sure(store)),
            process_env: ProcessEnv::default(),
            settings: RuntimeSettings::default(),
            clock: Clock::System,
            expressions: Arc::new(Jsonata),
            contexts: Arc::new(Contexts::default()),
        });
        Self {
            tokio,
            runtime: sure(runtime),
            _folder: folder,
        }
    }

    fn deploy(&self, flows: Flows, mode: DeployMode) -> Duration {
        let deploy = Deploy {
            mode,
            ..Deploy::full(flows)
        };
        let start = Instant::now();
        let outcome = self.tokio.block_on(self.runtime.deploy(deploy));
        let time = start.elapsed();
        sure(outcome);
        time
    }
}

fn catalog() -> Arc<Catalog> {
    Arc::new(sure(Catalog::builtin("en")))
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("deploy");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(20));
    group.bench_function("1,000 tabs of 10 nodes", |bencher| {
        bencher.iter_batched(
            || (Bench::new(), flows("a")),
            |(bench, flows)| {
                bench.deploy(flows, DeployMode::Full);
                bench
            },
            BatchSize::PerIteration,
        );
    });
    let bench = Bench::new();
    bench.deploy(flows("a"), DeployMode::Full);
    let round = Mutex::new(0);
    group.bench_function("one node of 10,000", |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    let mut round = sure(round.lock());
                    *round += 1;
                    bench.deploy(flows(&format!("n{round}")), DeployMode::Nodes)
                })
                .sum()
        });
    });
    group.finish();
}

/// The parts of a deploy that are pure.
fn parts(criterion: &mut Criterion) {
    let (catalog, process) = (catalog(), ProcessEnv::default());
    let none = |_: &str| Default::default();
    let resolve = |flows: &Flows| Graph::resolve(flows, &catalog, &process, &none);
    let (before, mut after) = (flows("a"), flows("b"));
    drop(after.share(&before));
    let old = resolve(&before);
    let new = old.resolve_after(&after, &catalog, &process, &none);
    let mut group = criterion.benchmark_group("parts");
    group.sample_size(10);
    group.bench_function("rev", |bencher| bencher.iter(|| before.rev()));
    group.bench_function("resolve", |bencher| bencher.iter(|| resolve(&before)));
    group.bench_function("resolve after", |bencher| {
        bencher.iter(|| old.resolve_after(&after, &catalog, &process, &none));
    });
    group.bench_function("share", |bencher| {
        bencher.iter_batched(
            || flows("b"),
            |mut after| (after.share(&before), after),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("lint", |bencher| bencher.iter(|| lint(&before, &catalog)));
    group.bench_function("diff", |bencher| {
        bencher.iter(|| diff(&old, &new, DeployMode::Nodes, &Default::default()));
    });
    group.bench_function("wire", |bencher| bencher.iter(|| wire(&old)));
    let folder = sure(tempfile::tempdir());
    let store = DataFolder::open(folder.path())
        .map_err(|error| error.to_string())
        .and_then(|data| DiskFlowStore::open(data).map_err(|error| error.to_string()));
    let store = sure(store);
    let before = Arc::new(before);
    group.bench_function("save", |bencher| {
        bencher.iter(|| store.save(before.clone(), 0, &Default::default()).is_ok());
    });
    group.finish();
}

criterion_group!(benches, whole, parts);
criterion_main!(benches);
