//! Functions of which is known what they reach of a message do the same as those that get all of it.

use serde_json::{Value as Json, json};

use super::{Bench, flow};

/// Code that reaches parts of its message, each in a way of its own.
const CODES: [&str; 45] = [
    "return msg",
    "return null",
    "",
    "return 5",
    "return [msg, msg]",
    "return [[msg, msg], {payload: msg.payload}]",
    "return [null, msg]",
    "return msg.payload ? msg : null",
    "return msg.payload",
    "return {payload: msg.payload, topic: msg.topic}",
    "msg.payload = 1; return msg",
    "msg.payload += 1; return msg",
    "msg.payload.a += 1; return msg",
    "msg.payload.a.b = 'x'; return msg",
    "msg.payload.b.c = msg.payload.a; return msg",
    "msg.x = 1; msg.b = 2; msg.a = 3; return msg",
    "msg.payload.z = 1; msg.payload.y = 2; return msg",
    "msg['payload']['a'] = undefined; return msg",
    "delete msg.topic; return msg",
    "delete msg.payload.a; return msg",
    "delete msg.payload.a; msg.payload.a = 1; return msg",
    "delete msg.payload; return [msg, msg]",
    "msg.payload = {a: msg.topic}; msg.payload.b = 1; return msg",
    "msg.topic = msg.payload; msg.topic.a = 9; return msg",
    "const p = msg.payload; p.a = 2; return msg",
    "msg.payload = msg.payload.length; return msg",
    "msg.payload.push(1); return msg",
    "msg.payload.a.push({}); return msg",
    "msg.payload = msg.payload.toString(); return msg",
    "msg.payload = String(msg?.payload?.a?.b); return msg",
    "msg.payload = typeof msg.payload; return msg",
    "msg.payload = JSON.stringify(msg.payload); return msg",
    "for (const key in msg.payload) msg.last = key; return msg",
    "msg.payload = Object.keys(msg.payload); return msg",
    "msg.payload.a = msg.payload; return msg",
    "msg.self = msg.payload; msg.payload.self = msg.self; return msg",
    "msg.count = (msg.count || 0) + 1; if (msg.count > 1) return; return msg",
    "msg.payload.a.b.c.d = 1; return msg",
    "msg.topic = 'set'; throw new Error('no ' + msg.payload)",
    "msg.payload.a = 1; throw 'text'",
    "msg.x = 1; msg.payload(); return msg",
    "const {payload, topic = 5} = msg; msg.out = [topic, payload]; return msg",
    "return Promise.resolve(msg.payload)",
    "msg.payload = 'x'; return {then: 1}",
    "msg.payload = msg.payload.map(x => x + 1); return msg",
];

fn messages() -> Vec<Json> {
    let payloads = json!([
        1, "text", true, null, [1, 2, 3], [], {}, {"a": 1, "b": {"c": 2}}, {"a": {"b": {"c": {"d": 0}}}}, {"b": {}, "a": [1]},
        {"$t": "date", "v": 5}, {"$t": "buffer", "v": "AQID"}, {"$t": "map", "v": [["a", 1]]}, {"$t": "undefined"}, {"$t": "number", "v": "-0"},
        {"$t": "error", "name": "TypeError", "message": "no", "props": {"a": 1}}, {"$t": "regexp", "v": "a", "flags": "g"},
        {"a": {"$t": "ref", "v": "payload"}, "b": 1}, {"a": {"$t": "ref", "v": ""}}, {"a": {"b": {"$t": "ref", "v": "payload/a"}}},
        {"a": {"$t": "bigint", "v": "12"}, "b": {"$t": "typedarray", "kind": "Uint8Array", "v": "AQ=="}}
    ]);
    let with_payload = |payload: &Json| json!({"_msgid": "1", "topic": "t", "payload": payload, "rest": {"kept": [1, {"a": 2}]}});
    let mut messages: Vec<Json> = payloads
        .as_array()
        .unwrap()
        .iter()
        .map(with_payload)
        .collect();
    messages.push(json!({"_msgid": "1"}));
    messages
        .push(json!({"_msgid": "1", "count": 1, "a": 0, "1": 2, "rest": {"$t": "ref", "v": ""}}));
    messages
}

/// What becomes of the messages: with two outputs, a catch and, if `watched`, a complete node.
async fn told(code: &str, watched: bool) -> Vec<String> {
    let mut flow = flow(&json!({"func": code, "outputs": 2, "wires": [["h"], ["i"]]}));
    let flow_items = flow.as_array_mut().unwrap();
    flow_items
        .push(json!({"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": [["i"]]}));
    if watched {
        flow_items.push(json!({"id": "complete", "type": "complete", "z": "t", "scope": ["f"], "wires": [["i"]]}));
    }
    let mut bench = Bench::new(flow).await;
    for msg in messages() {
        bench.send("f", &msg);
    }
    let text = |event: &Json| {
        let mut event = event.clone();
        // Where in the code it happened is a line of the other source.
        if let Some(error) = event.pointer_mut("/1/error").and_then(Json::as_object_mut) {
            error.shift_remove("stack");
        }
        event.to_string()
    };
    bench.story().await.iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn the_parts_that_are_reached_are_enough() {
    // What is sent reaches one helper, what is done the complete node and from there the other helper.
    assert_eq!(told("return msg", true).await.len(), 3 * messages().len());
    for code in CODES {
        for watched in [false, true] {
            // A use of the whole message, where it is never run.
            let whole = format!("{code}\nif (false) void [...msg]");
            let told_of_parts = told(code, watched).await;
            assert_eq!(told_of_parts, told(&whole, watched).await, "{code}");
        }
    }
}

#[tokio::test]
async fn a_chain_of_functions_gives_what_one_gives() {
    let node = |id: &str, code: &str, to: &str| json!({"id": id, "type": "function", "z": "t", "func": code, "outputs": 1, "wires": [[to]]});
    let mut bench = Bench::new(json!([
        {"id": "t", "type": "tab"},
        node("f", "msg.payload.n = 1; return msg", "g"),
        node("g", "msg.all = Object.keys(msg).join(); return msg", "k"),
        node("k", "msg.payload.n += 1; return msg", "l"),
        node("l", "delete msg.topic; return msg", "h"),
        {"id": "h", "type": "helper", "z": "t", "wires": []}
    ]))
    .await;
    bench.send(
        "f",
        &json!({"_msgid": "1", "topic": "x", "payload": {"a": [1]}}),
    );
    let story = bench.story().await;
    let last = story.iter().find(|event| event[0] == "h");
    assert_eq!(
        last.unwrap()[1],
        json!({"_msgid": "1", "payload": {"a": [1], "n": 2}, "all": "_msgid,topic,payload"})
    );
}
