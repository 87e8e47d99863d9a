//! What goes wrong, as its author reads it.

use super::*;

#[tokio::test(start_paused = true)]
async fn errors_are_worded_as_in_node_js() {
    check(&[
        ("msg.payload.foo()", json!(1), error("TypeError: msg.payload.foo is not a function")),
        ("msg.payload.map(x => x)", json!(1), error("TypeError: msg.payload.map is not a function")),
        ("await 1; msg.payload.foo()", json!(1), error("TypeError: msg.payload.foo is not a function")),
        ("try { msg.payload.foo() } catch (e) { throw e.message }", json!(1), error("msg.payload.foo is not a function")),
        // Which of the two failed can't be told.
        ("a(b()); function a() {}; var b = 5", json!(1), error("TypeError: not a function")),
        ("Number(msg.payload.foo())", json!(1), error("TypeError: msg.payload.foo is not a function")),
        ("let o = {}; o['x y'](1)", json!(1), error("TypeError: o.x y is not a function")),
        ("let k = 'z', o = {}; o[k]()", json!(1), error("TypeError: o[k] is not a function")),
        ("new msg.B()", json!(1), error("TypeError: msg.B is not a constructor")),
        ("const c = 1; c = 2", json!(1), error("TypeError: Assignment to constant variable.")),
        ("for (const x of msg.payload) {}", json!(1), error("TypeError: msg.payload is not iterable")),
        ("let f = 5; f(...msg.payload)", json!(1), error("TypeError: Spread syntax requires ...iterable[Symbol.iterator] to be a function")),
        ("JSON.parse('{a}')", json!(1), error("SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)")),
        ("throw new TypeError('not a function')", json!(1), error("TypeError: not a function")),
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
        ("node.error()", json!(1), error("")),
        ("node.error(null, msg)", json!(1), error("")),
        ("node.error(false)", json!(1), error("false")),
        ("node.error('a', 'b')", json!(1), error("a")),
        ("node.error({a: 1})", json!(1), error("[object Object]")),
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
async fn modules_are_refused_and_the_rest_runs() {
    let flow = json!([{"id": "t", "type": "tab"},
        {"id": "a", "type": "function", "z": "t", "func": "return msg", "libs": [{"var": "fs", "module": "fs"}], "wires": [["h"]]},
        {"id": "b", "type": "function", "z": "t", "func": "return msg", "wires": [["h"]]},
        {"id": "h", "type": "helper", "z": "t"}]);
    let mut bench = Bench::new(flow).await;
    bench.send("b", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    let texts: Vec<&str> = story[..2]
        .iter()
        .filter_map(|line| line[1].as_str())
        .collect();
    assert!(
        texts[0].starts_with("The module fs cannot be loaded here")
            && texts[1].starts_with("A module that this function needs is missing"),
        "{story:?}"
    );
    assert_eq!(story.last().unwrap(), &json!(["h", {"_msgid": "1"}]));
}

/// An engine that prints catalogue keys, with these settings.
async fn keys(node: &Json, settings: RuntimeSettings) -> (Bench, Vec<Json>) {
    let mut bench = Bench::in_language("cimode", flow(node), Clock::System, settings).await;
    let story = bench.story().await;
    (bench, story)
}

#[tokio::test(start_paused = true)]
async fn modules() {
    let with = |variable: &str, module: &str| json!({"func": "return msg", "libs": [{"var": variable, "module": module}]});
    let mut forbidden = RuntimeSettings::default();
    forbidden
        .others
        .insert("functionExternalModules".into(), false.into());
    let error = |key: &str| json!(["error", key]);
    for (node, settings, expected) in [
        (
            with("os", "os"),
            forbidden.clone(),
            json!([error("function.error.externalModuleNotAllowed")]),
        ),
        (json!({}), forbidden, json!([])),
        (
            with("flow", "os"),
            RuntimeSettings::default(),
            json!([
                error("function.error.moduleNameError"),
                error("function.error.externalModuleLoadError")
            ]),
        ),
        (
            with("axios", "axios"),
            RuntimeSettings::default(),
            json!([
                error("function.error.moduleLoadError"),
                error("function.error.externalModuleLoadError")
            ]),
        ),
        (with("", "axios"), RuntimeSettings::default(), json!([])),
    ] {
        let (bench, story) = keys(&node, settings).await;
        assert_eq!(Json::from(story), expected, "{node}");
        let runs = expected == json!([]);
        assert_eq!(bench.engine.props("f").await.is_some(), runs, "{node}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_caught_error_brings() {
    let caught = |node: &Json| {
        let mut flow = flow(node);
        flow.as_array_mut()
            .unwrap()
            .push(json!({"id": "catch", "type": "catch", "z": "t", "scope": ["f"], "wires": []}));
        flow
    };
    for (code, message, earlier) in [
        ("throw new Error('x')", "Error: x", json!("x")),
        ("throw 'text'", "text", json!(null)),
        ("throw {a: 1}", "{\"a\":1}", json!(null)),
        ("node.error(new Error('x'), msg)", "Error: x", json!(null)),
        ("node.error({a: 1}, msg)", "[object Object]", json!(null)),
        // Stopped, not thrown: nothing is put into the message.
        (
            "while (true);",
            "Error: Script execution timed out after 50ms",
            json!(null),
        ),
    ] {
        let mut bench = Bench::new(caught(&json!({"func": code, "timeout": 0.05}))).await;
        bench.send("f", &json!({"_msgid": "1"}));
        let story = bench.story().await;
        assert_eq!(story.len(), 1, "{code} {story:?}");
        let msg = &story[0][1];
        assert_eq!(msg["error"]["message"], json!(message), "{code}");
        assert_eq!(msg["_error"]["message"], earlier, "{code}");
    }
    // A timer has no message: catch nodes get a new one.
    let mut bench = Bench::new(caught(
        &json!({"func": "setTimeout(() => { throw new Error('t') }, 1)"}),
    ))
    .await;
    bench.send("f", &json!({"_msgid": "1"}));
    let story = bench.story().await;
    assert_eq!(story[0][1]["error"]["message"], json!("Error: t"));
    assert_eq!(story[0][1]["_msgid"].as_str().map(str::len), Some(16));
}

#[tokio::test]
async fn the_runtime_limit_holds_for_those_that_have_none() {
    let mut bench = Bench::new(flow(&json!({"func": "while (true);", "timeout": 0}))).await;
    let mut settings = (*bench.engine.settings()).clone();
    settings.function_timeout = Duration::from_millis(20);
    bench.engine.change_settings(settings);
    bench.send("f", &json!({"_msgid": "1"}));
    assert_eq!(
        Json::from(bench.story_after(Duration::from_millis(200)).await),
        error("Error: Script execution timed out after 20ms")
    );
}
