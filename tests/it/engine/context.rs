//! Context: whose values there are, how long they live, and in which store.

use std::sync::Arc;

use flowrill::{
    engine::{ContextStore, LogLevel, MemoryStore, RuntimeSettings, Scope},
    flow::DeployMode,
    message::{Value, from_wire, to_wire},
    services::Services,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

/// Counts in its own, the flow's and the global context.
const COUNT: &str = "msg.payload = [context, flow, global].map(c => { const n = (c.get('n') || 0) + 1; c.set('n', n); return n }); return msg";

fn function(id: &str, code: &str) -> Json {
    node(id, "function", json!({"func": code, "wires": [["end"]]}))
}

fn tab(id: &str) -> Json {
    json!({"id": id, "type": "tab", "label": id})
}

fn counter(change: impl FnOnce(&mut Vec<Json>)) -> Json {
    let mut flows = vec![
        tab("t"),
        tab("u"),
        function("f", COUNT),
        node("end", "junction", json!({})),
        node(
            "far",
            "function",
            json!({"z": "u", "func": COUNT, "wires": [["end"]]}),
        ),
    ];
    change(&mut flows);
    flows.into()
}

/// What a function sends on for a message.
async fn answer(test: &mut TestFlows, id: &str) -> Json {
    test.send(id, json!({}));
    let messages = test.received("end").await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages[0]["payload"].clone()
}

fn memory(names: &[&str]) -> Vec<(String, Arc<dyn ContextStore>)> {
    let stores = names.iter().map(|name| {
        let store: Arc<dyn ContextStore> = Arc::new(MemoryStore::default());
        ((*name).to_owned(), store)
    });
    stores.collect()
}

#[tokio::test(start_paused = true)]
async fn without_a_store_a_nodes_own_context_ends_with_its_run() {
    let mut test = TestFlows::run(counter(|_| {})).await;
    assert_eq!(answer(&mut test, "f").await, json!([1, 1, 1]));
    assert_eq!(answer(&mut test, "f").await, json!([2, 2, 2]));
    assert_eq!(answer(&mut test, "far").await, json!([1, 1, 3]));
    // A deploy that leaves it alone.
    test.deploy(
        counter(|flows| flows[2]["x"] = 700.into()),
        DeployMode::Nodes,
    )
    .await;
    assert_eq!(answer(&mut test, "f").await, json!([3, 3, 4]));
    // One that restarts it.
    test.deploy(
        counter(|flows| flows[2]["name"] = "new".into()),
        DeployMode::Nodes,
    )
    .await;
    assert_eq!(answer(&mut test, "f").await, json!([1, 4, 5]));
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    assert_eq!(answer(&mut test, "f").await, json!([1, 5, 6]));
    // Stopped and started as a whole.
    test.engine.stop().await;
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    assert_eq!(answer(&mut test, "f").await, json!([1, 6, 7]));
}

#[tokio::test(start_paused = true)]
async fn a_flows_context_lives_until_the_flow_is_removed() {
    let mut test = TestFlows::run(counter(|_| {})).await;
    answer(&mut test, "far").await;
    // A disabled tab is still there.
    let disabled = counter(|flows| flows[1]["disabled"] = true.into());
    test.deploy(disabled, DeployMode::Full).await;
    test.deploy(counter(|_| {}), DeployMode::Nodes).await;
    assert_eq!(answer(&mut test, "far").await, json!([1, 2, 2]));
    let removed = counter(|flows| {
        flows.remove(4);
        flows.remove(1);
    });
    test.deploy(removed, DeployMode::Nodes).await;
    test.deploy(counter(|_| {}), DeployMode::Nodes).await;
    assert_eq!(answer(&mut test, "far").await, json!([1, 1, 3]));
    // Also when the flows stood still in between.
    test.engine.stop().await;
    test.deploy(json!([]), DeployMode::Full).await;
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    assert_eq!(answer(&mut test, "far").await, json!([1, 1, 4]));
}

#[tokio::test(start_paused = true)]
async fn with_stores_a_nodes_own_context_lives_as_long_as_the_node() {
    let mut test = TestFlows::new();
    test.engine.contexts().replace(memory(&["any"]));
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    answer(&mut test, "f").await;
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    assert_eq!(answer(&mut test, "f").await, json!([2, 2, 2]));
    // A disabled node is still there.
    let disabled = counter(|flows| flows[2]["d"] = true.into());
    test.deploy(disabled, DeployMode::Nodes).await;
    test.deploy(counter(|_| {}), DeployMode::Nodes).await;
    assert_eq!(answer(&mut test, "f").await, json!([3, 3, 3]));
    let removed = counter(|flows| drop(flows.remove(2)));
    test.deploy(removed, DeployMode::Nodes).await;
    test.deploy(counter(|_| {}), DeployMode::Nodes).await;
    assert_eq!(answer(&mut test, "f").await, json!([1, 4, 4]));
}

#[tokio::test(start_paused = true)]
async fn stores_have_names_and_an_unknown_one_is_told_once() {
    let mut test = TestFlows::new();
    test.engine.contexts().replace(memory(&["first", "second"]));
    let code = "flow.set('a', 1); flow.set('a', 2, 'second'); flow.set('#:(second)::b', 3); flow.set('c', 4, 'nosuch'); \
        msg.payload = [flow.get('a'), flow.get('a', 'first'), flow.get('#:(second)::a'), flow.get('b'), flow.get('b', 'second'), \
        flow.get('c'), flow.get('c', 'nosuch'), flow.keys(), flow.keys('second'), flow.keys('other')]; return msg";
    let flows = json!([
        tab("t"),
        function("f", code),
        node("end", "junction", json!({}))
    ]);
    test.deploy(flows, DeployMode::Full).await;
    for round in 0..2 {
        test.send("f", json!({}));
        let seen = test.settle().await;
        let undefined = json!({"$t": "undefined"});
        let expected = json!([
            1,
            1,
            2,
            undefined,
            3,
            4,
            4,
            ["a", "c"],
            ["a", "b"],
            ["a", "c"]
        ]);
        assert_eq!(got(&seen, "end"), [json!({ "payload": expected })]);
        let warnings = logged(&seen, LogLevel::Warn);
        match round {
            0 => {
                assert_eq!(warnings.len(), 2, "{warnings:?}");
                assert!(warnings[0].contains("\"nosuch\""), "{warnings:?}");
                assert!(warnings[1].contains("\"other\""), "{warnings:?}");
            }
            _ => assert_eq!(warnings, Vec::<String>::new()),
        }
    }
    // Only memory: its name is known, and "default" is not.
    test.engine.contexts().replace(Vec::new());
    let ctx = test.engine.node("f").unwrap();
    let flow = ctx.store(Scope::Flow);
    flow.set("m", 1.into(), Some("memory")).unwrap();
    assert_eq!(flow.get("m", Some("_")).unwrap(), 1.into());
    assert_eq!(logged(&test.settle().await, LogLevel::Warn).len(), 0);
    assert_eq!(flow.get("m", Some("default")).unwrap(), 1.into());
    assert_eq!(logged(&test.settle().await, LogLevel::Warn).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_are_property_expressions() {
    let test = TestFlows::run(counter(|_| {})).await;
    let ctx = test.engine.node("f").unwrap();
    let flow = ctx.store(Scope::Flow);
    let get = |key: &str| flow.get(key, None).map(|value| to_wire(&value));
    let set = |key: &str, value: Json| flow.set(key, from_wire(&value).unwrap(), None);
    set("a.b[1][\"c d\"]", json!(5)).unwrap();
    let undefined = json!({"$t": "undefined"});
    assert_eq!(get("a").unwrap(), json!({"b": [undefined, {"c d": 5}]}));
    assert_eq!(get("a.b[1]['c d']").unwrap(), 5);
    assert_eq!(get("a.x.y").unwrap(), undefined);
    // Below what is no container nothing is set, silently.
    set("text", json!("x")).unwrap();
    set("text.below", json!(1)).unwrap();
    assert_eq!(get("text").unwrap(), "x");
    set("a.b[0]", undefined.clone()).unwrap();
    assert_eq!(get("a").unwrap(), json!({"b": [{"c d": 5}]}));
    set("a", undefined.clone()).unwrap();
    assert_eq!(flow.keys(None), ["text"]);
    assert_eq!(get("").unwrap_err(), "Invalid context key");
    for key in [".a", "a.", "a b", "a[", "[0]", "a[]", "a[\"\"]"] {
        assert!(get(key).is_err() && set(key, json!(1)).is_err(), "{key}");
    }
    // A tab has nothing above it.
    set("$parent.a", json!(1)).unwrap();
    assert_eq!(get("$parent.a").unwrap(), undefined);
    assert_eq!(get("$parent").unwrap(), undefined);
    assert_eq!(flow.keys(None), ["text"]);
}

#[tokio::test(start_paused = true)]
async fn parent_leads_from_a_subflow_to_its_tab() {
    let code = "flow.set('mine', 1); flow.set('$parent.theirs', (flow.get('$parent.theirs') || 0) + 1); \
        msg.payload = [flow.keys(), flow.get('$parent.theirs'), flow.get('$parent.$parent.theirs')]; return msg";
    let mut inner = function("f", code);
    inner["z"] = "s".into();
    inner["wires"] = json!([]);
    let mut test = TestFlows::run(json!([
        tab("t"),
        {"id": "s", "type": "subflow", "in": [{"wires": [{"id": "f"}]}], "out": [{"wires": [{"id": "f", "port": 0}]}]},
        inner,
        node("one", "subflow:s", json!({"wires": [["end"]]})),
        node("two", "subflow:s", json!({"wires": [["end"]]})),
        node("end", "junction", json!({})),
    ]))
    .await;
    let undefined = json!({"$t": "undefined"});
    let one = answer(&mut test, "one").await;
    assert_eq!(one, json!([["mine"], 1, undefined]));
    let two = answer(&mut test, "two").await;
    assert_eq!(two, json!([["mine"], 2, undefined]));
    let ctx = test.engine.node("end").unwrap();
    assert_eq!(ctx.store(Scope::Flow).keys(None), ["theirs"]);
}

#[tokio::test(start_paused = true)]
async fn a_seed_counts_until_something_is_stored() {
    let seeds = json!({"site": "Berlin", "limits": {"low": 1}});
    let settings = |export| RuntimeSettings {
        global_context: from_wire(&seeds).unwrap().as_object().unwrap().clone(),
        export_global_context_keys: export,
        ..RuntimeSettings::default()
    };
    let test = TestFlows::with_services(&Services::default(), settings(true));
    let global = || test.engine.global_context();
    let get = |key: &str| to_wire(&global().get(key, None).unwrap());
    assert_eq!(get("site"), "Berlin");
    assert_eq!(get("limits.low"), 1);
    assert_eq!(get("limits.high.x"), json!({"$t": "undefined"}));
    global().set("more", 1.into(), None).unwrap();
    global().set("site", "Rome".into(), None).unwrap();
    assert_eq!(get("site"), "Rome");
    assert_eq!(global().keys(None), ["site", "limits", "more"]);
    global().set("site", Value::Undefined, None).unwrap();
    assert_eq!(get("site"), "Berlin");
    test.engine.change_settings(settings(false));
    assert_eq!(global().keys(None), ["more"]);
    assert_eq!(get("site"), "Berlin");
    // Seeds are everybody's, and nobody else's.
    test.deploy(counter(|_| {}), DeployMode::Full).await;
    let ctx = test.engine.node("f").unwrap();
    assert!(
        ctx.store(Scope::Flow)
            .get("site", None)
            .unwrap()
            .is_undefined()
    );
    let seen = ctx.store(Scope::Global).get("site", None).unwrap();
    assert_eq!(seen, "Berlin".into());
}

#[tokio::test(start_paused = true)]
async fn a_typed_input_names_parts_of_the_message_in_its_key() {
    let inject = node(
        "i",
        "inject",
        json!({"props": [
            {"p": "topic", "vt": "str"},
            {"p": "payload", "v": "#:(memory)::rooms[msg.topic].t", "vt": "flow"}
        ], "topic": "kit chen", "repeat": "", "once": false, "wires": [["end"]]}),
    );
    let flows = json!([tab("t"), inject, node("end", "junction", json!({}))]);
    let mut test = TestFlows::run(flows).await;
    let ctx = test.engine.node("i").unwrap();
    let rooms = from_wire(&json!({"kit chen": {"t": 21}})).unwrap();
    ctx.store(Scope::Flow).set("rooms", rooms, None).unwrap();
    test.send("i", json!({}));
    let messages = test.received("end").await;
    assert_eq!(messages[0]["payload"], 21, "{messages:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_function_got_it_may_change_in_place() {
    let code = "const list = flow.get('list') || []; if (!list.length) flow.set('list', list); list.push(list.length); msg.payload = flow.get('list').length; return msg";
    let flows = json!([
        tab("t"),
        function("f", code),
        node("end", "junction", json!({}))
    ]);
    for stores in [vec![], memory(&["other"])] {
        let mut test = TestFlows::new();
        test.engine.contexts().replace(stores);
        test.deploy(flows.clone(), DeployMode::Full).await;
        for length in 1..4 {
            assert_eq!(answer(&mut test, "f").await, length);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hidden_variables_of_the_process_are_not_there() {
    let code = "msg.payload = [env.get('FLOWRILL_OPEN'), env.get('FLOWRILL_SECRET')]; return msg";
    let mut test = TestFlows::new();
    test.env.set("FLOWRILL_OPEN", Some("yes".into()));
    test.env.set("FLOWRILL_SECRET", Some("no".into()));
    test.env.hide(["FLOWRILL_SECRET".to_owned()]);
    let flows = json!([
        tab("t"),
        function("f", code),
        node("end", "junction", json!({}))
    ]);
    test.deploy(flows, DeployMode::Full).await;
    let expected = json!(["yes", {"$t": "undefined"}]);
    assert_eq!(answer(&mut test, "f").await, expected);
}
