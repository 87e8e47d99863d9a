//! Start and stop, limits of time and memory.

use super::*;

#[tokio::test(start_paused = true)]
async fn start_and_stop() {
    // Messages wait for an async start section and keep their order.
    let mut bench = Bench::new(flow(&json!({
        "initialize": "await new Promise(r => setTimeout(r, 20)); context.set('n', 7); node.send({payload: 'init'})",
        "func": "msg.payload = [msg.payload, context.get('n')]; return msg",
        "finalize": "node.warn('bye'); node.send({payload: 1})"
    })))
    .await;
    for payload in [1, 2] {
        bench.send("f", &json!({"payload": payload, "_msgid": "1"}));
    }
    let mut story = bench.story().await;
    let id = story[0][1].as_object_mut().unwrap().remove("_msgid");
    assert_eq!(id.unwrap().as_str().unwrap().len(), 16);
    assert_eq!(
        Json::from(story),
        json!([["h", {"payload": "init"}], ["h", {"payload": [1, 7], "_msgid": "1"}], ["h", {"payload": [2, 7], "_msgid": "1"}]])
    );
    bench.engine.stop().await;
    assert_eq!(
        Json::from(bench.story().await),
        json!([
            ["warn", "bye"],
            ["error", "Cannot send from close function"]
        ])
    );
    // A start section that fails leaves the node dead.
    for initialize in ["throw new Error('no')", "await 1; throw new Error('no')"] {
        let story = tell(&json!({"initialize": initialize}), &[json!({})]).await;
        assert_eq!(Json::from(story), error("Error: no"), "{initialize}");
    }
    // Closing ends timers, runs close handlers and clears the status.
    let mut bench = Bench::new(flow(&json!({
        "func": "node.status('up'); setInterval(() => node.warn('tick'), 10); setTimeout(() => node.warn('late'), 25); node.on('close', () => node.log('closing'))"
    })))
    .await;
    bench.send("f", &json!({}));
    let before = bench.story_after(Duration::from_millis(15)).await;
    assert_eq!(
        Json::from(before),
        json!([["status", {"text": "up"}], ["warn", "tick"]])
    );
    bench.engine.stop().await;
    assert_eq!(
        Json::from(bench.story_after(Duration::from_millis(100)).await),
        json!([["info", "closing"], ["status", {}]])
    );
}

#[tokio::test]
async fn endless_scripts_are_stopped() {
    for (code, again) in [
        ("if (msg.payload) while (true); return msg", true),
        (
            "if (msg.payload) { try { while (true); } catch (e) { while (true); } } return msg",
            true,
        ),
        (
            "if (msg.payload) { await 1; while (true); } return msg",
            true,
        ),
        (
            "if (msg.payload) { const f = () => Promise.resolve().then(f); f(); return new Promise(() => {}) } return msg",
            true,
        ),
        (
            "if (msg.payload) /(a+)+$/.test('a'.repeat(40) + 'b'); return msg",
            true,
        ),
    ] {
        let mut bench = Bench::new(flow(&json!({"func": code, "timeout": 0.05}))).await;
        bench.send("f", &json!({"payload": 1, "_msgid": "1"}));
        bench.send("f", &json!({"payload": 0, "_msgid": "2"}));
        let story = bench.story_after(Duration::from_millis(400)).await;
        let mut expected = vec![json!([
            "error",
            "Error: Script execution timed out after 50ms"
        ])];
        if again {
            expected.push(json!(["h", {"payload": 0, "_msgid": "2"}]));
        }
        assert_eq!(Json::from(story), Json::from(expected), "{code}");
    }
    let mut bench = Bench::new(flow(
        &json!({"func": "setTimeout(() => { while (true); }, 1)", "timeout": 0.05}),
    ))
    .await;
    bench.send("f", &json!({}));
    let story = bench.story_after(Duration::from_millis(300)).await;
    assert_eq!(
        Json::from(story),
        error("Error: Script execution timed out after 50ms")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_flow_leaves_the_others_alone() {
    let flow = json!([{"id": "t", "type": "tab"}, {"id": "u", "type": "tab"}, {"id": "v", "type": "tab"},
        {"id": "f", "type": "function", "z": "t", "func": "while (true);", "timeout": 1},
        {"id": "g", "type": "function", "z": "u", "func": "while (true);", "timeout": 1},
        {"id": "b", "type": "function", "z": "v", "func": "return msg", "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "v"}]);
    let mut bench = Bench::new(flow).await;
    bench.send("f", &json!({}));
    bench.send("g", &json!({}));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = std::time::Instant::now();
    bench.send("b", &json!({"_msgid": "1"}));
    loop {
        let stamped = bench.events.next().await.unwrap();
        if matches!(&*stamped.event, Event::Input { node, .. } if &**node == "h") {
            break;
        }
    }
    assert!(
        start.elapsed() < Duration::from_millis(300),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn memory_is_bounded() {
    let flow = json!([{"id": "t", "type": "tab"},
        {"id": "f", "type": "function", "z": "t", "func": "const hog = []; while (true) hog.push(new Array(1000).fill('x' + hog.length))"},
        {"id": "k", "type": "function", "z": "t", "func": "(globalThis.kept ??= []).push(0); while (true) kept.push('x'.repeat(100000) + kept.length)"},
        {"id": "b", "type": "function", "z": "t", "initialize": "node.log('start')", "func": "return msg", "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "t"}]);
    let mut bench = Bench::new(flow).await;
    for hog in ["f", "k"] {
        bench.send(hog, &json!({}));
        bench.send("b", &json!({"_msgid": "1"}));
        let mut story = Vec::new();
        for _ in 0..200 {
            story.extend(bench.story().await);
            if story.contains(&json!(["h", {"_msgid": "1"}])) {
                break;
            }
        }
        assert!(
            story.contains(&json!(["error", "Error: out of memory"])),
            "{hog} {story:?}"
        );
        assert!(
            story.contains(&json!(["h", {"_msgid": "1"}])),
            "{hog} {story:?}"
        );
    }
}

#[tokio::test]
async fn context_values_leave_nothing_behind() {
    let code = "const q = context.get('q') || []; context.set('q', q); q.push('x'.repeat(1000)); if (q.length > 100) q.shift(); if (msg.topic) return {payload: context.get('q').length}";
    let mut bench = Bench::new(flow(&json!({"func": code}))).await;
    for _ in 0..1000 {
        bench.send("f", &json!({}));
    }
    bench.send("f", &json!({"topic": 1, "_msgid": "1"}));
    let mut story = Vec::new();
    while story.is_empty() {
        story = bench.story().await;
    }
    assert_eq!(Json::from(story), got(&json!(100)));
}

#[tokio::test]
async fn runtimes_can_be_dropped_at_any_time() {
    let codes = [
        "await new Promise(() => {})",
        "setInterval(() => node.send(msg), 1); globalThis.keep = [msg, node, context]",
        "context.set('f', () => node.send(msg)); const c = {}; c.c = c; context.set('c', c)",
        "node.on('close', () => node.error('x', msg)); return new Promise(r => setTimeout(() => r(msg), 1000))",
    ];
    for stop in [true, false] {
        for code in codes {
            let mut bench = Bench::new(flow(&json!({"func": code}))).await;
            bench.send("f", &json!({"payload": 1}));
            bench.story_after(Duration::from_millis(5)).await;
            if stop {
                bench.deploy(json!([])).await;
                bench.engine.stop().await;
            }
            drop(bench);
            tokio::task::yield_now().await;
        }
    }
}
