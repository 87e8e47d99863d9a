//! Context and its stores, seen and changed from outside.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, undefined};

fn place(scope: &str, more: Json) -> Json {
    let mut fields = json!({"node": "n1", "scope": scope});
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    fields
}

async fn get(tap: &mut Tap, scope: &str, more: Json) -> Json {
    tap.ask("context.get", place(scope, more)).await["values"].clone()
}

fn in_a_tab() -> Json {
    json!([{"id": "f", "type": "tab"}, {"id": "n1", "type": "helper", "z": "f", "wires": []}, {"id": "n2", "type": "helper", "z": "f"}])
}

#[tokio::test]
async fn context_takes_paths_and_lists_of_keys_in_every_scope() {
    let mut tap = Tap::running(in_a_tab()).await;
    for scope in ["node", "flow", "global"] {
        tap.done(
            "context.set",
            place(scope, json!({"key": "a", "value": {"b": [1, {"c": 2}]}})),
        )
        .await;
        for (key, expected) in [
            (json!("a"), json!([{"b": [1, {"c": 2}]}])),
            (json!("a.b[0]"), json!([1])),
            (json!("a.b[1][\"c\"]"), json!([2])),
            (json!("a['b'][1].c"), json!([2])),
            (
                json!(["a.b[0]", "missing", "a.b.length"]),
                json!([1, undefined(), 2]),
            ),
            (json!("a.x.y"), json!([undefined()])),
        ] {
            assert_eq!(
                get(&mut tap, scope, json!({"key": key})).await,
                expected,
                "{scope} {key}"
            );
        }
        tap.done(
            "context.set",
            place(
                scope,
                json!({"key": ["x", "y.z", "w"], "value": [1, "two"]}),
            ),
        )
        .await;
        assert_eq!(
            get(&mut tap, scope, json!({"key": ["x", "y", "w"]})).await,
            json!([1, {"z": "two"}, null])
        );
        tap.done(
            "context.set",
            place(scope, json!({"key": ["p", "q"], "value": "single"})),
        )
        .await;
        assert_eq!(
            get(&mut tap, scope, json!({"key": ["p", "q"]})).await,
            json!(["single", null])
        );
        let keys = tap.ask("context.keys", place(scope, json!({}))).await;
        assert_eq!(keys["values"], json!([["a", "x", "y", "w", "p", "q"]]));
        for key in ["x", "y", "w", "p", "q"] {
            tap.done(
                "context.set",
                place(scope, json!({"key": key, "value": undefined()})),
            )
            .await;
        }
        let keys = tap.ask("context.keys", place(scope, json!({}))).await;
        assert_eq!(keys["values"], json!([["a"]]), "{scope}");
        for key in [json!(""), json!([]), json!(["a", ""]), json!("a.")] {
            tap.refused("context.get", place(scope, json!({"key": key})))
                .await;
        }
        let invalid = tap
            .refused("context.set", place(scope, json!({"key": "", "value": 1})))
            .await;
        assert_eq!(invalid, "Invalid context key");
    }
    // Of the node, of its flow, of all.
    let of = |scope: &str| json!({"node": "n2", "scope": scope, "key": "a.b[0]"});
    assert_eq!(
        tap.ask("context.get", of("node")).await["values"],
        json!([undefined()])
    );
    assert_eq!(
        tap.ask("context.get", of("flow")).await["values"],
        json!([1])
    );
    assert_eq!(
        tap.ask("context.get", json!({"scope": "global", "key": "a.b[0]"}))
            .await["values"],
        json!([1])
    );
    tap.refused("context.get", json!({"scope": "flow", "key": "a"}))
        .await;
}

#[tokio::test]
async fn context_holds_every_kind_of_value() {
    let mut tap = Tap::running(in_a_tab()).await;
    for value in [
        json!(null),
        json!(false),
        json!(0),
        json!(""),
        json!({"$t": "buffer", "v": "AQID"}),
        json!({"$t": "date", "v": 5}),
        json!({"$t": "number", "v": "NaN"}),
        json!({"$t": "map", "v": [["k", {"$t": "set", "v": [1]}]]}),
    ] {
        tap.done(
            "context.set",
            place("flow", json!({"key": "v", "value": value})),
        )
        .await;
        assert_eq!(
            get(&mut tap, "flow", json!({"key": "v"})).await,
            json!([value])
        );
    }
}

#[tokio::test]
async fn nodes_see_the_context_that_is_set_from_outside() {
    let func = "msg.payload = [context.get('k'), flow.get('k'), global.get('k'), flow.get('k', 'second')]; flow.set('back', {x: new Date(0)}); return msg";
    let mut tap = Tap::start().await;
    tap.done(
        "context.stores",
        json!({"stores": {"first": {"module": "memory"}, "second": {"module": "memory"}}}),
    )
    .await;
    tap.deploy(json!([
        node(
            "n1",
            "function",
            json!([["n2"]]),
            json!({"func": func, "z": "f"})
        ),
        helper("n2")
    ]))
    .await;
    for (scope, value) in [("node", 1), ("flow", 2), ("global", 3)] {
        tap.done(
            "context.set",
            place(scope, json!({"key": "k", "value": value})),
        )
        .await;
    }
    tap.done(
        "context.set",
        place("flow", json!({"key": "k", "value": 4, "store": "second"})),
    )
    .await;
    tap.receive("n1", json!({})).await;
    assert_eq!(tap.input("n2").await["payload"], json!([1, 2, 3, 4]));
    assert_eq!(
        get(&mut tap, "flow", json!({"key": "back.x"})).await,
        json!([{"$t": "date", "v": 0}])
    );
}

#[tokio::test]
async fn stores_are_replaced_while_it_runs() {
    let mut tap = Tap::running(in_a_tab()).await;
    tap.done(
        "context.set",
        place("global", json!({"key": "old", "value": 1})),
    )
    .await;
    let stores = json!({"memory0": {"module": "memory"}, "memory1": {"module": "memory"}, "disk": {"module": "localfilesystem"}});
    tap.done("context.stores", json!({"stores": stores})).await;
    assert_eq!(
        get(&mut tap, "global", json!({"key": "old"})).await,
        json!([undefined()])
    );
    for (store, value) in [("memory0", 1), ("memory1", 2), ("disk", 3)] {
        tap.done(
            "context.set",
            place("flow", json!({"key": "k", "value": value, "store": store})),
        )
        .await;
    }
    // The first is the default, and #:(store):: names one as the member does.
    assert_eq!(get(&mut tap, "flow", json!({"key": "k"})).await, json!([1]));
    for (store, value) in [
        ("memory0", 1),
        ("memory1", 2),
        ("disk", 3),
        ("no such store", 1),
    ] {
        assert_eq!(
            get(&mut tap, "flow", json!({"key": "k", "store": store})).await,
            json!([value]),
            "{store}"
        );
        let keys = tap
            .ask("context.keys", place("flow", json!({"store": store})))
            .await;
        assert_eq!(keys["values"], json!([["k"]]));
    }
    let default = json!({"a": {"module": "memory"}, "default": {"module": "memory"}});
    tap.done("context.stores", json!({"stores": default})).await;
    tap.done(
        "context.set",
        place("flow", json!({"key": "k", "value": "in default"})),
    )
    .await;
    assert_eq!(
        get(&mut tap, "flow", json!({"key": "k", "store": "a"})).await,
        json!([undefined()])
    );
    assert_eq!(
        get(&mut tap, "flow", json!({"key": "k", "store": "default"})).await,
        json!(["in default"])
    );
    for none in [json!({}), Json::Null] {
        tap.done("context.stores", json!({"stores": none})).await;
        assert_eq!(
            get(&mut tap, "flow", json!({"key": "k"})).await,
            json!([undefined()])
        );
        tap.done(
            "context.set",
            place("flow", json!({"key": "k", "value": 1})),
        )
        .await;
        assert_eq!(
            get(&mut tap, "flow", json!({"key": "k", "store": "memory"})).await,
            json!([1])
        );
    }
}

#[tokio::test]
async fn a_reset_drops_context_and_stores() {
    let mut tap = Tap::start().await;
    tap.done(
        "context.stores",
        json!({"stores": {"a": {"module": "memory"}, "b": {"module": "memory"}}}),
    )
    .await;
    tap.deploy(in_a_tab()).await;
    for (scope, store) in [("node", "a"), ("flow", "b"), ("global", "a")] {
        tap.done(
            "context.set",
            place(scope, json!({"key": "k", "value": 1, "store": store})),
        )
        .await;
    }
    tap.deploy(json!([])).await;
    tap.done("reset", json!({})).await;
    tap.deploy(in_a_tab()).await;
    for scope in ["node", "flow", "global"] {
        assert_eq!(
            get(&mut tap, scope, json!({"key": "k"})).await,
            json!([undefined()]),
            "{scope}"
        );
        assert_eq!(
            get(&mut tap, scope, json!({"key": "k", "store": "b"})).await,
            json!([undefined()]),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn without_stores_of_its_own_a_nodes_context_ends_with_it() {
    let mut tap = Tap::running(in_a_tab()).await;
    for scope in ["node", "flow", "global"] {
        tap.done("context.set", place(scope, json!({"key": "k", "value": 1})))
            .await;
    }
    tap.deploy(in_a_tab()).await;
    for (scope, expected) in [
        ("node", undefined()),
        ("flow", json!(1)),
        ("global", json!(1)),
    ] {
        assert_eq!(
            get(&mut tap, scope, json!({"key": "k"})).await,
            json!([expected]),
            "{scope}"
        );
    }
    tap.deploy(json!([])).await;
    tap.deploy(in_a_tab()).await;
    for (scope, expected) in [("flow", undefined()), ("global", json!(1))] {
        assert_eq!(
            get(&mut tap, scope, json!({"key": "k"})).await,
            json!([expected]),
            "{scope}"
        );
    }
}
