//! `/tap` as its contract has it.

use super::*;

fn helpers() -> Json {
    json!([
        {"id": "n1", "type": "helper", "wires": [["n2"], ["n3"]], "name": "one"},
        {"id": "n2", "type": "helper", "z": "t"},
        {"id": "n3", "type": "helper", "z": "t"}
    ])
}

#[tokio::test]
async fn tap_does_what_its_contract_says() {
    let (mut tap, state) = Socket::open("/tap", true).await;
    assert_eq!(
        tap.request(json!({"op": "hello"})).await,
        json!({"contract": 1, "name": "flowrill", "version": env!("CARGO_PKG_VERSION")})
    );
    assert_eq!(
        tap.request(json!({"op": "nosuch"})).await,
        json!({"error": {"$t": "error", "name": "Error", "message": "unknown op nosuch"}})
    );
    let body = json!({"flows": helpers()}).to_string();
    let (_, deployed) = ask(&state, "POST", "/flows", &[V2], &body).await;
    let started = tap.find(|frame| frame["ev"] == "flows").await;
    assert_eq!(
        (&started["state"], &started["rev"]),
        (&json!("started"), &deployed["rev"])
    );
    assert_eq!(started["missing"], json!([]));
    let props = tap.request(json!({"op": "node", "node": "n1"})).await["props"].clone();
    assert_eq!(
        (
            &props["id"],
            &props["type"],
            &props["name"],
            &props["wires"]
        ),
        (
            &json!("n1"),
            &json!("helper"),
            &json!("one"),
            &json!([["n2"], ["n3"]])
        )
    );
    assert_eq!(
        tap.request(json!({"op": "node", "node": "no"})).await,
        json!({"props": null})
    );

    tap.request(json!({"op": "call", "node": "n1", "method": "send", "args": [[{"payload": {"$t": "date", "v": 0}}, {"payload": 2, "_msgid": "m"}]]})).await;
    let first = tap.find(|frame| frame["ev"] == "input").await;
    assert_eq!(
        (
            &first["node"],
            &first["msg"]["payload"],
            &first["msg"]["_msgid"]
        ),
        (&json!("n2"), &json!({"$t": "date", "v": 0}), &json!("m"))
    );
    assert_eq!(tap.find(|frame| frame["ev"] == "input").await["node"], "n3");

    let receive =
        |payload: u32| json!({"op": "receive", "node": "n2", "msg": {"payload": payload}});
    tap.request(json!({"op": "batch", "ops": [receive(1), receive(2), receive(3)]}))
        .await;
    for payload in 1..=3 {
        assert_eq!(
            tap.find(|frame| frame["ev"] == "input").await["msg"]["payload"],
            json!(payload)
        );
    }
    tap.request(json!({"op": "call", "node": "n1", "method": "status", "args": [{"fill": "red", "text": "x"}]})).await;
    assert_eq!(
        tap.find(|frame| frame["ev"] == "call").await["args"],
        json!([{"fill": "red", "text": "x"}])
    );
    tap.request(json!({"op": "call", "node": "n1", "method": "warn", "args": ["careful"]}))
        .await;
    let log = tap.find(|frame| frame["ev"] == "log").await;
    assert_eq!(
        (&log["rec"]["level"], &log["rec"]["msg"], &log["rec"]["id"]),
        (&json!(30), &json!("careful"), &json!("n1"))
    );

    for scope in ["node", "flow", "global"] {
        tap.request(json!({"op": "context.set", "node": "n2", "scope": scope, "key": "a.b", "value": [1, 2]})).await;
        let got = tap.request(json!({"op": "context.get", "node": "n2", "scope": scope, "key": ["a", "a.b[1]", "c"]})).await;
        assert_eq!(
            got,
            json!({"values": [{"b": [1, 2]}, 2, {"$t": "undefined"}]}),
            "{scope}"
        );
        assert_eq!(
            tap.request(json!({"op": "context.keys", "node": "n2", "scope": scope}))
                .await,
            json!({"values": [["a"]]})
        );
    }
    assert_eq!(tap.request(json!({"op": "reset"})).await, json!({}));
    let forgotten = tap
        .request(json!({"op": "context.get", "scope": "global", "key": "a"}))
        .await;
    assert_eq!(forgotten, json!({"values": [{"$t": "undefined"}]}));
    assert_eq!(
        tap.request(json!({"op": "call", "node": "n1", "method": "close"}))
            .await,
        json!({})
    );
    assert_eq!(
        tap.request(json!({"op": "node", "node": "n1"})).await,
        json!({"props": null})
    );
    assert_eq!(tap.request(json!({"op": "stop"})).await, json!({}));
    assert_eq!(
        tap.request(json!({"op": "node", "node": "n2"})).await,
        json!({"props": null})
    );
}

#[tokio::test]
async fn without_the_option_tap_only_looks() {
    let (mut tap, _) = Socket::open("/tap", false).await;
    assert_eq!(tap.request(json!({"op": "hello"})).await["contract"], 1);
    assert_eq!(
        tap.request(json!({"op": "node", "node": "x"})).await,
        json!({"props": null})
    );
    let refused = tap.request(json!({"op": "stop"})).await;
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("--tap"),
        "{refused}"
    );
}

/// A client of a `--tap` server where these flows run.
async fn running(flows: Json) -> Socket {
    let (tap, state) = Socket::open("/tap", true).await;
    let body = json!({ "flows": flows }).to_string();
    let (status, answer) = ask(&state, "POST", "/flows", &[V2], &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    tap
}

fn error(message: &str) -> Json {
    json!({"error": {"$t": "error", "name": "Error", "message": message}})
}

#[tokio::test]
async fn a_watch_holds_from_the_request_on() {
    let mut tap = running(helpers()).await;
    let quiet = tap.request(json!({"op": "watch", "events": []})).await;
    assert_eq!(quiet, json!({}));
    let receive = |node: &str, n: u32| json!({"op": "receive", "node": node, "msg": {"n": n}});
    tap.request(receive("n2", 1)).await;
    // What a batch watches it sees, and nothing from before.
    let watch = json!({"op": "watch", "events": ["input"], "nodes": ["n3"]});
    tap.request(json!({"op": "batch", "ops": [watch, receive("n2", 2), receive("n3", 3)]}))
        .await;
    let seen = tap.next().await;
    assert_eq!(
        (&seen["ev"], &seen["msg"]["n"]),
        (&json!("input"), &json!(3))
    );
    tap.request(json!({"op": "watch", "events": null})).await;
    tap.request(receive("n2", 4)).await;
    assert_eq!(tap.next().await["msg"]["n"], json!(4));
}

#[tokio::test]
async fn events_come_in_the_order_in_which_things_happened() {
    let mut tap = running(helpers()).await;
    let call = |method: &str, args: Json| json!({"op": "call", "node": "n1", "method": method, "args": args});
    let ops = [
        call("status", json!([{"text": "busy"}])),
        call(
            "error",
            json!([{"$t": "error", "name": "TypeError", "message": "no"}, {"payload": 1}]),
        ),
        call("send", json!([[[{"n": 1}, {"n": 2}], {"n": 3}]])),
    ];
    tap.request(json!({"op": "batch", "ops": ops})).await;
    let mut events = Vec::new();
    while events.len() < 9 {
        events.push(tap.next().await);
    }
    let seqs: Vec<u64> = events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["ev"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[..3], ["call", "call", "log"]);
    assert_eq!(events[2]["rec"]["msg"]["name"], "TypeError");
    let sends: Vec<(&Json, &Json, &Json)> = events
        .iter()
        .filter(|event| event["ev"] == "send")
        .map(|event| (&event["port"], &event["to"], &event["msg"]["n"]))
        .collect();
    let (n2, n3) = (json!("n2"), json!("n3"));
    assert_eq!(
        sends,
        [
            (&json!(0), &n2, &json!(1)),
            (&json!(0), &n2, &json!(2)),
            (&json!(1), &n3, &json!(3))
        ]
    );
    let inputs = kinds.iter().filter(|kind| **kind == "input").count();
    assert_eq!(inputs, 3);
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let mut tap = running(helpers()).await;
    tap.request(json!({"op": "watch", "events": ["input"]}))
        .await;
    let mut nested = json!(1);
    for _ in 0..400 {
        nested = json!([nested]);
    }
    let msg = json!({
        "a": {"$t": "undefined"}, "b": {"$t": "number", "v": "-0"}, "c": {"$t": "buffer", "v": "AQID"},
        "d": {"$t": "date", "v": null}, "e": {"$t": "bigint", "v": "12"}, "f": {"$t": "map", "v": [[1, {"$t": "set", "v": [2]}]]},
        "g": {"$t": "regexp", "v": "a+", "flags": "i"}, "h": {"$t": "object", "v": {"$t": 1}}, "i": 0.1, "nested": nested
    });
    tap.request(json!({"op": "receive", "node": "n2", "msg": msg, "raw": true}))
        .await;
    assert_eq!(tap.next().await["msg"], msg);
    tap.request(json!({"op": "receive", "node": "n2", "msg": {}}))
        .await;
    let id = tap.next().await["msg"]["_msgid"].clone();
    assert_eq!(id.as_str().map(str::len), Some(16));
}

#[tokio::test]
async fn what_is_wrong_is_answered_and_the_rest_goes_on() {
    let mut tap = running(helpers()).await;
    for (request, message) in [
        (
            json!({"op": "receive", "node": "no", "msg": {}}),
            "No node no runs",
        ),
        (
            json!({"op": "receive", "node": "n2", "msg": 1}),
            "\"msg\" is an object",
        ),
        (json!({"op": "node"}), "\"node\" is missing, or no text"),
        (
            json!({"op": "watch", "events": 1}),
            "\"events\" is a list or null",
        ),
        (
            json!({"op": "call", "node": "n2", "method": "on"}),
            "A node has no method on that can be called",
        ),
        (
            json!({"op": "context.get", "node": "n2", "scope": "node", "key": ""}),
            "Invalid context key",
        ),
        (
            json!({"op": "batch", "ops": [{"op": "nosuch"}, {"op": "receive", "node": "n2"}]}),
            "unknown op nosuch",
        ),
    ] {
        assert_eq!(tap.request(request).await, error(message));
    }
    // The last message of the batch arrived; a request without id is not answered; what is no JSON is.
    assert_eq!(tap.find(|frame| frame["ev"] == "input").await["node"], "n2");
    for text in [r#"{"op":"hello"}"#, "{"] {
        tap.stream.send(Frame::text(text)).await.unwrap();
    }
    let answer = tap.find(|frame| frame.get("re").is_some()).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(answer["re"].is_null() && message.contains("not valid JSON"));
}

#[tokio::test]
async fn stores_settings_and_environment_change_while_flows_run() {
    let (mut tap, state) = Socket::open("/tap", true).await;
    let body = json!({ "flows": helpers() }).to_string();
    ask(&state, "POST", "/flows", &[V2], &body).await;
    let stores = json!({"m0": {"module": "memory"}, "default": {"module": "memory"}});
    let answer = tap
        .request(json!({"op": "context.stores", "stores": stores}))
        .await;
    assert_eq!(answer, json!({}));
    assert_eq!(state.runtime.engine().contexts().names(), ["default", "m0"]);
    tap.request(json!({"op": "context.set", "scope": "global", "key": ["a", "b"], "value": [1], "store": "m0"}))
        .await;
    let get = |store: &str| json!({"op": "context.get", "scope": "global", "key": ["a", "b"], "store": store});
    assert_eq!(tap.request(get("m0")).await["values"], json!([1, null]));
    let undefined = json!({"$t": "undefined"});
    assert_eq!(
        tap.request(get("default")).await["values"],
        json!([undefined, undefined])
    );

    // Stores on the disk too, for as long as they are there; replaced, they are empty again.
    let stores = json!({"m0": {"module": "memory"}, "files": {"module": "localfilesystem", "config": {"flushInterval": 1}}, "default": "files"});
    for _ in 0..2 {
        tap.request(json!({"op": "context.stores", "stores": stores}))
            .await;
        assert_eq!(state.runtime.engine().contexts().names(), ["files", "m0"]);
        let values = tap.request(get("files")).await["values"].clone();
        assert_eq!(values, json!([undefined, undefined]));
        tap.request(json!({"op": "context.set", "scope": "global", "key": "a", "value": 1}))
            .await;
        let values = tap.request(get("nosuch")).await["values"].clone();
        assert_eq!(values, json!([1, undefined]));
    }
    let error = tap
        .request(json!({"op": "context.stores", "stores": {"x": {"module": "redis"}}}))
        .await["error"]["message"]
        .clone();
    assert!(error.as_str().unwrap().contains("redis"), "{error}");
    let seeds = json!({"functionGlobalContext": {"seed": 7}, "exportGlobalContextKeys": false, "envVarExcludes": ["FLOWRILL_TEST"]});
    tap.request(json!({"op": "settings", "values": seeds}))
        .await;
    let seed = json!({"op": "context.get", "scope": "global", "key": "seed"});
    assert_eq!(tap.request(seed).await["values"], json!([7]));
    let keys = json!({"op": "context.keys", "scope": "global"});
    assert_eq!(tap.request(keys).await["values"], json!([["a"]]));
    state
        .runtime
        .process_env()
        .set("FLOWRILL_TEST", Some("1".into()));
    assert_eq!(state.runtime.process_env().get("FLOWRILL_TEST"), None);
    let gone = json!({"functionGlobalContext": undefined, "exportGlobalContextKeys": undefined, "envVarExcludes": undefined});
    tap.request(json!({"op": "settings", "values": gone})).await;
    tap.request(json!({"op": "reset"})).await;
    assert_eq!(state.runtime.engine().contexts().names(), ["memory"]);

    let settings = || state.runtime.engine().settings();
    let values = json!({"nodeMessageBufferMaxLength": 2, "fileWorkingDirectory": "/x"});
    tap.request(json!({"op": "settings", "values": values}))
        .await;
    assert_eq!(settings().message_buffer_max_length, 2);
    let folder = settings().others.get("fileWorkingDirectory").cloned();
    assert_eq!(folder, Some("/x".into()));
    let values =
        json!({"nodeMessageBufferMaxLength": undefined, "fileWorkingDirectory": undefined});
    tap.request(json!({"op": "settings", "values": values}))
        .await;
    assert_eq!(*settings(), RuntimeSettings::default());

    tap.request(json!({"op": "env", "values": {"FLOWRILL_TEST": "1"}}))
        .await;
    let env = state.runtime.process_env();
    assert_eq!(env.get("FLOWRILL_TEST").as_deref(), Some("1"));
    tap.request(json!({"op": "env", "values": {"FLOWRILL_TEST": null}}))
        .await;
    assert_eq!(env.get("FLOWRILL_TEST"), None);
}

#[tokio::test]
async fn every_deploy_is_told_also_one_that_is_refused() {
    let (mut tap, state) = Socket::open("/tap", true).await;
    tap.request(json!({"op": "watch", "events": ["flows"]}))
        .await;
    for (body, expected) in [
        (json!({"flows": []}), "started"),
        (json!({"flows": []}), "started"),
        (json!({"flows": [], "rev": "old"}), "failed"),
        (
            json!({"flows": [{"id": "a", "type": "x", "credentials": 1}]}),
            "failed",
        ),
        (
            json!({"flows": [{"id": "a", "type": "no such"}]}),
            "started",
        ),
    ] {
        ask(&state, "POST", "/flows", &[V2], &body.to_string()).await;
        let told = tap.next().await;
        assert_eq!(told["state"], expected, "{body}");
        if expected == "failed" {
            assert!(told["error"].is_string() && told["detail"].is_string());
        }
    }
    ask(
        &state,
        "POST",
        "/flows",
        &[],
        r#"[{"id": "a", "type": "no such"}]"#,
    )
    .await;
    assert_eq!(tap.next().await["missing"], json!(["no such"]));
}
