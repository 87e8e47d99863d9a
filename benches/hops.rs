//! What one hop costs inside a running engine: messages through chains of nodes on one tab.
//!
//! `make bench-hops`. The bars, for a machine of today with nothing else to do: pass-through 0.15 µs a hop, change and
//! switch 0.3, function 3, adjacent functions 1. `elem` in the output is a hop. Times are the process's CPU time where the
//! system tells it (Linux), so that they mean something beside other work, too.

use std::{
    collections::{BTreeMap, HashSet},
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flowrill::{
    catalog::Catalog,
    engine::{
        Build, Clock, ConfigError, Contexts, Engine, EngineConfig, Failed, Node, NodeContext,
        Registry, RuntimeSettings,
    },
    flow::{DeployMode, Flows, Graph, ProcessEnv},
    message::{Message, Value},
    nodes,
    script::Jsonata,
    services::Services,
};
use serde_json::{Value as Json, json};
use tokio::{runtime::Runtime, sync::Notify};

/// Messages that are under way at once; a queue as long as under load, and far from its limits.
const BATCH: usize = 100;

/// Counts what reaches the end of a chain.
#[derive(Default)]
struct Tally {
    count: AtomicUsize,
    batch_over: Notify,
}

struct End(Arc<Tally>);

#[derive(serde::Deserialize)]
struct EndConfig {}

impl Node for End {
    fn on_input(&mut self, msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        black_box(&msg);
        drop(msg);
        if (self.0.count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(BATCH) {
            self.0.batch_over.notify_one();
        }
        Ok(())
    }
}

/// A running chain of nodes.
struct Chain {
    runtime: Runtime,
    engine: Engine,
    tally: Arc<Tally>,
}

impl Chain {
    /// A chain of `length` nodes with these properties; none when the type does not exist.
    fn new(properties: &Json, length: usize) -> Option<Self> {
        let tally = Arc::new(Tally::default());
        let mut registry = Registry::default();
        nodes::register(&mut registry, &Services::default());
        let end = tally.clone();
        registry.add("end", move |_config: EndConfig, _build: &Build| {
            Ok::<_, ConfigError>(End(end.clone()))
        });
        if !registry.knows(properties["type"].as_str()?) {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .ok()?;
        let catalog = Arc::new(Catalog::builtin("en").ok()?);
        let mut flows = vec![
            json!({"id": "t", "type": "tab"}),
            json!({"id": format!("n{length}"), "type": "end", "z": "t", "wires": []}),
        ];
        for at in 0..length {
            let mut node = properties.clone();
            node["id"] = format!("n{at}").into();
            node["z"] = "t".into();
            node["wires"] = json!([[format!("n{}", at + 1)]]);
            flows.push(node);
        }
        let engine = Engine::new(EngineConfig {
            catalog: catalog.clone(),
            registry,
            contexts: Arc::new(Contexts::default()),
            clock: Clock::System,
            expressions: Arc::new(Jsonata),
            settings: RuntimeSettings::default(),
        });
        let flows = Flows::from_value(flows.into()).ok()?;
        let graph = Graph::resolve(&flows, &catalog, &ProcessEnv::default(), &|_| {
            BTreeMap::new()
        });
        let problems = runtime.block_on(engine.deploy(
            graph,
            DeployMode::Full,
            &HashSet::new(),
            &|_| BTreeMap::new(),
        ));
        assert!(problems.is_empty(), "{problems:?}");
        Some(Self {
            runtime,
            engine,
            tally,
        })
    }

    /// Sends `batches` batches of the message through and says how long that took.
    fn run(&self, batches: u64, msg: &Message) -> Duration {
        let (start, cpu) = (Instant::now(), cpu_time());
        for _ in 0..batches {
            let messages: Vec<(&str, Message)> = (0..BATCH).map(|_| ("n0", msg.clone())).collect();
            self.engine.receive(messages);
            self.runtime.block_on(self.tally.batch_over.notified());
        }
        match (cpu, cpu_time()) {
            (Some(before), Some(after)) => after - before,
            _ => start.elapsed(),
        }
    }
}

/// The CPU time of all threads of the process.
fn cpu_time() -> Option<Duration> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    threads
        .map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            let nanos = text.split_whitespace().next()?.parse().ok()?;
            Some(Duration::from_nanos(nanos))
        })
        .sum()
}

/// A message of the usual size. `payload` as JSON text, or parsed.
fn message(payload: &str, parsed: bool) -> Message {
    let fields = json!({
        "_msgid": "a1b2c3d4e5f60718", "topic": "home/kitchen/climate", "qos": 0, "retain": false,
        "payload": if parsed { serde_json::from_str(payload).unwrap_or_default() } else { Json::from(payload) },
    });
    match Value::from(fields) {
        Value::Object(fields) => Message::new(fields),
        _ => Message::default(),
    }
}

fn hops(criterion: &mut Criterion) {
    let payload = r#"{"id":"sensor-17","time":1700000000000,"values":{"temperature":21.5,"humidity":48},"ok":true,"tags":["a","b"]}"#;
    let function = |code: &str| json!({"type": "function", "func": code, "outputs": 1});
    let change = json!({"type": "change", "rules": [{"t": "set", "p": "payload.ok", "pt": "msg", "to": "7", "tot": "num"}]});
    let switch = json!({"type": "switch", "property": "payload.values.temperature", "propertyType": "msg",
        "rules": [{"t": "lt", "v": "100", "vt": "num"}], "checkall": "true", "outputs": 1});
    let cases = [
        ("pass-through", json!({"type": "junction"}), 10, true),
        ("change", change, 10, true),
        ("switch", switch, 10, true),
        ("function: return msg", function("return msg"), 1, true),
        (
            "function: one field",
            function("msg.payload.values.temperature += 1; return msg"),
            1,
            true,
        ),
        (
            "function: JSON.parse and two fields",
            function(
                "msg.payload = JSON.parse(msg.payload); msg.payload.ok = false; msg.topic = 'x'; return msg",
            ),
            1,
            false,
        ),
        (
            "adjacent functions: return msg",
            function("return msg"),
            10,
            true,
        ),
        (
            "adjacent functions: one field",
            function("msg.payload.n = (msg.payload.n || 0) + 1; return msg"),
            10,
            true,
        ),
    ];
    let mut group = criterion.benchmark_group("hops");
    for (name, properties, length, parsed) in cases {
        let Some(chain) = Chain::new(&properties, length) else {
            continue;
        };
        let msg = message(payload, parsed);
        group.throughput(Throughput::Elements((BATCH * length) as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|batches| chain.run(batches, &msg));
        });
    }
    group.finish();
}

criterion_group!(benches, hops);
criterion_main!(benches);
