//! Expressions and what Node.js 24 makes of them: `node_values.json` holds pairs of both.

use super::*;

/// Where QuickJS words an error of its own differently, or lacks something. Expression, what it gives instead.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "new events().emit('error', new Error('boom'))",
        "Error: : boom",
    ),
    (
        "RED.util.getMessageProperty({ a: 1 }, 'b.c')",
        "TypeError: : Cannot read properties of undefined (reading 'c')",
    ),
];

#[tokio::test(start_paused = true)]
async fn values_are_those_of_node_js() {
    let pairs: Vec<(String, String)> =
        serde_json::from_str(include_str!("node_values.json")).unwrap();
    let expressions: Vec<&String> = pairs.iter().map(|(expression, _)| expression).collect();
    let libraries = [
        "path",
        "querystring",
        "url",
        "events",
        "crypto",
        "os",
        "buffer",
    ];
    let code = "const show = (v) => (typeof v === 'string' ? v : util.inspect(v, { depth: 6 }));
        msg.payload = msg.payload.map((e) => {
            try { return show(new Function('path', 'querystring', 'url', 'events', 'crypto', 'os', 'buffer', 'RED', 'return (' + e + ')')(path, querystring, url, events, crypto, os, buffer, RED)); }
            catch (x) { return `${x.name}: ${x.code ?? ''}: ${x.message}`; }
        });
        return msg";
    let story = tell(
        &json!({ "func": code, "libs": libraries.map(|name| json!({ "var": name, "module": name })) }),
        &[json!({ "payload": expressions })],
    )
    .await;
    let answers = story[0][1]["payload"].as_array().unwrap();
    let mut wrong = String::new();
    for ((expression, expected), answer) in pairs.iter().zip(answers) {
        let expected = DIFFERENT
            .iter()
            .find(|(known, _)| known == expression)
            .map_or(expected.as_str(), |(_, other)| other);
        let answer = answer.as_str().unwrap_or_default();
        if answer != expected {
            wrong.push_str(&format!("{expression}\n  is  {answer}\n  not {expected}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
