//! What is left after files were damaged, lost, changed or are of different age.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;

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
            save(&store, &version(4), &credentials(4)).unwrap();
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
            save(&store, &version(4), &credentials(4)).unwrap();
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
    save(&store, &version(4), &credentials(4)).unwrap();
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
    save(&open(folder.path()), &version(3), &credentials(3)).unwrap();
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
    save(&open(folder.path()), &version(3), &credentials(3)).unwrap();
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
