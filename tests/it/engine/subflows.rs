//! Subflows: instances with their own nodes, variables, context, errors and statuses.

use flowrill::{engine::LogLevel, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node};

fn tab() -> Json {
    json!({"id": "t", "type": "tab", "label": "Home"})
}

/// A definition `s` with these further properties.
fn definition(properties: Json) -> Json {
    let mut definition = json!({
        "id": "s", "type": "subflow", "name": "Sub",
        "in": [{"x": 1, "y": 1, "wires": [{"id": "a"}]}],
        "out": [{"x": 9, "y": 1, "wires": [{"id": "b", "port": 0}]}]
    });
    for (key, value) in properties.as_object().unwrap() {
        definition[key] = value.clone();
    }
    definition
}

/// A node within definition `s`.
fn inner(id: &str, type_name: &str, properties: Json) -> Json {
    let mut inner = node(id, type_name, properties);
    inner["z"] = "s".into();
    inner
}

fn function(code: &str, wires: Json) -> Json {
    json!({"func": code, "outputs": 1, "wires": wires})
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_through_an_instance_and_its_nodes_have_ids_of_their_own() {
    let mut test = TestFlows::run(json!([
        tab(),
        definition(json!({})),
        inner(
            "a",
            "function",
            function("msg.payload += 1; return msg", json!([["b"]]))
        ),
        inner("b", "junction", json!({})),
        node("one", "subflow:s", json!({"wires": [["two"]]})),
        node("two", "subflow:s", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    test.send("one", json!({"payload": 1, "_msgid": "m"}));
    let seen = test.settle().await;
    let way: Vec<&str> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Got(id, _) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        way,
        ["one", "one-a", "one-b", "two", "two-a", "two-b", "end"]
    );
    assert_eq!(got(&seen, "end"), [json!({"payload": 3})]);
}

#[tokio::test(start_paused = true)]
async fn subflows_nest_and_an_input_may_lead_straight_to_an_output() {
    let mut test = TestFlows::run(json!([
        tab(),
        definition(json!({"in": [{"wires": [{"id": "deep"}]}], "out": [
            {"wires": [{"id": "deep", "port": 0}]},
            {"wires": [{"id": "s", "port": 0}]}
        ]})),
        inner("deep", "subflow:d", json!({})),
        {"id": "d", "type": "subflow", "in": [{"wires": [{"id": "f"}]}], "out": [{"wires": [{"id": "f", "port": 0}]}]},
        {"id": "f", "type": "function", "z": "d", "x": 1, "y": 1, "func": "msg.payload = env.get('NR_NODE_PATH'); return msg", "wires": [[]]},
        node("i", "subflow:s", json!({"wires": [["end"], ["straight"]]})),
        node("end", "junction", json!({})),
        node("straight", "junction", json!({})),
    ]))
    .await;
    test.send("i", json!({"payload": 0}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), [json!({"payload": "t/i/deep/f"})]);
    assert_eq!(got(&seen, "straight"), [json!({"payload": 0})]);
}

#[tokio::test(start_paused = true)]
async fn variables_of_the_instance_go_over_those_of_the_definition_and_the_tab() {
    let code = "msg.payload = ['A','B','C','D','NR_SUBFLOW_NAME','NR_SUBFLOW_ID','NR_FLOW_NAME','$parent.A'].map(n => env.get(n)); return msg";
    let mut test = TestFlows::run(json!([
        {"id": "t", "type": "tab", "label": "Home", "env": [
            {"name": "A", "value": "tab", "type": "str"}, {"name": "D", "value": "from tab", "type": "str"}
        ]},
        definition(json!({"env": [
            {"name": "A", "value": "definition", "type": "str"},
            {"name": "B", "value": "2", "type": "num"},
            {"name": "C", "value": "A", "type": "env"}
        ]})),
        inner("a", "function", function(code, json!([["b"]]))),
        inner("b", "junction", json!({})),
        node("i", "subflow:s", json!({"name": "kitchen", "env": [{"name": "A", "value": "instance", "type": "str"}], "wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [
            json!({"payload": ["instance", 2, "instance", "from tab", "kitchen", "i", "Home", "tab"]})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_variable_may_name_itself_for_the_one_around_it_and_circles_end() {
    let code = "msg.payload = ['A','X','Y'].map(n => env.get(n)); return msg";
    let mut test = TestFlows::run(json!([
        {"id": "t", "type": "tab", "env": [{"name": "A", "value": "tab", "type": "str"}]},
        definition(json!({"env": [
            {"name": "A", "value": "A", "type": "env"},
            {"name": "X", "value": "${Y}", "type": "env"},
            {"name": "Y", "value": "${X}", "type": "env"}
        ]})),
        inner("a", "function", function(code, json!([["b"]]))),
        inner("b", "junction", json!({})),
        node("i", "subflow:s", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [json!({"payload": ["tab", "${X}", "${X}"]})]
    );
}

#[tokio::test(start_paused = true)]
async fn each_instance_has_its_own_context() {
    let code = "let n = (flow.get('n') || 0) + 1; flow.set('n', n); let m = (context.get('m') || 0) + 1; context.set('m', m); msg.payload = [n, m]; return msg";
    let mut test = TestFlows::run(json!([
        tab(),
        definition(json!({})),
        inner("a", "function", function(code, json!([["b"]]))),
        inner("b", "junction", json!({})),
        node("i", "subflow:s", json!({"wires": [["end"]]})),
        node("j", "subflow:s", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    for instance in ["i", "i", "j"] {
        test.send(instance, json!({}));
    }
    let payloads: Vec<Json> = test
        .received("end")
        .await
        .into_iter()
        .map(|msg| msg["payload"].clone())
        .collect();
    assert_eq!(payloads, [json!([1, 1]), json!([2, 2]), json!([1, 1])]);
}

#[tokio::test(start_paused = true)]
async fn errors_that_nobody_inside_catches_reach_the_tab_as_the_instances() {
    let flows = |inside: Json, scope: Json| {
        json!([
            tab(),
            definition(json!({})),
            inner(
                "a",
                "function",
                function("throw new Error('broken')", json!([["b"]]))
            ),
            inner("b", "junction", json!({})),
            inside,
            node("i", "subflow:s", json!({"wires": [[]]})),
            node(
                "catch",
                "catch",
                json!({"scope": scope, "wires": [["end"]]})
            ),
            node("end", "junction", json!({})),
        ])
    };
    let nothing = || inner("none", "comment", json!({}));
    let within = || inner("c", "catch", json!({"scope": ["a"]}));
    for (inside, scope, caught) in [
        (nothing(), json!(null), true),
        (nothing(), json!(["i"]), true),
        (nothing(), json!(["other"]), false),
        (within(), json!(null), false),
    ] {
        let mut test = TestFlows::run(flows(inside.clone(), scope.clone())).await;
        test.send("i", json!({"payload": 1}));
        let seen = test.settle().await;
        let at_end = got(&seen, "end");
        assert_eq!(at_end.len(), usize::from(caught), "{inside} {scope}");
        if let Some(msg) = at_end.first() {
            assert_eq!(msg["error"]["source"]["id"], "i-a");
            assert_eq!(msg["error"]["message"], "Error: broken");
        } else if got(&seen, "i-c").is_empty() {
            assert_eq!(logged(&seen, LogLevel::Error).len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_inside_reach_the_tab_unless_the_subflow_has_a_status_output() {
    let flows = |definition: Json| {
        json!([
            tab(),
            definition,
            inner(
                "a",
                "function",
                function(
                    "node.status({fill: 'red', shape: 'dot', text: 'inner'}); return msg",
                    json!([["b"]])
                )
            ),
            inner("b", "junction", json!({})),
            node("i", "subflow:s", json!({"wires": [[]]})),
            node(
                "status",
                "status",
                json!({"scope": ["i"], "wires": [["end"]]})
            ),
            node("end", "junction", json!({})),
        ])
    };
    let mut test = TestFlows::run(flows(definition(json!({})))).await;
    test.settle().await;
    test.send("i", json!({"payload": 1}));
    let seen = test.received("end").await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["status"]["text"], "inner");
    assert_eq!(seen[0]["status"]["source"]["id"], "i-a");

    let mut test = TestFlows::run(flows(definition(
        json!({"status": {"wires": [{"id": "b", "port": 0}]}}),
    )))
    .await;
    test.settle().await;
    for (payload, text) in [
        (json!("hello"), json!("hello")),
        (json!({"text": "t", "fill": "green"}), json!("t")),
        (json!({"a": 1}), json!("{ a: 1 }")),
        (json!(5), json!("5")),
    ] {
        test.send("i", json!({"payload": payload}));
        let seen = test.received("end").await;
        assert_eq!(seen.len(), 1, "{payload}");
        assert_eq!(seen[0]["status"]["text"], text);
        assert_eq!(seen[0]["status"]["source"]["id"], "i");
    }
}

#[tokio::test(start_paused = true)]
async fn links_and_scopes_stay_within_their_instance() {
    let mut test = TestFlows::run(json!([
        tab(),
        definition(json!({"out": [{"wires": [{"id": "in", "port": 0}]}], "in": [{"wires": [{"id": "out"}]}]})),
        inner("out", "link out", json!({"links": ["in"]})),
        inner("in", "link in", json!({"links": ["out"], "wires": [[]]})),
        node("i", "subflow:s", json!({"wires": [["end"]]})),
        node("j", "subflow:s", json!({"wires": [["other"]]})),
        node("end", "junction", json!({})),
        node("other", "junction", json!({})),
    ]))
    .await;
    test.send("i", json!({"payload": 1}));
    let seen = test.settle().await;
    assert_eq!(
        got(&seen, "end"),
        [json!({"payload": 1, "_event": "node:i-out"})]
    );
    assert!(got(&seen, "other").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_changed_definition_restarts_its_instances_and_a_rewired_instance_keeps_running() {
    let flows = |code: &str, wires: Json| {
        json!([
            tab(),
            definition(json!({})),
            inner("a", "function", function(code, json!([["b"]]))),
            inner(
                "b",
                "function",
                function(
                    "let n = (context.get('n') || 0) + 1; context.set('n', n); msg.n = n; return msg",
                    json!([[]])
                )
            ),
            node("i", "subflow:s", json!({"wires": [wires]})),
            node("end", "junction", json!({})),
            node("other", "junction", json!({})),
        ])
    };
    let mut test = TestFlows::run(flows("return msg", json!(["end"]))).await;
    test.send("i", json!({}));
    assert_eq!(test.received("end").await, [json!({"n": 1})]);
    test.deploy(flows("return msg", json!(["other"])), DeployMode::Nodes)
        .await;
    test.send("i", json!({}));
    assert_eq!(test.received("other").await, [json!({"n": 2})]);
    test.deploy(
        flows("msg.new = true; return msg", json!(["other"])),
        DeployMode::Nodes,
    )
    .await;
    test.send("i", json!({}));
    assert_eq!(test.received("other").await, [json!({"n": 1, "new": true})]);
}

#[tokio::test(start_paused = true)]
async fn a_subflow_within_itself_is_told_about_and_the_rest_runs() {
    let mut test = TestFlows::run(json!([
        tab(),
        definition(
            json!({"in": [{"wires": [{"id": "a"}]}], "out": [{"wires": [{"id": "a", "port": 0}]}]})
        ),
        inner("a", "junction", json!({})),
        inner("again", "subflow:s", json!({})),
        node("i", "subflow:s", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    test.send("i", json!({"payload": 1}));
    assert_eq!(test.received("end").await, [json!({"payload": 1})]);
}
