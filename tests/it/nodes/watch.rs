//! `watch`, in real time: the changes come from the operating system.

use std::{fs, path::Path, time::Duration};

use flowrill::{engine::RuntimeSettings, flow::DeployMode, services::Services};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, node};

async fn watching(files: &str, recursive: bool) -> TestFlows {
    let test = TestFlows::with_services(&Services::default(), RuntimeSettings::default());
    let watch = json!({"files": files, "recursive": recursive, "wires": [["out"]]});
    let flows = json!([
        {"id": "t", "type": "tab"}, node("w", "watch", watch), node("out", "junction", json!({}))
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test
}

/// Waits for the next messages.
async fn next(test: &mut TestFlows, count: usize) -> Vec<Json> {
    let mut out = Vec::new();
    while out.len() < count {
        out.extend(got(&test.after(Duration::from_millis(20)).await, "out"));
    }
    out.sort_by_key(|msg| msg["payload"].to_string());
    out
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[tokio::test]
async fn a_folder_tells_what_changes_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut test = watching(&text(folder.path()), false).await;
    let file = folder.path().join("a.txt");
    fs::write(&file, "hello").unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    let name = text(&file);
    let told = next(&mut test, 2).await;
    assert_eq!(
        told[0],
        json!({
            "payload": name, "topic": text(folder.path()), "file": "a.txt", "filename": name,
            "event": "update", "size": 5, "type": "file"
        })
    );
    assert_eq!(
        (&told[1]["type"], &told[1]["size"]),
        (&json!("directory"), &Json::Null)
    );
    fs::remove_file(&file).unwrap();
    let told = next(&mut test, 1).await;
    assert_eq!(
        (&told[0]["event"], &told[0]["type"]),
        (&json!("remove"), &json!("none"))
    );
}

#[tokio::test]
async fn a_file_may_go_and_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1.txt"), folder.path().join("2.txt"));
    fs::write(&one, "").unwrap();
    fs::write(&two, "").unwrap();
    let mut test = watching(&format!("{}, {}", text(&one), text(&two)), false).await;
    fs::write(folder.path().join("other.txt"), "").unwrap();
    fs::remove_file(&one).unwrap();
    assert_eq!(next(&mut test, 1).await[0]["event"], "remove");
    fs::write(&one, "12").unwrap();
    let told = next(&mut test, 1).await;
    assert_eq!(
        (&told[0]["file"], &told[0]["size"]),
        (&json!("1.txt"), &json!(2))
    );
    assert_eq!(
        told[0]["topic"],
        json!([text(&one), text(&two)]).to_string()
    );
}

#[tokio::test]
async fn folders_within_are_watched_if_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let mut test = watching(&text(folder.path()), true).await;
    // Deeper folders are looked for beside the flow.
    let told = loop {
        fs::write(deep.join("c.txt"), "x").unwrap();
        let told = got(&test.after(Duration::from_millis(300)).await, "out");
        if !told.is_empty() {
            break told;
        }
    };
    assert_eq!(told[0]["filename"], text(&deep.join("c.txt")));
}
