//! Every node type gets messages of every wrong kind, made in JavaScript as flows make them: nothing fails inside, and
//! the node and its flow go on with the next message.

use std::{collections::BTreeMap, time::Duration};

use flowrill::{
    engine::RuntimeSettings,
    flow::DeployMode,
    message::{Message, Value},
    services::Services,
};
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{Seen, TestFlows, catalog, node},
    mqtt::broker,
};

const WHILE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);
/// What the engine says of a node that panicked.
const FAILED: &str = "failed inside";
/// Types that are tested in real time.
const OUTSIDE: [&str; 1] = ["exec"];

/// Properties of messages that some node reads.
const PROPERTIES: [&str; 38] = [
    "topic",
    "parts",
    "reset",
    "complete",
    "filename",
    "select",
    "columns",
    "schema",
    "options",
    "encoding",
    "delay",
    "rate",
    "flush",
    "toFront",
    "nodeMessageBufferMaxLength",
    "restartTimeout",
    "timeout",
    "kill",
    "pid",
    "format",
    "template",
    "action",
    "retain",
    "qos",
    "status",
    "error",
    "req",
    "_event",
    "_linkSource",
    "target",
    "enabled",
    "property",
    "where",
    "responseTopic",
    "contentType",
    "userProperties",
    "messageExpiryInterval",
    "__user_inject_props__",
];
const PARTS: [&str; 9] = [
    "id", "index", "count", "type", "ch", "len", "key", "property", "parts",
];

/// Sends one message after the other; the last one is a good one. `PROPERTIES` and `PARTS` are put in.
const MAKER: &str = r#"
const circular = { name: "c" };
circular.self = circular;
circular.list = [circular, { circular }];
const nested = (levels, around) => {
  let value = 1;
  for (let level = 0; level < levels; level++) value = around(value);
  return value;
};
const deep = nested(450, n => ({ n })), list = nested(450, n => [n]);
const odd = [undefined, null, NaN, -1, 0, 1e21, true, "", "text", {}, [], circular, () => 1, { index: 5 }];
const values = [
  ...odd, Infinity, -Infinity, -0, 1.5, false, "x".repeat(70000), "\u0000\ufffd", "{", "[1,", "<a", "<a>&b", "a: [", "\"open\n1,2",
  10n ** 30n, new Date(NaN), new Date(8.64e15), Buffer.alloc(0), Buffer.from([0, 255, 128, 10]), new Float64Array(3),
  new Map([[{}, 1]]), new Set([NaN]), /x/g, new Error("e"), [[]], new Array(5), Array.from({ length: 3000 }, (_, i) => i),
  { length: -1 }, Object.create(null), deep, list, { toString: null, valueOf: null }, { type: "Buffer", data: "x" },
  [{ a: 1 }, 2, [3], null, undefined], { a: null, b: undefined, "": 1, "x y": 2, "__proto__x": 3 }, "a,b\n1,2\n", "<p>x</p>", "a: 1",
];
for (const value of values) node.send({ payload: value });
for (const property of PROPERTIES) for (const value of odd) node.send({ payload: "p", [property]: value });
for (const payload of ["p", { a: 1 }, Buffer.from("b"), [1]]) {
  for (const part of PARTS) for (const value of [...odd, 1e15, 4294967296]) {
    node.send({ payload, topic: "t", parts: { id: "s", index: 0, count: 2, type: "string", ch: "", [part]: value } });
  }
}
node.send({ payload: circular, circular, topic: deep });
node.send({ complete: true });
// Too deep for any message.
try { node.send({ payload: nested(10000, n => [n]) }); } catch (error) { node.send({ payload: error }); }
node.send({ payload: "good", topic: "good" });
"#;

fn maker(properties: &[&str], parts: &[&str]) -> String {
    let script = MAKER.replace("of PROPERTIES", &format!("of {}", json!(properties)));
    script.replace("of PARTS", &format!("of {}", json!(parts)))
}

/// The settings to try: the usual ones, and those of the type's own examples.
fn settings() -> BTreeMap<String, Vec<Json>> {
    let mut all = BTreeMap::new();
    for known in catalog().iter().filter(|known| !known.manifest.config) {
        let mut configs = vec![json!({})];
        for example in known.examples.as_array().unwrap() {
            let config = example.get("config").cloned().unwrap_or(json!({}));
            if !config.to_string().contains("\"/") && !configs.contains(&config) {
                configs.push(config);
            }
        }
        all.insert(known.manifest.type_name.clone(), configs);
    }
    all
}

fn flows(type_name: &str, config: &Json, maker: &str) -> Json {
    let mut tested = node("tested", type_name, config.clone());
    tested["wires"] = json!(vec![["end"]; 4]);
    json!([
        {"id": "t", "type": "tab"},
        node("maker", "function", json!({"func": maker, "outputs": 1, "wires": [["tested"]]})),
        tested,
        node("end", "junction", json!({})),
        node("catch", "catch", json!({"scope": null, "wires": [["caught"]]})),
        node("caught", "junction", json!({})),
    ])
}

/// What is wrong: a node failed inside, or the good message did not reach the tested one.
fn judge(seen: &[Seen]) -> Option<String> {
    let failed = seen.iter().find_map(|seen| match seen {
        Seen::Log(id, _, text) if text.to_string().contains(FAILED) => {
            Some(format!("{id}: {text}"))
        }
        _ => None,
    });
    let is_good = |seen: &Seen| matches!(seen, Seen::Got(id, msg) if id == "tested" && msg["payload"] == "good");
    failed
        .or_else(|| (!seen.iter().any(is_good)).then(|| "the last message did not come".to_owned()))
}

fn in_folder(folder: &std::path::Path) -> RuntimeSettings {
    let mut settings = RuntimeSettings::default();
    let folder = folder.to_string_lossy().into_owned();
    settings
        .others
        .insert("fileWorkingDirectory".into(), folder.into());
    settings
}

#[tokio::test(start_paused = true)]
async fn no_message_stops_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let mut failures = Vec::new();
    let all = maker(&PROPERTIES, &PARTS);
    for (type_name, configs) in settings() {
        if OUTSIDE.contains(&type_name.as_str()) {
            continue;
        }
        for config in configs {
            let mut test = TestFlows::with_settings(in_folder(folder.path()), |_| {});
            test.deploy(flows(&type_name, &config, &all), DeployMode::Full)
                .await;
            test.settle().await;
            test.send("maker", json!({}));
            let seen = test.after(WHILE).await;
            failures.extend(judge(&seen).map(|what| format!("{type_name} {config}: {what}")));
            test.engine.stop().await;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// In real time: until the good message came.
async fn judge_outside(test: &mut TestFlows) -> Option<String> {
    test.send("maker", json!({}));
    let end = tokio::time::Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    loop {
        seen.extend(test.after(Duration::from_millis(20)).await);
        let found = judge(&seen);
        if found.is_none() || tokio::time::Instant::now() > end {
            return found;
        }
    }
}

#[tokio::test]
async fn no_message_stops_what_runs_commands() {
    for config in [
        json!({"command": "true", "addpay": "payload"}),
        json!({"command": "cat", "useSpawn": "true", "addpay": ""}),
    ] {
        let mut test = TestFlows::new();
        let script = maker(&["kill", "pid"], &[]);
        test.deploy(flows("exec", &config, &script), DeployMode::Full)
            .await;
        assert_eq!(judge_outside(&mut test).await, None, "{config}");
        test.engine.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_stops_what_talks_to_a_broker() {
    let broker = broker().await;
    let properties = [
        "topic",
        "qos",
        "retain",
        "action",
        "responseTopic",
        "correlationData",
        "contentType",
        "userProperties",
        "messageExpiryInterval",
        "broker",
    ];
    for (type_name, config) in [
        ("mqtt out", json!({})),
        (
            "mqtt out",
            json!({"topic": "t", "qos": "2", "retain": "true"}),
        ),
        ("mqtt in", json!({"topic": "", "inputs": 1})),
    ] {
        let services = Services::new(Some(broker.clone()));
        let mut test = TestFlows::with_services(&services, RuntimeSettings::default());
        test.deploy(
            flows(type_name, &config, &maker(&properties, &[])),
            DeployMode::Full,
        )
        .await;
        assert_eq!(judge_outside(&mut test).await, None, "{type_name} {config}");
        test.engine.stop().await;
    }
    broker.stop().await;
}

/// One type after the other: a text and a buffer of 50 MB.
#[tokio::test(start_paused = true)]
async fn long_payloads_stop_no_node() {
    const LENGTH: usize = 50 << 20;
    let text = Value::from("x".repeat(LENGTH));
    let bytes = Value::from(bytes::Bytes::from(vec![b'x'; LENGTH]));
    let folder = tempfile::tempdir().unwrap();
    for type_name in settings()
        .into_keys()
        .filter(|name| !OUTSIDE.contains(&name.as_str()))
    {
        let mut test = TestFlows::with_settings(in_folder(folder.path()), |_| {});
        test.deploy(flows(&type_name, &json!({}), ""), DeployMode::Full)
            .await;
        for payload in [&text, &bytes] {
            let mut msg = Message::with_payload(payload.clone());
            msg.set("filename", "long");
            assert!(test.engine.receive(vec![("tested", msg)]));
            // What it makes of them is not looked at: that would take longer than making it.
            assert!(
                !test
                    .logs(WHILE)
                    .await
                    .iter()
                    .any(|text| text.contains(FAILED)),
                "{type_name}"
            );
        }
        test.send("tested", json!({"payload": "good"}));
        test.engine.stop().await;
    }
}
