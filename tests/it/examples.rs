//! Runs every example that a node's help shows.

use std::time::Duration;

use flowrill::{catalog::Catalog, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, node};

/// Longer than any example's delays.
const LONG_ENOUGH: Duration = Duration::from_secs(120);
const OUTPUTS: usize = 8;

#[tokio::test(start_paused = true)]
async fn examples_in_the_help_are_true() {
    let catalog = Catalog::builtin("en").unwrap();
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
    flows.extend((1..=OUTPUTS).map(|output| node(&format!("out{output}"), "junction", json!({}))));
    let mut test = TestFlows::new();
    let problems = test.deploy(flows.into(), DeployMode::Full).await;
    if !problems.is_empty() {
        return Err(format!("it does not start: {problems:?}"));
    }
    test.settle().await;
    for msg in example["given"].as_array().ok_or("it has no \"given\"")? {
        test.send("tested", msg.clone());
    }
    let seen = test.after(LONG_ENOUGH).await;
    let sent: Vec<(usize, &Json)> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Sent(id, port, _, msg) if id == "tested" => Some((port + 1, msg)),
            _ => None,
        })
        .collect();
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
        Seen::Log(id, 20, text) if id == "tested" => Some(
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
