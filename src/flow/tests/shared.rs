//! A deploy that takes over what is the same leads to what working everything out anew leads to.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use super::{catalog, no_credentials};
use crate::flow::{Flows, Graph, NodeDef, ProcessEnv, same_wiring, wire};

fn base() -> Vec<Json> {
    let node = |id: &str, z: &str| json!({"id": id, "type": "function", "z": z, "x": 1, "y": 1, "func": "return msg", "wires": [["b"]]});
    let mut named = node("named", "t");
    named["func"] = "${GREETING}".into();
    let mut grouped = node("grouped", "t");
    grouped["g"] = "g1".into();
    vec![
        json!({"id": "t", "type": "tab", "label": "T", "env": [{"name": "GREETING", "value": "hi", "type": "str"}]}),
        json!({"id": "u", "type": "tab", "label": "U"}),
        json!({"id": "g1", "type": "group", "z": "t", "g": "g2", "nodes": ["grouped"], "env": [{"name": "A", "value": "1"}]}),
        json!({"id": "g2", "type": "group", "z": "t", "nodes": []}),
        node("a", "t"),
        node("b", "u"),
        named,
        grouped,
        json!({"id": "s", "type": "subflow", "in": [{"wires": [{"id": "inner"}]}], "out": [{"wires": [{"id": "inner", "port": 0}]}]}),
        node("inner", "s"),
        json!({"id": "i", "type": "subflow:s", "z": "u", "x": 1, "y": 1, "wires": [["a"]]}),
        json!({"id": "broker", "type": "mqtt-broker", "broker": "localhost"}),
        json!({"id": "in", "type": "mqtt in", "z": "u", "x": 1, "y": 1, "broker": "broker", "topic": "x"}),
        node("lost", "nowhere"),
        json!({"id": "catch", "type": "catch", "z": "t", "scope": ["a", "grouped"], "wires": [["b"]]}),
        json!({"id": "status", "type": "status", "z": "u", "x": 1, "y": 1, "scope": null}),
        json!({"id": "out", "type": "link out", "z": "t", "mode": "link", "links": ["link"]}),
        json!({"id": "link", "type": "link in", "z": "u", "links": []}),
        json!({"id": "alien", "type": "alien", "z": "u", "x": 1, "y": 1}),
    ]
}

/// All that can be seen of a node, but its variables.
fn told(graph: &Graph) -> Vec<String> {
    let node = |node: &Arc<NodeDef>| {
        let env: Vec<String> = [
            "GREETING",
            "A",
            "NR_FLOW_NAME",
            "NR_GROUP_NAME",
            "NR_NODE_PATH",
            "FROM_OUTSIDE",
        ]
        .into_iter()
        .map(|name| format!("{:?}", node.env.get(name)))
        .collect();
        format!(
            "{:?} {:?} {} {:?} {} {} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {env:?}",
            node.id,
            node.alias,
            node.type_name,
            node.name,
            node.flow,
            node.tab,
            node.instances,
            node.z,
            node.groups,
            node.wires,
            node.config,
            node.item,
            node.is_config,
            node.path
        )
    };
    let mut told: Vec<String> = graph.nodes.values().map(node).collect();
    told.extend(
        graph
            .flows
            .values()
            .map(|flow| format!("{} {:?}", flow.id, flow.label)),
    );
    told.extend(graph.instances.keys().map(|id| format!("instance {id}")));
    let groups: BTreeMap<_, _> = graph.groups.iter().collect();
    told.push(format!(
        "{groups:?} {:?} {:?}",
        graph.missing, graph.env_errors
    ));
    for scope in [
        "t",
        "gone",
        "a:t",
        "i-inner:i",
        "lost:nowhere",
        "inner:s",
        "broker:global",
    ] {
        told.push(format!("{scope} {}", graph.has_scope(scope)));
    }
    told
}

fn find<'a>(items: &'a mut [Json], id: &str) -> &'a mut Json {
    items.iter_mut().find(|item| item["id"] == id).unwrap()
}

/// One change of a flow file.
type Edit = fn(&mut Vec<Json>);

const EDITS: [(&str, Edit); 24] = [
    ("nothing", |_| {}),
    ("a property", |items| {
        find(items, "a")["func"] = "return null".into()
    }),
    ("a name", |items| find(items, "b")["name"] = "B".into()),
    ("a new node", |items| {
        items.push(json!({"id": "c", "type": "debug", "z": "t"}))
    }),
    ("a node that is gone", |items| {
        items.retain(|item| item["id"] != "a")
    }),
    ("another order", |items| items.swap(4, 6)),
    ("the order of properties", |items| {
        let wires = find(items, "b")
            .as_object_mut()
            .unwrap()
            .shift_remove("x")
            .unwrap();
        find(items, "b")["x"] = wires;
    }),
    ("a disabled node", |items| {
        find(items, "a")["d"] = true.into()
    }),
    ("a disabled tab", |items| {
        find(items, "u")["disabled"] = true.into()
    }),
    ("a variable of a tab", |items| {
        find(items, "t")["env"][0]["value"] = "hello".into()
    }),
    ("a variable of a group", |items| {
        find(items, "g1")["env"][0]["value"] = "2".into()
    }),
    ("a group taken out of its group", |items| {
        find(items, "g1").as_object_mut().unwrap().shift_remove("g");
    }),
    ("a group that is gone", |items| {
        items.retain(|item| item["id"] != "g1")
    }),
    ("a tab becomes a subflow", |items| {
        find(items, "t")["type"] = "subflow".into()
    }),
    ("a subflow's node", |items| {
        find(items, "inner")["func"] = "return 1".into()
    }),
    ("a tab for what had none", |items| {
        items.push(json!({"id": "nowhere", "type": "tab", "label": "found"}))
    }),
    ("a scope", |items| {
        find(items, "catch")["scope"] = json!(["named"])
    }),
    ("a catch node hears all", |items| {
        find(items, "catch")["scope"] = Json::Null
    }),
    ("a link", |items| {
        find(items, "link")["links"] = json!(["out"])
    }),
    ("a link that is gone", |items| {
        find(items, "out")["links"] = json!([])
    }),
    ("a wire", |items| {
        find(items, "a")["wires"] = json!([["b", "in"], ["a"]])
    }),
    ("another user of the broker", |items| {
        find(items, "alien")["broker"] = "broker".into()
    }),
    ("another place", |items| find(items, "a")["z"] = "u".into()),
    ("global variables", |items| {
        items.push(
            json!({"id": "gc", "type": "global-config", "env": [{"name": "A", "value": "0"}]}),
        );
    }),
];

#[test]
fn what_is_taken_over_is_what_would_be_worked_out() {
    let process = ProcessEnv::default();
    let anew = |items: &[Json]| {
        let flows = Flows::from_value(items.to_vec().into()).unwrap();
        Graph::resolve(&flows, &catalog(), &process, &no_credentials)
    };
    // Each edit alone after the base, back again, and one after the other.
    let mut all = base();
    let mut steps = vec![("the base", base())];
    for (name, edit) in EDITS {
        let mut items = base();
        edit(&mut items);
        steps.push((name, items));
        steps.push(("back", base()));
    }
    for (name, edit) in EDITS.into_iter().filter(|(name, _)| !name.contains("gone")) {
        edit(&mut all);
        steps.push((name, all.clone()));
    }
    let mut before = Flows::default();
    let mut graph = Graph::default();
    for (name, items) in steps {
        let mut flows = Flows::from_value(items.clone().into()).unwrap();
        let rev = flows.rev();
        let _ = flows.share(&before);
        assert_eq!(flows.rev(), rev, "{name}");
        let next = graph.resolve_after(&flows, &catalog(), &process, &no_credentials);
        assert_eq!(told(&next), told(&anew(&items)), "{name}");
        assert!(
            !same_wiring(&graph, &next) || wire(&graph) == wire(&next),
            "{name}"
        );
        graph = next;
        before = flows;
    }
}

#[test]
fn nodes_are_kept_and_a_changed_variable_of_the_process_is_seen() {
    let process = ProcessEnv::default();
    let flows = Flows::from_value(json!([
        {"id": "plain", "type": "function", "func": "return msg"},
        {"id": "named", "type": "function", "func": "${FLOWRILL_TEST_VARIABLE}"}
    ]))
    .unwrap();
    let first = Graph::resolve(&flows, &catalog(), &process, &no_credentials);
    process.set("FLOWRILL_TEST_VARIABLE", Some("return 1".into()));
    let second = first.resolve_after(&flows, &catalog(), &process, &no_credentials);
    assert!(Arc::ptr_eq(&first.nodes["plain"], &second.nodes["plain"]));
    assert_eq!(second.nodes["named"].config["func"], "return 1");
}
