//! What a deploy restarts, keeps and rewires (Node-RED's deploy types).

use std::sync::{Arc, Mutex};

use flowrill::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    flow::DeployMode,
    message::Message,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, node};

pub(super) type Journal = Arc<Mutex<Vec<String>>>;

/// Writes down when it is built, started and closed; counts messages.
struct Probe {
    id: String,
    journal: Journal,
    count: u32,
}

#[derive(Deserialize)]
struct Anything {}

impl Node for Probe {
    fn on_start(&mut self, _ctx: &NodeContext) -> Result<(), NodeError> {
        self.journal
            .lock()
            .unwrap()
            .push(format!("start {}", self.id));
        Ok(())
    }
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        self.count += 1;
        msg.set("count", f64::from(self.count));
        if msg.payload().as_str() == Some("panic") {
            panic!("told to");
        }
        ctx.send_done(msg);
        Ok(())
    }
    fn on_close(&mut self, removed: bool, _ctx: &NodeContext) -> Closing {
        self.journal.lock().unwrap().push(format!(
            "close {}{}",
            self.id,
            if removed { " removed" } else { "" }
        ));
        Closing::Done
    }
}

pub(super) fn probes() -> (TestFlows, Journal) {
    let journal = Journal::default();
    let kept = journal.clone();
    let test = TestFlows::with(|registry| {
        registry.add("probe", move |_config: Anything, build: &Build| {
            let id = build.info.id.to_string();
            if build.info.name.as_deref() == Some("broken") {
                return Err(ConfigError::from("this one can't be built"));
            }
            Ok(Probe {
                id,
                journal: kept.clone(),
                count: 0,
            })
        });
    });
    (test, journal)
}

pub(super) fn taken(journal: &Journal) -> Vec<String> {
    std::mem::take(&mut journal.lock().unwrap())
}

fn chain(change: impl FnOnce(&mut Vec<Json>)) -> Json {
    let mut flows = vec![
        json!({"id": "t", "type": "tab", "label": "T"}),
        json!({"id": "u", "type": "tab", "label": "U"}),
        node("a", "probe", json!({"wires": [["b"]]})),
        node("b", "probe", json!({"wires": [["end"]]})),
        node("c", "probe", json!({"wires": [["end"]]})),
        node("far", "probe", json!({"z": "u"})),
        node("end", "junction", json!({})),
    ];
    change(&mut flows);
    flows.into()
}

#[tokio::test(start_paused = true)]
async fn full_restarts_everything() {
    let (test, journal) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    assert_eq!(
        taken(&journal),
        ["start a", "start b", "start c", "start far"]
    );
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    let seen = taken(&journal);
    assert_eq!(seen[..4], ["close a", "close b", "close c", "close far"]);
    assert_eq!(seen[4..], ["start a", "start b", "start c", "start far"]);
}

#[tokio::test(start_paused = true)]
async fn nodes_restarts_only_what_changed() {
    let (test, journal) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    taken(&journal);
    for (about, change, expected) in [
        (
            "nothing",
            Box::new(|_: &mut Vec<Json>| {}) as Box<dyn FnOnce(&mut Vec<Json>)>,
            vec![],
        ),
        (
            "a place",
            Box::new(|flows| flows[2]["x"] = 500.into()),
            vec![],
        ),
        (
            "a wire",
            Box::new(|flows| flows[2]["wires"] = json!([["c"]])),
            vec![],
        ),
        (
            "a name",
            Box::new(|flows| flows[3]["name"] = "new".into()),
            vec!["close b", "start b"],
        ),
    ] {
        test.deploy(chain(change), DeployMode::Nodes).await;
        assert_eq!(taken(&journal), expected, "{about}");
    }
    test.deploy(chain(|flows| drop(flows.remove(3))), DeployMode::Nodes)
        .await;
    assert_eq!(taken(&journal), ["close b removed"]);
}

#[tokio::test(start_paused = true)]
async fn flows_restarts_what_is_linked_by_wires() {
    let (test, journal) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    taken(&journal);
    test.deploy(
        chain(|flows| flows[3]["name"] = "new".into()),
        DeployMode::Flows,
    )
    .await;
    assert_eq!(
        taken(&journal),
        [
            "close a", "close b", "close c", "start a", "start b", "start c"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_rewired_node_keeps_its_state() {
    let (mut test, _) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    test.send("a", json!({}));
    assert_eq!(test.received("end").await, [json!({"count": 1})]);
    test.deploy(
        chain(|flows| flows[2]["wires"] = json!([["end"]])),
        DeployMode::Nodes,
    )
    .await;
    test.send("a", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), [json!({"count": 2})]);
    assert_eq!(got(&seen, "b"), Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn disabled_nodes_and_tabs_do_not_run() {
    let (mut test, journal) = probes();
    test.deploy(chain(|flows| flows[3]["d"] = true.into()), DeployMode::Full)
        .await;
    assert_eq!(taken(&journal), ["start a", "start c", "start far"]);
    test.send("a", json!({}));
    assert_eq!(test.received("end").await, Vec::<Json>::new());
    test.deploy(
        chain(|flows| flows[1]["disabled"] = true.into()),
        DeployMode::Nodes,
    )
    .await;
    assert_eq!(taken(&journal), ["close far removed", "start b"]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_node_is_a_problem_on_it_and_the_rest_runs() {
    let (mut test, journal) = probes();
    let problems = test
        .deploy(
            chain(|flows| flows[2]["name"] = "broken".into()),
            DeployMode::Full,
        )
        .await;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].node.as_deref(), Some("a"));
    assert_eq!(problems[0].message, "this one can't be built");
    assert_eq!(taken(&journal), ["start b", "start c", "start far"]);
    test.send("b", json!({}));
    assert_eq!(test.received("end").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_panics_ends_alone() {
    let (mut test, _) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    test.send("b", json!({"payload": "panic"}));
    test.send("b", json!({}));
    test.send("c", json!({}));
    assert_eq!(test.received("end").await, [json!({"count": 1})]);
    // Deployed again it lives.
    test.deploy(
        chain(|flows| flows[3]["name"] = "again".into()),
        DeployMode::Nodes,
    )
    .await;
    test.send("b", json!({}));
    assert_eq!(test.received("end").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn deploying_nothing_stops_all() {
    let (test, journal) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    taken(&journal);
    test.deploy(json!([]), DeployMode::Full).await;
    assert_eq!(
        taken(&journal),
        [
            "close a removed",
            "close b removed",
            "close c removed",
            "close far removed"
        ]
    );
    assert!(test.engine.node("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn shapes_that_no_editor_makes_run() {
    let (mut test, journal) = probes();
    // Without z, with a z that is no tab, without wires, wired to nobody, an unknown type, no type at all.
    let flows = json!([
        {"id": "a", "type": "probe", "wires": [["b", "nobody"]]},
        {"id": "b", "type": "probe", "z": "implied", "wires": [["end"]]},
        {"id": "end", "type": "junction"},
        {"id": "x", "type": "from the future", "wires": [["end"]]},
        {"id": "y"},
        {"type": "probe"}
    ]);
    test.deploy(flows, DeployMode::Full).await;
    assert_eq!(taken(&journal), ["start a", "start b"]);
    test.send("a", json!({}));
    test.send("x", json!({}));
    assert_eq!(test.received("end").await, [json!({"count": 1})]);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_to_a_node_that_restarts_is_dropped() {
    let (mut test, _) = probes();
    test.deploy(chain(|_| {}), DeployMode::Full).await;
    for _ in 0..3 {
        test.send("b", json!({}));
    }
    test.deploy(
        chain(|flows| flows[3]["name"] = "new".into()),
        DeployMode::Nodes,
    )
    .await;
    test.send("b", json!({}));
    let counts = test.received("end").await;
    // Whatever the old one still handled, the new one counts from the beginning, and nothing comes twice.
    assert_eq!(counts.last(), Some(&json!({"count": 1})));
    assert!(counts.len() <= 4, "{counts:?}");
}
