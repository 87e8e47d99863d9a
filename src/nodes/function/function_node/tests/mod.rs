//! Function nodes in a running engine: flows and messages in, what arrives and what is logged out.

mod api;
mod errors;
mod kept;
mod life;
mod messages;
mod node_js;
mod reach;

use std::{collections::BTreeMap, collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use crate::{
    catalog::Catalog,
    engine::{
        Clock, Contexts, Engine, EngineConfig, Event, Interest, Registry, RuntimeSettings,
        Subscription,
    },
    flow::{DeployMode, Flows, Graph, ProcessEnv},
    message::{Message, Value, from_wire, to_wire},
    services::Services,
};

/// An engine and what it says.
struct Bench {
    engine: Engine,
    catalog: Arc<Catalog>,
    events: Subscription,
}

impl Bench {
    async fn new(flow: Json) -> Self {
        Self::with(flow, Clock::System, RuntimeSettings::default()).await
    }

    async fn with(flow: Json, clock: Clock, settings: RuntimeSettings) -> Self {
        Self::in_language("en", flow, clock, settings).await
    }

    async fn in_language(
        language: &str,
        flow: Json,
        clock: Clock,
        settings: RuntimeSettings,
    ) -> Self {
        let catalog = Arc::new(Catalog::builtin(language).unwrap());
        let mut registry = Registry::default();
        crate::nodes::register(&mut registry, &Services::default());
        let engine = Engine::new(EngineConfig {
            catalog: catalog.clone(),
            registry,
            contexts: Arc::new(Contexts::default()),
            clock,
            expressions: Arc::new(crate::script::Jsonata),
            settings,
        });
        let interest = Interest::INPUT
            .and(Interest::LOG)
            .and(Interest::STATUS)
            .and(Interest::DONE);
        let events = engine.hub().subscribe(interest, 100_000);
        let bench = Self {
            engine,
            catalog,
            events,
        };
        bench.deploy(flow).await;
        bench
    }

    /// Nobody watches the messages themselves.
    async fn unwatched(flow: Json) -> Self {
        let bench = Self::new(flow).await;
        bench.events.watch(Interest::LOG);
        bench
    }

    async fn deploy(&self, flow: Json) {
        let flows = Flows::from_value(flow).unwrap();
        let graph = Graph::resolve(&flows, &self.catalog, &ProcessEnv::default(), &|_| {
            Default::default()
        });
        self.engine
            .deploy(graph, DeployMode::Full, &HashSet::new(), &|_| {
                BTreeMap::new()
            })
            .await;
    }

    fn send(&self, node: &str, msg: &Json) {
        let Value::Object(fields) = from_wire(msg).unwrap() else {
            panic!("a message is an object");
        };
        assert!(self.engine.receive(vec![(node, Message::new(fields))]));
    }

    /// Lets everything happen and tells it: `["h", msg]` for a message that node h got, `["error", text]` for a log
    /// record, `["status", …]`, `["done", node, failed]`. Node "f" itself is left out.
    async fn story(&mut self) -> Vec<Json> {
        self.story_after(Duration::from_millis(30)).await
    }

    async fn story_after(&mut self, wait: Duration) -> Vec<Json> {
        tokio::time::sleep(wait).await;
        let mut story = Vec::new();
        while let Some(stamped) = self.events.try_next() {
            match &*stamped.event {
                Event::Input { node, msg } if &**node != "f" => {
                    story.push(json!([&**node, to_wire(&msg.to_value())]));
                }
                Event::Log(record) => {
                    let level = format!("{:?}", record.level).to_lowercase();
                    story.push(json!([level, record.msg.to_text()]));
                }
                Event::Status { status, .. } => {
                    story.push(json!(["status", to_wire(&status.to_value())]));
                }
                _ => {}
            }
        }
        story
    }
}

fn flow(node: &Json) -> Json {
    let mut function = json!({"id": "f", "type": "function", "z": "t", "name": "", "func": "return msg", "outputs": 1, "wires": [["h"]]});
    for (key, value) in node.as_object().unwrap() {
        function[key] = value.clone();
    }
    json!([{"id": "t", "type": "tab", "label": "Tab", "env": [{"name": "COLOUR", "value": "blue", "type": "str"}]},
        function,
        {"id": "h", "type": "helper", "z": "t", "wires": []},
        {"id": "i", "type": "helper", "z": "t", "wires": []}])
}

/// What a function makes of messages that all have the id "1".
async fn tell(node: &Json, given: &[Json]) -> Vec<Json> {
    let mut bench = Bench::new(flow(node)).await;
    for msg in given {
        let mut msg = msg.clone();
        msg["_msgid"] = "1".into();
        bench.send("f", &msg);
    }
    bench.story().await
}

/// Each line: code, given payload, expected story.
async fn check(lines: &[(&str, Json, Json)]) {
    for (code, payload, expected) in lines {
        let node = match code.strip_prefix("2:") {
            Some(code) => json!({"func": code, "outputs": 2, "wires": [["h"], ["i"]]}),
            None => json!({"func": code}),
        };
        let story = tell(&node, &[json!({"payload": payload})]).await;
        assert_eq!(Json::from(story), *expected, "{code}");
    }
}

fn got(payload: &Json) -> Json {
    json!([["h", {"payload": payload, "_msgid": "1"}]])
}

fn error(text: &str) -> Json {
    json!([["error", text]])
}
