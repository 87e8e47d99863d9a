//! Kills the real binary at any moment while it deploys: what loads afterwards is the old or the new version, whole.

use std::{path::Path, time::Duration};

use flowrill::{
    engine::ContextStore,
    message::{PropertyPath, to_wire},
    store::{DataFolder, DiskContext, DiskFlowStore, FlowStore},
};
use reqwest::Client;
use serde_json::{Value as Json, json};

use crate::support::process::Flowrill;

const OPTIONS: [&str; 2] = ["--no-broker", "--no-sample"];

/// How many times it is killed: more in the nightly run.
fn rounds() -> u64 {
    let rounds = std::env::var("FLOWRILL_CRASH_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(10)
}

/// Flows that name their number everywhere, so that a mixture of two versions would show.
fn flows(n: u64) -> Json {
    let tab = json!({"id": "t", "type": "tab", "label": format!("version {n}")});
    let nodes = (0..50).map(|index| {
        json!({
            // A type that nobody knows: whatever it has is kept.
            "id": format!("c{index}"), "type": "of another kind", "z": "t", "x": 100, "y": 20 * index, "wires": [],
            "name": format!("version {n}"), "info": format!("{n} ").repeat(200),
        })
    });
    std::iter::once(tab).chain(nodes).collect()
}

/// A client that does not wait for ever.
fn client() -> Client {
    let patience = Duration::from_secs(20);
    Client::builder().timeout(patience).build().unwrap()
}

async fn deploy(http: &str, n: u64) -> reqwest::Result<()> {
    let body = json!({"flows": flows(n), "credentials": {"c0": {"user": n.to_string()}, "c1": {"user": "fixed"}}});
    let answer = client()
        .post(format!("{http}/flows"))
        .header("Node-RED-API-Version", "v2")
        .json(&body)
        .send()
        .await?;
    answer.error_for_status()?.text().await?;
    Ok(())
}

async fn get(http: &str) -> Json {
    let answer = client().get(format!("{http}/flows")).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// The number of the version on disk, read as the next start reads it, after a look whether its credentials are there.
fn stored(data: &Path) -> u64 {
    let store = DiskFlowStore::open(DataFolder::open(data).unwrap()).unwrap();
    let (version, credentials) = store.load().unwrap().expect("no flows");
    let n = number(&serde_json::to_value(&*version.flows).unwrap());
    let expected = json!({"c0": {"user": n.to_string()}, "c1": {"user": "fixed"}});
    assert_eq!(serde_json::to_value(&credentials).unwrap(), expected);
    n
}

/// The number of these flows, after a look whether they are whole.
fn number(found: &Json) -> u64 {
    let label = found[0]["label"].as_str().expect("no label");
    let n: u64 = label.strip_prefix("version ").unwrap().parse().unwrap();
    assert_eq!(*found, flows(n), "a version that nobody deployed");
    n
}

/// Deploys `n`, `n + 1`, … until the process is gone. The number of the first that was not answered.
fn deploy_from(http: &str, mut n: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    while runtime.block_on(deploy(http, n)).is_ok() {
        n += 1;
    }
    n
}

#[tokio::test]
async fn a_kill_at_any_moment_leaves_the_old_or_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut flowrill = Flowrill::start(&data, &OPTIONS);
    deploy(&flowrill.http, 0).await.unwrap();
    let mut next = 1;
    for round in 0..rounds() {
        let http = flowrill.http.clone();
        let deploys = std::thread::spawn(move || deploy_from(&http, next));
        // Another moment in each round.
        tokio::time::sleep(Duration::from_micros(3_000 + round * 7_919 % 60_000)).await;
        flowrill.kill();
        let unanswered = deploys.join().unwrap();
        let n = stored(&data);
        let answered = unanswered - 1;
        assert!(
            n == answered || n == unanswered,
            "{n} is not {answered} or {unanswered}"
        );
        flowrill = Flowrill::start(&data, &OPTIONS);
        assert_eq!(number(&get(&flowrill.http).await), n);
        next = unanswered + 1;
        // Known to be the running one when the next round begins.
        deploy(&flowrill.http, next - 1).await.unwrap();
    }
}

#[tokio::test]
async fn an_orderly_stop_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    deploy(&flowrill.http, 7).await.unwrap();
    assert_eq!(flowrill.stop().code(), Some(0));
    assert_eq!(stored(folder.path()), 7);
    let flowrill = Flowrill::start(folder.path(), &OPTIONS);
    assert_eq!(number(&get(&flowrill.http).await), 7);
}

/// A function that counts in every scope, in the store that is on the disk, and a file with a line for each message that it is done with.
fn counting(folder: &Path) -> Json {
    let code = "for (const c of [context, flow, global]) c.set('n', (c.get('n') || 0) + 1); \
        flow.set('kinds', [Buffer.from('abc'), new Date(5), new Set([1])]); \
        flow.set('odd', { f: () => 1, rest: 2 }); flow.set('fast', 1, 'memory'); return msg";
    json!([
        {"id": "t", "type": "tab"},
        {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "props": [], "repeat": "", "once": false, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "func": code, "wires": [["w"]]},
        {"id": "w", "type": "file", "z": "t", "x": 1, "y": 1, "filename": folder.join("counted"), "filenameType": "str", "appendNewline": true, "overwriteFile": "false", "wires": []},
    ])
}

/// Presses the button, and returns when the function is done with the message.
async fn count(flowrill: &Flowrill, folder: &Path) {
    let lines = || {
        let text = std::fs::read_to_string(folder.join("counted"));
        text.unwrap_or_default().lines().count()
    };
    let before = lines();
    post(
        &flowrill.http,
        "/inject/i",
        &json!({"__user_inject_props__": [{"p": "payload", "v": "", "vt": "date"}]}),
    )
    .await;
    while lines() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Deploys what counts, and has it count once.
async fn deploy_and_count(flowrill: &Flowrill, folder: &Path) {
    let flows = json!({ "flows": counting(folder) });
    post(&flowrill.http, "/flows", &flows).await;
    count(flowrill, folder).await;
}

/// A data folder with a store on the disk, which is the default one, and one in memory.
fn with_context_stores() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[context]\ndisk = { module = \"localfilesystem\", interval = 1 }\nmemory = { module = \"memory\" }\n";
    std::fs::write(folder.path().join("flowrill.toml"), settings).unwrap();
    folder
}

async fn post(http: &str, path: &str, body: &Json) {
    let answer = client()
        .post(format!("{http}{path}"))
        .header("Node-RED-API-Version", "v2")
        .json(body);
    let answer = answer.send().await.unwrap();
    answer.error_for_status().unwrap();
}

/// What the store on the disk holds, read as the next start reads it.
fn context(data: &Path, scope: &str, key: &str) -> Json {
    let (store, notices) = DiskContext::open(&data.join("context/disk.sled")).unwrap();
    assert!(notices.is_empty(), "{notices:?}");
    to_wire(&store.get(scope, &PropertyPath::parse(key).unwrap()))
}

#[tokio::test]
async fn context_on_the_disk_survives_a_kill_once_it_was_written() {
    let folder = with_context_stores();
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    post(
        &flowrill.http,
        "/flows",
        &json!({"flows": counting(folder.path())}),
    )
    .await;
    let mut counted = 0;
    // The interval is one second; a busy machine may take longer.
    for wait in [1_500, 4_000, 15_000] {
        count(&flowrill, folder.path()).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        flowrill.kill();
        let found = context(folder.path(), "global", "n");
        flowrill = Flowrill::start(folder.path(), &OPTIONS);
        if let Some(found) = found.as_u64() {
            counted = found;
            break;
        }
    }
    assert_eq!(counted, 1);
    // What was read at the start goes on counting; an orderly stop writes without waiting.
    count(&flowrill, folder.path()).await;
    assert_eq!(flowrill.stop().code(), Some(0));
    for scope in ["f:t", "t", "global"] {
        assert_eq!(context(folder.path(), scope, "n"), 2, "{scope}");
    }
    let kinds = json!([
        {"$t": "buffer", "v": "YWJj"},
        {"$t": "date", "v": 5},
        {"$t": "set", "v": [1]}
    ]);
    assert_eq!(context(folder.path(), "t", "kinds"), kinds);
    assert_eq!(context(folder.path(), "t", "odd"), json!({"rest": 2}));
    let undefined = json!({"$t": "undefined"});
    assert_eq!(context(folder.path(), "t", "fast"), undefined);
}

#[tokio::test]
async fn damaged_context_does_not_stop_a_start() {
    let folder = with_context_stores();
    let place = folder.path().join("context/disk.sled");
    std::fs::create_dir_all(&place).unwrap();
    for file in ["db", "conf"] {
        std::fs::write(place.join(file), "no database").unwrap();
    }
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    deploy_and_count(&flowrill, folder.path()).await;
    assert_eq!(flowrill.stop().code(), Some(0));
    assert_eq!(context(folder.path(), "global", "n"), 1);
    let names = std::fs::read_dir(folder.path().join("context")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name());
    assert!(names.any(|name| name.to_string_lossy().contains("damaged")));
}

#[tokio::test]
async fn context_is_forgotten_with_what_it_belongs_to() {
    let folder = with_context_stores();
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    deploy_and_count(&flowrill, folder.path()).await;
    assert_eq!(flowrill.stop().code(), Some(0));
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    post(&flowrill.http, "/flows", &json!({"flows": []})).await;
    assert_eq!(flowrill.stop().code(), Some(0));
    let undefined = json!({"$t": "undefined"});
    for (scope, expected) in [
        ("f:t", undefined.clone()),
        ("t", undefined),
        ("global", 1.into()),
    ] {
        assert_eq!(context(folder.path(), scope, "n"), expected, "{scope}");
    }
}
