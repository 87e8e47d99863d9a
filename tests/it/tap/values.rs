//! Typed values, in both directions: what is handed to a node comes back as it was, and what a function makes is told as
//! the table has it.

use serde_json::{Value as Json, json};

use super::{Tap, helper, node, undefined};

/// Every row of the table, as it is written.
fn rows() -> Vec<Json> {
    let number = |text: &str| json!({"$t": "number", "v": text});
    vec![
        json!(null),
        json!(true),
        json!("text"),
        json!("ü😀\u{2028}\"\\\n"),
        json!([]),
        json!({}),
        undefined(),
        number("NaN"),
        number("Infinity"),
        number("-Infinity"),
        number("-0"),
        json!({"$t": "buffer", "v": "AQID"}),
        json!({"$t": "buffer", "v": ""}),
        json!({"$t": "typedarray", "kind": "Uint8Array", "v": "AQID"}),
        json!({"$t": "typedarray", "kind": "Float64Array", "v": "AAAAAAAA8D8="}),
        json!({"$t": "typedarray", "kind": "DataView", "v": "AQID"}),
        json!({"$t": "arraybuffer", "v": "AQID"}),
        json!({"$t": "date", "v": 0}),
        json!({"$t": "date", "v": -1}),
        json!({"$t": "date", "v": 1_700_000_000_123_u64}),
        json!({"$t": "date", "v": null}),
        json!({"$t": "bigint", "v": "123456789012345678901234567890"}),
        json!({"$t": "regexp", "v": "a+", "flags": "i"}),
        json!({"$t": "map", "v": [["k", 1], [{"a": 1}, [2]]]}),
        json!({"$t": "set", "v": [1, "a", {"b": []}]}),
        json!({"$t": "error", "name": "TypeError", "message": "m", "stack": "TypeError: m\n  at x", "props": {"code": "ENOENT"}}),
        json!({"$t": "object", "v": {"$t": "buffer", "v": "no buffer"}}),
        json!({"$t": "object", "v": {"$t": 1}}),
        json!({"a": {"b": [{"$t": "date", "v": 0}, undefined(), {"$t": "buffer", "v": "AQ=="}]}}),
    ]
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    let mut tap = Tap::running(json!([
        helper("h"),
        node(
            "f",
            "function",
            json!([["h"]]),
            json!({"func": "return msg"})
        ),
        node(
            "touched",
            "function",
            json!([["h"]]),
            json!({"func": "const kept = msg; kept.also = 1; return kept"})
        ),
    ]))
    .await;
    for value in rows() {
        for id in ["h", "f", "touched"] {
            tap.receive(id, json!({"payload": value})).await;
            assert_eq!(tap.input("h").await["payload"], value, "through {id}");
        }
    }
}

#[tokio::test]
async fn what_javascript_makes_is_told_as_the_table_has_it() {
    let flows = json!([
        node("f", "function", json!([["h"]]), json!({"func": ""})),
        helper("h")
    ]);
    let mut tap = Tap::running(flows).await;
    for (code, expected) in [
        ("undefined", undefined()),
        ("[1,,3]", json!([1, undefined(), 3])),
        (
            "[NaN, Infinity, -Infinity, -0, 0]",
            json!([{"$t": "number", "v": "NaN"}, {"$t": "number", "v": "Infinity"}, {"$t": "number", "v": "-Infinity"}, {"$t": "number", "v": "-0"}, 0]),
        ),
        ("Buffer.from('abc')", json!({"$t": "buffer", "v": "YWJj"})),
        (
            "new Uint8Array([1,2])",
            json!({"$t": "typedarray", "kind": "Uint8Array", "v": "AQI="}),
        ),
        (
            "new Int16Array([1])",
            json!({"$t": "typedarray", "kind": "Int16Array", "v": "AQA="}),
        ),
        (
            "new DataView(new ArrayBuffer(2))",
            json!({"$t": "typedarray", "kind": "DataView", "v": "AAA="}),
        ),
        (
            "new ArrayBuffer(2)",
            json!({"$t": "arraybuffer", "v": "AAA="}),
        ),
        ("new Date(5)", json!({"$t": "date", "v": 5})),
        ("new Date('no date')", json!({"$t": "date", "v": null})),
        ("123n", json!({"$t": "bigint", "v": "123"})),
        ("/a+/gi", json!({"$t": "regexp", "v": "a+", "flags": "gi"})),
        (
            "new Map([['a', new Date(0)]])",
            json!({"$t": "map", "v": [["a", {"$t": "date", "v": 0}]]}),
        ),
        (
            "new Set([1, undefined])",
            json!({"$t": "set", "v": [1, undefined()]}),
        ),
        ("({$t: 'x'})", json!({"$t": "object", "v": {"$t": "x"}})),
        (
            "({b: 1, a: {d: 1, c: undefined}})",
            json!({"b": 1, "a": {"d": 1, "c": undefined()}}),
        ),
        (
            "(() => { const a = {b: [{}]}; a.b[0].up = a; a.b[0].same = a.b; return a })()",
            json!({"b": [{"up": {"$t": "ref", "v": "payload"}, "same": {"$t": "ref", "v": "payload/b"}}]}),
        ),
        (
            "(() => { const a = {'x/y~z': {}}; a['x/y~z'].self = a['x/y~z']; return a })()",
            json!({"x/y~z": {"self": {"$t": "ref", "v": "payload/x~1y~0z"}}}),
        ),
        ("msg", json!({"$t": "ref", "v": ""})),
    ] {
        let func = format!("msg.payload = {code}; return msg");
        tap.deploy(json!([
            node("f", "function", json!([["h"]]), json!({"func": func})),
            helper("h")
        ]))
        .await;
        tap.receive("f", json!({})).await;
        assert_eq!(tap.input("h").await["payload"], expected, "{code}");
    }
}

#[tokio::test]
async fn errors_and_functions_are_told_by_name() {
    let func = "msg.payload = Object.assign(new RangeError('far'), {code: 'E', n: 1}); msg.run = function named() {}; return msg";
    let mut tap = Tap::running(json!([
        node("f", "function", json!([["h"]]), json!({"func": func})),
        helper("h")
    ]))
    .await;
    tap.receive("f", json!({})).await;
    let msg = tap.input("h").await;
    let error = &msg["payload"];
    assert_eq!(
        json!([error["$t"], error["name"], error["message"], error["props"]]),
        json!(["error", "RangeError", "far", {"code": "E", "n": 1}])
    );
    assert!(error["stack"].is_string(), "{error}");
    assert_eq!(msg["run"], json!({"$t": "function", "name": "named"}));
}

#[tokio::test]
async fn a_value_that_holds_itself_can_be_handed_in() {
    let func = "msg.payload = [msg.payload.a.up === msg.payload, msg.list[0] === msg.list, msg.me === msg]; return {payload: msg.payload}";
    let mut tap = Tap::running(json!([
        node("f", "function", json!([["h"]]), json!({"func": func})),
        helper("h")
    ]))
    .await;
    let reference = |to: &str| json!({"$t": "ref", "v": to});
    let msg = json!({"payload": {"a": {"up": reference("payload")}}, "list": [reference("list")], "me": reference("")});
    tap.receive("h", msg.clone()).await;
    let mut seen = tap.input("h").await;
    seen.as_object_mut().unwrap().shift_remove("_msgid");
    assert_eq!(seen, msg);
    tap.receive("f", msg).await;
    assert_eq!(tap.input("h").await["payload"], json!([true, true, true]));
}

#[tokio::test]
async fn the_order_of_keys_is_kept() {
    let mut tap = Tap::running(json!([
        helper("h"),
        node(
            "f",
            "function",
            json!([["h"]]),
            json!({"func": "const kept = msg; return kept"})
        ),
        node("json", "json", json!([["h"]]), json!({"action": "str"})),
    ]))
    .await;
    let names = |value: &Json| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let payload = json!({"z": 1, "a": 2, "m": {"y": 1, "b": 2}, "": 3, "__proto": 4});
    for id in ["h", "f"] {
        tap.receive(id, json!({"payload": payload, "first": 1}))
            .await;
        let msg = tap.input("h").await;
        assert_eq!(names(&msg["payload"]), names(&payload), "{id}");
        assert_eq!(names(&msg["payload"]["m"]), ["y", "b"]);
        assert_eq!(names(&msg)[..2], ["payload", "first"]);
    }
    tap.receive("json", json!({"payload": payload})).await;
    assert_eq!(
        tap.input("h").await["payload"],
        r#"{"z":1,"a":2,"m":{"y":1,"b":2},"":3,"__proto":4}"#
    );
}

#[tokio::test]
async fn numbers_read_back_to_the_same_double() {
    let mut tap = Tap::running(json!([
        helper("h"),
        node(
            "f",
            "function",
            json!([["h"]]),
            json!({"func": "const kept = msg; return kept"})
        ),
    ]))
    .await;
    let doubles = [
        0.0,
        1.0,
        -1.0,
        0.1,
        1.0 / 3.0,
        1e21,
        1e-7,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        9_007_199_254_740_991.0,
        9_007_199_254_740_993.0,
        -9_007_199_254_740_992.0,
        1.797_693_134_862_315_7e308,
        123_456_789.123_456_79,
        1e300,
        4.35,
        2.5e-8,
        18_446_744_073_709_551_615.0,
    ];
    for id in ["h", "f"] {
        tap.receive(id, json!({"payload": doubles})).await;
        let msg = tap.input("h").await;
        let back: Vec<f64> = msg["payload"]
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_f64().unwrap())
            .collect();
        let bits = |numbers: &[f64]| {
            numbers
                .iter()
                .map(|number| number.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&back), bits(&doubles), "{id}");
    }
}

#[tokio::test]
async fn what_is_no_value_is_refused() {
    let mut tap = Tap::running(json!([helper("h")])).await;
    for payload in [
        json!({"$t": "no such tag"}),
        json!({"$t": "buffer", "v": "?"}),
        json!({"$t": "map", "v": [1]}),
    ] {
        let message = tap
            .refused("receive", json!({"node": "h", "msg": {"payload": payload}}))
            .await;
        assert!(!message.is_empty(), "{payload}");
    }
    for depth in [501, 2_000, 100_000] {
        let payload = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let request =
            format!(r#"{{"op":"receive","node":"h","msg":{{"payload":{payload}}},"id":{depth}}}"#);
        tap.socket.send(&request).await;
        let answer = tap.answer(depth as u64).await;
        assert!(answer["error"]["message"].is_string(), "{depth}: {answer}");
    }
    tap.receive("h", json!({"payload": "still there"})).await;
    assert_eq!(tap.input("h").await["payload"], "still there");
}
