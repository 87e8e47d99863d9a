//! Runs flow JSON in an engine under a paused clock and shows what its nodes did.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use flowrill::{
    catalog::Catalog,
    engine::{
        Clock, Contexts, Engine, EngineConfig, Event, Interest, LogLevel, Registry,
        RuntimeSettings, Subscription,
    },
    flow::{DeployMode, Flows, Problem, ProcessEnv},
    message::{Message, Value, from_wire, to_wire},
    nodes,
    script::{Jsonata, Variables, check_module},
    services::Services,
};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};

/// 2024-01-01T00:00:00Z
pub(crate) const START_MS: f64 = 1_704_067_200_000.0;

/// An engine with all node types and no broker. Needs `#[tokio::test(start_paused = true)]`.
pub(crate) struct TestFlows {
    pub(crate) engine: Engine,
    pub(crate) env: ProcessEnv,
    /// By node.
    pub(crate) credentials: BTreeMap<String, BTreeMap<String, String>>,
    catalog: Arc<Catalog>,
    events: Subscription,
    /// What was deployed last.
    flows: Mutex<Flows>,
}

/// What happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// A message left a node: node, output, target, message.
    Sent(String, usize, String, Json),
    /// A message reached a node.
    Got(String, Json),
    Status(String, Json),
    /// A log record: node, level, text.
    Log(String, u8, Json),
    Debug(Json),
}

impl TestFlows {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With further node types.
    pub(crate) fn with(add: impl FnOnce(&mut Registry)) -> Self {
        Self::build(&Services::default(), RuntimeSettings::default(), add)
    }

    /// With further node types and these settings.
    pub(crate) fn with_settings(
        settings: RuntimeSettings,
        add: impl FnOnce(&mut Registry),
    ) -> Self {
        Self::build(&Services::default(), settings, add)
    }

    /// With these services and settings, in real time.
    pub(crate) fn with_services(services: &Services, settings: RuntimeSettings) -> Self {
        Self::build(services, settings, |_| {})
    }

    fn build(
        services: &Services,
        settings: RuntimeSettings,
        add: impl FnOnce(&mut Registry),
    ) -> Self {
        Self::build_with(catalog(), services, settings, add)
    }

    /// With the node types of the user's own in this folder.
    pub(crate) fn with_own(folder: &Path) -> Self {
        let mut catalog = Catalog::builtin("en").unwrap();
        catalog.add_own(folder, &check_module).unwrap();
        let settings = RuntimeSettings {
            function_timeout: Duration::from_secs(2),
            ..RuntimeSettings::default()
        };
        Self::build_with(catalog.into(), &Services::default(), settings, |_| {})
    }

    fn build_with(
        catalog: Arc<Catalog>,
        services: &Services,
        settings: RuntimeSettings,
        add: impl FnOnce(&mut Registry),
    ) -> Self {
        let mut registry = Registry::default();
        nodes::register(&mut registry, services);
        nodes::register_own(&mut registry, &catalog);
        add(&mut registry);
        let contexts = Arc::new(Contexts::default());
        let engine = Engine::new(EngineConfig {
            catalog: catalog.clone(),
            registry,
            contexts: contexts.clone(),
            expressions: Arc::new(Jsonata),
            clock: Clock::Virtual {
                unix_ms: START_MS,
                since: tokio::time::Instant::now(),
            },
            settings,
        });
        let all = Interest::INPUT
            .and(Interest::SEND)
            .and(Interest::STATUS)
            .and(Interest::LOG)
            .and(Interest::DEBUG);
        let events = engine.hub().subscribe(all, 1_000_000);
        Self {
            engine,
            env: ProcessEnv::with_expressions(Arc::new(Variables::new(contexts))),
            credentials: BTreeMap::new(),
            catalog,
            events,
            flows: Mutex::default(),
        }
    }

    /// Makes these flows the running ones.
    pub(crate) async fn deploy(&self, flows: Json, mode: DeployMode) -> Vec<Problem> {
        let mut flows = Flows::from_value(flows).unwrap();
        let _ = flows.share(&self.flows.lock());
        let credentials = |id: &str| self.credentials.get(id).cloned().unwrap_or_default();
        let running = self.engine.graph().await;
        let graph = running.resolve_after(&flows, &self.catalog, &self.env, &credentials);
        *self.flows.lock() = flows;
        self.engine
            .deploy(graph, mode, &Default::default(), &credentials)
            .await
    }

    /// Deploys everything anew.
    pub(crate) async fn run(flows: Json) -> Self {
        let test = Self::new();
        test.deploy(flows, DeployMode::Full).await;
        test
    }

    /// Hands a message (typed JSON) to a node.
    pub(crate) fn send(&self, node: &str, msg: Json) {
        let Value::Object(fields) = from_wire(&msg).unwrap() else {
            panic!("{msg} is no message")
        };
        assert!(
            self.engine.receive(vec![(node, Message::new(fields))]),
            "no node {node}"
        );
    }

    /// Lets time pass (at no cost: the clock is paused) and returns what happened since the last look.
    pub(crate) async fn after(&mut self, time: Duration) -> Vec<Seen> {
        tokio::time::sleep(time).await;
        std::iter::from_fn(|| self.events.try_next())
            .filter_map(|stamped| seen(&stamped.event))
            .collect()
    }

    /// As [`TestFlows::after`], but only the texts of what was logged: nothing else is looked at.
    pub(crate) async fn logs(&mut self, time: Duration) -> Vec<String> {
        tokio::time::sleep(time).await;
        std::iter::from_fn(|| self.events.try_next())
            .filter_map(|stamped| match &*stamped.event {
                Event::Log(record) => Some(record.msg.to_text()),
                _ => None,
            })
            .collect()
    }

    /// What happened since the last look, once all is quiet.
    pub(crate) async fn settle(&mut self) -> Vec<Seen> {
        self.after(Duration::from_millis(1)).await
    }

    /// The messages that reached `node` since the last look, without their ids.
    pub(crate) async fn received(&mut self, node: &str) -> Vec<Json> {
        got(&self.settle().await, node)
    }
}

/// The built-in node types, and the samples of types that users write.
pub(crate) fn catalog() -> Arc<Catalog> {
    let mut catalog = Catalog::builtin("en").unwrap();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/flows/nodes");
    catalog.add_own(samples.as_ref(), &check_module).unwrap();
    catalog.into()
}

/// The messages in `seen` that reached `node`, without their ids.
pub(crate) fn got(seen: &[Seen], node: &str) -> Vec<Json> {
    let messages = seen.iter().filter_map(|seen| match seen {
        Seen::Got(id, msg) if id == node => Some(without_id(msg.clone())),
        _ => None,
    });
    messages.collect()
}

/// The texts of what was logged at `level` or graver.
pub(crate) fn logged(seen: &[Seen], level: LogLevel) -> Vec<String> {
    let records = seen.iter().filter_map(|seen| match seen {
        Seen::Log(_, at, text) if *at <= level as u8 => Some(
            text.as_str()
                .map_or_else(|| text.to_string(), str::to_owned),
        ),
        _ => None,
    });
    records.collect()
}

/// The message without its `_msgid`.
pub(crate) fn without_id(mut msg: Json) -> Json {
    if let Some(fields) = msg.as_object_mut() {
        fields.remove("_msgid");
    }
    msg
}

fn seen(event: &Event) -> Option<Seen> {
    Some(match event {
        Event::Send {
            node,
            port,
            to,
            msg,
        } => Seen::Sent(
            node.to_string(),
            *port,
            to.to_string(),
            to_wire(&msg.to_value()),
        ),
        Event::Input { node, msg } => Seen::Got(node.to_string(), to_wire(&msg.to_value())),
        Event::Status { node, status } => {
            Seen::Status(node.to_string(), to_wire(&status.to_value()))
        }
        Event::Log(record) => {
            let node = record
                .node
                .as_ref()
                .map(|node| node.id.to_string())
                .unwrap_or_default();
            Seen::Log(node, record.level as u8, to_wire(&record.msg))
        }
        Event::Debug(data) => Seen::Debug(data.clone()),
        _ => return None,
    })
}

/// A node on tab `t` with these properties over the usual ones.
pub(crate) fn node(id: &str, type_name: &str, properties: Json) -> Json {
    let mut node = json!({"id": id, "type": type_name, "z": "t", "x": 100, "y": 100, "wires": []});
    for (key, value) in properties.as_object().unwrap() {
        node[key] = value.clone();
    }
    node
}
