//! How it starts and ends, and what there is without `--tap`.

use std::{net::TcpListener, process::Stdio, time::Duration};

use serde_json::{Value as Json, json};

use super::{PATIENCE, Socket, Tap, helper};
use crate::support::process::{command, errors, run};

#[tokio::test]
async fn it_listens_on_the_port_that_is_named_and_ends_when_asked() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not").join("yet");
    let address = format!("127.0.0.1:{port}");
    let arguments = [
        "--tap",
        "--lang",
        "cimode",
        "--http",
        &address,
        "--no-broker",
        "--data",
        data.to_str().unwrap(),
    ];
    let mut child = command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let http = reqwest::Client::new();
    let flows = tokio::time::timeout(PATIENCE, async {
        loop {
            match http.get(format!("http://{address}/flows")).send().await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(flows.status().as_u16(), 200);
    assert_eq!(
        flows.json::<Json>().await.unwrap(),
        json!([]),
        "no sample flow"
    );
    let mut tap = Socket::open(&format!("http://{address}"), "/tap").await;
    tap.send(r#"{"id":1,"op":"hello"}"#).await;
    assert_eq!(tap.next().await.unwrap()["contract"], 1);

    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(tap.next().await, None, "the connection is ended");
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap())
        .await
        .unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn it_ends_although_nodes_are_busy() {
    let mut tap = Tap::running(json!([
        {"id": "i", "type": "inject", "repeat": "0.01", "wires": [["d"]]},
        {"id": "d", "type": "delay", "pauseType": "delay", "timeout": "1", "timeoutUnits": "hours", "wires": [["h"]]},
        helper("h"),
    ]))
    .await;
    tap.event(|event| event["ev"] == "input" && event["node"] == "d")
        .await;
    let stopped = tokio::task::spawn_blocking(move || tap.process.stop())
        .await
        .unwrap();
    assert!(stopped.success(), "{stopped}");
}

#[test]
fn with_tap_it_listens_to_this_computer_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = run(&[
        "--tap",
        "--http",
        "0.0.0.0:0",
        "--no-broker",
        "--data",
        data.to_str().unwrap(),
    ]);
    assert!(!output.status.success());
    assert!(errors(&output).contains("--tap"), "{}", errors(&output));
}

#[tokio::test]
async fn without_tap_it_only_looks_and_hands_messages_in() {
    let mut tap = Tap::start_with(&["--no-broker", "--auth", "none"]).await;
    let (status, answer) = tap
        .post_flows(
            json!({"flows": [
                {"id": "f", "type": "tab"},
                {"id": "c", "type": "switch", "z": "f", "name": "N", "rules": [], "wires": []},
                {"id": "d", "type": "change", "z": "f", "rules": [], "wires": [["c"]]},
            ]}),
            "full",
        )
        .await;
    assert_eq!(status, 200, "{answer}");
    tap.event(|event| event["ev"] == "flows" && event["rev"] == answer["rev"])
        .await;

    assert_eq!(tap.ask("hello", json!({})).await["contract"], 1);
    tap.done("watch", json!({"events": ["input"]})).await;
    assert_eq!(tap.props("c").await["name"], "N");
    tap.receive("d", json!({"payload": 1})).await;
    assert_eq!(tap.input("c").await["payload"], 1);
    tap.done(
        "batch",
        json!({"ops": [{"op": "receive", "node": "d", "msg": {"payload": 2}}]}),
    )
    .await;
    assert_eq!(tap.input("c").await["payload"], 2);
    let got = tap
        .ask(
            "context.get",
            json!({"node": "c", "scope": "flow", "key": "k"}),
        )
        .await;
    assert_eq!(got["values"], json!([super::undefined()]));
    assert_eq!(
        tap.ask("context.keys", json!({"scope": "global"})).await["values"],
        json!([[]])
    );

    for (op, fields) in [
        (
            "call",
            json!({"node": "c", "method": "warn", "args": ["x"]}),
        ),
        ("call", json!({"node": "c", "method": "close", "args": []})),
        (
            "context.set",
            json!({"scope": "global", "key": "k", "value": 1}),
        ),
        ("context.stores", json!({"stores": {}})),
        ("settings", json!({"values": {}})),
        ("env", json!({"values": {"X": "1"}})),
        ("stop", json!({})),
        ("reset", json!({})),
        ("batch", json!({"ops": [{"op": "stop"}]})),
    ] {
        let message = tap.refused(op, fields).await;
        assert!(message.contains("--tap"), "{op}: {message}");
    }
    assert_eq!(tap.refused("nosuch", json!({})).await, "unknown op nosuch");
    assert_eq!(tap.props("c").await["name"], "N", "all of it still runs");
}

#[tokio::test]
async fn it_warns_that_everybody_here_controls_it() {
    let tap = Tap::start().await;
    let warning = "WARNING --tap: everyone on this machine may do everything";
    assert!(
        tap.process.banner.contains(warning),
        "{}",
        tap.process.banner
    );
}
