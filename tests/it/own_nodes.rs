//! Node types that users write: what their code can do, and what becomes of folders that can't be used.

use std::{fs, path::Path, time::Duration};

use flowrill::{catalog::Catalog, engine::LogLevel, flow::DeployMode, script::check_module};
use serde_json::{Value as Json, json};

use crate::support::{
    flows::{Seen, TestFlows, got, logged, node},
    process::run,
};

const MANIFEST: &str = r#"{"type": "mine", "category": "function", "inputs": 1, "outputs": 2,
    "properties": [{"name": "limit", "kind": "number", "default": 5}, {"name": "list", "kind": "list", "default": []}],
    "credentials": [{"name": "token", "kind": "secret"}]}"#;

/// A folder with one node type.
fn write(place: &Path, name: &str, manifest: &str, code: &str) {
    let folder = place.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    fs::write(folder.join("node.js"), code).unwrap();
}

/// A flow with nodes `a` and `b` of the type that this code makes; their first output leads to `one`, the second to `two`.
async fn mine(code: &str) -> TestFlows {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mine", MANIFEST, code);
    let mut test = TestFlows::with_own(folder.path());
    test.credentials.insert(
        "a".into(),
        [("token".to_owned(), "secret".to_owned())].into(),
    );
    let wires = json!([["one"], ["two"]]);
    let flows = json!([
        node(
            "a",
            "mine",
            json!({"limit": "7", "wires": wires, "name": "A"})
        ),
        node("b", "mine", json!({"wires": wires})),
        node("one", "junction", json!({})),
        node("two", "junction", json!({})),
        node(
            "done",
            "complete",
            json!({"scope": ["a"], "wires": [["completed"]]})
        ),
        node("completed", "junction", json!({})),
        node(
            "catch",
            "catch",
            json!({"scope": null, "wires": [["caught"]]})
        ),
        node("caught", "junction", json!({})),
    ]);
    test.deploy(flows, DeployMode::Full).await;
    test
}

#[tokio::test(start_paused = true)]
async fn the_code_finds_its_settings_and_the_api_of_functions() {
    let mut test = mine(
        "function onInput(msg) { msg.payload = [config.limit, config.list, credentials.token, node.name, node.outputCount, Buffer.from('a')[0], env.get('NR_NODE_ID'), typeof flow.set, typeof RED.util.cloneMessage]; return msg }",
    )
    .await;
    test.send("a", json!({"topic": "t"}));
    test.send("b", json!({}));
    assert_eq!(
        test.received("one").await,
        [
            json!({"topic": "t", "payload": [7, [], "secret", "A", 2, 97, "a", "function", "function"]}),
            json!({"payload": [5, [], {"$t": "undefined"}, "", 2, 97, "b", "function", "function"]}),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn each_node_has_variables_of_its_own() {
    let mut test = mine("let count = 0\nfunction onStart() { count = config.limit }\nfunction onInput(msg) { msg.payload = ++count; return [null, msg] }").await;
    for id in ["a", "a", "b", "a"] {
        test.send(id, json!({}));
    }
    let counts: Vec<Json> = test
        .received("two")
        .await
        .iter()
        .map(|msg| msg["payload"].clone())
        .collect();
    assert_eq!(counts, [8, 9, 6, 10]);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_belongs_to_its_message() {
    let mut test = mine(
        "function onInput(msg, send) { send({payload: 'new'}); node.send({_msgid: 'own'}); setTimeout(() => node.send([null, {payload: 'later', _msgid: 'kept'}]), 1000) }",
    )
    .await;
    test.send("a", json!({"_msgid": "came"}));
    let seen = test.after(Duration::from_secs(2)).await;
    let ids: Vec<(String, Json)> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Got(node, msg) if node == "one" || node == "two" => {
                Some((node.clone(), msg["_msgid"].clone()))
            }
            _ => None,
        })
        .collect();
    let expected = [("one", "came"), ("one", "own"), ("two", "kept")];
    assert_eq!(ids, expected.map(|(node, id)| (node.to_owned(), json!(id))));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_done_with_when_the_code_says_so() {
    let mut test = mine("function onInput(msg, send, done) { setTimeout(() => msg.bad ? done(new Error('no')) : done(), 1000) }").await;
    test.send("a", json!({"n": 1}));
    test.send("a", json!({"n": 2, "bad": true}));
    assert_eq!(test.received("completed").await.len(), 0);
    let seen = test.after(Duration::from_secs(2)).await;
    assert_eq!(got(&seen, "completed").len(), 1);
    assert_eq!(got(&seen, "caught")[0]["error"]["message"], "Error: no");
    let mut test = mine("async function onInput(msg) { await new Promise((go) => setTimeout(go, 1000)); return msg }").await;
    test.send("a", json!({"n": 1}));
    assert_eq!(test.received("completed").await.len(), 0);
    let seen = test.after(Duration::from_secs(2)).await;
    assert_eq!(
        (got(&seen, "completed").len(), got(&seen, "one").len()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_with_their_line() {
    let mut test = mine("function onInput(msg) {\n  return msg.a.b\n}").await;
    test.send("a", json!({}));
    let error = &test.received("caught").await[0]["error"];
    assert_eq!(
        error["message"],
        "TypeError: Cannot read properties of undefined (reading 'b')"
    );
    assert!(
        error["stack"]
            .as_str()
            .unwrap()
            .contains("onInput (node.js:2:"),
        "{error}"
    );
    for (code, told) in [
        (
            "throw new Error('at once')\nfunction onInput() {}",
            "at once",
        ),
        (
            "function onStart() { throw new Error('no start') }",
            "no start",
        ),
        (
            "async function onStart() { throw new Error('late') }",
            "late",
        ),
        ("const node = 1\nfunction onInput() {}", "node"),
        ("function onInput(msg) { node.on('input', () => {}) }", "on"),
        (
            "function onInput(msg) { node.done() }",
            "onInput(msg, send, done)",
        ),
        ("function onInput(msg) { return 5 }", "number"),
        ("function onInput(msg) { while (true) {} }", "timed out"),
    ] {
        let mut test = mine(code).await;
        let mut seen = test.settle().await;
        test.send("a", json!({}));
        seen.extend(test.settle().await);
        let errors =
            logged(&seen, LogLevel::Error).join("\n") + &json!(got(&seen, "caught")).to_string();
        assert!(errors.contains(told), "{code}: {errors}");
        assert_eq!(got(&seen, "one").len(), 0, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_stop_is_told_and_nothing_goes_on_after_it() {
    let mut test = mine(
        "function onStart() { setInterval(() => node.send({payload: 'tick'}), 1000) }\nfunction onClose(removed) { global.set('closed', String(removed)); node.send({}) }",
    )
    .await;
    assert_eq!(
        got(&test.after(Duration::from_millis(1500)).await, "one").len(),
        2,
        "one of each node"
    );
    test.deploy(json!([node("f", "inject", json!({"wires": [["one"]], "props": [{"p": "payload", "v": "closed", "vt": "global"}]})), node("one", "junction", json!({}))]), DeployMode::Full).await;
    let seen = test.after(Duration::from_secs(5)).await;
    assert_eq!(got(&seen, "one").len(), 0);
    test.send("f", json!({}));
    assert_eq!(test.received("one").await, [json!({"payload": "true"})]);
}

#[test]
fn folders_that_can_not_be_used_are_named_and_the_others_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let code = "function onInput(msg) { return msg }";
    write(place, "good", MANIFEST, code);
    write(place, "again", MANIFEST, code);
    write(
        place,
        "builtin",
        r#"{"type": "inject", "category": "function"}"#,
        code,
    );
    write(place, "comma", r#"{"type": "x", }"#, code);
    write(
        place,
        "key",
        r#"{"type": "x", "category": "function", "input": 1}"#,
        code,
    );
    write(
        place,
        "reserved",
        r#"{"type": "subflow:x", "category": "function"}"#,
        code,
    );
    write(
        place,
        "syntax",
        r#"{"type": "y", "category": "function"}"#,
        "function onInput(msg) {\n  return\n",
    );
    write(
        place,
        "silent",
        r#"{"type": "z", "category": "function"}"#,
        "// nothing",
    );
    write(place, "bare", MANIFEST, code);
    fs::remove_file(place.join("bare/node.js")).unwrap();
    fs::create_dir(place.join("unrelated")).unwrap();
    let mut catalog = Catalog::builtin("en").unwrap();
    let errors = catalog.add_own(place, &check_module).unwrap_err();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected = [
        ("bare", "it has no node.js"),
        ("builtin", "\"inject\" is a built-in node type"),
        ("comma", "manifest.json: "),
        ("good", "another folder has the type \"mine\" already"),
        ("key", "unknown field `input`"),
        ("reserved", "can't be the \"type\" of a node"),
        ("silent", "none of the functions"),
        ("syntax", "node.js: line 3: "),
    ];
    assert_eq!(texts.len(), expected.len(), "{texts:#?}");
    for (text, (folder, part)) in texts.iter().zip(expected) {
        assert!(
            text.contains(&format!("{folder} is left out")) && text.contains(part),
            "{text}"
        );
    }
    assert!(catalog.get("mine").is_some() && catalog.get("x").is_none());
    assert!(catalog.translated("de").unwrap().get("mine").is_some());
    let gone = catalog
        .add_own(&place.join("gone"), &check_module)
        .unwrap_err();
    assert!(
        gone[0]
            .to_string()
            .contains("gone is left out: it can't be read"),
        "{}",
        gone[0]
    );
}

#[test]
fn the_command_line_and_the_data_folder_bring_node_types() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let code = "function onInput(msg) { return msg }";
    write(&data.join("nodes"), "mine", MANIFEST, code);
    write(
        folder.path(),
        "single",
        r#"{"type": "single one", "category": "function"}"#,
        code,
    );
    write(folder.path(), "broken", "{", code);
    let flows = folder.path().join("flows.json");
    fs::write(
        &flows,
        r#"[{"id": "t", "type": "tab"}, {"id": "n", "type": "single one", "z": "t", "wires": []}]"#,
    )
    .unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let places = [
        "--data".to_owned(),
        text(&data),
        "--nodes".to_owned(),
        text(&folder.path().join("single")),
        "--nodes".to_owned(),
        text(&folder.path().join("broken")),
    ];
    let with = |command: &[&str]| {
        let arguments: Vec<&str> = command
            .iter()
            .copied()
            .chain(places.iter().map(String::as_str))
            .collect();
        run(&arguments)
    };
    let output = with(&["nodes"]);
    let (listed, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        listed.contains("mine") && listed.contains("single one"),
        "{listed}"
    );
    assert!(told.contains("broken is left out: manifest.json"), "{told}");
    assert_eq!(output.status.code(), Some(0));
    let output = with(&["check", &text(&flows)]);
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(listed.contains("0 errors, 0 warnings"), "{listed}");
}
