//! Real people's flow files: each is read, run as far as it goes, and comes back as it was.
//!
//! `FLOWRILL_CORPUS` names the folder; without it this test says so and passes.

use std::{env, fs};

use flowrill::{
    catalog::Catalog,
    flow::{DeployMode, Flows, Graph, ProcessEnv, lint},
};
use serde_json::Value as Json;

use crate::support::flows::TestFlows;

#[tokio::test(start_paused = true)]
async fn every_file_of_the_corpus_runs_and_comes_back_unchanged() {
    let Some(folder) = env::var_os("FLOWRILL_CORPUS") else {
        eprintln!("left out: FLOWRILL_CORPUS names no folder of flow files");
        return;
    };
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    assert!(!files.is_empty(), "no flow file in {}", folder.display());
    let catalog = Catalog::builtin("en").unwrap();
    let mut failures = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy();
        let flows = match Flows::parse(&text) {
            Ok(flows) => flows,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        let exported: Json = serde_json::from_str(&serde_json::to_string(&flows).unwrap()).unwrap();
        let given: Json = serde_json::from_str(&text).unwrap();
        if exported != given.get("flows").unwrap_or(&given).clone() {
            failures.push(format!("{name}: comes back changed"));
        }
        // Whatever lint finds, it must not be a crash, and the file runs.
        let _ = lint(&flows, &catalog);
        let nodes = Graph::resolve(&flows, &catalog, &ProcessEnv::default(), &|_| {
            Default::default()
        })
        .nodes
        .len();
        let mut test = TestFlows::new();
        test.deploy(exported, DeployMode::Full).await;
        test.settle().await;
        test.engine.stop().await;
        println!("{name}: {nodes} nodes");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
