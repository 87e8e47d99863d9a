//! Many small flows, one after the other, in one process: as Node-RED's tests of its nodes load them.

use std::{fs, path::PathBuf};

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, outline};

const ROUNDS: usize = 300;

/// A node of each kind that holds something: timers, JavaScript, processes, files, subscriptions.
fn kinds() -> Vec<(&'static str, Json)> {
    vec![
        (
            "inject",
            json!({"repeat": "0.01", "payload": "old", "payloadType": "str"}),
        ),
        (
            "delay",
            json!({"pauseType": "delay", "timeout": "20", "timeoutUnits": "milliseconds"}),
        ),
        ("trigger", json!({"op1": "old", "duration": "-10"})),
        (
            "function",
            json!({"func": "setInterval(() => node.send({payload: 'old'}), 5); return msg", "initialize": "flow.set('k', 1)"}),
        ),
        (
            "function",
            json!({"func": "return new Promise(done => setTimeout(() => done({payload: 'old'}), 20))"}),
        ),
        (
            "batch",
            json!({"mode": "interval", "interval": "0.01", "allowEmptySequence": true}),
        ),
        (
            "join",
            json!({"mode": "custom", "build": "array", "timeout": "0.02"}),
        ),
        (
            "exec",
            json!({"command": "sleep 0.02; echo old", "addpay": false}),
        ),
        ("link call", json!({"links": ["in"], "timeout": "0.02"})),
        ("split", json!({})),
        ("template", json!({"template": "{{payload}}"})),
        (
            "change",
            json!({"rules": [{"t": "set", "p": "payload", "to": "$string(payload)", "tot": "jsonata"}]}),
        ),
    ]
}

#[tokio::test]
async fn one_process_takes_hundreds_of_loads_and_keeps_nothing_of_them() {
    let mut tap = Tap::start().await;
    let kinds = kinds();
    let mut before = None;
    for round in 0..ROUNDS {
        let (type_name, config) = &kinds[round % kinds.len()];
        // The ids are those of every other load.
        let mut tested = node(
            "n1",
            type_name,
            json!([["helperNode1"], ["helperNode1"]]),
            config.clone(),
        );
        if round % 2 == 0 {
            tested["z"] = "f".into();
        }
        tap.deploy(
            json!([tested, helper("helperNode1"), {"id": "in", "type": "link in", "wires": []}]),
        )
        .await;
        let receive =
            json!({"op": "receive", "node": "n1", "msg": {"payload": ["a"], "round": round}});
        tap.done("batch", json!({"ops": [receive, receive]})).await;
        tap.deploy(json!([helper("helperNode1")])).await;
        // What is told from here on is about the new flows.
        let seen = outline(&tap.events_until_mark("helperNode1").await);
        assert_eq!(seen, [] as [&str; 0], "after {type_name}, round {round}");
        tap.deploy(json!([])).await;
        tap.done("reset", json!({})).await;
        if round == ROUNDS / 3 {
            before = Some(open(&tap));
        }
    }
    let seen = outline(&tap.events.drain(..).collect::<Vec<_>>());
    assert_eq!(seen, [] as [&str; 0]);
    if let (Some(Some(before)), Some(after)) = (before, open(&tap)) {
        assert!(
            after <= before + 4,
            "{before} files were open, and {after} are"
        );
    }
}

/// How many files and sockets it has open, where the system tells.
fn open(tap: &Tap) -> Option<usize> {
    let files = PathBuf::from(format!("/proc/{}/fd", tap.process.pid()));
    Some(fs::read_dir(files).ok()?.count())
}
