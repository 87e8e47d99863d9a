//! Values, paths and regular expressions that are nested so deep, or take so long, that they must not reach the end of anything.

use serde_json::{Value as Json, json};

use super::routing::flows;
use crate::support::flows::{Seen, TestFlows, got};

const LEVELS: usize = 10_000;

fn list() -> String {
    "[".repeat(LEVELS) + &"]".repeat(LEVELS)
}

fn object() -> String {
    "{\"a\":".repeat(LEVELS) + "1" + &"}".repeat(LEVELS)
}

/// Deploys one node, sends it a message, and then an ordinary one; what was seen of both.
async fn seen(type_name: &str, properties: Json, msg: Json) -> (Vec<Seen>, Vec<Seen>) {
    let mut test = TestFlows::run(flows(type_name, properties)).await;
    let patience = std::time::Duration::from_secs(20);
    test.send("n", msg);
    let first = test.after(patience).await;
    test.send("n", json!({"payload": "ordinary"}));
    (first, test.after(patience).await)
}

fn is_error(seen: &[Seen]) -> bool {
    !got(seen, "caught").is_empty() || seen.iter().any(|one| matches!(one, Seen::Log(..)))
}

#[tokio::test(start_paused = true)]
async fn deep_values_are_an_error_and_the_node_goes_on() {
    let parse = |code: &str| json!({"func": format!("const d = typeof msg.payload === 'string' && msg.payload.length > 99 ? JSON.parse(msg.payload) : 1; {code}; return {{payload: 'ok'}}")});
    let change = |to: &str, kind: &str| json!({"rules": [{"t": "set", "p": "payload", "to": to, "tot": kind}]});
    let elements = "<p>".repeat(LEVELS) + &"</p>".repeat(LEVELS);
    let cases = [
        ("json", json!({}), object()),
        ("json", json!({}), list()),
        (
            "template",
            json!({"template": "{{{payload}}}", "output": "json"}),
            list(),
        ),
        (
            "template",
            json!({"template": "{{{payload}}}", "output": "yaml"}),
            object(),
        ),
        ("yaml", json!({}), object()),
        ("yaml", json!({}), "- ".repeat(LEVELS)),
        ("xml", json!({}), elements),
        ("function", parse(""), object()),
        ("function", parse("node.error(d)"), list()),
        ("function", parse("flow.set('d', d)"), object()),
        (
            "function",
            json!({"func": "let d = {}; if (msg.payload.length > 9) { for (let i = 0; i < 10000; i++) d = {d} } else d = 1; msg.payload = d; return msg"}),
            list(),
        ),
        (
            "function",
            json!({"func": "RED.util.setMessageProperty(msg, 'payload' + '.a'.repeat(msg.payload.length), 1, true); return msg"}),
            list(),
        ),
        ("change", change("$eval(payload)", "jsonata"), list()),
        (
            "change",
            change(
                "$reduce([1..10000], function($a, $b){ {'a': $a} })",
                "jsonata",
            ),
            "x".to_owned(),
        ),
        (
            "switch",
            json!({"property": "$eval(payload)", "propertyType": "jsonata", "rules": [{"t": "nempty"}]}),
            list(),
        ),
    ];
    for (type_name, properties, payload) in cases {
        let named = properties.to_string();
        let (deep, _) = seen(type_name, properties, json!({"payload": payload})).await;
        assert!(is_error(&deep), "{type_name} {named:.200}");
        assert!(got(&deep, "o0").len() <= 1, "{type_name}");
    }
}

#[tokio::test(start_paused = true)]
async fn deep_texts_that_nobody_reads_pass() {
    let words = json!({"property": "payload", "rules": [{"t": "istype", "v": "json", "vt": "json"}, {"t": "else"}]});
    for (type_name, properties) in [
        (
            "template",
            json!({"template": "{{{payload}}}", "syntax": "plain"}),
        ),
        ("split", json!({})),
        ("csv", json!({"temp": "a,b"})),
        ("change", json!({"rules": []})),
        ("switch", words),
        ("html", json!({"tag": "p"})),
    ] {
        let (deep, ordinary) = seen(type_name, properties, json!({"payload": list()})).await;
        for seen in [deep, ordinary] {
            let out: usize = ["o0", "o1"].iter().map(|node| got(&seen, node).len()).sum();
            assert_eq!(out, 1, "{type_name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn paths_with_ten_thousand_names() {
    let path = "payload".to_owned() + &".a".repeat(LEVELS);
    for rule in [
        json!({"t": "set", "p": path, "to": "1", "tot": "num"}),
        json!({"t": "set", "p": "payload", "to": path, "tot": "msg"}),
        json!({"t": "delete", "p": path}),
        json!({"t": "move", "p": "payload", "to": path, "tot": "msg"}),
    ] {
        let (_, ordinary) = seen("change", json!({"rules": [rule]}), json!({"payload": {}})).await;
        assert_eq!(got(&ordinary, "o0").len(), 1, "{rule:.60}");
    }
}

/// Each would take longer than the world is old, where steps are not counted.
#[tokio::test(start_paused = true)]
async fn regular_expressions_come_to_an_end() {
    let text = |count: usize| json!({"payload": "a".repeat(count) + "!"});
    for pattern in [
        "^(a+)+$",
        "^(?=(a+)+$)",
        "^(a+)+\\1$",
        "(?=(a|a)+$)",
        "((a{1000}){1000}){1000}",
        &("(".repeat(LEVELS) + &")".repeat(LEVELS)),
    ] {
        let switch = json!({"property": "payload", "rules": [{"t": "regex", "v": pattern, "vt": "str"}, {"t": "else"}]});
        let change = json!({"rules": [{"t": "change", "p": "payload", "from": pattern, "fromt": "re", "to": "b", "tot": "str"}]});
        for (type_name, properties) in [("switch", switch), ("change", change)] {
            for msg in [text(40), text(50_000)] {
                let (long, _) = seen(type_name, properties.clone(), msg).await;
                let out: usize = ["o0", "o1"].iter().map(|node| got(&long, node).len()).sum();
                assert!(out == 1 || is_error(&long), "{type_name} {pattern:.30}");
            }
        }
    }
}
