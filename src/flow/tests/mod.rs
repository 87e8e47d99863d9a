//! Tests of graphs, wiring and diffs: flow JSON in, what runs out.

mod shared;

use std::collections::BTreeMap;

use serde_json::json;

use super::{DeployMode, Flows, Graph, Level, ProcessEnv, diff, lint};
use crate::catalog::Catalog;

fn catalog() -> Catalog {
    Catalog::builtin("en").unwrap()
}

fn no_credentials(_: &str) -> BTreeMap<String, String> {
    BTreeMap::new()
}

#[test]
fn lint_names_every_problem_and_never_stops_at_the_first() {
    let flows = Flows::from_value(json!([
        {"type": "debug"},
        {"id": "no type"},
        {"id": "a", "type": "alien"},
        {"id": "b", "type": "mqtt in", "topic": ""},
        {"id": "c", "type": "mqtt in", "topic": "x", "broker": "gone"},
        {"id": "d", "type": "debug", "wires": [["nobody"]]},
        {"id": "d", "type": "debug"},
        {"id": "fine", "type": "mqtt in", "topic": "x", "inputs": 0},
        {"id": "dynamic", "type": "mqtt in", "topic": "", "inputs": 1}
    ]));
    let problems = lint(&flows.unwrap(), &catalog());
    let found: Vec<(Option<&str>, Level, &str)> = problems
        .iter()
        .map(|problem| (problem.node.as_deref(), problem.level, problem.code))
        .collect();
    assert_eq!(
        found,
        [
            (None, Level::Error, "no_id"),
            (Some("no type"), Level::Error, "no_type"),
            (Some("d"), Level::Error, "duplicate_id"),
            (Some("a"), Level::Warning, "missing_type"),
            (Some("b"), Level::Error, "required"),
            (Some("c"), Level::Error, "missing_config"),
            (Some("d"), Level::Warning, "dangling_wire"),
        ]
    );
}

#[test]
fn a_property_is_called_what_its_form_calls_it() {
    let flows = Flows::from_value(json!([
        {"id": "t", "type": "tab"},
        {"id": "w", "type": "watch", "z": "t", "x": 1, "y": 1, "files": "", "wires": [[]]},
    ]));
    let problems = lint(&flows.unwrap(), &catalog());
    assert_eq!(
        problems[0].message,
        "\"Files and folders\" is empty; open the node and fill it in"
    );
}

#[test]
fn config_nodes_start_before_those_that_name_them() {
    let flows = Flows::from_value(json!([
        {"id": "t", "type": "tab"},
        {"id": "in", "type": "mqtt in", "z": "t", "x": 1, "y": 1, "broker": "br"},
        {"id": "br", "type": "mqtt-broker"},
        {"id": "x", "type": "debug", "z": "t", "x": 1, "y": 1}
    ]));
    let graph = Graph::resolve(
        &flows.unwrap(),
        &catalog(),
        &ProcessEnv::default(),
        &no_credentials,
    );
    let order: Vec<&str> = graph.nodes.keys().map(|id| &**id).collect();
    assert_eq!(order, ["br", "in", "x"]);
}

#[test]
fn a_changed_config_node_restarts_its_users_only() {
    let graph = |port: u32| {
        let flows = Flows::from_value(json!([
            {"id": "br", "type": "mqtt-broker", "port": port},
            {"id": "in", "type": "mqtt in", "z": "t", "topic": "a", "broker": "br"},
            {"id": "x", "type": "debug", "z": "t"}
        ]));
        Graph::resolve(
            &flows.unwrap(),
            &catalog(),
            &ProcessEnv::default(),
            &no_credentials,
        )
    };
    let changes = diff(&graph(1), &graph(2), DeployMode::Nodes, &Default::default());
    let started: Vec<&str> = changes.start.iter().map(|id| &**id).collect();
    assert_eq!(started, ["br", "in"]);
}

#[test]
fn secret_variables_come_from_the_credentials() {
    let cred = |name: &str| json!({"name": name, "type": "cred", "value": ""});
    let flows = Flows::from_value(json!([
        {"id": "g", "type": "global-config", "env": [cred("SITE")]},
        {"id": "t", "type": "tab", "env": [cred("TAB")]},
        {"id": "group", "type": "group", "z": "t", "env": [cred("GROUP")]},
        {"id": "s", "type": "subflow", "env": [cred("KEPT"), cred("OVER")]},
        {"id": "i", "type": "subflow:s", "z": "t", "g": "group", "env": [cred("KEPT"), cred("OVER")]},
        {"id": "n", "type": "junction", "z": "s"}
    ]));
    let credentials = |id: &str| -> BTreeMap<String, String> {
        let pairs: &[(&str, &str)] = match id {
            "g" => &[("map", "{\"SITE\": \"site\"}")],
            "t" => &[("TAB", "tab")],
            "group" => &[("GROUP", "group")],
            "s" => &[("KEPT", "kept"), ("OVER", "under")],
            "i" => &[("OVER", "over")],
            _ => &[],
        };
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let graph = Graph::resolve(
        &flows.unwrap(),
        &catalog(),
        &ProcessEnv::default(),
        &credentials,
    );
    let env = &graph.nodes["i-n"].env;
    for (name, value) in [
        ("SITE", "site"),
        ("TAB", "tab"),
        ("GROUP", "group"),
        ("KEPT", "kept"),
        ("OVER", "over"),
    ] {
        assert_eq!(env.get(name), Some(value.into()), "{name}");
    }
}

#[test]
fn the_parent_of_a_variable_is_one_level_out_whether_or_not_that_level_has_any() {
    let define = |value: &str| json!([{"name": "A", "value": value}]);
    let flows = Flows::from_value(json!([
        {"id": "g", "type": "global-config", "env": define("global")},
        {"id": "t", "type": "tab", "env": define("tab")},
        {"id": "outer", "type": "group", "z": "t", "env": define("outer")},
        {"id": "inner", "type": "group", "z": "t", "g": "outer"},
        {"id": "n", "type": "junction", "z": "t", "g": "inner"}
    ]));
    let graph = Graph::resolve(
        &flows.unwrap(),
        &catalog(),
        &ProcessEnv::default(),
        &no_credentials,
    );
    let env = &graph.nodes["n"].env;
    for (name, value) in [
        ("A", "outer"),
        ("$parent.A", "outer"),
        ("$parent.$parent.A", "tab"),
        ("$parent.$parent.$parent.A", "global"),
    ] {
        assert_eq!(env.get(name), Some(value.into()), "{name}");
    }
}
