//! Messages that stay objects between functions, which they do while nobody watches: `last` tells what it gets.

use super::*;

/// Functions a → b → last, with further nodes.
fn chain(a: &str, b: &str, more: &[Json]) -> Json {
    let mut flow = json!([{"id": "t", "type": "tab"},
        {"id": "a", "type": "function", "z": "t", "func": a, "wires": [["b"]]},
        {"id": "b", "type": "function", "z": "t", "func": b, "wires": [["last"]]},
        {"id": "last", "type": "function", "z": "t", "func": "node.warn(JSON.stringify(msg))"}]);
    flow.as_array_mut().unwrap().extend_from_slice(more);
    flow
}

async fn told(flow: Json, given: &[Json]) -> Json {
    let mut bench = Bench::unwatched(flow).await;
    for msg in given {
        bench.send("a", msg);
    }
    let story = bench.story().await;
    let texts = story.iter().map(|line| {
        let text = line[1].as_str().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_else(|_| line.clone())
    });
    texts.collect::<Vec<Json>>().into()
}

#[tokio::test(start_paused = true)]
async fn the_next_function_gets_the_object_itself() {
    for (a, b, expected) in [
        (
            "msg.a = 1; return msg",
            "msg.b = msg.a + 1; return msg",
            json!({"payload": 1, "_msgid": "1", "a": 1, "b": 2}),
        ),
        // What is sent without a copy may still change; a copy does not.
        (
            "node.send(msg, false); msg.payload = 2",
            "return msg",
            json!({"payload": 2, "_msgid": "1"}),
        ),
        (
            "node.send(msg); msg.payload = 2",
            "return msg",
            json!({"payload": 1, "_msgid": "1"}),
        ),
        // Ids are those of the message that the function was called with.
        (
            "return {payload: 5, _msgid: 'other'}",
            "return msg",
            json!({"payload": 5, "_msgid": "1"}),
        ),
        (
            "msg._msgid = 'z'; return {payload: 5}",
            "return msg",
            json!({"payload": 5, "_msgid": "z"}),
        ),
        (
            "msg.payload = [new Date(0), Buffer.from('a'), new Map([[1, 2]])]; return msg",
            "msg.payload = [msg.payload[0] instanceof Date, Buffer.isBuffer(msg.payload[1]), msg.payload[2].get(1)]; return msg",
            json!({"payload": [true, true, 2], "_msgid": "1"}),
        ),
        (
            "return msg",
            "await new Promise(r => setTimeout(r, 5)); msg.late = true; return msg",
            json!({"payload": 1, "_msgid": "1", "late": true}),
        ),
        // A node with globals of its own lives elsewhere: it gets a copy.
        (
            "msg.n = 1; return msg",
            "total = msg.n; msg.total = total; return msg",
            json!({"payload": 1, "_msgid": "1", "n": 1, "total": 1}),
        ),
    ] {
        let given = json!({"payload": 1, "_msgid": "1"});
        assert_eq!(
            told(chain(a, b, &[]), &[given]).await,
            json!([expected]),
            "{a} / {b}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn several_receivers_share_nothing() {
    let other =
        json!({"id": "c", "type": "function", "z": "t", "func": "node.warn(JSON.stringify(msg))"});
    let mut flow = chain("return msg", "msg.payload.x = 2; return msg", &[other]);
    flow[1]["wires"] = json!([["b", "c"]]);
    assert_eq!(
        told(flow, &[json!({"payload": {"x": 1}, "_msgid": "1"})]).await,
        json!([{"payload": {"x": 1}, "_msgid": "1"}, {"payload": {"x": 2}, "_msgid": "1"}])
    );
}

#[tokio::test(start_paused = true)]
async fn errors_and_ends_know_the_message() {
    let tell =
        "node.warn(JSON.stringify([msg.payload, msg.error?.message, msg.complete?.source.id]))";
    let more = [
        json!({"id": "catch", "type": "catch", "z": "t", "scope": ["b"], "wires": [["tell"]]}),
        json!({"id": "done", "type": "complete", "z": "t", "scope": ["b"], "wires": [["tell"]]}),
        json!({"id": "tell", "type": "function", "z": "t", "func": tell}),
    ];
    for (b, expected) in [
        (
            "msg.payload = 2; throw new Error('no')",
            json!([[2, "Error: no", null]]),
        ),
        (
            "await 1; msg.payload = 2; throw new Error('no')",
            json!([[2, "Error: no", null]]),
        ),
        ("msg.payload = 3", json!([[3, null, "b"]])),
    ] {
        let flow = chain("return msg", b, &more);
        assert_eq!(
            told(flow, &[json!({"payload": 1, "_msgid": "1"})]).await,
            expected,
            "{b}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_the_start_section_in_order() {
    let mut flow = chain("return msg", "return msg", &[]);
    flow[2]["initialize"] = "await new Promise(r => setTimeout(r, 20))".into();
    let given: Vec<Json> = (0..40)
        .map(|n| json!({"payload": n, "_msgid": "1"}))
        .collect();
    assert_eq!(told(flow, &given).await, Json::from(given));
}

#[tokio::test(start_paused = true)]
async fn order_holds_also_where_not_all_can_be_kept() {
    let given: Vec<Json> = (0..3000)
        .map(|n| json!({"payload": n, "_msgid": "1"}))
        .collect();
    let flow = chain("return msg", "return msg", &[]);
    assert_eq!(told(flow, &given).await, Json::from(given));
}

#[tokio::test]
async fn large_messages_do_not_fill_the_runtime() {
    let flow = chain(
        "msg.payload = String(msg.payload).repeat(1000000); return msg",
        "return msg",
        &[
            json!({"id": "count", "type": "function", "z": "t", "func": "flow.set('n', (flow.get('n') || 0) + msg.payload.length); node.warn(flow.get('n'))"}),
        ],
    );
    let mut flow = flow;
    flow[2]["wires"] = json!([["count"]]);
    let mut bench = Bench::unwatched(flow).await;
    for _ in 0..200 {
        bench.send("a", &json!({"payload": 1}));
    }
    let mut last = Json::Null;
    for _ in 0..400 {
        for line in bench.story().await {
            assert_eq!(line[0], "warn", "{line}");
            last = line[1].clone();
        }
        if last == "200000000" {
            return;
        }
    }
    panic!("{last}");
}

#[tokio::test]
async fn kept_messages_end_with_their_nodes() {
    for stop in [true, false] {
        let bench = Bench::unwatched(chain("return msg", "return msg", &[])).await;
        for n in 0..500 {
            bench.send("a", &json!({"payload": n}));
        }
        tokio::task::yield_now().await;
        if stop {
            bench.deploy(json!([])).await;
            bench.engine.stop().await;
        }
        drop(bench);
        tokio::task::yield_now().await;
    }
    // A node in the middle goes while messages are on their way to it; the others go on.
    let mut bench = Bench::unwatched(chain("return msg", "return msg", &[])).await;
    for n in 0..500 {
        bench.send("a", &json!({"payload": n}));
    }
    tokio::task::yield_now().await;
    bench
        .deploy(chain("return msg", "msg.again = true; return msg", &[]))
        .await;
    bench.story().await;
    bench.send("a", &json!({"payload": 1, "_msgid": "1"}));
    let story = bench.story().await;
    let expected = json!(["warn", "{\"payload\":1,\"_msgid\":\"1\",\"again\":true}"]);
    assert_eq!(story.last(), Some(&expected));
}
