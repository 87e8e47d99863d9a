//! What functions find: node, context, RED.util, and the rest of Node.js.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_api_of_node() {
    check(&[
        ("node.log('l'); node.warn({a: 1}); node.debug('d'); node.trace('t')", json!(1), json!([["info", "l"], ["warn", "[object Object]"], ["debug", "d"], ["trace", "t"]])),
        ("console.log('a %s', 1, {b: [1]}); console.error('e')", json!(1), json!([["info", "a 1 { b: [ 1 ] }"], ["error", "e"]])),
        ("node.status({fill: 'red', text: 5}); node.status('x')", json!(1), json!([["status", {"fill": "red", "text": "5"}], ["status", {"text": "x"}]])),
        ("msg.payload = [node.id, node.name, node.path, node.outputCount]; return msg", json!(1), got(&json!(["f", "", "t/f", 1]))),
        ("msg.payload = [env.get('COLOUR'), env.get('NR_NODE_ID'), env.get('none')]; return msg", json!(1), got(&json!(["blue", "f", {"$t": "undefined"}]))),
        ("context.set('a.b', 1); flow.set(['x', 'y'], [1, 2]); global.set('g', 5); msg.payload = [context.get('a'), flow.get(['x', 'y']), flow.keys(), global.get('g'), context.flow.get('y')]; return msg", json!(1), got(&json!([{"b": 1}, [1, 2], ["x", "y"], 5, 2]))),
        ("context.set('q', []); context.get('q').push(1); const q = context.get('q'); q.push(2); msg.payload = [context.get('q'), q === context.get('q')]; return msg", json!(1), got(&json!([[1, 2], true]))),
        ("context.set('k', 1, (e) => context.get('k', (e, v) => node.send({payload: [v, e]})))", json!(1), got(&json!([1, {"$t": "undefined"}]))),
        ("context.get('')", json!(1), error("Error: Invalid context key")),
        ("context.set('f', x => x + 1); msg.payload = context.get('f')(1); return msg", json!(1), got(&json!(2))),
        ("msg.payload = RED.util.getMessageProperty(msg, 'msg.payload.a[0]'); RED.util.setMessageProperty(msg, 'b.c[1]', 3, true); return msg", json!({"a": [7]}), json!([["h", {"payload": 7, "_msgid": "1", "b": {"c": [{"$t": "undefined"}, 3]}}]])),
        ("msg.payload = [RED.util.generateId().length, RED.util.ensureString({a: 1}), RED.util.compareObjects({a: [1]}, {a: [1]}), RED.util.evaluateNodeProperty('5', 'num')]; return msg", json!(1), got(&json!([16, "{\"a\":1}", true, 5]))),
        ("msg.payload = util.inspect({a: [1, 'x'], m: new Map([[1, 2]])}); return msg", json!(1), got(&json!("{ a: [ 1, 'x' ], m: Map(1) { 1 => 2 } }"))),
        ("const u = new URL('https://a.b/c?x=1#h'); u.searchParams.append('y', 'ä b'); u.port = 81; msg.payload = [u.href, u.host, u.searchParams.get('x')]; return msg", json!(1), got(&json!(["https://a.b:81/c?x=1&y=%C3%A4+b#h", "a.b:81", "1"]))),
        ("msg.payload = [btoa('hi'), atob('aGk='), new TextDecoder().decode(new TextEncoder().encode('ü')), crypto.randomUUID().length, structuredClone({a: [1]})]; return msg", json!(1), got(&json!(["aGk=", "hi", "ü", 36, {"a": [1]}]))),
        ("msg.payload = [(1234.5).toLocaleString(), new Date(0).toLocaleString('en', {timeZone: 'UTC'})]; return msg", json!(1), got(&json!(["1,234.5", "1/1/1970, 12:00:00 AM"]))),
        ("const wait = util.promisify((ms, done) => setTimeout(() => done(null, ms), ms)); msg.payload = await wait(3); return msg", json!(1), got(&json!(3))),
        ("let n = 0; const t = setInterval(() => { if (++n === 3) { clearInterval(t); node.send({payload: n}) } }, 2)", json!(1), got(&json!(3))),
        ("const t = setTimeout(() => node.send(msg), 2); clearTimeout(t)", json!(1), json!([])),
        ("setTimeout((a, b) => node.send({payload: a + b}), 1, 2, 3)", json!(1), got(&json!(5))),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn context_follows_changes_in_place() {
    for (code, expected) in [
        // Written back when the run ends.
        (
            "const q = context.get('q') || []; if (!q.length) context.set('q', q); q.push(msg.payload)",
            json!([1, 2]),
        ),
        (
            "const q = flow.get('q'); if (q) q.push(msg.payload); else flow.set('q', [msg.payload])",
            json!([1, 2]),
        ),
        // What was replaced is no longer written.
        (
            "const q = context.get('q') || []; q.push(9); context.set('q', [msg.payload])",
            json!([2]),
        ),
        (
            "const o = context.get('o') || {}; context.set('o', o); o.q = [msg.payload]; context.set('q', context.get('o.q'))",
            json!([2]),
        ),
        // Also what a timer changes, or a promise.
        (
            "context.set('q', []); const q = context.get('q'); setTimeout(() => { q.push(5) }, 1)",
            json!([5]),
        ),
        (
            "context.set('q', []); const q = context.get('q'); await new Promise(r => setTimeout(r, 1)); q.push(6)",
            json!([6]),
        ),
    ] {
        let read =
            "if (msg.topic === 'read') return {payload: context.get('q') || flow.get('q')};\n";
        let mut bench = Bench::new(flow(&json!({"func": format!("{read}{code}")}))).await;
        for payload in [1, 2] {
            bench.send("f", &json!({"payload": payload}));
        }
        assert_eq!(Json::from(bench.story().await), json!([]), "{code}");
        bench.send("f", &json!({"topic": "read", "_msgid": "1"}));
        assert_eq!(Json::from(bench.story().await), got(&expected), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn dates_follow_the_clock_of_the_engine() {
    let clock = Clock::Virtual {
        unix_ms: 1000.0,
        since: tokio::time::Instant::now(),
    };
    let code = "await new Promise(r => setTimeout(r, 10)); msg.payload = [Date.now(), new Date().getTime(), new Date(5).getTime(), new Date() instanceof Date, new Date(0)]; return msg";
    let mut bench = Bench::with(
        flow(&json!({"func": code})),
        clock,
        RuntimeSettings::default(),
    )
    .await;
    bench.send("f", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    assert_eq!(
        Json::from(story),
        json!([["h", {"_msgid": "1", "payload": [1010, 1010, 5, true, {"$t": "date", "v": 0}]}]])
    );
}

#[tokio::test(start_paused = true)]
async fn buffers() {
    let cases = [
        (
            "Buffer.from('héllo').toString('hex')",
            json!("68c3a96c6c6f"),
        ),
        ("Buffer.from('aGk=', 'base64').toString()", json!("hi")),
        (
            "Buffer.from([1, 2, 300])",
            json!({"$t": "buffer", "v": "AQIs"}),
        ),
        (
            "Buffer.concat([Buffer.from('a'), Buffer.alloc(2, 'b')]).toString()",
            json!("abb"),
        ),
        ("Buffer.byteLength('é')", json!(2)),
        ("Buffer.from('ff', 'hex').readInt8(0)", json!(-1)),
        (
            "(b => [b.writeUInt16LE(258, 0), b.writeFloatBE(1.5, 2), b.writeDoubleLE(0.5, 6), b.toString('hex')])(Buffer.alloc(14))",
            json!([2, 6, 14, "02013fc00000000000000000e03f"]),
        ),
        (
            "Buffer.from('abc').slice(1).toString() + Buffer.from('abc').subarray(-1)",
            json!("bcc"),
        ),
        ("Buffer.from('abcabc').indexOf('c', 3)", json!(5)),
        ("Buffer.from('abc').equals(Buffer.from('abc'))", json!(true)),
        (
            "Buffer.compare(Buffer.from('a'), Buffer.from('b'))",
            json!(-1),
        ),
        (
            "JSON.stringify(Buffer.from('a'))",
            json!("{\"type\":\"Buffer\",\"data\":[97]}"),
        ),
        ("Buffer.isBuffer(new Uint8Array(1))", json!(false)),
        (
            "Buffer.isBuffer(Buffer.from('a')) && Buffer.from('a') instanceof Uint8Array && Buffer.from('a') instanceof Buffer",
            json!(true),
        ),
        ("new Buffer('abc').length", json!(3)),
        ("Buffer.from('abc')[1]", json!(98)),
        ("Buffer.alloc(8).fill('ab').toString()", json!("abababab")),
        (
            "Buffer.from('abc').map(x => x + 1)",
            json!({"$t": "buffer", "v": "YmNk"}),
        ),
        (
            "Buffer.from('00ff', 'hex').toString('latin1').charCodeAt(1)",
            json!(255),
        ),
        ("Buffer.alloc(8).writeBigInt64BE(5n)", json!(8)),
        ("Buffer.from('abc').toString('utf8', 1, 2)", json!("b")),
        ("util.inspect(Buffer.from('ab'))", json!("<Buffer 61 62>")),
        (
            "(b => [b.copy(b, 1, 0, 2), b.toString()])(Buffer.from('abc'))",
            json!([2, "aab"]),
        ),
    ];
    for (expression, expected) in cases {
        let node = json!({"func": format!("msg.payload = {expression}; return msg")});
        let story = tell(&node, &[json!({"payload": 1})]).await;
        assert_eq!(Json::from(story), got(&expected), "{expression}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_functions_are_given_besides() {
    check(&[
        ("console.table([{a: 1, b: 'x'}, {a: 2}])", json!(1), json!([["info", "┌─────────┬───┬─────┐\n│ (index) │ a │ b   │\n├─────────┼───┼─────┤\n│ 0       │ 1 │ 'x' │\n│ 1       │ 2 │     │\n└─────────┴───┴─────┘"]])),
        ("console.timeEnd('t')", json!(1), json!([["warn", "No such label 't' for console.time()"]])),
        ("console.count(); console.count(); console.group('g'); console.log('in'); console.groupEnd(); console.assert(1 > 2, 'no')", json!(1), json!([["info", "default: 1"], ["info", "default: 2"], ["info", "g"], ["info", "  in"], ["error", "Assertion failed: no"]])),
        ("setImmediate(v => node.send({payload: v}), 4)", json!(1), got(&json!(4))),
        ("clearImmediate(setImmediate(() => node.send(msg)))", json!(1), json!([])),
        ("msg.payload = await util.promisify(setTimeout)(3, 'late'); return msg", json!(1), got(&json!("late"))),
        ("const l = []; queueMicrotask(() => { l.push(2); node.send({payload: l}) }); l.push(1)", json!(1), got(&json!([1, 2]))),
        ("const a = crypto.getRandomValues(new Uint8Array(4)); msg.payload = [a.length, typeof crypto.randomUUID()]; return msg", json!(1), got(&json!([4, "string"]))),
        ("RED.util.evaluateNodeProperty('COLOUR', 'env', node, msg, (e, v) => node.send({payload: [e, v]}))", json!(1), got(&json!([null, "blue"]))),
        ("msg.payload = [RED.util.evaluateNodeProperty('a ${COLOUR} b', 'env', node, msg), RED.util.evaluateNodeProperty('${none}', 'env', node, msg), RED.util.getSetting(node, 'COLOUR')]; return msg", json!(1), got(&json!(["a blue b", "", "blue"]))),
        ("flow.set('a', {b: [7]}); msg.payload = [RED.util.evaluateNodeProperty('a.b[msg.at]', 'flow', node, {at: 0}), RED.util.evaluateNodeProperty('#:(memory)::a', 'flow', node, msg)]; return msg", json!(1), got(&json!([7, {"b": [7]}]))),
        ("RED.util.evaluateNodeProperty('payload + 1', 'jsonata', node, msg, (e, v) => node.send({payload: [e, v]}))", json!(1), got(&json!([null, 2]))),
        ("const e = RED.util.prepareJSONataExpression('$x & msg.payload', node); e.assign('x', 'v'); RED.util.evaluateJSONataExpression(e, msg, (error, v) => node.send({payload: v}))", json!(1), got(&json!("v1"))),
        ("try { RED.util.evaluateNodeProperty('payload', 'jsonata', node, msg) } catch (e) { node.warn(e.message) }", json!(1), json!([["warn", "Calls to RED.util.evaluateJSONataExpression must include a callback."]])),
        ("RED.util.evaluateJSONataExpression(RED.util.prepareJSONataExpression('$nothing(1)', node), msg, e => node.warn(e.code))", json!(1), json!([["warn", "T1006"]])),
        ("try { RED.util.prepareJSONataExpression('(', node) } catch (e) { node.warn(e.code) }", json!(1), json!([["warn", "S0203"]])),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn contexts_and_callbacks() {
    let undefined = json!({"$t": "undefined"});
    check(&[
        ("context.set(['a', 'b'], [1]); context.get(['a', 'b'], (...p) => node.send({payload: p}))", json!(1), got(&json!([undefined, 1, null]))),
        ("context.set('a', 1, (...p) => node.send({payload: p}))", json!(1), got(&json!([undefined]))),
        ("context.set('a', 1); context.keys((...p) => node.send({payload: p}))", json!(1), got(&json!([null, ["a"]]))),
        ("context.set('a', 5, 'memory', () => context.get('a', 'memory', (e, v) => node.send({payload: v})))", json!(1), got(&json!(5))),
        ("context.get('', (...p) => node.send({payload: [p.length, p[0].message]}))", json!(1), got(&json!([1, "Invalid context key"]))),
        ("context.get('a', 'memory', 5)", json!(1), error("Error: Callback must be a function")),
        ("context.get(['a', ''])", json!(1), error("Error: Invalid context key")),
        ("context.get([])", json!(1), error("Error: Invalid context key")),
        ("context.set(['a', 'b'], 7); msg.payload = context.get(['a', 'b', 'c']); return msg", json!(1), got(&json!([7, null, undefined]))),
        ("context.set('x.y.z', 1); context.set('x.y', 5); context.set('x.y.q', 1); msg.payload = context.get('x'); return msg", json!(1), got(&json!({"y": 5}))),
        ("context.set('a', 1); context.set('a'); msg.payload = context.keys(); return msg", json!(1), got(&json!([]))),
        ("global.set('#:(memory)::a', 3); msg.payload = [global.get('a'), global.get('#:(memory)::a'), global.get('$parent.a')]; return msg", json!(1), got(&json!([3, 3, undefined]))),
        ("context.flow.set('f', 1); context.global.set('g', 2); msg.payload = [flow.get('f'), global.get('g')]; return msg", json!(1), got(&json!([1, 2]))),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn links_are_called() {
    let flow = |code: &str| {
        json!([{"id": "t", "type": "tab"},
        {"id": "f", "type": "function", "z": "t", "func": code, "wires": [["h"]]},
        {"id": "in", "type": "link in", "z": "t", "name": "twice", "wires": [["work"]]},
        {"id": "work", "type": "function", "z": "t", "func": "if (msg.payload === 'lost') return; msg.payload *= 2; msg.seen = true; return msg", "wires": [["out"]]},
        {"id": "out", "type": "link out", "z": "t", "mode": "return"},
        {"id": "h", "type": "helper", "z": "t"}])
    };
    for (code, payload, expected) in [
        (
            "const back = await node.linkcall('twice', msg); return {payload: [back.payload, back._linkSource, msg.payload, msg.seen]}",
            json!(4),
            json!([8, {"$t": "undefined"}, 4, {"$t": "undefined"}]),
        ),
        (
            "const back = await node.linkcall('in', msg, {clone: false}); return {payload: [back === msg, msg.payload, msg.seen]}",
            json!(4),
            json!([true, 8, true]),
        ),
        (
            "try { await node.linkcall('twice', {payload: 'lost'}, {timeout: 10}) } catch (e) { return {payload: e.message} }",
            json!(4),
            json!("timeout"),
        ),
        (
            "try { await node.linkcall('none', msg) } catch (e) { return {payload: e.message} }",
            json!(4),
            json!("target link-in node 'none' not found"),
        ),
        (
            "try { await node.linkcall(' ', msg) } catch (e) { return {payload: e.message.slice(0, 13)} }",
            json!(4),
            json!("node.linkcall"),
        ),
        (
            "try { await node.linkcall('twice', 'x') } catch (e) { return {payload: e.message.slice(-9)} }",
            json!(4),
            json!("an object"),
        ),
    ] {
        let mut bench = Bench::new(flow(code)).await;
        bench.send("f", &json!({"payload": payload, "_msgid": "1"}));
        let story = bench.story().await;
        assert_eq!(
            story.last(),
            Some(&json!(["h", {"payload": expected, "_msgid": "1"}])),
            "{code}"
        );
    }
}
