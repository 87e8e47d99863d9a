//! Link nodes across tabs, and calls that come back.

use std::time::Duration;

use flowrill::{engine::LogLevel, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

fn tabs() -> [Json; 2] {
    [
        json!({"id": "t", "type": "tab"}),
        json!({"id": "u", "type": "tab"}),
    ]
}

fn on_u(id: &str, type_name: &str, properties: Json) -> Json {
    let mut other = node(id, type_name, properties);
    other["z"] = "u".into();
    other
}

#[tokio::test(start_paused = true)]
async fn links_lead_to_other_tabs_whichever_end_names_them() {
    let [t, u] = tabs();
    let mut test = TestFlows::run(json!([
        t,
        u,
        node("out", "link out", json!({"links": ["named"]})),
        on_u("named", "link in", json!({"links": [], "wires": [["end"]]})),
        on_u(
            "naming",
            "link in",
            json!({"links": ["out"], "wires": [["end"]]})
        ),
        on_u("end", "junction", json!({})),
    ]))
    .await;
    test.send("out", json!({"payload": 1}));
    let msg = json!({"payload": 1, "_event": "node:out"});
    assert_eq!(test.received("end").await, [msg.clone(), msg]);
}

#[tokio::test(start_paused = true)]
async fn a_call_comes_back_with_what_it_was_sent_for_and_calls_nest() {
    let [t, u] = tabs();
    let mut test = TestFlows::run(json!([
        t,
        u,
        node(
            "call",
            "link call",
            json!({"links": ["first"], "wires": [["end"]]})
        ),
        node(
            "done",
            "complete",
            json!({"scope": ["call"], "wires": [["completed"]]})
        ),
        node("end", "junction", json!({})),
        node("completed", "junction", json!({})),
        on_u("first", "link in", json!({"wires": [["inner"]]})),
        on_u(
            "inner",
            "link call",
            json!({"links": "second", "wires": [["add"]]})
        ),
        on_u(
            "add",
            "function",
            json!({"func": "msg.payload += 1; return msg", "wires": [["back"]]})
        ),
        on_u("back", "link out", json!({"mode": "return"})),
        on_u("second", "link in", json!({"wires": [["double"]]})),
        on_u(
            "double",
            "function",
            json!({"func": "msg.payload *= 2; return msg", "wires": [["back"]]})
        ),
    ]))
    .await;
    test.send("call", json!({"payload": 5}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end"),
        [json!({"payload": 11, "_event": "node:back"})]
    );
    assert_eq!(got(&seen, "completed").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_times_out_and_a_late_answer_is_sent_all_the_same() {
    let [t, u] = tabs();
    let mut test = TestFlows::run(json!([
        t,
        u,
        node(
            "call",
            "link call",
            json!({"links": ["in"], "timeout": "0.5", "wires": [["end"]]})
        ),
        node(
            "catch",
            "catch",
            json!({"scope": null, "wires": [["caught"]]})
        ),
        node("end", "junction", json!({})),
        node("caught", "junction", json!({})),
        on_u("in", "link in", json!({"wires": [["wait"]]})),
        on_u(
            "wait",
            "function",
            json!({"func": "setTimeout(() => node.send(msg), 2000)", "wires": [["back"]]})
        ),
        on_u("back", "link out", json!({"mode": "return"})),
    ]))
    .await;
    test.send("call", json!({"payload": 5}));
    let seen = test.after(Duration::from_secs(1)).await;
    let caught = got(&seen, "caught");
    assert_eq!(caught.len(), 1);
    assert_eq!(caught[0]["error"]["message"], "timeout");
    assert_eq!(caught[0]["payload"], 5);
    assert!(got(&seen, "end").is_empty());
    let seen = test.after(Duration::from_secs(2)).await;
    assert_eq!(got(&seen, "end").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_call_finds_its_target_by_name_first_on_its_own_tab() {
    let flows = |second: &str, third: &str| {
        let [t, u] = tabs();
        json!([
            t,
            u,
            node(
                "call",
                "link call",
                json!({"linkType": "dynamic", "wires": [["end"]]})
            ),
            node("end", "junction", json!({})),
            node("here", "link in", json!({"name": "near", "wires": [["h"]]})),
            node(
                "h",
                "function",
                json!({"func": "msg.payload = 'here'; return msg", "wires": [["back"]]})
            ),
            node("back", "link out", json!({"mode": "return"})),
            on_u(
                "there",
                "link in",
                json!({"name": second, "wires": [["f"]]})
            ),
            on_u("again", "link in", json!({"name": third, "wires": [["f"]]})),
            on_u(
                "f",
                "function",
                json!({"func": "msg.payload = 'there'; return msg", "wires": [["back"]]})
            ),
        ])
    };
    let mut test = TestFlows::run(flows("near", "far")).await;
    for (target, answer) in [
        (json!("near"), "here"),
        (json!("far"), "there"),
        (json!("there"), "there"),
    ] {
        test.send("call", json!({"target": target}));
        let end = test.received("end").await;
        assert_eq!(end.len(), 1, "{target}");
        assert_eq!(end[0]["payload"], answer);
    }
    test.deploy(flows("far", "far"), DeployMode::Nodes).await;
    for (target, error) in [
        (json!("far"), "Multiple link-in nodes named 'far' found"),
        (json!("nowhere"), "target link-in node 'nowhere' not found"),
        (json!(null), "target link-in node '' not found"),
    ] {
        test.send("call", json!({"target": target}));
        let seen = test.settle().await;
        let errors = logged(&seen, LogLevel::Error);
        assert_eq!(errors.len(), 1, "{target}");
        assert!(errors[0].contains(error), "{errors:?}");
    }
    test.deploy(flows("far", "other"), DeployMode::Nodes).await;
    test.send("call", json!({"target": "far"}));
    assert_eq!(test.received("end").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_return_without_a_caller_is_warned_about() {
    let mut test = TestFlows::run(json!([
        tabs()[0],
        node("back", "link out", json!({"mode": "return"})),
    ]))
    .await;
    for msg in [
        json!({}),
        json!({"_linkSource": []}),
        json!({"_linkSource": 5}),
        json!({"_linkSource": [{"id": "x", "node": "gone"}]}),
        json!({"_linkSource": ["odd"]}),
    ] {
        test.send("back", msg.clone());
        let warnings = logged(&test.settle().await, LogLevel::Warn);
        assert_eq!(warnings.len(), 1, "{msg}");
    }
}
