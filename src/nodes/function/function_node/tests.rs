//! Function nodes in a running engine: flows and messages in, what arrives and what is logged out.

use std::{collections::BTreeMap, collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use crate::{
    catalog::Catalog,
    engine::{
        Clock, Contexts, Engine, EngineConfig, Event, Interest, Registry, RuntimeSettings,
        Subscription,
    },
    flow::{DeployMode, Flows, Graph, ProcessEnv},
    message::{Message, Value, from_wire, to_wire},
    services::Services,
};

/// An engine and what it says.
struct Bench {
    engine: Engine,
    catalog: Arc<Catalog>,
    events: Subscription,
}

impl Bench {
    async fn new(flow: Json) -> Self {
        Self::with(flow, Clock::System, RuntimeSettings::default()).await
    }

    async fn with(flow: Json, clock: Clock, settings: RuntimeSettings) -> Self {
        let catalog = Arc::new(Catalog::builtin("en").unwrap());
        let mut registry = Registry::default();
        crate::nodes::register(&mut registry, &Services::default());
        let engine = Engine::new(EngineConfig {
            catalog: catalog.clone(),
            registry,
            contexts: Arc::new(Contexts::default()),
            clock,
            expressions: Arc::new(crate::script::Jsonata),
            settings,
        });
        let interest = Interest::INPUT
            .and(Interest::LOG)
            .and(Interest::STATUS)
            .and(Interest::DONE);
        let events = engine.hub().subscribe(interest, 100_000);
        let bench = Self {
            engine,
            catalog,
            events,
        };
        bench.deploy(flow).await;
        bench
    }

    async fn deploy(&self, flow: Json) {
        let flows = Flows::from_value(flow).unwrap();
        let graph = Graph::resolve(&flows, &self.catalog, &ProcessEnv::default(), &|_| {
            Default::default()
        });
        self.engine
            .deploy(graph, DeployMode::Full, &HashSet::new(), &|_| {
                BTreeMap::new()
            })
            .await;
    }

    fn send(&self, node: &str, msg: &Json) {
        let Value::Object(fields) = from_wire(msg).unwrap() else {
            panic!("a message is an object");
        };
        assert!(self.engine.receive(vec![(node, Message::new(fields))]));
    }

    /// Lets everything happen and tells it: `["h", msg]` for a message that node h got, `["error", text]` for a log
    /// record, `["status", …]`, `["done", node, failed]`. Node "f" itself is left out.
    async fn story(&mut self) -> Vec<Json> {
        self.story_after(Duration::from_millis(30)).await
    }

    async fn story_after(&mut self, wait: Duration) -> Vec<Json> {
        tokio::time::sleep(wait).await;
        let mut story = Vec::new();
        while let Some(stamped) = self.events.try_next() {
            match &*stamped.event {
                Event::Input { node, msg } if &**node != "f" => {
                    story.push(json!([&**node, to_wire(&msg.to_value())]));
                }
                Event::Log(record) => {
                    let level = format!("{:?}", record.level).to_lowercase();
                    story.push(json!([level, record.msg.to_text()]));
                }
                Event::Status { status, .. } => {
                    story.push(json!(["status", to_wire(&status.to_value())]));
                }
                _ => {}
            }
        }
        story
    }
}

fn flow(node: &Json) -> Json {
    let mut function = json!({"id": "f", "type": "function", "z": "t", "name": "", "func": "return msg", "outputs": 1, "wires": [["h"]]});
    for (key, value) in node.as_object().unwrap() {
        function[key] = value.clone();
    }
    json!([{"id": "t", "type": "tab", "label": "Tab", "env": [{"name": "COLOUR", "value": "blue", "type": "str"}]},
        function,
        {"id": "h", "type": "helper", "z": "t", "wires": []},
        {"id": "i", "type": "helper", "z": "t", "wires": []}])
}

/// What a function makes of messages that all have the id "1".
async fn tell(node: &Json, given: &[Json]) -> Vec<Json> {
    let mut bench = Bench::new(flow(node)).await;
    for msg in given {
        let mut msg = msg.clone();
        msg["_msgid"] = "1".into();
        bench.send("f", &msg);
    }
    bench.story().await
}

/// Each line: code, given payload, expected story.
async fn check(lines: &[(&str, Json, Json)]) {
    for (code, payload, expected) in lines {
        let node = match code.strip_prefix("2:") {
            Some(code) => json!({"func": code, "outputs": 2, "wires": [["h"], ["i"]]}),
            None => json!({"func": code}),
        };
        let story = tell(&node, &[json!({"payload": payload})]).await;
        assert_eq!(Json::from(story), *expected, "{code}");
    }
}

fn got(payload: &Json) -> Json {
    json!([["h", {"payload": payload, "_msgid": "1"}]])
}

fn error(text: &str) -> Json {
    json!([["error", text]])
}

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
            json!([wrong("number")[0], ["h", {"payload": 3, "_msgid": "1"}], ["i", {"payload": 3, "_msgid": "1"}], ["i", {"payload": 5, "_msgid": "1"}]]),
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
async fn errors_name_lines() {
    check(&[
        ("\nfoo.bar()", json!(1), error("ReferenceError: ReferenceError: foo is not defined (line 2, col 1)")),
        ("retunr", json!(1), error("ReferenceError: ReferenceError: retunr is not defined (line 1, col 1)")),
        ("throw new Error('a problem')", json!(1), error("Error: a problem")),
        ("throw 'text'", json!(1), error("text")),
        ("throw {a: 1}", json!(1), error("{\"a\":1}")),
        ("throw null", json!(1), error("null")),
        ("await 1; throw new Error('later')", json!(1), error("Error: later")),
        ("return Promise.reject('no')", json!(1), error("no")),
        ("msg.payload.x.y", json!({}), error("TypeError: Cannot read properties of undefined (reading 'y')")),
        ("node.error('mine', msg)", json!(1), error("mine")),
        ("node.error(new Error('mine'))", json!(1), error("Error: mine")),
        ("setTimeout(() => { throw new Error('in a timer') }, 1)", json!(1), error("Error: in a timer")),
        ("setTimeout(async () => { throw new Error('in a timer') }, 1)", json!(1), error("Error: in a timer")),
        ("node.on('input', () => {})", json!(1), error("Error: node.on(\"input\") does not work in a function: the code under \"On message\" is run for each message")),
        ("function f() { f() } f()", json!(1), error("RangeError: Maximum call stack size exceeded")),
        ("let o = {}; for (let i = 0; i < 600; i++) o = {o}; return o", json!(1), error("RangeError: The value is nested deeper than 500 levels")),
        (
            "(async () => { throw new Error('lost') })()",
            json!(1),
            error("A promise was rejected and nothing awaits it: lost. Is an await missing?"),
        ),
        (
            "const p = Promise.reject(new Error('late')); p.catch(() => 0)",
            json!(1),
            json!([]),
        ),
        ("node.linkcall('x', msg).catch(e => node.send({payload: e.message}))", json!(1), got(&json!("node.linkcall does not work yet: use a link call node"))),
    ])
    .await;
    let story = tell(&json!({"func": "let x = ;\nreturn msg"}), &[json!({})]).await;
    assert_eq!(story.len(), 1, "{story:?}");
    let text = story[0][1].as_str().unwrap();
    assert!(
        text.starts_with("SyntaxError: ") && text.ends_with("(body:line 1)"),
        "{text}"
    );
    let story = tell(
        &json!({"initialize": "let a = 1;\nlet a = 2;"}),
        &[json!({})],
    )
    .await;
    assert_eq!(story.len(), 1, "{story:?}");
    assert!(
        story[0][1].as_str().unwrap().ends_with("(setup:line 2)"),
        "{story:?}"
    );
}

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
        ("context.set('k', 1, (e) => context.get('k', (e, v) => node.send({payload: [v, e]})))", json!(1), got(&json!([1, null]))),
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

#[tokio::test(start_paused = true)]
async fn done_and_catch() {
    let nodes = |function: &Json| {
        let mut flow = flow(function);
        let list = flow.as_array_mut().unwrap();
        list.push(json!({"id": "done", "type": "complete", "z": "t", "scope": ["f"], "wires": []}));
        list.push(json!({"id": "catch", "type": "catch", "z": "t", "scope": null, "wires": []}));
        flow
    };
    let source = json!({"id": "f", "type": "function", "name": {"$t": "undefined"}});
    let complete =
        |payload: i32| json!({"payload": payload, "_msgid": "1", "complete": {"source": source}});
    for (code, expected) in [
        (
            "msg.payload = 2; return null",
            json!([["done", complete(2)]]),
        ),
        (
            "return msg",
            json!([["h", {"payload": 1, "_msgid": "1"}], ["done", complete(1)]]),
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
    ] {
        let mut bench = Bench::new(nodes(&json!({"func": code}))).await;
        bench.send("f", &json!({"payload": 1, "_msgid": "1"}));
        assert_eq!(Json::from(bench.story().await), expected, "{code}");
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
async fn modules_are_refused_and_the_rest_runs() {
    let flow = json!([{"id": "t", "type": "tab"},
        {"id": "a", "type": "function", "z": "t", "func": "return msg", "libs": [{"var": "fs", "module": "fs"}], "wires": [["h"]]},
        {"id": "b", "type": "function", "z": "t", "func": "return msg", "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "t"}]);
    let mut bench = Bench::new(flow).await;
    bench.send("b", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    assert!(
        story[0][1]
            .as_str()
            .unwrap()
            .contains("cannot be loaded here: fs"),
        "{story:?}"
    );
    assert_eq!(story.last().unwrap(), &json!(["h", {"_msgid": "1"}]));
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
