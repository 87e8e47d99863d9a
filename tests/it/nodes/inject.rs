//! inject: when it fires, what it sends, what it tells of.

use std::time::Duration;

use flowrill::{engine::LogLevel, flow::DeployMode};
use serde_json::{Value as Json, json};

use crate::support::flows::{TestFlows, got, logged, node};

async fn inject(properties: Json) -> TestFlows {
    let mut tested = node("i", "inject", properties);
    tested["wires"] = json!([["end"]]);
    TestFlows::run(json!([tested, node("end", "junction", json!({}))])).await
}

#[tokio::test(start_paused = true)]
async fn inject_fires_once_then_at_its_interval() {
    let mut test = inject(json!({"once": true, "onceDelay": "2", "repeat": "10", "payload": "x", "payloadType": "str"})).await;
    for (seconds, count) in [(1, 0), (2, 1), (9, 0), (2, 1), (30, 3)] {
        assert_eq!(
            got(&test.after(Duration::from_secs(seconds)).await, "end").len(),
            count
        );
    }
}

#[tokio::test(start_paused = true)]
async fn inject_follows_cron() {
    let mut test = inject(json!({"crontab": "*/15 * * * *"})).await;
    assert_eq!(
        got(&test.after(Duration::from_secs(3_700)).await, "end").len(),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn inject_gives_the_time() {
    let mut test = inject(json!({"props": [{"p": "payload"}, {"p": "iso", "v": "iso", "vt": "date"}, {"p": "d", "v": "object", "vt": "date"}], "payloadType": "date"})).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    test.send("i", json!({}));
    let expected = json!({
        "payload": 1_704_067_205_000_u64,
        "iso": "2024-01-01T00:00:05.000Z",
        "d": {"$t": "date", "v": 1_704_067_205_000_u64}
    });
    assert_eq!(test.received("end").await, [expected]);
}

#[tokio::test(start_paused = true)]
async fn inject_takes_other_properties_for_one_message() {
    let mut test = inject(json!({"props": [{"p": "payload", "v": "own", "vt": "str"}]})).await;
    test.send(
        "i",
        json!({"__user_inject_props__": [{"p": "payload", "v": "5", "vt": "num"}]}),
    );
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [json!({"payload": 5}), json!({"payload": "own"})]
    );
}

#[tokio::test(start_paused = true)]
async fn what_inject_cannot_do_is_told_and_nothing_is_sent() {
    let mut test = inject(json!({"repeat": "2147484"})).await;
    assert!(logged(&test.settle().await, LogLevel::Error)[0].contains("too long"));
    let mut test = inject(json!({"crontab": "at noon"})).await;
    assert!(logged(&test.settle().await, LogLevel::Error)[0].contains("cron"));
    let mut test = inject(json!({"props": [{"p": "a..b", "v": "1", "vt": "num"}, {"p": "c", "v": "{", "vt": "json"}]})).await;
    test.send("i", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    let errors = logged(&seen, LogLevel::Error);
    assert!(
        errors.len() == 1 && errors[0].contains("; "),
        "both are named in one error: {errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn inject_reads_the_environment_of_its_group_and_tab() {
    let test = TestFlows::new();
    test.env.set("STATION", Some("process".into()));
    let flows = json!([
        {"id": "t", "type": "tab", "env": [{"name": "STATION", "type": "str", "value": "tab"}]},
        {"id": "gr", "type": "group", "z": "t", "name": "G", "nodes": ["i"], "env": [{"name": "NUMBER", "type": "num", "value": "7"}]},
        node("i", "inject", json!({"g": "gr", "wires": [["end"]], "topic": "${STATION}", "props": [
            {"p": "topic", "vt": "str"}, {"p": "n", "v": "NUMBER", "vt": "env"}, {"p": "up", "v": "at ${$parent.STATION}!", "vt": "env"}
        ]})),
        node("end", "junction", json!({})),
    ]);
    let mut test = test;
    test.deploy(flows, DeployMode::Full).await;
    test.send("i", json!({}));
    assert_eq!(
        test.received("end").await,
        [json!({"topic": "tab", "n": 7, "up": "at tab!"})]
    );
}

#[tokio::test(start_paused = true)]
async fn inject_evaluates_expressions_line_by_line() {
    let mut test = inject(json!({"props": [
        {"p": "payload", "v": "7", "vt": "num"},
        {"p": "twice", "v": "payload * 2", "vt": "jsonata"},
        {"p": "old", "v": "msg.twice & '!'", "vt": "jsonata"},
        {"p": "none", "v": "nothing.here", "vt": "jsonata"},
        {"p": "at", "v": "YYYY-MM-DD", "vt": "date"},
    ]}))
    .await;
    assert_eq!(logged(&test.settle().await, LogLevel::Error), [""; 0]);
    test.send("i", json!({"keep": true}));
    assert_eq!(
        test.received("end").await,
        [json!({"keep": true, "payload": 7, "twice": 14, "old": "14!", "at": "2024-01-01"})]
    );
}

#[tokio::test(start_paused = true)]
async fn inject_tells_of_bad_expressions_at_the_start_and_when_it_fires() {
    let props = json!([{"p": "a", "v": "1 +", "vt": "jsonata"}, {"p": "b", "v": "1 + 'x'", "vt": "jsonata"}, {"p": "c", "v": "", "vt": "jsonata"}]);
    let mut test = inject(json!({"props": props})).await;
    let text = "The JSONata expression can't be evaluated: Unexpected end of expression";
    assert_eq!(
        logged(&test.settle().await, LogLevel::Error),
        [text, text],
        "the empty one, too; what can only fail later is not told yet"
    );
    test.send("i", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    assert_eq!(
        logged(&seen, LogLevel::Error),
        [
            "Unexpected end of expression; The JSONata expression can't be evaluated: The right side of the \"+\" operator must evaluate to a number"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn inject_puts_all_that_is_wrong_into_one_error() {
    let props = json!([
        {"p": "a", "v": "{", "vt": "json"}, {"p": "ok", "v": "1", "vt": "num"}, {"p": "b", "v": "5", "vt": "bin"},
        {"p": "c", "v": "no.such.thing", "vt": "msg"}, {"p": "d e", "v": "x"}, {"p": "f", "v": "[", "vt": "re"},
        {"p": "x[msg.none]", "v": "1"}
    ]);
    let mut test = inject(json!({"props": props})).await;
    test.send("i", json!({}));
    let seen = test.settle().await;
    assert_eq!(got(&seen, "end"), Vec::<Json>::new());
    let texts = logged(&seen, LogLevel::Error);
    assert_eq!(
        texts[0].split("; ").collect::<Vec<_>>(),
        [
            "SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
            "Error: Not string or array",
            "TypeError: Cannot read properties of undefined (reading 'such')",
            "Error: Invalid property expression: unexpected ' ' at position 1",
            "SyntaxError: Invalid regular expression: /[/: Unterminated character class",
            "Error: Invalid expression started at position 2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn inject_that_repeats_too_rarely_follows_its_cron() {
    let mut test = inject(json!({"repeat": "2147484", "crontab": "0 */10 * * * *"})).await;
    let seen = test.after(Duration::from_secs(1_805)).await;
    assert_eq!(got(&seen, "end").len(), 3);
    assert!(logged(&seen, LogLevel::Error)[0].contains("too long"));
}
