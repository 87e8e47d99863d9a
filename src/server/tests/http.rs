//! Requests in, answers out, without a socket.

use super::*;

#[tokio::test]
async fn flows_are_deployed_and_read_in_both_versions() {
    let state = local();
    assert_eq!(
        ask(&state, "GET", "/flows", &[], "").await,
        (StatusCode::OK, json!([]))
    );
    let (status, _) = ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&state, "GET", "/flows", &[], "").await.1, flows());
    let (_, read) = ask(&state, "GET", "/flows", &[V2], "").await;
    let rev = read["rev"].as_str().unwrap().to_owned();
    let body = json!({"flows": flows(), "rev": rev}).to_string();
    for kind in ["full", "flows", "nodes", "reload"] {
        let (status, answer) = ask(
            &state,
            "POST",
            "/flows",
            &[V2, ("Node-RED-Deployment-Type", kind)],
            &body,
        )
        .await;
        assert_eq!(
            (status, &answer["rev"]),
            (StatusCode::OK, &json!(rev)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn every_refusal_is_json_with_a_code_and_a_sentence() {
    let state = local();
    let large = format!("[\"{}\"]", "x".repeat(6 << 20));
    for (method, path, headers, body, status, code) in [
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [",
            400,
            "invalid_json",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"nodes\": []}",
            400,
            "invalid_flow",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [], \"rev\": \"old\"}",
            409,
            "version_mismatch",
        ),
        (
            "POST",
            "/flows",
            vec![V2],
            "{\"flows\": [], \"credentials\": {\"a\": 1}}",
            400,
            "invalid_credentials",
        ),
        (
            "POST",
            "/flows",
            vec![("Node-RED-API-Version", "v9")],
            "[]",
            400,
            "invalid_api_version",
        ),
        (
            "POST",
            "/flows",
            vec![("Node-RED-Deployment-Type", "some")],
            "[]",
            400,
            "invalid_deployment_type",
        ),
        ("POST", "/flows", vec![], large.as_str(), 413, "too_large"),
        (
            "POST",
            "/flows",
            vec![
                ("Origin", "http://evil.example"),
                ("Host", "127.0.0.1:1880"),
            ],
            "[]",
            403,
            "foreign_origin",
        ),
        (
            "GET",
            "/flows",
            vec![("Host", "evil.example:1880")],
            "",
            403,
            "foreign_host",
        ),
        ("POST", "/inject/nobody", vec![], "", 404, "not_found"),
        ("POST", "/debug/nobody/enable", vec![], "", 404, "not_found"),
        ("POST", "/debug/enable", vec![], "{}", 400, "no_nodes"),
        ("DELETE", "/flows", vec![], "", 405, "method_not_allowed"),
        ("GET", "/no/such/thing", vec![], "", 404, "not_found"),
        (
            "GET",
            "/flowrill/history/none",
            vec![],
            "",
            404,
            "not_found",
        ),
    ] {
        let (got, answer) = ask(&state, method, path, &headers, body).await;
        assert_eq!(
            (got.as_u16(), answer["code"].as_str()),
            (status, Some(code)),
            "{method} {path} {answer}"
        );
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|text| text.len() > 20),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_own_page_may_change_things() {
    let state = local();
    let own = [
        ("Origin", "http://localhost:1880"),
        ("Host", "localhost:1880"),
    ];
    assert_eq!(
        ask(&state, "POST", "/flows", &own, "[]").await.0,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn buttons_answer_as_in_node_red() {
    let state = local();
    ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    for (path, body, status) in [
        ("/inject/d", "", 200),
        ("/inject/d", "{\"__user_inject_props__\": []}", 200),
        ("/debug/d/enable", "", 200),
        ("/debug/d/disable", "", 201),
        ("/debug/d/other", "", 404),
        ("/debug/enable", "{\"nodes\": [\"d\"]}", 200),
        ("/debug/disable", "{\"nodes\": [\"d\"]}", 201),
    ] {
        assert_eq!(
            ask(&state, "POST", path, &[], body).await.0.as_u16(),
            status,
            "{path}"
        );
    }
    assert_eq!(
        raw(&state, "GET", "/debug/view/view.html", &[], "")
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_server_tells_about_itself() {
    let state = local();
    ask(
        &state,
        "POST",
        "/flows",
        &[],
        &json!([{"id": "x", "type": "alien"}]).to_string(),
    )
    .await;
    assert_eq!(
        ask(&state, "GET", "/health", &[], "").await.1["status"],
        "ok"
    );
    assert_eq!(
        ask(&state, "GET", "/settings", &[], "").await.1["broker"],
        Json::Null
    );
    let (_, problems) = ask(&state, "GET", "/flowrill/problems", &[], "").await;
    assert_eq!(
        (
            &problems["problems"][0]["node"],
            &problems["problems"][0]["code"]
        ),
        (&json!("x"), &json!("missing_type"))
    );
    assert_eq!(
        ask(&state, "GET", "/flowrill/history", &[], "").await.1["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let types = ask(&state, "GET", "/flowrill/catalog", &[], "").await.1;
    assert!(
        types["types"]
            .as_array()
            .unwrap()
            .iter()
            .any(|known| known["type"] == "function" && known["texts"]["label"].is_string())
    );
    let tag = raw(&state, "GET", "/flowrill/catalog", &[], "")
        .await
        .headers()["etag"]
        .clone();
    let again = raw(
        &state,
        "GET",
        "/flowrill/catalog",
        &[("If-None-Match", tag.to_str().unwrap())],
        "",
    )
    .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let page = raw(&state, "GET", "/", &[], "").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn even_refusals_of_the_framework_are_json() {
    let state = local();
    for (method, path, headers, body, status, code) in [
        ("GET", "/comms", vec![], "", 400, "bad_request"),
        ("GET", "/tap", vec![], "", 400, "bad_request"),
        ("GET", "/flow/%ff", vec![], "", 400, "bad_request"),
        (
            "POST",
            "/flows",
            vec![("Content-Type", "application/x-www-form-urlencoded")],
            "[]",
            415,
            "not_json",
        ),
        (
            "POST",
            "/flows",
            vec![("Origin", "null"), ("Host", "localhost:1880")],
            "[]",
            403,
            "foreign_origin",
        ),
        ("POST", "/flows/state", vec![], "{}", 400, "invalid_state"),
        ("GET", "/flow/none", vec![], "", 404, "not_found"),
    ] {
        let (got, answer) = ask(&state, method, path, &headers, body).await;
        assert_eq!(
            (got.as_u16(), answer["code"].as_str()),
            (status, Some(code)),
            "{method} {path} {answer}"
        );
    }
    let refused = raw(&state, "DELETE", "/flows", &[], "").await;
    assert_eq!(refused.headers()["allow"], "GET,HEAD,POST");
}

#[tokio::test]
async fn where_the_json_is_wrong_is_said() {
    let (_, answer) = ask(&local(), "POST", "/flows", &[], "[\n  {\"id\" 1}]").await;
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("line 2 column 9"), "{message}");
}

#[tokio::test]
async fn one_flow_and_the_global_ones() {
    let state = local();
    let all = json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "d", "type": "debug", "z": "t", "x": 1, "y": 2, "wires": []},
        {"id": "c", "type": "mqtt-broker", "z": "t"},
        {"id": "g", "type": "mqtt-broker"}
    ]);
    ask(&state, "POST", "/flows", &[], &all.to_string()).await;
    let (_, flow) = ask(&state, "GET", "/flow/t", &[], "").await;
    assert_eq!(
        flow,
        json!({"id": "t", "label": "T", "nodes": [all[1]], "configs": [all[2]]})
    );
    let (_, global) = ask(&state, "GET", "/flow/global", &[], "").await;
    assert_eq!(global["configs"], json!([all[3]]));
}

#[tokio::test]
async fn flows_are_stopped_and_started_as_a_whole() {
    let state = local();
    ask(&state, "POST", "/flows", &[], &flows().to_string()).await;
    for wanted in ["stop", "start", "start"] {
        let body = json!({ "state": wanted }).to_string();
        let (_, answer) = ask(&state, "POST", "/flows/state", &[], &body).await;
        assert_eq!(answer["state"], wanted);
        let (_, answer) = ask(&state, "GET", "/flows/state", &[], "").await;
        assert_eq!(answer["state"], wanted);
        let runs = state.runtime.engine().node("d").is_some();
        assert_eq!(runs, wanted == "start");
    }
    let (_, report) = ask(&state, "GET", "/diagnostics", &[], "").await;
    assert_eq!(report["runtime"]["isRunning"], json!(true));
}

#[tokio::test]
async fn a_type_that_needs_no_manifest_is_no_problem() {
    let state = local();
    let list = json!([{"id": "h", "type": "helper"}, {"id": "n", "type": "no such"}]);
    ask(&state, "POST", "/flows", &[], &list.to_string()).await;
    let (_, answer) = ask(&state, "GET", "/flowrill/problems", &[], "").await;
    let nodes: Vec<&Json> = answer["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| &problem["node"])
        .collect();
    assert_eq!(nodes, [&json!("n")]);
}

#[tokio::test]
async fn the_broker_is_seen_and_handled() {
    use crate::broker::{Broker, BrokerConfig};
    let broker = Broker::start(BrokerConfig::default()).await.unwrap();
    let state = ServerState {
        broker: Some(broker.clone()),
        ..local()
    };
    let (_flows, _received) = broker.connect_local("flows/1").unwrap();
    let (status, clients) = ask(&state, "GET", "/flowrill/broker/clients", &[], "").await;
    assert_eq!(status, 200);
    assert_eq!(clients["clients"][0]["id"], "flows/1");
    let json = [("content-type", "application/json")];
    let message = json!({"topic": "a", "payload": "1", "qos": 1, "retain": true}).to_string();
    let (status, _) = ask(&state, "POST", "/flowrill/broker/publish", &json, &message).await;
    assert_eq!(status, 204);
    let wrong = json!({"topic": "a/#"}).to_string();
    let (status, error) = ask(&state, "POST", "/flowrill/broker/publish", &json, &wrong).await;
    assert_eq!(
        (status.as_u16(), &error["code"]),
        (400, &json!("invalid_topic"))
    );
    while broker.stats().retained == 0 {
        tokio::task::yield_now().await;
    }
    let (_, kept) = ask(&state, "GET", "/flowrill/broker/retained", &[], "").await;
    assert_eq!(
        kept["messages"],
        json!([{"topic": "a", "payload": "1", "size": 1, "qos": 1}])
    );
    let (_, overview) = ask(&state, "GET", "/flowrill/broker", &[], "").await;
    assert_eq!(
        (&overview["retained"], &overview["clients"]),
        (&json!(1), &json!(1))
    );
    for (method, path, expected) in [
        ("DELETE", "/flowrill/broker/retained?topic=a", 204),
        ("DELETE", "/flowrill/broker/retained?topic=b", 404),
        ("DELETE", "/flowrill/broker/clients/flows%2F1", 204),
        ("DELETE", "/flowrill/broker/clients/nobody", 404),
        ("GET", "/flowrill/broker/retained?filter=a%23", 400),
    ] {
        let (status, _) = ask(&state, method, path, &[], "").await;
        assert_eq!(status, expected, "{method} {path}");
    }
    let (status, error) = ask(&local(), "GET", "/flowrill/broker", &[], "").await;
    assert_eq!(
        (status.as_u16(), &error["code"]),
        (404, &json!("no_broker"))
    );
    broker.stop().await;
}
