//! Who may import whom (ARCHITECTURE.md), read from the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Layer, and the modules of ours that it may name.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("message", &[]),
    ("catalog", &["message"]),
    ("flow", &["catalog", "message"]),
    ("engine", &["flow", "catalog", "message"]),
    ("store", &["flow", "message", "engine", "catalog"]),
    ("script", &["engine", "message", "flow", "catalog"]),
    ("broker", &["store"]),
    ("mqtt", &["broker"]),
];

/// A crate, and the only places under src/ where it may stand.
const ONLY_IN: [(&str, &[&str]); 5] = [
    ("rumqttd", &["broker/bus"]),
    ("rumqttc", &["mqtt"]),
    ("rquickjs", &["script"]),
    ("sled", &["store/sled"]),
    ("axum", &["server"]),
];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, code(&fs::read_to_string(&path).unwrap())));
            }
        }
    }
    assert!(found.len() > 30);
    found
}

/// The source without comments and without the tests at its end.
fn code(source: &str) -> String {
    let end = source
        .find("#[cfg(test)]\nmod tests {")
        .unwrap_or(source.len());
    source[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

#[test]
fn layers_import_only_what_is_below_them() {
    let modules = [
        "message", "catalog", "flow", "engine", "store", "script", "broker", "mqtt", "nodes",
        "server", "runtime", "app", "cli", "settings",
    ];
    let mut wrong = Vec::new();
    for (file, source) in sources().iter().filter(|(file, _)| !is_test(file)) {
        let Some((layer, allowed)) = MAY_USE
            .iter()
            .find(|(layer, _)| file.starts_with(&format!("{layer}/")))
        else {
            continue;
        };
        for module in modules
            .iter()
            .filter(|module| *module != layer && !allowed.contains(module))
        {
            let direct = source.contains(&format!("crate::{module}"));
            let grouped = source.split("use crate::{").skip(1).any(|rest| {
                let group = rest.split("};").next().unwrap_or_default();
                group
                    .split(|character: char| !character.is_alphanumeric() && character != '_')
                    .next()
                    == Some(*module)
                    || group.contains(&format!("\n    {module}::"))
            });
            if direct || grouped {
                wrong.push(format!(
                    "src/{file} uses crate::{module}, which {layer} may not"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_big_library_stands_in_one_place() {
    let mut wrong = Vec::new();
    for (file, source) in sources() {
        for (library, places) in ONLY_IN {
            let named = source.contains(&format!("{library}::"));
            if named && !places.iter().any(|place| file.starts_with(place)) {
                wrong.push(format!(
                    "src/{file} uses {library}, which belongs into {places:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn node_files_do_not_use_each_other() {
    let mut wrong = Vec::new();
    for (file, source) in sources()
        .iter()
        .filter(|(file, _)| file.starts_with("nodes/") && file.matches('/').count() == 2)
    {
        let folder = file.split('/').nth(1).unwrap_or_default();
        for other in [
            "common", "function", "network", "parser", "sequence", "storage",
        ]
        .iter()
        .filter(|other| **other != folder)
        {
            if source.contains(&format!("nodes::{other}")) && folder != "shared" {
                wrong.push(format!("src/{file} uses nodes::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
