//! What a warm JSONata expression costs. `make bench-expressions`. The aim, for a machine of today with nothing else to do:
//! below 10 µs for a small expression on a small message.

use std::{
    collections::{BTreeMap, HashSet},
    hint::black_box,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use flowrill::{
    catalog::Catalog,
    engine::{
        Build, Clock, ConfigError, Contexts, Engine, EngineConfig, Failed, Node, NodeContext,
        Registry, RuntimeSettings,
    },
    flow::{DeployMode, Flows, Graph, ProcessEnv},
    message::Message,
    script::Jsonata,
};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

/// Evaluates `expression` for the message as often as `times` says, and reports how long that took.
struct Evaluator(mpsc::Sender<Duration>);

#[derive(serde::Deserialize)]
struct EvaluatorConfig {}

impl Node for Evaluator {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let source: Arc<str> = msg.get("expression").as_str().unwrap_or_default().into();
        let times = msg.get("times").as_number().unwrap_or(1.0) as u64;
        let start = Instant::now();
        for _ in 0..times {
            if let Err(error) = black_box(ctx.evaluate_for(&source, &msg, &[])) {
                return Err(Failed::with(error, msg));
            }
        }
        let _ = self.0.send(start.elapsed());
        Ok(())
    }
}

/// An engine with one node that evaluates.
fn engine(runtime: &Runtime, times: mpsc::Sender<Duration>) -> Option<Engine> {
    let mut registry = Registry::default();
    registry.add("evaluator", move |_: EvaluatorConfig, _: &Build| {
        Ok::<_, ConfigError>(Evaluator(times.clone()))
    });
    let catalog = Arc::new(Catalog::builtin("en").ok()?);
    let engine = Engine::new(EngineConfig {
        catalog: catalog.clone(),
        registry,
        contexts: Arc::new(Contexts::default()),
        clock: Clock::System,
        expressions: Arc::new(Jsonata),
        settings: RuntimeSettings::default(),
    });
    let flows = json!([{"id": "t", "type": "tab"}, {"id": "n", "type": "evaluator", "z": "t", "wires": []}]);
    let flows = Flows::from_value(flows).ok()?;
    let none = |_: &str| BTreeMap::new();
    let graph = Graph::resolve(&flows, &catalog, &ProcessEnv::default(), &none);
    runtime.block_on(engine.deploy(graph, DeployMode::Full, &HashSet::new(), &none));
    Some(engine)
}

fn message(expression: &str, payload: &Json, times: u64) -> Option<Message> {
    let fields = json!({"_msgid": "a1b2c3d4e5f60718", "topic": "home/kitchen", "payload": payload, "expression": expression, "times": times});
    match fields.into() {
        flowrill::message::Value::Object(fields) => Some(Message::new(fields)),
        _ => None,
    }
}

fn expressions(criterion: &mut Criterion) {
    let runtime = Runtime::new().ok();
    let (sender, receiver) = mpsc::channel();
    let engine = runtime.as_ref().and_then(|runtime| engine(runtime, sender));
    let small = json!({"temperature": 21.5, "humidity": 40, "unit": "C", "ok": true});
    let rows: Vec<Json> = (0..1000)
        .map(|id| json!({"id": id, "name": format!("row {id}"), "value": f64::from(id) / 2.0}))
        .collect();
    let large = json!({ "rows": rows });
    for (name, expression, payload) in [
        ("property", "payload.temperature", &small),
        ("comparison", "payload.temperature > 20", &small),
        ("arithmetic", "payload.temperature * 9 / 5 + 32", &small),
        ("function", "$uppercase(topic)", &small),
        (
            "object",
            "{\"t\": payload.temperature, \"topic\": topic}",
            &small,
        ),
        ("old style", "msg.payload.temperature", &small),
        ("large, not looked at", "topic", &large),
        ("large, whole", "payload", &large),
        ("large, sum of 1,000", "$sum(payload.rows.value)", &large),
        (
            "large, filter of 1,000",
            "payload.rows[id > 500].name",
            &large,
        ),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let msg = message(expression, payload, times);
                let sent = engine
                    .as_ref()
                    .zip(msg)
                    .is_some_and(|(engine, msg)| engine.receive(vec![("n", msg)]));
                assert!(sent, "the engine does not run");
                receiver.recv().unwrap_or_default()
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = expressions
}
criterion_main!(benches);
