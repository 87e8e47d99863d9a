//! Results compared with Node-RED 5.0.4, which checks schemas with Ajv 8.

use serde_json::{Value as Json, json};

use super::run;

#[tokio::test(start_paused = true)]
async fn each_action_does_its_part() {
    let text = json!("{\"b\":1,\"a\":[true,null]}");
    let value = json!({"b": 1, "a": [true, null]});
    for (action, given, expected) in [
        ("", &text, &value),
        ("", &value, &text),
        ("obj", &text, &value),
        ("obj", &value, &value),
        ("str", &text, &text),
        ("str", &value, &text),
        ("obj", &json!({"$t": "buffer", "v": "WzFd"}), &json!([1])),
        (
            "str",
            &json!({"$t": "buffer", "v": "WzFd"}),
            &json!({"$t": "buffer", "v": "WzFd"}),
        ),
        ("", &json!(true), &json!("true")),
        ("str", &json!(5), &json!("5")),
        ("", &json!(null), &json!("null")),
        ("", &json!({"$t": "number", "v": "NaN"}), &json!("null")),
        (
            "",
            &json!({"u": {"$t": "undefined"}, "d": {"$t": "date", "v": 0}, "n": {"$t": "number", "v": "Infinity"}}),
            &json!("{\"d\":\"1970-01-01T00:00:00.000Z\",\"n\":null}"),
        ),
    ] {
        let outcome = run(
            "json",
            json!({"action": action}),
            &[json!({"payload": given})],
        )
        .await;
        assert_eq!(&outcome.payloads()[0], expected, "{action} {given}");
        assert_eq!(outcome.done, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn text_may_be_pretty_and_stand_elsewhere() {
    let config = json!({"pretty": true, "property": "a.b"});
    let outcome = run(
        "json",
        config,
        &[json!({"a": {"b": {"c": [1, {}]}}, "payload": 1})],
    )
    .await;
    assert_eq!(
        outcome.sent,
        [json!({"a": {"b": "{\n    \"c\": [\n        1,\n        {}\n    ]\n}"}, "payload": 1})]
    );
    let outcome = run("json", json!({"property": "b"}), &[json!({"payload": 1})]).await;
    assert_eq!(
        (outcome.sent, outcome.done),
        (vec![json!({"payload": 1})], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_as_javascript_tells_them() {
    for (payload, error) in [
        (
            json!("{foo"),
            "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
        ),
        (
            json!("foo"),
            "Unexpected token 'o', \"foo\" is not valid JSON",
        ),
        (json!("[1,"), "Unexpected end of JSON input"),
        (json!(""), "Unexpected end of JSON input"),
        (
            json!({"$t": "buffer", "v": "Zm9v"}),
            "Unexpected token 'o', \"foo\" is not valid JSON",
        ),
        (
            json!("[".repeat(10_000) + &"]".repeat(10_000)),
            "nested deeper than 500 levels",
        ),
        (
            json!({"self": {"$t": "ref", "v": "payload"}}),
            "The value can't be written as JSON: Converting circular structure to JSON",
        ),
        (
            json!([{"$t": "bigint", "v": "1"}]),
            "The value can't be written as JSON: Do not know how to serialize a BigInt",
        ),
    ] {
        let outcome = run("json", json!({}), &[json!({"payload": payload})]).await;
        assert!(outcome.error().starts_with(error), "{}", outcome.error());
    }
    let outcome = run(
        "json",
        json!({}),
        &[json!({"payload": {"$t": "bigint", "v": "1"}})],
    )
    .await;
    assert!(outcome.warnings[0].contains("can't be converted"));
    assert_eq!((outcome.sent, outcome.done), (Vec::<Json>::new(), 1));
}

/// The mistakes that a value makes against a schema; none if it is sent.
async fn mistakes(schema: &Json, value: &Json) -> Option<(String, Json)> {
    let msg = json!({"payload": value.to_string(), "schema": schema});
    let mut outcome = run("json", json!({"action": "obj"}), &[msg]).await;
    if outcome.errors.is_empty() {
        assert_eq!(
            outcome.sent,
            [json!({"payload": value})],
            "the schema is gone"
        );
        return None;
    }
    let (text, msg) = outcome.errors.remove(0);
    Some((text, msg["schemaError"].clone()))
}

#[tokio::test(start_paused = true)]
async fn schemas_are_checked_with_ajvs_words_and_order() {
    let prefix = "The value does not fit the schema: ";
    for (schema, value, text) in [
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"a": "x"}),
            "",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "number", "minimum": 5, "multipleOf": 2}}, "required": ["x"], "additionalProperties": false}),
            json!({"a": 1, "n": 1.5, "z": 1}),
            "data must have required property 'x', data must NOT have additional properties, data/a must be string, data/n must be >= 5, data/n must be multiple of 2",
        ),
        (
            json!({"type": ["string", "null"]}),
            json!(5),
            "data must be string,null",
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 3}]}),
            json!(true),
            "data must be string, data must be number, data must match a schema in anyOf",
        ),
        (
            json!({"oneOf": [{"type": "number"}, {"type": "integer"}]}),
            json!(5),
            "data must match exactly one schema in oneOf",
        ),
        (
            json!({"if": {"type": "number"}, "then": {"maximum": 3}}),
            json!(5),
            "data must be <= 3, data must match \"then\" schema",
        ),
        (
            json!({"items": [{"type": "string"}], "additionalItems": false, "minItems": 3}),
            json!([1, 2]),
            "data must NOT have fewer than 3 items, data must NOT have more than 1 items, data/0 must be string",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, {"a": 1}, {"a": 1}]),
            "data must NOT have duplicate items (items ## 1 and 2 are identical)",
        ),
        (
            json!({"contains": {"type": "string"}}),
            json!([1]),
            "data/0 must be string, data must contain at least 1 valid item(s)",
        ),
        (
            json!({"propertyNames": {"maxLength": 2}}),
            json!({"abc": 1}),
            "data must NOT have more than 2 characters, data property name must be valid",
        ),
        (
            json!({"dependencies": {"a": ["b", "c"]}}),
            json!({"a": 1, "b": 1}),
            "data must have properties b, c when property a is present",
        ),
        (
            json!({"patternProperties": {"^\\d+$": {"const": 1}}}),
            json!({"12": 2, "x": 2}),
            "data/12 must be equal to constant",
        ),
        (
            json!({"definitions": {"n": {"type": "integer"}}, "properties": {"a/b": {"$ref": "#/definitions/n"}}}),
            json!({"a/b": 1.5}),
            "data/a~1b must be integer",
        ),
        (
            json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": false}),
            json!({"next": {"next": {"x": 1}}}),
            "data/next/next must NOT have additional properties",
        ),
        (json!({"enum": [1, [2]]}), json!([2]), ""),
        (
            json!({"not": {"type": "number"}}),
            json!(5),
            "data must NOT be valid",
        ),
        (
            json!({"type": "string", "pattern": "^a", "minLength": 3}),
            json!("bb"),
            "data must NOT have fewer than 3 characters, data must match pattern \"^a\"",
        ),
    ] {
        match mistakes(&schema, &value).await {
            None => assert_eq!(text, "", "{schema}"),
            Some((told, _)) => assert_eq!(told, format!("{prefix}{text}"), "{schema}"),
        }
    }
    let (_, list) = mistakes(
        &json!({"properties": {"a b": {"minimum": 5}}}),
        &json!({"a b": 1}),
    )
    .await
    .unwrap();
    assert_eq!(
        list,
        json!([{"instancePath": "/a b", "schemaPath": "#/properties/a%20b/minimum", "keyword": "minimum", "params": {"comparison": ">=", "limit": 5}, "message": "must be >= 5"}])
    );
}

#[tokio::test(start_paused = true)]
async fn schemas_that_are_none_are_refused() {
    for schema in [
        json!({"type": "what"}),
        json!({"minimum": "x"}),
        json!({"unknown": 1}),
        json!({"type": "string", "format": "email"}),
        json!({"$ref": "#/definitions/nope"}),
        json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
        json!({"properties": {"a": 1}}),
        json!({"pattern": "("}),
        json!({"if": {}}),
        json!({"a": {"$t": "ref", "v": "schema"}}),
        json!("text"),
    ] {
        for payload in [json!("{}"), json!({})] {
            let outcome = run(
                "json",
                json!({}),
                &[json!({"payload": payload, "schema": schema})],
            )
            .await;
            assert!(
                outcome.error().starts_with("msg.schema can't be used"),
                "{schema}: {}",
                outcome.error()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn schemas_hold_for_both_directions_and_one_after_the_other() {
    let schema = json!({"type": "object"});
    let outcome = run(
        "json",
        json!({"action": "str"}),
        &[
            json!({"payload": {"a": 1}, "schema": schema}),
            json!({"payload": "{\"a\":1}", "schema": schema}),
            json!({"payload": "[]", "schema": schema}),
            json!({"payload": [1], "schema": {"type": "array"}}),
            json!({"payload": 5}),
        ],
    )
    .await;
    assert_eq!(
        outcome.payloads(),
        [
            json!("{\"a\":1}"),
            json!("{\"a\":1}"),
            json!("[1]"),
            json!("5")
        ]
    );
    assert_eq!(outcome.errors.len(), 1);
    assert_eq!(outcome.errors[0].1["payload"], json!("[]"));
}

#[tokio::test(start_paused = true)]
async fn endless_schemas_and_many_mistakes_end() {
    let outcome = run(
        "json",
        json!({}),
        &[json!({"payload": {}, "schema": {"$ref": "#"}})],
    )
    .await;
    assert_eq!(outcome.error(), "Maximum call stack size exceeded");
    let deep = (0..450).fold(json!({}), |value, _| json!({"n": value}));
    let schema = json!({"type": "object", "properties": {"n": {"$ref": "#"}}});
    let outcome = run(
        "json",
        json!({}),
        &[json!({"payload": deep, "schema": schema})],
    )
    .await;
    assert_eq!(outcome.error(), "Maximum call stack size exceeded");
    let many = json!({"payload": vec![1; 50_000], "schema": {"items": {"type": "string"}}});
    let outcome = run("json", json!({}), &[many]).await;
    assert_eq!(
        outcome.errors[0].1["schemaError"].as_array().unwrap().len(),
        1000
    );
    let pattern = json!({"payload": "\"".to_owned() + &"a".repeat(40) + "!\"", "schema": {"pattern": "^(a+)+$"}});
    let outcome = run("json", json!({}), &[pattern]).await;
    assert_eq!(outcome.errors.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn large_texts_are_read_and_written() {
    let list: Vec<Json> = (0..200_000).map(|n| json!({"n": n})).collect();
    let text = Json::from(list).to_string();
    let outcome = run("json", json!({}), &[json!({"payload": text})]).await;
    assert_eq!(outcome.payloads()[0].as_array().unwrap().len(), 200_000);
}
