use serde_json::{Value as Json, json};

use super::run;

#[tokio::test(start_paused = true)]
async fn text_becomes_a_value_and_a_value_text() {
    let msgs = [
        json!({"payload": "a: 1"}),
        json!({"payload": {"a": [1, null]}}),
        json!({"payload": null}),
    ];
    let outcome = run("yaml", json!({}), &msgs).await;
    assert_eq!(
        outcome.payloads(),
        [
            json!({"a": 1}),
            json!("a:\n  - 1\n  - null\n"),
            json!("null\n")
        ]
    );
    assert_eq!(outcome.done, 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_the_property_passes() {
    let outcome = run(
        "yaml",
        json!({"property": "text"}),
        &[json!({"payload": "a: 1"})],
    )
    .await;
    assert_eq!(outcome.sent, [json!({"payload": "a: 1"})]);
    assert_eq!(outcome.done, 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_text_leaves_no_property() {
    let outcome = run("yaml", json!({}), &[json!({"payload": ""})]).await;
    assert_eq!(outcome.sent, [json!({})]);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_converted_is_told() {
    for (payload, warning) in [
        (json!({"$t": "buffer", "v": "AQID"}), "buffer"),
        (json!(5), "Only text"),
        (json!(true), "Only text"),
    ] {
        let outcome = run("yaml", json!({}), &[json!({"payload": payload})]).await;
        assert!(
            outcome.warnings.len() == 1 && outcome.warnings[0].contains(warning),
            "{outcome:?}"
        );
        assert_eq!((outcome.sent, outcome.done), (Vec::<Json>::new(), 1));
    }
    let deep = (0..400).fold(json!(1), |value, _| json!([value]));
    for (payload, error) in [
        (
            json!("employees:\n-firstName: John\n- lastName: Smith\n"),
            "end of the stream or a document separator is expected (3:1)",
        ),
        (
            json!({"self": {"$t": "ref", "v": "payload"}}),
            "The value can't be written as YAML",
        ),
        (
            json!([{"$t": "map", "v": []}]),
            "The value can't be written as YAML",
        ),
        (json!("[".repeat(10_000)), "nesting exceeded maxDepth"),
    ] {
        let outcome = run("yaml", json!({}), &[json!({"payload": payload.clone()})]).await;
        assert!(outcome.error().starts_with(error), "{}", outcome.error());
        assert_eq!(
            outcome.errors[0].1["payload"], payload,
            "the message is as it came"
        );
        assert_eq!(outcome.done, 0);
    }
    assert_eq!(
        run("yaml", json!({}), &[json!({"payload": deep})])
            .await
            .sent
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_property_below_nothing_is_an_error() {
    let outcome = run("yaml", json!({"property": "a.b"}), &[json!({"payload": 1})]).await;
    assert_eq!(
        outcome.error(),
        "TypeError: Cannot read properties of undefined (reading 'b')"
    );
    let outcome = run(
        "yaml",
        json!({"property": "a..b"}),
        &[json!({"payload": 1})],
    )
    .await;
    assert!(
        outcome
            .error()
            .starts_with("Error: Invalid property expression")
    );
}
