//! Settings and environment variables, changed while flows run.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, undefined};

#[tokio::test]
async fn a_limit_of_held_messages_holds_at_once_and_until_it_is_removed() {
    let flows = json!([
        node(
            "n1",
            "sort",
            json!([["n2"]]),
            json!({"targetType": "seq", "target": "payload", "seqKey": "payload"})
        ),
        helper("n2"),
    ]);
    let mut tap = Tap::running(flows).await;
    let message = |index: u32, count: u32| json!({"payload": 3 - index, "parts": {"id": format!("of {count}"), "index": index, "count": count}});
    tap.done(
        "settings",
        json!({"values": {"nodeMessageBufferMaxLength": 2}}),
    )
    .await;
    for index in 0..3 {
        tap.receive("n1", message(index, 4)).await;
    }
    let log = tap
        .event(|event| event["ev"] == "log" && event["rec"]["level"] == 20)
        .await;
    assert_eq!(log["rec"]["msg"], "sort.too-many");
    for value in [undefined(), json!(0)] {
        tap.done(
            "settings",
            json!({"values": {"nodeMessageBufferMaxLength": value}}),
        )
        .await;
        for index in 0..3 {
            tap.receive("n1", message(index, 3)).await;
        }
        for payload in 1..=3 {
            assert_eq!(tap.input("n2").await["payload"], payload);
        }
    }
}

#[tokio::test]
async fn a_function_that_runs_too_long_is_ended_after_the_time_that_is_set() {
    let code = json!({"func": "while (true) {}"});
    let flows = json!([node("n1", "function", json!([["n2"]]), code), helper("n2")]);
    let mut tap = Tap::start().await;
    tap.done(
        "settings",
        json!({"values": {"globalFunctionTimeout": 0.05, "functionTimeout": 5}}),
    )
    .await;
    tap.deploy(flows).await;
    tap.receive("n1", json!({"payload": 1})).await;
    let log = tap
        .event(|event| event["ev"] == "log" && event["rec"]["level"] == 20)
        .await;
    let text = log["rec"]["msg"]["message"]
        .as_str()
        .or(log["rec"]["msg"].as_str())
        .unwrap_or_default();
    assert!(
        text.contains("Script execution timed out after 50ms"),
        "{log}"
    );
}

#[tokio::test]
async fn modules_of_functions_can_be_forbidden() {
    let code = json!({"func": "return msg", "libs": [{"var": "os", "module": "os"}]});
    let flows = json!([node("n1", "function", json!([["n2"]]), code), helper("n2")]);
    let mut tap = Tap::start().await;
    tap.done(
        "settings",
        json!({"values": {"functionExternalModules": false}}),
    )
    .await;
    tap.deploy_quietly(flows.clone()).await;
    let log = tap
        .event(|event| event["ev"] == "log" && event["rec"]["level"] == 20)
        .await;
    assert!(
        log["rec"]["msg"]
            .to_string()
            .contains("function.error.externalModuleNotAllowed"),
        "{log}"
    );
    assert_eq!(tap.props("n1").await, Json::Null);
    tap.done(
        "settings",
        json!({"values": {"functionExternalModules": undefined()}}),
    )
    .await;
    tap.deploy(flows).await;
    assert_eq!(
        tap.props("n1").await["libs"],
        json!([{"var": "os", "module": "os"}])
    );
}

#[tokio::test]
async fn relative_file_names_are_read_from_the_folder_that_is_set() {
    let flows = json!([
        node(
            "n1",
            "file in",
            json!([["n2"]]),
            json!({"filename": "here.txt", "format": "utf8"})
        ),
        helper("n2")
    ]);
    let mut tap = Tap::running(flows).await;
    std::fs::write(tap.folder.path().join("here.txt"), "found").unwrap();
    let folder = tap.folder.path().to_str().unwrap().to_owned();
    tap.done(
        "settings",
        json!({"values": {"fileWorkingDirectory": folder}}),
    )
    .await;
    tap.receive("n1", json!({})).await;
    assert_eq!(tap.input("n2").await["payload"], "found");
    tap.done(
        "settings",
        json!({"values": {"fileWorkingDirectory": undefined()}}),
    )
    .await;
    tap.receive("n1", json!({})).await;
    assert_eq!(tap.input("n2").await["error"]["props"]["code"], "ENOENT");
}

#[tokio::test]
async fn every_setting_that_the_contract_names_is_taken() {
    let mut tap = Tap::start().await;
    let values = json!({
        "nodeMessageBufferMaxLength": 10, "functionTimeout": 3, "globalFunctionTimeout": 3, "functionExternalModules": true,
        "fileWorkingDirectory": "/tmp", "httpRequestTimeout": 50, "tcpMsgQueueSize": 3, "runtimeSyncDelivery": false
    });
    tap.done("settings", json!({"values": values})).await;
    for (name, _) in values.as_object().unwrap() {
        tap.done("settings", json!({"values": {name: undefined()}}))
            .await;
    }
    let message = tap
        .refused(
            "settings",
            json!({"values": {"nodeMessageBufferMaxLength": "many"}}),
        )
        .await;
    assert!(message.contains("nodeMessageBufferMaxLength"), "{message}");
}

#[tokio::test]
async fn environment_variables_are_set_and_removed() {
    let rules = json!([{"t": "set", "p": "payload", "to": "FLOWRILL_TEST_X", "tot": "env"}]);
    let flows = json!([
        node("change", "change", json!([["h"]]), json!({"rules": rules})),
        node(
            "function",
            "function",
            json!([["h"]]),
            json!({"func": "msg.payload = env.get('FLOWRILL_TEST_X'); return msg"})
        ),
        node(
            "template",
            "template",
            json!([["h"]]),
            json!({"template": "{{env.FLOWRILL_TEST_X}}"})
        ),
        node(
            "whole",
            "inject",
            json!([["h"]]),
            json!({"payload": "${FLOWRILL_TEST_X}", "payloadType": "str"})
        ),
        helper("h"),
    ]);
    let mut tap = Tap::start().await;
    for (value, expected) in [
        (json!("one"), "one"),
        (json!("two"), "two"),
        (json!(""), ""),
    ] {
        tap.done("env", json!({"values": {"FLOWRILL_TEST_X": value}}))
            .await;
        tap.deploy(flows.clone()).await;
        for id in ["change", "function", "template"] {
            tap.receive(id, json!({"payload": "before"})).await;
            assert_eq!(tap.input("h").await["payload"], expected, "{id}");
        }
        if !expected.is_empty() {
            tap.receive("whole", json!({})).await;
            assert_eq!(tap.input("h").await["payload"], expected);
        }
    }
    tap.done("env", json!({"values": {"FLOWRILL_TEST_X": null}}))
        .await;
    tap.receive("function", json!({})).await;
    assert_eq!(tap.input("h").await.get("payload"), Some(&undefined()));
    tap.done("env", json!({"values": {"FLOWRILL_TEST_X": "at once"}}))
        .await;
    for id in ["function", "template"] {
        tap.receive(id, json!({})).await;
        assert_eq!(
            tap.input("h").await["payload"],
            "at once",
            "the next look-up sees it"
        );
    }
}

#[tokio::test]
async fn the_time_for_new_functions_is_shown_as_it_was_set() {
    let mut tap = Tap::start().await;
    let shown = async |tap: &Tap| {
        tap.call_http(reqwest::Method::GET, "/settings", &[], Json::Null)
            .await
            .1["functionTimeout"]
            .clone()
    };
    let before = shown(&tap).await;
    for (value, expected) in [
        (json!(7), json!(7)),
        (json!(0.01), json!(0.01)),
        (undefined(), before),
    ] {
        tap.done("settings", json!({"values": {"functionTimeout": value}}))
            .await;
        assert_eq!(shown(&tap).await, expected);
    }
}
