//! Runs every example that a node's help shows.

use std::time::Duration;

use flowrill::{engine::RuntimeSettings, flow::DeployMode, services::Services};
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{Seen, TestFlows, catalog, node},
    mqtt::broker,
};

/// Longer than any example's delays.
const LONG_ENOUGH: Duration = Duration::from_secs(120);
/// For what happens in real time, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);
const OUTPUTS: usize = 8;

#[tokio::test(start_paused = true)]
async fn examples_in_the_help_are_true() {
    let catalog = catalog();
    let mut failures = Vec::new();
    let mut count = 0;
    for known in catalog.iter() {
        for example in known.examples.as_array().unwrap() {
            count += 1;
            if let Err(failure) = run(&known.manifest.type_name, example).await {
                failures.push(format!(
                    "{} \"{}\": {failure}",
                    known.manifest.type_name, example["title"]
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 10, "only {count} examples were found");
}

async fn run(type_name: &str, example: &Json) -> Result<(), String> {
    let seen = match type_name {
        "exec" => in_real_time(type_name, example).await?,
        "aedes broker" | "mosca in" => with_broker(type_name, example).await?,
        _ if type_name.starts_with("mqtt") => with_broker(type_name, example).await?,
        _ => with_paused_clock(type_name, example).await?,
    };
    judge(example, &seen)
}

async fn with_paused_clock(type_name: &str, example: &Json) -> Result<Vec<Seen>, String> {
    let mut test = TestFlows::new();
    let problems = test
        .deploy(flows(type_name, example), DeployMode::Full)
        .await;
    if !problems.is_empty() {
        return Err(format!("it does not start: {problems:?}"));
    }
    let mut seen = test.settle().await;
    for msg in given(example)? {
        test.send(node_of(example, "to"), msg.clone());
    }
    seen.extend(test.after(LONG_ENOUGH).await);
    Ok(seen)
}

/// In real time, for processes know no other: until the expected messages are there.
async fn in_real_time(type_name: &str, example: &Json) -> Result<Vec<Seen>, String> {
    tokio::time::resume();
    let mut test = TestFlows::new();
    test.deploy(flows(type_name, example), DeployMode::Full)
        .await;
    let mut seen = Vec::new();
    for msg in given(example)? {
        test.send(node_of(example, "to"), msg.clone());
    }
    let end = tokio::time::Instant::now() + PATIENCE;
    let expected = example["then"].as_array().map_or(0, Vec::len);
    while sent(example, &seen).len() < expected && tokio::time::Instant::now() < end {
        seen.extend(test.after(Duration::from_millis(5)).await);
    }
    test.engine.stop().await;
    tokio::time::pause();
    Ok(seen)
}

/// In real time, for the broker has threads of its own: until the expected messages are there.
async fn with_broker(type_name: &str, example: &Json) -> Result<Vec<Seen>, String> {
    tokio::time::resume();
    let broker = broker().await;
    let services = Services::new(Some(broker.clone()));
    let mut test = TestFlows::with_services(&services, RuntimeSettings::default());
    test.deploy(flows(type_name, example), DeployMode::Full)
        .await;
    let mut seen = Vec::new();
    let end = tokio::time::Instant::now() + PATIENCE;
    // Config nodes have no status of their own.
    let has_status = !type_name.starts_with("mqtt-");
    let connected = |seen: &[Seen]| {
        seen.iter().any(|seen| match seen {
            Seen::Status(id, status) => {
                (!has_status || id == "tested" || type_name == "mqtt out")
                    && status["fill"] == "green"
            }
            _ => false,
        })
    };
    while !connected(&seen) && tokio::time::Instant::now() < end {
        seen.extend(test.after(Duration::from_millis(5)).await);
    }
    for msg in given(example)? {
        test.send(node_of(example, "to"), msg.clone());
    }
    let expected = example["then"].as_array().map_or(0, Vec::len);
    while sent(example, &seen).len() < expected && tokio::time::Instant::now() < end {
        seen.extend(test.after(Duration::from_millis(5)).await);
    }
    test.engine.stop().await;
    broker.stop().await;
    tokio::time::pause();
    Ok(seen)
}

/// The node on a tab of its own, with what the example puts beside it.
fn flows(type_name: &str, example: &Json) -> Json {
    let empty = json!({});
    let mut tested = node(
        "tested",
        type_name,
        example.get("config").unwrap_or(&empty).clone(),
    );
    tested["wires"] = (1..=OUTPUTS)
        .map(|output| json!([format!("out{output}")]))
        .collect();
    let mut flows = vec![
        json!({"id": "t", "type": "tab", "label": "Example"}),
        tested,
    ];
    for beside in example["with"].as_array().into_iter().flatten() {
        let properties = beside.clone();
        let text = |key: &str| beside[key].as_str().unwrap().to_owned();
        flows.push(node(&text("id"), &text("type"), properties));
    }
    flows.extend((1..=OUTPUTS).map(|output| node(&format!("out{output}"), "junction", json!({}))));
    flows.into()
}

fn given(example: &Json) -> Result<&Vec<Json>, String> {
    Ok(example["given"].as_array().ok_or("it has no \"given\"")?)
}

/// The node that the messages are given `to`, or come `from`.
fn node_of<'a>(example: &'a Json, key: &str) -> &'a str {
    example.get(key).and_then(Json::as_str).unwrap_or("tested")
}

/// What left the node, one entry a message and output.
fn sent<'a>(example: &Json, seen: &'a [Seen]) -> Vec<(usize, &'a Json)> {
    let from = node_of(example, "from");
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Sent(id, port, _, msg) if id == from => Some((port + 1, msg)),
            _ => None,
        })
        .collect()
}

/// Compares what was seen with what the example says.
fn judge(example: &Json, seen: &[Seen]) -> Result<(), String> {
    let sent = sent(example, seen);
    let expected: Vec<(usize, &Json)> = example["then"]
        .as_array()
        .ok_or("it has no \"then\"")?
        .iter()
        .map(output)
        .collect();
    let equal = sent.len() == expected.len()
        && sent
            .iter()
            .zip(&expected)
            .all(|(sent, expected)| sent.0 == expected.0 && holds(sent.1, expected.1));
    if !equal {
        return Err(format!("expected {expected:?}, got {sent:?}"));
    }
    let last_status = seen.iter().rev().find_map(|seen| match seen {
        Seen::Status(id, status) if id == "tested" => Some(status),
        _ => None,
    });
    if let Some(status) = example.get("status") {
        let shown = last_status.filter(|status| **status != json!({}));
        if shown.unwrap_or(&Json::Null) != status {
            return Err(format!("expected status {status}, got {shown:?}"));
        }
    }
    let last_error = seen.iter().rev().find_map(|seen| match seen {
        Seen::Log(id, 20, text) if id == node_of(example, "to") => Some(
            text.as_str()
                .map_or_else(|| text["message"].to_string(), str::to_owned),
        ),
        _ => None,
    });
    match example.get("error").and_then(Json::as_str) {
        Some(error)
            if last_error
                .as_deref()
                .is_none_or(|last| !last.contains(error)) =>
        {
            Err(format!("expected error {error:?}, got {last_error:?}"))
        }
        _ => Ok(()),
    }
}

/// An entry of "then": a message at the first output, or `{"output", "msg"}`.
fn output(entry: &Json) -> (usize, &Json) {
    match (entry.get("output").and_then(Json::as_u64), entry.get("msg")) {
        (Some(output), Some(msg)) => (output as usize, msg),
        _ => (1, entry),
    }
}

/// Whether every property named in `expected` is there and equal; numbers up to what a double holds.
fn holds(sent: &Json, expected: &Json) -> bool {
    expected
        .as_object()
        .is_some_and(|expected| expected.iter().all(|(key, value)| close(&sent[key], value)))
}

fn close(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap_or(0.0), other.as_f64().unwrap_or(0.0));
            (one - other).abs() <= one.abs().max(other.abs()) * 1e-12
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| close(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && other
                    .iter()
                    .all(|(key, value)| one.get(key).is_some_and(|one| close(one, value)))
        }
        _ => one == other,
    }
}
