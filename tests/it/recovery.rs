//! Kills the real binary at any moment while it deploys: what loads afterwards is the old or the new version, whole.

use std::{path::Path, time::Duration};

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
            "id": format!("c{index}"), "type": "comment", "z": "t", "x": 100, "y": 20 * index, "wires": [],
            "name": format!("version {n}"), "info": format!("{n} ").repeat(200),
        })
    });
    std::iter::once(tab).chain(nodes).collect()
}

async fn deploy(http: &str, n: u64) -> reqwest::Result<()> {
    let body = json!({"flows": flows(n), "credentials": {"c0": {"user": n.to_string()}, "c1": {"user": "fixed"}}});
    let answer = Client::new()
        .post(format!("{http}/flows"))
        .header("Node-RED-API-Version", "v2")
        .json(&body)
        .send()
        .await?;
    answer.error_for_status()?.text().await?;
    Ok(())
}

async fn get(address: String) -> Json {
    let answer = Client::new().get(&address).send().await.unwrap();
    assert!(
        answer.status().is_success(),
        "{address}: {}",
        answer.status()
    );
    answer.json().await.unwrap()
}

/// The number of the version that is there, after a look whether it is whole.
async fn loaded(http: &str) -> u64 {
    let found = get(format!("{http}/flows")).await;
    let label = found[0]["label"].as_str().expect("no flows");
    let n: u64 = label.strip_prefix("version ").unwrap().parse().unwrap();
    assert_eq!(found, flows(n), "a version that nobody deployed");
    n
}

/// That the credentials on disk are those of this version: read as the next start reads them.
fn assert_credentials(data: &Path, n: u64) {
    use flowrill::store::{DataFolder, DiskFlowStore, FlowStore};
    let store = DiskFlowStore::open(DataFolder::open(data).unwrap()).unwrap();
    let (version, credentials) = store.load().unwrap().unwrap();
    assert_eq!(serde_json::to_value(&*version.flows).unwrap(), flows(n));
    let expected = json!({"c0": {"user": n.to_string()}, "c1": {"user": "fixed"}});
    assert_eq!(serde_json::to_value(&credentials).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_leaves_the_old_or_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut flowrill = Flowrill::start(&data, &OPTIONS);
    deploy(&flowrill.http, 0).await.unwrap();
    let (mut answered, mut asked) = (0, 0);
    for round in 0..rounds() {
        let http = flowrill.http.clone();
        // Deploys one after the other until the process is gone; which were asked for, and which answered.
        let deploys = tokio::task::spawn_blocking({
            let from = asked + 1;
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let mut n = from;
                while runtime.block_on(deploy(&http, n)).is_ok() {
                    n += 1;
                }
                n
            }
        });
        // Other moments in each round, from the middle of the first deploy on.
        tokio::time::sleep(Duration::from_micros(1_000 + round * 7_919 % 60_000)).await;
        flowrill.kill();
        let last = deploys.await.unwrap();
        answered = answered.max(last - 1);
        asked = last;

        if round % 2 == 0 {
            flowrill = Flowrill::start(&data, &OPTIONS);
            let n = loaded(&flowrill.http).await;
            assert!(
                (answered..=asked).contains(&n),
                "{n} is not {answered} or {asked}"
            );
            flowrill.kill();
            answered = n;
        }
        let n = {
            use flowrill::store::{DataFolder, DiskFlowStore, FlowStore};
            let store = DiskFlowStore::open(DataFolder::open(&data).unwrap()).unwrap();
            let label = store.load().unwrap().unwrap().0.flows.items[0]["label"].clone();
            label.as_str().unwrap()["version ".len()..].parse().unwrap()
        };
        assert!(
            (answered..=asked).contains(&n),
            "{n} is not {answered} or {asked}"
        );
        assert_credentials(&data, n);
        answered = n;
        flowrill = Flowrill::start(&data, &OPTIONS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_stop_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut flowrill = Flowrill::start(folder.path(), &OPTIONS);
    deploy(&flowrill.http, 7).await.unwrap();
    assert_eq!(flowrill.stop().code(), Some(0));
    assert_credentials(folder.path(), 7);
    let flowrill = Flowrill::start(folder.path(), &OPTIONS);
    assert_eq!(loaded(&flowrill.http).await, 7);
}
