//! Tables that Node-RED's own nodes made (`tests/it/data/nodes.mjs`): the same settings and messages, and what was sent.

use flowrill::{
    engine::{LogLevel, Scope},
    flow::DeployMode,
    message::{from_wire, to_wire},
};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, node, without_id};

const OUTPUTS: usize = 4;

/// Runs a table: `{messages: [[msg]], cases: [[config, index of messages, [[output, index of the given message, what differs] or [level, text]], flow context]]}`.
async fn compare(type_name: &str, table: &str) {
    let table: Json = serde_json::from_str(table).unwrap();
    let mut test = TestFlows::new();
    let mut failures = Vec::new();
    let cases = table["cases"].as_array().unwrap();
    for case in cases {
        let messages = table["messages"][case[1].as_u64().unwrap() as usize]
            .as_array()
            .unwrap();
        let (out, flow) = run(&mut test, type_name, &case[0], messages).await;
        let expected: Vec<(Json, Json)> = case[2]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry[0].clone(), told(entry, messages)))
            .collect();
        let first =
            (0..out.len().max(expected.len())).find(|&at| !alike(out.get(at), expected.get(at)));
        if let Some(at) = first {
            failures.push(format!(
                "{}\n  {at}: {:?}, expected {:?}",
                case[0],
                out.get(at),
                expected.get(at)
            ));
        }
        let expected = case.get(3).cloned().unwrap_or_else(|| json!({}));
        if flow != expected {
            failures.push(format!(
                "{}\n  flow context {flow}, expected {expected}",
                case[0]
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} differ:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// What an entry of a table tells: a text, or a given message with what differs.
fn told(entry: &Json, messages: &[Json]) -> Json {
    let Some(index) = entry[1].as_u64() else {
        return entry[1].clone();
    };
    let mut msg = messages[index as usize].clone();
    let fields = msg.as_object_mut().unwrap();
    for (key, value) in entry.get(2).and_then(Json::as_object).into_iter().flatten() {
        if *value == json!({"$t": "gone"}) {
            fields.remove(key);
        } else {
            fields.insert(key.clone(), value.clone());
        }
    }
    msg
}

/// Messages must be equal as values; of errors and warnings it counts that there is one.
fn alike(one: Option<&(Json, Json)>, other: Option<&(Json, Json)>) -> bool {
    match (one, other) {
        (Some((port, one)), Some((wanted, other))) if port == wanted => {
            port.is_string() || from_wire(one).unwrap() == from_wire(other).unwrap()
        }
        _ => false,
    }
}

/// What the node sends and tells for these messages, and what is in the flow's context afterwards.
async fn run(
    test: &mut TestFlows,
    type_name: &str,
    config: &Json,
    messages: &[Json],
) -> (Vec<(Json, Json)>, Json) {
    let mut tested = node("n", type_name, config.clone());
    tested["wires"] = (0..OUTPUTS)
        .map(|port| json!([format!("o{port}")]))
        .collect();
    let mut flows = vec![json!({"id": "t", "type": "tab"}), tested];
    flows.extend((0..OUTPUTS).map(|port| node(&format!("o{port}"), "junction", json!({}))));
    test.engine.contexts().clear();
    test.deploy(flows.into(), DeployMode::Full).await;
    let mut seen = test.settle().await;
    for msg in messages {
        test.send("n", msg.clone());
        seen.extend(test.settle().await);
    }
    let out = seen.into_iter().filter_map(|seen| match seen {
        Seen::Sent(id, port, _, msg) if id == "n" => Some((json!(port), without_id(msg))),
        Seen::Log(id, level, text) if id == "n" => {
            let level = match level {
                level if level == LogLevel::Error as u8 => "error",
                level if level == LogLevel::Warn as u8 => "warn",
                level if level == LogLevel::Info as u8 => "log",
                _ => return None,
            };
            Some((json!(level), text))
        }
        _ => None,
    });
    let out = out.collect();
    let ctx = test.engine.node("n").unwrap();
    let flow = ctx.store(Scope::Flow);
    let values = flow.keys(None).into_iter().map(|key| {
        let value = flow.get(&key, None).unwrap();
        (key, to_wire(&value))
    });
    (out, values.collect())
}

#[tokio::test(start_paused = true)]
async fn range_sends_what_node_red_sends() {
    compare("range", include_str!("../data/nodes.range.json")).await;
}

#[tokio::test(start_paused = true)]
async fn the_filter_sends_what_node_red_sends() {
    compare("rbe", include_str!("../data/nodes.rbe.json")).await;
}

#[tokio::test(start_paused = true)]
async fn change_sends_what_node_red_sends() {
    compare("change", include_str!("../data/nodes.change.json")).await;
}

#[tokio::test(start_paused = true)]
async fn switch_sends_what_node_red_sends() {
    compare("switch", include_str!("../data/nodes.switch.json")).await;
}
