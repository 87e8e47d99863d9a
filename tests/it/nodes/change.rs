//! change: how its rules are completed, and when their values are worked out.

use flowrill::{flow::DeployMode, message::to_wire};
use serde_json::json;

use super::routing::{flows, props};
use crate::support::flows::TestFlows;

#[tokio::test(start_paused = true)]
async fn change_shows_its_rules_completed() {
    let regexp = |source: &str| json!({"$t": "regexp", "v": source, "flags": "g"});
    for (properties, rules) in [
        (
            json!({"rules": [{"t": "set", "p": "a", "to": "msg.b"}, {"t": "set", "p": "a", "to": "7", "tot": "num"}]}),
            json!([
                {"t": "set", "p": "a", "pt": "msg", "to": "b", "tot": "msg", "fromt": "str"},
                {"t": "set", "p": "a", "pt": "msg", "to": 7, "tot": "num", "fromt": "str"},
            ]),
        ),
        (
            json!({"rules": [
                {"t": "change", "p": "a", "from": "a.b", "to": "TRUE", "tot": "bool"},
                {"t": "change", "p": "a", "from": "a.b", "re": true, "to": ""},
                {"t": "change", "p": "a", "from": "b", "fromt": "msg", "to": ""},
            ]}),
            json!([
                {"t": "change", "p": "a", "pt": "msg", "from": "a.b", "fromt": "str", "to": true, "tot": "bool", "fromRE": regexp("a\\.b")},
                {"t": "change", "p": "a", "pt": "msg", "from": "a.b", "fromt": "re", "to": "", "tot": "str", "fromRE": regexp("a.b")},
                {"t": "change", "p": "a", "pt": "msg", "from": "b", "fromt": "msg", "to": "", "tot": "str"},
            ]),
        ),
        (
            json!({"action": "replace", "property": "payload", "to": "x", "from": "", "reg": false}),
            json!([{"t": "set", "p": "payload", "pt": "msg", "to": "x", "tot": "str", "fromt": "str"}]),
        ),
        (
            json!({"action": "change", "property": "payload", "to": "x", "from": "a+", "reg": null}),
            json!([{"t": "change", "p": "payload", "pt": "msg", "from": "a+", "fromt": "re", "to": "x", "tot": "str", "fromRE": regexp("a+")}]),
        ),
    ] {
        assert_eq!(props("change", properties).await["rules"], rules);
    }
}

#[tokio::test(start_paused = true)]
async fn change_resolves_the_environment_once_and_jsonata_each_time() {
    let test = TestFlows::new();
    test.env.set("PLACE", Some("hall".into()));
    let rules = json!([
        {"t": "set", "p": "place", "to": "PLACE", "tot": "env"},
        {"t": "set", "p": "payload", "to": "payload * 2", "tot": "jsonata"},
        {"t": "set", "p": "at", "to": "iso", "tot": "date"},
    ]);
    let mut test = test;
    test.deploy(flows("change", json!({"rules": rules})), DeployMode::Full)
        .await;
    test.env.set("PLACE", Some("bath".into()));
    test.send("n", json!({"payload": 4}));
    let sent = test.received("o0").await;
    assert_eq!(
        sent,
        [json!({"payload": 8, "place": "hall", "at": "2024-01-01T00:00:00.000Z"})]
    );
    let shown = to_wire(&test.engine.props("n").await.unwrap().into());
    assert_eq!(shown["rules"][0]["to"], json!("hall"));
}
