//! Errors and who catches them, statuses and completions and who hears of them.

use flowrill::{
    engine::{Build, ConfigError, Failed, LogLevel, Node, NodeContext, Status},
    flow::DeployMode,
    message::Message,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

#[derive(Deserialize)]
struct Anything {}

/// Fails on each message.
struct Fails;

impl Node for Fails {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        ctx.status(Status::new("red", "dot", "bad"));
        Err(Failed::with("it broke", msg))
    }
}

async fn run(nodes: Vec<Json>) -> TestFlows {
    let test = TestFlows::with(|registry| {
        registry.add("fails", |_: Anything, _: &Build| {
            Ok::<_, ConfigError>(Fails)
        });
    });
    let mut flows = vec![
        json!({"id": "outer", "type": "group", "z": "t", "nodes": ["inner"]}),
        json!({"id": "inner", "type": "group", "z": "t", "g": "outer", "nodes": ["f"]}),
        node("f", "fails", json!({"g": "inner", "name": "Pump"})),
        node("g", "fails", json!({})),
    ];
    flows.extend(nodes);
    test.deploy(flows.into(), DeployMode::Full).await;
    test
}

fn listener(id: &str, type_name: &str, properties: Json) -> Json {
    let mut listener = node(id, type_name, properties);
    listener["wires"] = json!([[format!("{id}-out")]]);
    listener
}

/// Which of the listeners got something, in the order in which they got it.
fn reached(seen: &[Seen], ids: &[&str]) -> Vec<String> {
    let reached = seen.iter().filter_map(|seen| match seen {
        Seen::Got(id, _) if ids.contains(&id.as_str()) => Some(id.clone()),
        _ => None,
    });
    reached.collect()
}

#[tokio::test(start_paused = true)]
async fn an_uncaught_error_is_logged_and_a_caught_one_is_not() {
    let mut test = run(vec![]).await;
    test.send("f", json!({"payload": 1}));
    assert_eq!(logged(&test.settle().await, LogLevel::Error), ["it broke"]);

    let mut test = run(vec![listener("c", "catch", json!({"scope": null}))]).await;
    test.send("f", json!({"payload": 1, "error": "earlier"}));
    let seen = test.settle().await;
    assert_eq!(logged(&seen, LogLevel::Error), Vec::<String>::new());
    let expected = json!({
        "payload": 1,
        "_error": "earlier",
        "error": {"message": "it broke", "source": {"id": "f", "type": "fails", "name": "Pump", "count": 1}}
    });
    assert_eq!(got(&seen, "c"), [expected]);
}

#[tokio::test(start_paused = true)]
async fn catch_nodes_hear_their_scope() {
    for (about, catches, expected) in [
        ("all", vec![("a", json!({"scope": null}))], vec!["a"]),
        (
            "by id",
            vec![
                ("a", json!({"scope": ["f"]})),
                ("b", json!({"scope": ["g"]})),
            ],
            vec!["a"],
        ),
        (
            "scope before all",
            vec![
                ("a", json!({"scope": null})),
                ("b", json!({"scope": ["f"]})),
            ],
            vec!["b", "a"],
        ),
        (
            "its group, at any depth",
            vec![("a", json!({"scope": "group", "g": "outer"}))],
            vec!["a"],
        ),
        (
            "another group",
            vec![("a", json!({"scope": "group", "g": "elsewhere"}))],
            vec![],
        ),
        (
            "nearest group first",
            vec![
                ("a", json!({"scope": null})),
                ("b", json!({"scope": "group", "g": "outer"})),
                ("c", json!({"scope": "group", "g": "inner"})),
            ],
            vec!["c", "b", "a"],
        ),
        (
            "uncaught only if nobody else",
            vec![
                ("a", json!({"scope": null, "uncaught": true})),
                ("b", json!({"scope": ["f"]})),
            ],
            vec!["b"],
        ),
        (
            "all uncaught ones",
            vec![
                ("a", json!({"scope": null, "uncaught": true})),
                ("b", json!({"scope": null, "uncaught": true})),
            ],
            vec!["a", "b"],
        ),
    ] {
        let nodes = catches
            .iter()
            .map(|(id, properties)| listener(id, "catch", properties.clone()))
            .collect();
        let mut test = run(nodes).await;
        test.send("f", json!({}));
        assert_eq!(
            reached(&test.settle().await, &["a", "b", "c"]),
            expected,
            "{about}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_goes_round_is_caught_nine_times() {
    let mut test = run(vec![node(
        "c",
        "catch",
        json!({"scope": null, "wires": [["f"]]}),
    )])
    .await;
    test.send("f", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "c").len(), 9);
    assert_eq!(logged(&seen, LogLevel::Error), ["it broke"]);
    assert!(
        logged(&seen, LogLevel::Warn)
            .iter()
            .any(|text| text.contains("ten times")),
        "{seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn status_nodes_hear_statuses() {
    let mut test = run(vec![
        listener("s", "status", json!({"scope": ["f"]})),
        listener("c", "catch", json!({"scope": null})),
    ])
    .await;
    test.send("f", json!({}));
    test.send("g", json!({}));
    let expected = json!({"status": {"fill": "red", "shape": "dot", "text": "bad", "source": {"id": "f", "type": "fails", "name": "Pump"}}});
    assert_eq!(test.received("s").await, [expected]);
}

#[tokio::test(start_paused = true)]
async fn complete_nodes_hear_of_what_is_done_and_not_of_what_failed() {
    let mut test = run(vec![
        node("j", "junction", json!({"name": "J"})),
        listener("c", "complete", json!({"scope": ["j", "f"]})),
        // Wired to what it watches: it would hear itself for ever.
        node(
            "round",
            "complete",
            json!({"scope": ["j"], "wires": [["j"]]}),
        ),
    ])
    .await;
    test.send("j", json!({"payload": 1}));
    test.send("f", json!({}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "c"),
        [
            json!({"payload": 1, "complete": {"source": {"id": "j", "type": "junction", "name": "J"}}})
        ]
    );
    assert_eq!(got(&seen, "round"), Vec::<Json>::new());
}

#[tokio::test(start_paused = true)]
async fn status_nodes_hear_their_group_and_are_asked_by_distance() {
    for (about, listeners, expected) in [
        (
            "its group, at any depth",
            vec![("a", json!({"scope": "group", "g": "outer"}))],
            vec!["a"],
        ),
        (
            "another group",
            vec![("a", json!({"scope": "group", "g": "elsewhere"}))],
            vec![],
        ),
        (
            "nearest group first, and by file where that is equal",
            vec![
                ("a", json!({"scope": null})),
                ("b", json!({"scope": ["f"]})),
                ("c", json!({"scope": null, "g": "inner"})),
            ],
            vec!["c", "a", "b"],
        ),
    ] {
        let nodes = listeners
            .iter()
            .map(|(id, properties)| listener(id, "status", properties.clone()));
        let mut test = run(nodes.collect()).await;
        test.send("f", json!({}));
        let seen = test.settle().await;
        assert_eq!(reached(&seen, &["a", "b", "c"]), expected, "{about}");
    }
}

#[tokio::test(start_paused = true)]
async fn catch_nodes_outside_every_group_and_without_one() {
    // The reporting node is in no group.
    for (about, catches, expected) in [
        (
            "a group's catch does not hear it",
            vec![("a", json!({"scope": "group", "g": "inner"}))],
            vec![],
        ),
        (
            "one in a group with no scope does",
            vec![("a", json!({"scope": null, "g": "inner"}))],
            vec!["a"],
        ),
        (
            "two uncaught ones after one with a scope of its own",
            vec![
                ("a", json!({"scope": null, "uncaught": true})),
                ("b", json!({"scope": ["f"]})),
                ("c", json!({"scope": null, "uncaught": true})),
            ],
            vec!["a", "c"],
        ),
        (
            "an empty scope hears nothing",
            vec![("a", json!({"scope": []}))],
            vec![],
        ),
    ] {
        let nodes = catches
            .iter()
            .map(|(id, properties)| listener(id, "catch", properties.clone()));
        let mut test = run(nodes.collect()).await;
        test.send("g", json!({}));
        let seen = test.settle().await;
        assert_eq!(reached(&seen, &["a", "b", "c"]), expected, "{about}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_node_does_not_hear_what_it_is_wired_to() {
    let mut test = TestFlows::run(json!([
        {"id": "t", "type": "tab"},
        node("f", "function", json!({"func": "node.status({text: 'on'}); return msg"})),
        node("s", "status", json!({"scope": ["f"], "wires": [["f"]]})),
        node("other", "status", json!({"scope": ["f"]})),
    ]))
    .await;
    test.send("f", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "f").len(), 1);
    assert_eq!(got(&seen, "other").len(), 1);
}
