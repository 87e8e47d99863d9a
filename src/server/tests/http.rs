//! Each row of docs/http.md, and each way of being refused.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{V2, ask, flows, local, raw};

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
