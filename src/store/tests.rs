//! Tests of the store on disk: what survives which damage.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

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
        store.save(&version(n), &credentials(n)).unwrap();
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

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

type Damage = fn(&Path);

fn flip_bit(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
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
    store.save(&version(1), &credentials(1)).unwrap();
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
    open(folder.path())
        .save(&large, &Credentials::default())
        .unwrap();
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

/// Each file damaged in each way: the last version is there, with its credentials.
#[test]
fn one_damaged_file_costs_nothing() {
    let files = ["flows.json", "flows.meta.json", "credentials.json"];
    let damages: [(&str, Damage); 5] = [
        ("gone", |path| fs::remove_file(path).unwrap()),
        ("empty", |path| fs::write(path, "").unwrap()),
        ("cut short", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a bit flipped", |path| {
            flip_bit(path, fs::metadata(path).unwrap().len() as usize / 2);
        }),
        ("noise", |path| {
            fs::write(path, [0xff, 0xfe, 0, 0, 1, 2, 3]).unwrap();
        }),
    ];
    for file in files {
        for (how, damage) in &damages {
            let folder = filled(3);
            damage(&folder.path().join(file));
            let store = open(folder.path());
            assert_holds(&store, 3);
            assert_eq!(
                store.notices().len(),
                1,
                "{file} {how}: {:?}",
                store.notices()
            );
            store.save(&version(4), &credentials(4)).unwrap();
            drop(store);
            let store = open(folder.path());
            assert_holds(&store, 4);
            assert!(
                store.notices().is_empty(),
                "{file} {how}: {:?}",
                store.notices()
            );
        }
    }
}

fn sled_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![folder.join("flows.sled/db"), folder.join("flows.sled/conf")];
    files.retain(|path| path.exists());
    assert_eq!(files.len(), 2);
    files
}

#[test]
fn a_damaged_database_is_set_aside_and_the_mirror_taken() {
    for index in 0..2 {
        let damages: [Damage; 3] = [
            |path| {
                let length = fs::metadata(path).unwrap().len() as usize;
                fs::write(path, vec![0xab; length]).unwrap();
            },
            |path| {
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 3]).unwrap();
            },
            |path| flip_bit(path, 40),
        ];
        for (way, damage) in damages.iter().enumerate() {
            let folder = filled(3);
            let file = sled_files(folder.path()).remove(index);
            damage(&file);
            let store = open(folder.path());
            assert_holds(&store, 3);
            store.save(&version(4), &credentials(4)).unwrap();
            drop(store);
            let store = open(folder.path());
            assert_holds(&store, 4);
            assert!(
                store.notices().is_empty(),
                "{index} {way}: {:?}",
                store.notices()
            );
        }
    }
}

#[test]
fn a_lost_database_is_made_anew_and_counts_on() {
    let folder = filled(3);
    fs::remove_dir_all(folder.path().join("flows.sled")).unwrap();
    let store = open(folder.path());
    assert_holds(&store, 3);
    assert_eq!(store.history().unwrap().len(), 1);
    store.save(&version(4), &credentials(4)).unwrap();
    assert_eq!(store.history().unwrap().len(), 2);
}

#[test]
fn a_changed_mirror_is_kept_for_the_person_and_not_run() {
    let folder = filled(2);
    fs::write(folder.path().join("flows.json"), "[]").unwrap();
    let store = open(folder.path());
    assert_holds(&store, 2);
    assert!(store.notices()[0].contains("--flows"));
    assert!(
        names(folder.path())
            .iter()
            .any(|name| name.starts_with("flows.json.changed-"))
    );
}

#[test]
fn the_newer_copy_wins_whichever_it_is() {
    // The mirror is one deploy behind, as after a kill between the two.
    let folder = filled(2);
    let mirror = ["flows.json", "flows.meta.json", "credentials.json"];
    let old: Vec<_> = mirror
        .iter()
        .map(|name| fs::read(folder.path().join(name)).unwrap())
        .collect();
    open(folder.path())
        .save(&version(3), &credentials(3))
        .unwrap();
    let new: Vec<_> = mirror
        .iter()
        .map(|name| fs::read(folder.path().join(name)).unwrap())
        .collect();
    // Each point between the renames: credentials first, then the meta file, then the flows.
    for renamed in 0..=3 {
        for (index, name) in mirror.iter().enumerate() {
            let order = [2, 1, 0][index];
            let bytes = if order < renamed {
                &new[index]
            } else {
                &old[index]
            };
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        assert_holds(&open(folder.path()), 3);
    }
    // The same points with the database lost: the old version until the last rename, the new one after it.
    for renamed in 0..=3 {
        for (index, name) in mirror.iter().enumerate() {
            let order = [2, 1, 0][index];
            let bytes = if order < renamed {
                &new[index]
            } else {
                &old[index]
            };
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        fs::remove_dir_all(folder.path().join("flows.sled")).unwrap();
        assert_holds(&open(folder.path()), if renamed == 3 { 3 } else { 2 });
    }
}

#[test]
fn the_mirror_wins_over_an_older_database() {
    let folder = filled(2);
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path().join("flows.sled")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    open(folder.path())
        .save(&version(3), &credentials(3))
        .unwrap();
    fs::remove_dir_all(folder.path().join("flows.sled")).unwrap();
    fs::create_dir(folder.path().join("flows.sled")).unwrap();
    for entry in fs::read_dir(copy.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            folder.path().join("flows.sled").join(entry.file_name()),
        )
        .unwrap();
    }
    let store = open(folder.path());
    assert_holds(&store, 3);
    assert!(
        store.notices()[0].contains("interrupted"),
        "{:?}",
        store.notices()
    );
    assert_eq!(store.history().unwrap()[0].rev, version(3).rev);
}

#[test]
fn without_its_key_the_flows_run_and_the_file_is_kept() {
    let folder = filled(2);
    let key = fs::read(folder.path().join("key")).unwrap();
    let damages: [Damage; 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "no key").unwrap(),
        |path| {
            let other = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n";
            fs::write(path, other).unwrap();
        },
    ];
    for damage in damages {
        damage(&folder.path().join("key"));
        for _ in 0..2 {
            let store = open(folder.path());
            let (loaded, found) = store.load().unwrap().unwrap();
            assert_eq!(loaded.flows, version(2).flows);
            assert!(found.is_empty());
            assert!(store.notices().last().unwrap().contains("key"));
        }
        let aside = names(folder.path());
        let aside = aside
            .iter()
            .find(|name| name.contains("unreadable"))
            .unwrap();
        // With the right key back, all is there again.
        fs::write(folder.path().join("key"), &key).unwrap();
        fs::remove_file(folder.path().join(aside)).unwrap();
        assert_holds(&open(folder.path()), 2);
    }
}

#[test]
fn what_cannot_be_written_leaves_what_was() {
    let folder = filled(1);
    let store = open(folder.path());
    // A folder in its place: the file can be written beside it, but not renamed over it.
    fs::remove_file(folder.path().join("flows.json")).unwrap();
    fs::create_dir_all(folder.path().join("flows.json/x")).unwrap();
    let error = store.save(&version(2), &credentials(2)).unwrap_err();
    assert!(error.to_string().contains("flows.json can't be written"));
    assert_holds(&store, 1);
    assert_eq!(store.history().unwrap().len(), 1);
    fs::remove_dir_all(folder.path().join("flows.json")).unwrap();
    drop(store);
    let store = open(folder.path());
    assert_holds(&store, 1);
    store.save(&version(2), &credentials(2)).unwrap();
    assert_holds(&store, 2);
}
