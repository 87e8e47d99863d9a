//! What functions send, and what becomes of values.

use super::*;

#[tokio::test(start_paused = true)]
async fn returns_and_sends() {
    let wrong = |kind: &str| {
        error(&format!(
            "The function tried to send something of type {kind}. A message is an object: return msg, or an object such as {{payload: 1}}"
        ))
    };
    check(&[
        ("return msg", json!("a"), got(&json!("a"))),
        ("return {payload: 2}", json!(1), got(&json!(2))),
        ("return null", json!(1), json!([])),
        ("", json!(1), json!([])),
        ("return 0", json!(1), json!([])),
        ("return {_msgid: 'other', payload: 1}", json!(1), got(&json!(1))),
        ("return 'text'", json!(1), wrong("string")),
        ("return [[[]]]", json!(1), wrong("Array")),
        ("return [[Buffer.from('x')]]", json!(1), wrong("Buffer")),
        ("return 5", json!(1), wrong("number")),
        ("return () => 1", json!(1), wrong("function")),
        (
            "return [[{payload: 1}, {payload: 2}]]",
            json!(0),
            json!([["h", {"payload": 1, "_msgid": "1"}], ["h", {"payload": 2, "_msgid": "1"}]]),
        ),
        (
            "2:return [null, msg]",
            json!(3),
            json!([["i", {"payload": 3, "_msgid": "1"}]]),
        ),
        (
            "2:return [msg, [msg, 7, {payload: 5}], msg]",
            json!(3),
            json!([wrong("number")[0], ["error", "The node tried to send a number instead of a message"], ["h", {"payload": 3, "_msgid": "1"}], ["i", {"payload": 3, "_msgid": "1"}], ["i", {"payload": 5, "_msgid": "1"}]]),
        ),
        ("node.send(msg); msg.payload = 2", json!(1), got(&json!(1))),
        ("const {send} = node; send({payload: 8})", json!(1), got(&json!(8))),
        ("node.send({payload: 1}); return {payload: 2}", json!(0), json!([["h", {"payload": 1, "_msgid": "1"}], ["h", {"payload": 2, "_msgid": "1"}]])),
        ("msg.payload = await Promise.resolve(4); return msg", json!(1), got(&json!(4))),
        ("return Promise.resolve({payload: 6})", json!(1), got(&json!(6))),
        ("return {then(done) { done({payload: 7}) }}", json!(1), got(&json!(7))),
        ("return new Promise(r => setTimeout(() => r(msg), 5))", json!(9), got(&json!(9))),
        ("msg.payload = typeof require; return msg", json!(1), got(&json!("undefined"))),
        ("msg.payload = this === globalThis; return msg", json!(1), got(&json!(true))),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn values_survive_the_trip() {
    let values = [
        json!(null),
        json!({"$t": "undefined"}),
        json!(true),
        json!(1.5),
        json!({"$t": "number", "v": "-0"}),
        json!({"$t": "number", "v": "NaN"}),
        json!("ü\u{0}\u{1F600}"),
        json!([1, [2, {"a": [3]}]]),
        json!({"10": 1, "2": 2, "b": 3, "__proto__": {"x": 1}, "constructor": 4}),
        json!({"$t": "buffer", "v": "AAH/"}),
        json!({"$t": "date", "v": 1234}),
        json!({"$t": "bigint", "v": "123456789012345678901234567890"}),
        json!({"$t": "regexp", "v": "a+\\/b", "flags": "gi"}),
        json!({"$t": "map", "v": [["k", {"a": 1}], [{"b": 2}, 3]]}),
        json!({"$t": "set", "v": [1, "a", [2]]}),
        json!({"$t": "typedarray", "kind": "Float32Array", "v": "AACAPw=="}),
        json!({"$t": "arraybuffer", "v": "AQI="}),
        json!({"a": {"$t": "ref", "v": "payload"}}),
        json!([[{"$t": "ref", "v": "payload/0"}]]),
    ];
    for value in values {
        let story = tell(&json!({}), &[json!({"payload": value})]).await;
        assert_eq!(Json::from(story), got(&value));
    }
    check(&[
        ("return {payload: '\\ud800x', ['\\udc00']: 1}", json!(1), json!([["h", {"payload": "\u{fffd}x", "\u{fffd}": 1, "_msgid": "1"}]])),
        ("class A { constructor() { this.a = 1 } get b() { return 2 } } msg.payload = new A(); return msg", json!(1), got(&json!({"a": 1}))),
        ("msg.payload = [new Number(5), new String('s'), Symbol('x')]; return msg", json!(1), got(&json!([5, "s", {"$t": "undefined"}]))),
        ("msg.payload = Object.create(null); msg.payload.a = 1; return msg", json!(1), got(&json!({"a": 1}))),
        ("msg.payload = {get a() { throw new Error('no') }}; return msg", json!(1), error("Error: no")),
        ("msg.payload = [1,,3]; return msg", json!(1), got(&json!([1, {"$t": "undefined"}, 3]))),
        ("msg.payload = []; msg.payload.length = 4294967295; return msg", json!(1), error("RangeError: The value is too large to be copied out of a function")),
        ("msg.payload = [msg.payload instanceof Array, msg.payload instanceof Object]; return msg", json!([]), got(&json!([true, true]))),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn neighbours_do_not_disturb_each_other() {
    let flow = json!([{"id": "t", "type": "tab"},
        {"id": "a", "type": "function", "z": "t", "func": "counter = (typeof counter === 'undefined' ? 0 : counter) + 1; String.prototype.shout = 1; msg.payload = counter; return msg", "wires": [["b"]]},
        {"id": "b", "type": "function", "z": "t", "func": "msg.seen = [typeof counter, 'x'.shout === undefined]; return msg", "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "t"}]);
    let mut bench = Bench::new(flow).await;
    bench.send("a", &json!({"_msgid": "1"}));
    bench.send("a", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    let seen: Vec<&Json> = story
        .iter()
        .filter(|line| line[0] == "h")
        .map(|line| &line[1])
        .collect();
    let seen = seen
        .iter()
        .map(|msg| json!([msg["payload"], msg["seen"]]))
        .collect::<Vec<_>>();
    assert_eq!(
        Json::from(seen),
        json!([[1, ["undefined", true]], [2, ["undefined", true]]])
    );
}

#[tokio::test(start_paused = true)]
async fn done_and_catch() {
    let nodes = |function: &Json| {
        let mut flow = flow(function);
        let list = flow.as_array_mut().unwrap();
        list.push(json!({"id": "done", "type": "complete", "z": "t", "scope": ["f"], "wires": []}));
        list.push(json!({"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": []}));
        flow
    };
    // An empty name is one for this type.
    let source = json!({"id": "f", "type": "function", "name": ""});
    let complete =
        |payload: i32| json!({"payload": payload, "_msgid": "1", "complete": {"source": source}});
    let failed = |text: &str| {
        let mut source = source.clone();
        source["count"] = 1.into();
        json!({"payload": 1, "_msgid": "1", "error": {"message": text, "source": source}})
    };
    for (code, expected) in [
        (
            "msg.payload = 2; return null",
            json!([["done", complete(2)]]),
        ),
        (
            "return msg",
            // Complete nodes hear of it at once, the next node when its turn comes.
            json!([["done", complete(1)], ["h", {"payload": 1, "_msgid": "1"}]]),
        ),
        (
            "/* node.done() */ const t = 'node.done()'",
            json!([["done", complete(1)]]),
        ),
        ("if (msg.payload > 5) node.done()", json!([])),
        (
            "setTimeout(() => node.done(), 5)",
            json!([["done", complete(1)]]),
        ),
        ("await 1; msg.payload = 3", json!([["done", complete(3)]])),
        // Only `node.done()` itself takes over; an error is one of the message and does not complete it.
        (
            "if (msg.payload === 7) node.done(); node.done(new Error('bad'))",
            json!([["catch", failed("Error: bad")]]),
        ),
        (
            "node.done('bad')",
            json!([["catch", failed("bad")], ["done", complete(1)]]),
        ),
    ] {
        let mut bench = Bench::new(nodes(&json!({"func": code}))).await;
        bench.send("f", &json!({"payload": 1, "_msgid": "1"}));
        let mut story = bench.story().await;
        for line in &mut story {
            if let Some(error) = line[1].get_mut("error") {
                error.as_object_mut().unwrap().remove("stack");
            }
        }
        assert_eq!(Json::from(story), expected, "{code}");
    }
    let mut bench = Bench::new(nodes(
        &json!({"func": "msg.payload = 2;\nthrow Object.assign(new Error('bad'), {code: 'E7'})"}),
    ))
    .await;
    bench.send("f", &json!({"payload": 1, "_msgid": "1"}));
    let story = bench.story().await;
    let caught = &story[0][1];
    assert_eq!(story.len(), 1);
    assert_eq!(caught["payload"], json!(2));
    assert_eq!(caught["error"]["message"], json!("Error: bad"));
    assert_eq!(caught["error"]["code"], json!("E7"));
    assert_eq!(caught["error"]["source"]["count"], json!(1));
    assert!(
        caught["error"]["stack"]
            .as_str()
            .unwrap()
            .contains("(body:2:"),
        "{caught}"
    );
    assert_eq!(caught["_error"]["message"], json!("bad"));
}

#[tokio::test(start_paused = true)]
async fn ids_of_what_is_sent() {
    let mut bench = Bench::new(flow(
        &json!({"func": "delete msg._msgid; node.send({payload: 1}); return msg"}),
    ))
    .await;
    bench.send("f", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    assert_eq!(story[0], json!(["h", {"payload": 1, "_msgid": "1"}]));
    assert_ne!(story[1][1]["_msgid"], json!("1"));
    check(&[
        (
            "msg._msgid = 'z'; node.send({payload: 1}); return {payload: 2}",
            json!(0),
            json!([["h", {"payload": 1, "_msgid": "1"}], ["h", {"payload": 2, "_msgid": "z"}]]),
        ),
        ("msg = {payload: 9}; return msg", json!(0), got(&json!(9))),
        (
            "msg._msgid = 'z'; await 1; return {payload: 2}",
            json!(0),
            json!([["h", {"payload": 2, "_msgid": "z"}]]),
        ),
    ])
    .await;
}
