//! Which nodes a change restarts (Node-RED's rules for deploys of type `nodes` and `flows`).

use flowrill::flow::DeployMode;
use serde_json::{Value as Json, json};

use super::deploy::{probes, taken};
use crate::support::flows::node;

/// A tab with a group, a tab without, and a config node that two probes and another config node name.
fn house(change: impl FnOnce(&mut Vec<Json>)) -> Json {
    let mut flows = vec![
        json!({"id": "t", "type": "tab", "env": []}),
        json!({"id": "u", "type": "tab"}),
        json!({"id": "outer", "type": "group", "z": "t", "nodes": ["inner"], "env": [], "w": 10}),
        json!({"id": "inner", "type": "group", "z": "t", "g": "outer", "nodes": ["a"], "style": {}}),
        json!({"id": "base", "type": "probe", "port": 1}),
        json!({"id": "conf", "type": "probe", "base": "base"}),
        json!({"id": "vars", "type": "global-config", "env": []}),
        node("a", "probe", json!({"g": "inner", "wires": [["b"]]})),
        node("b", "probe", json!({"server": "conf", "wires": [[]]})),
        node("c", "probe", json!({})),
        node("d", "probe", json!({"z": "u", "wires": [["e"]]})),
        node("e", "probe", json!({"z": "u"})),
    ];
    change(&mut flows);
    flows.into()
}

/// What a deploy of `change` over the unchanged house starts and closes: "+a" and "-a", each sorted.
async fn restarted(mode: DeployMode, change: impl FnOnce(&mut Vec<Json>)) -> String {
    let (test, journal) = probes();
    test.deploy(house(|_| {}), DeployMode::Full).await;
    taken(&journal);
    test.deploy(house(change), mode).await;
    let mut words: Vec<String> = taken(&journal)
        .iter()
        .map(|line| match line.split_once(' ') {
            Some(("start", id)) => format!("+{id}"),
            Some((_, id)) => format!("-{}", id.replace(" removed", "!")),
            None => line.clone(),
        })
        .collect();
    words.sort();
    words.join(" ")
}

#[tokio::test(start_paused = true)]
async fn what_a_change_reaches() {
    use DeployMode::{Flows, Nodes};
    type Change = fn(&mut Vec<Json>);
    let set = |flows: &mut Vec<Json>, id: &str, key: &str, value: Json| {
        let entry = flows.iter_mut().find(|item| item["id"] == id).unwrap();
        entry[key] = value;
    };
    let cases: [(&str, DeployMode, Change, &str); 19] = [
        ("nothing", Flows, |_| {}, ""),
        ("a place", Flows, |f| f[9]["y"] = 7.into(), ""),
        (
            "a property that no manifest knows",
            Nodes,
            |f| f[9]["odd"] = 1.into(),
            "+c -c",
        ),
        (
            "a config node: its users too",
            Nodes,
            |f| f[5]["port"] = 2.into(),
            "+b +conf -b -conf",
        ),
        (
            "a config node of a config node",
            Nodes,
            |f| f[4]["port"] = 2.into(),
            "+b +base +conf -b -base -conf",
        ),
        (
            "a config node that goes",
            Nodes,
            |f| drop(f.remove(5)),
            "+b -b -conf!",
        ),
        (
            "a config node, linked",
            Flows,
            |f| f[5]["port"] = 2.into(),
            "+a +b +conf -a -b -conf",
        ),
        ("a group's size", Nodes, |f| f[2]["w"] = 99.into(), ""),
        (
            "a group's style",
            Nodes,
            |f| f[3]["style"] = json!({"fill": "red"}),
            "",
        ),
        (
            "a group's name",
            Nodes,
            |f| f[3]["name"] = "new".into(),
            "+a -a",
        ),
        (
            "an outer group's variables",
            Nodes,
            |f| f[2]["env"] = json!([{"name": "A", "type": "num", "value": "1"}]),
            "+a -a",
        ),
        (
            "a node that leaves its group",
            Nodes,
            |f| f[7]["g"] = json!(null),
            "+a -a",
        ),
        ("a tab's name", Nodes, |f| f[1]["label"] = "new".into(), ""),
        (
            "a tab's variables",
            Nodes,
            |f| f[1]["env"] = json!([{"name": "A", "type": "num", "value": "1"}]),
            "+d +e -d -e",
        ),
        ("a wire", Nodes, |f| f[10]["wires"] = json!([[]]), ""),
        (
            "a wire, linked",
            Flows,
            |f| f[10]["wires"] = json!([[]]),
            "+d +e -d -e",
        ),
        (
            "a node that moves to another tab",
            Nodes,
            |f| f[9]["z"] = "u".into(),
            "+c -c",
        ),
        (
            "a new node",
            Nodes,
            |f| f.push(node("n", "probe", json!({"wires": [["c"]]}))),
            "+n",
        ),
        (
            "the global variables",
            Nodes,
            |f| f[6]["env"] = json!([{"name": "A", "type": "num", "value": "1"}]),
            "+a +b +base +c +conf +d +e -a -b -base -c -conf -d -e",
        ),
    ];
    for (about, mode, change, expected) in cases {
        assert_eq!(restarted(mode, change).await, expected, "{about}");
    }
    let disabled = restarted(Nodes, |flows| set(flows, "u", "disabled", true.into())).await;
    assert_eq!(disabled, "-d! -e!");
    let disabled = restarted(Nodes, |flows| set(flows, "c", "d", true.into())).await;
    assert_eq!(disabled, "-c!");
}
