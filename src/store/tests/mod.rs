//! Tests of the store on disk.

mod damage;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use serde_json::json;

use super::*;

fn open(folder: &Path) -> DiskFlowStore {
    DiskFlowStore::open(DataFolder::open(folder).unwrap()).unwrap()
}

fn version(n: u64) -> StoredVersion {
    let flows = Flows::from_value(
        json!([{"id": "t", "type": "tab", "label": format!("version {n}"), "n": n}]),
    )
    .unwrap();
    StoredVersion {
        rev: flows.rev(),
        time: 1000 + n,
        flows: Arc::new(flows),
    }
}

fn save(
    store: &DiskFlowStore,
    version: &StoredVersion,
    credentials: &Credentials,
) -> Result<StoredVersion, StoreError> {
    store.save(version.flows.clone(), version.time, credentials)
}

fn credentials(n: u64) -> Credentials {
    let mut credentials = Credentials::default();
    let values = json!({ "password": format!("secret {n}") });
    credentials.merge(
        "t",
        values.as_object().unwrap().clone(),
        &Credentials::default(),
    );
    credentials
}

/// A folder with these versions deployed one after the other, each with its own credentials.
fn filled(versions: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in 1..=versions {
        save(&store, &version(n), &credentials(n)).unwrap();
    }
    folder
}

#[track_caller]
fn assert_holds(store: &DiskFlowStore, n: u64) {
    let (loaded, found) = store.load().unwrap().unwrap();
    assert_eq!(loaded.flows, version(n).flows);
    assert_eq!(loaded.rev, version(n).rev);
    assert!(found == credentials(n), "other credentials than saved");
}

#[test]
fn an_empty_folder_holds_nothing_and_gets_a_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/data");
    let store = open(&path);
    assert!(store.load().unwrap().is_none());
    assert!(store.notices().is_empty());
    assert_eq!(fs::read_to_string(path.join("format")).unwrap(), "1\n");
}

#[test]
fn the_last_version_comes_back_with_its_credentials() {
    let folder = filled(3);
    let store = open(folder.path());
    assert_holds(&store, 3);
    assert!(store.notices().is_empty(), "{:?}", store.notices());
    let history = store.history().unwrap();
    assert_eq!(
        history.iter().map(|info| info.time).collect::<Vec<_>>(),
        [1003, 1002, 1001]
    );
    let old = store.version(&version(1).rev).unwrap().unwrap();
    assert_eq!(old.flows, version(1).flows);
    assert!(store.version("nosuch").unwrap().is_none());
}

#[test]
fn what_lies_on_disk_is_private_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let store = open(&path);
    save(&store, &version(1), &credentials(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("flows.sled")), 0o700);
    for name in ["key", "credentials.json", "flows.json", "flows.meta.json"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    drop(store);
    let mut pending = vec![path];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(8).any(|window| window == b"secret 1");
            assert!(!found, "{} shows a secret", path.display());
        }
    }
    assert!(!format!("{:?}", credentials(1)).contains("secret"));
}

#[test]
fn the_mirror_is_the_plain_flow_array() {
    let folder = filled(2);
    let text = fs::read_to_string(folder.path().join("flows.json")).unwrap();
    assert_eq!(Flows::parse(&text).unwrap(), *version(2).flows);
    assert!(text.starts_with("[\n"));
}

#[test]
fn the_history_is_bounded() {
    let folder = filled(KEPT_VERSIONS as u64 + 3);
    let store = open(folder.path());
    let history = store.history().unwrap();
    assert_eq!(history.len(), KEPT_VERSIONS);
    assert_eq!(history[0].time, 1053);
    assert_eq!(history.last().unwrap().time, 1004);
}

#[test]
fn large_flows_are_stored_whole() {
    let folder = tempfile::tempdir().unwrap();
    let nodes: Vec<_> = (0..20_000)
        .map(|n| json!({"id": format!("n{n}"), "type": "function", "func": "return msg;\n".repeat(5)}))
        .collect();
    let flows = Flows::from_value(nodes.into()).unwrap();
    let large = StoredVersion {
        rev: flows.rev(),
        time: 1,
        flows: Arc::new(flows),
    };
    save(&open(folder.path()), &large, &Credentials::default()).unwrap();
    fs::remove_file(folder.path().join("flows.json")).unwrap();
    let store = open(folder.path());
    assert_eq!(store.load().unwrap().unwrap().0.flows, large.flows);
}

#[test]
fn a_second_instance_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let held = DataFolder::open(folder.path()).unwrap();
    let refused = DataFolder::open(folder.path()).err().unwrap();
    let pid = std::process::id();
    assert!(
        refused
            .to_string()
            .contains(&format!("in use by another Flowrill (process {pid})"))
    );
    assert!(refused.to_string().contains("--data"));
    drop(held);
    DataFolder::open(folder.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("format"), "2\n").unwrap();
    let refused = DataFolder::open(folder.path()).err().unwrap();
    assert!(matches!(refused, FolderError::Newer { .. }));
}

#[test]
fn what_cannot_be_written_leaves_what_was() {
    let folder = filled(1);
    let store = open(folder.path());
    // A folder in its place: the file can be written beside it, but not renamed over it.
    fs::remove_file(folder.path().join("flows.json")).unwrap();
    fs::create_dir_all(folder.path().join("flows.json/x")).unwrap();
    let error = save(&store, &version(2), &credentials(2)).unwrap_err();
    assert!(error.to_string().contains("flows.json can't be written"));
    assert_holds(&store, 1);
    assert_eq!(store.history().unwrap().len(), 1);
    fs::remove_dir_all(folder.path().join("flows.json")).unwrap();
    drop(store);
    let store = open(folder.path());
    assert_holds(&store, 1);
    save(&store, &version(2), &credentials(2)).unwrap();
    assert_holds(&store, 2);
}

/// A place on the canvas may be any number; what is stored must read back to exactly the same (serde_json's `float_roundtrip`).
#[test]
fn numbers_come_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let places: Vec<f64> = (1..2000)
        .map(|n| f64::from(n) * 1000.0 / 7.0 / 13.0)
        .collect();
    let flows = Flows::from_value(json!([{"id": "t", "type": "tab", "places": places}])).unwrap();
    let exact = StoredVersion {
        rev: flows.rev(),
        time: 1,
        flows: Arc::new(flows),
    };
    let store = open(folder.path());
    save(&store, &exact, &Credentials::default()).unwrap();
    drop(store);
    for lost in ["flows.json", "flows.sled"] {
        let path = folder.path().join(lost);
        fs::remove_file(&path)
            .or_else(|_| fs::remove_dir_all(&path))
            .unwrap();
        let loaded = open(folder.path()).load().unwrap().unwrap().0;
        assert_eq!(loaded.flows, exact.flows);
        assert_eq!(loaded.flows.rev(), exact.rev);
    }
}
