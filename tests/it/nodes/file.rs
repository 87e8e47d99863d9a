//! `file` and `file in`: what lies on the disk afterwards, and what they say.

use std::{fs, path::Path, time::Duration};

use flowrill::{
    engine::{LogLevel, RuntimeSettings},
    flow::DeployMode,
};
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, got, logged, node, without_id};

/// A flow of one node that is wired to `out`.
async fn flow(tested: Json) -> TestFlows {
    let mut tested = tested;
    tested["wires"] = json!([["out"]]);
    let flows = json!([{"id": "t", "type": "tab"}, tested, node("out", "junction", json!({}))]);
    TestFlows::run(flows).await
}

async fn write(properties: Json, messages: &[Json]) -> Vec<Seen> {
    let mut test = flow(node("n", "file", properties)).await;
    for msg in messages {
        test.send("n", msg.clone());
    }
    test.after(Duration::from_secs(1)).await
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[tokio::test(start_paused = true)]
async fn payloads_are_written_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let messages = [
        json!({"payload": "one"}),
        json!({"payload": 2.5}),
        json!({"payload": true}),
        json!({"payload": {"a": [1]}}),
        json!({"payload": null}),
        json!({"payload": {"$t": "buffer", "v": "AQI="}}),
        json!({"payload": {"$t": "undefined"}}),
        json!({"topic": "nothing"}),
        json!({"payload": "p", "parts": {"type": "string", "index": 0, "count": 2}}),
        json!({"payload": "q", "parts": {"type": "string", "index": 1, "count": 2}}),
    ];
    let seen = write(
        json!({"filename": text(&file), "appendNewline": true}),
        &messages,
    )
    .await;
    assert_eq!(
        read(&file),
        "one\n2.5\ntrue\n{\"a\":[1]}\nnull\n\u{1}\u{2}p\nq"
    );
    let out = got(&seen, "out");
    assert_eq!(out.len(), 8);
    assert_eq!(out[0], json!({"payload": "one", "filename": text(&file)}));
}

#[tokio::test(start_paused = true)]
async fn a_message_may_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        folder.path().join("1.txt"),
        folder.path().join("deep/er/2.txt"),
    );
    let properties = json!({"filename": "where.to", "filenameType": "msg", "createDir": true});
    let to = |path: &Path, payload: &str| json!({"payload": payload, "where": {"to": text(path)}});
    write(properties, &[to(&one, "a"), to(&two, "b"), to(&one, "c")]).await;
    assert_eq!((read(&one), read(&two)), ("ac".into(), "b".into()));

    let old = json!({"filename": "", "overwriteFile": "true"});
    write(old, &[json!({"payload": "d", "filename": text(&one)})]).await;
    assert_eq!(read(&one), "d");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_removed_or_replaced_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let mut test = flow(node("n", "file", json!({"filename": text(&file)}))).await;
    let mut append = async |payload: &str| {
        test.send("n", json!({"payload": payload}));
        test.after(Duration::from_secs(1)).await;
    };
    append("a").await;
    append("b").await;
    assert_eq!(read(&file), "ab");
    fs::remove_file(&file).unwrap();
    append("c").await;
    assert_eq!(read(&file), "c");
    fs::rename(&file, folder.path().join("old.txt")).unwrap();
    fs::write(&file, "new:").unwrap();
    append("d").await;
    assert_eq!(read(&file), "new:d");
}

#[tokio::test(start_paused = true)]
async fn files_are_overwritten_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let over = json!({"filename": text(&file), "overwriteFile": "true"});
    write(over, &[json!({"payload": "long"}), json!({"payload": "é"})]).await;
    assert_eq!(read(&file), "é");
    let delete = json!({"filename": text(&file), "overwriteFile": "delete"});
    let seen = write(delete, &[json!({"payload": 1}), json!({})]).await;
    assert!(!file.exists());
    assert_eq!(got(&seen, "out").len(), 1);
    let errors = logged(&seen, LogLevel::Error);
    assert_eq!(
        errors,
        [format!(
            "The file can't be deleted: Error: ENOENT: no such file or directory, unlink '{}'",
            text(&file)
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let inside = text(&blocked.join("a.txt"));
    for (properties, msg, expected) in [
        (
            json!({"filename": inside, "createDir": true}),
            json!({"payload": 1}),
            "The folder of the file can't be made: Error: EEXIST: file already exists, mkdir",
        ),
        (
            json!({"filename": inside}),
            json!({"payload": 1}),
            "Nothing can be added to the file: Error: ENOTDIR: not a directory, open",
        ),
        (
            json!({"filename": text(folder.path()), "overwriteFile": "true"}),
            json!({"payload": 1}),
            "The file can't be written: Error: EISDIR: illegal operation on a directory, open",
        ),
        (
            json!({"filename": "a\0b"}),
            json!({"payload": 1}),
            "null bytes",
        ),
        (
            json!({"filename": text(&blocked), "encoding": "setbymsg"}),
            json!({"payload": "x", "encoding": "martian"}),
            "Encoding not recognized: 'martian'",
        ),
        (
            json!({"filename": text(&blocked)}),
            json!({"payload": {"a": {"$t": "ref", "v": "payload"}}}),
            "Converting circular structure",
        ),
    ] {
        let seen = write(properties, &[msg, json!({"payload": {"$t": "undefined"}})]).await;
        let errors = logged(&seen, LogLevel::Error);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(expected), "{errors:?}");
        assert_eq!(got(&seen, "out"), Vec::<Json>::new());
    }
    let seen = write(
        json!({"filename": "x", "filenameType": "msg"}),
        &[json!({"payload": 1})],
    )
    .await;
    assert!(logged(&seen, LogLevel::Warn)[0].starts_with("There is no file name"));
}

#[tokio::test(start_paused = true)]
async fn encodings_are_those_of_the_settings_or_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let fixed = json!({"filename": text(&file), "overwriteFile": "true", "encoding": "cp1252"});
    write(fixed, &[json!({"payload": "5 €"})]).await;
    assert_eq!(fs::read(&file).unwrap(), b"5 \x80");
    let by_message = json!({"filename": text(&file), "encoding": "setbymsg"});
    let messages = [
        json!({"payload": "ab", "encoding": "utf-16be"}),
        json!({"payload": "c"}),
    ];
    write(by_message, &messages).await;
    assert_eq!(fs::read(&file).unwrap(), b"5 \x80\0a\0bc");
    assert_eq!(
        payloads(
            read_in(json!({"filename": text(&file), "format": "utf8", "encoding": "cp1252"})).await
        ),
        [json!("5 €\0a\0bc")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_deploy_waits_for_what_is_to_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let test = flow(node(
        "n",
        "file",
        json!({"filename": text(&file), "appendNewline": true}),
    ))
    .await;
    for number in 0..500 {
        test.send("n", json!({"payload": number}));
    }
    test.send("out", json!({}));
    tokio::task::yield_now().await;
    test.deploy(json!([]), DeployMode::Full).await;
    let lines = read(&file).lines().count();
    let last = lines.checked_sub(1).map(|last| last.to_string());
    assert_eq!(read(&file).lines().last().map(str::to_owned), last);
}

async fn read_in(properties: Json) -> Vec<Seen> {
    let mut test = flow(node("n", "file in", properties)).await;
    test.send(
        "n",
        json!({"_msgid": "m", "topic": "t", "payload": 0, "more": 1}),
    );
    test.after(Duration::from_secs(1)).await
}

fn payloads(seen: Vec<Seen>) -> Vec<Json> {
    got(&seen, "out")
        .iter()
        .map(|msg| msg["payload"].clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, b"\xef\xbb\xbfa\xff\n").unwrap();
    let name = text(&file);
    let seen = read_in(json!({"filename": format!("\n{name}\t"), "format": "utf8"})).await;
    assert_eq!(
        got(&seen, "out"),
        [json!({"topic": "t", "payload": "\u{feff}a\u{fffd}\n", "more": 1, "filename": name})]
    );
    assert_eq!(
        payloads(read_in(json!({"filename": name})).await),
        [json!({"$t": "buffer", "v": "77u/Yf8K"})]
    );
    let with_encoding = json!({"filename": name, "format": "utf8", "encoding": "utf8"});
    assert_eq!(
        payloads(read_in(with_encoding).await),
        [json!("a\u{fffd}\n")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "one\ntwo\n").unwrap();
    let name = text(&file);
    let parts = |index: u32, count: Json| {
        let mut parts = json!({"index": index, "ch": "\n", "type": "string", "id": "m"});
        if count.is_number() {
            parts["count"] = count;
        }
        parts
    };
    let line = |payload: &str, parts: Json| json!({"topic": "t", "filename": name, "payload": payload, "parts": parts});
    let seen = read_in(json!({"filename": name, "format": "lines"})).await;
    assert_eq!(
        got(&seen, "out"),
        [
            line("one", parts(0, Json::Null)),
            line("two", parts(1, Json::Null)),
            line("", parts(2, json!(3))),
        ]
    );
    let seen = read_in(json!({"filename": name, "format": "lines", "allProps": true})).await;
    assert_eq!(got(&seen, "out")[1]["more"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    let pieces = async |length: usize| {
        fs::write(&file, vec![7; length]).unwrap();
        let seen = read_in(json!({"filename": text(&file), "format": "stream"})).await;
        let sizes = got(&seen, "out").into_iter().map(|msg| {
            let bytes = msg["payload"]["v"].as_str().map(|text| text.len() / 4 * 3);
            (
                bytes.map(|bytes| bytes / 1024),
                msg["parts"]["count"].clone(),
            )
        });
        sizes.collect::<Vec<_>>()
    };
    let whole = (Some(64), Json::Null);
    assert_eq!(pieces(0).await, []);
    assert_eq!(pieces(3 * 1024).await, [(Some(3), json!(1))]);
    assert_eq!(pieces(64 * 1024).await, [whole.clone(), (None, json!(1))]);
    assert_eq!(
        pieces(130 * 1024).await,
        [whole.clone(), whole.clone(), (Some(2), json!(3))]
    );
}

#[tokio::test(start_paused = true)]
async fn reading_what_is_not_there_is_an_error_and_a_message() {
    let missing = "/no-such-folder/a.txt";
    let seen = read_in(json!({"filename": missing, "format": "lines"})).await;
    let out = got(&seen, "out");
    assert_eq!(out.len(), 1);
    assert_eq!(out[0]["error"]["props"]["code"], "ENOENT");
    assert_eq!(
        (&out[0]["topic"], &out[0]["payload"]),
        (&json!("t"), &Json::Null)
    );
    assert_eq!(logged(&seen, LogLevel::Error).len(), 1);
    let seen = read_in(json!({"filename": missing, "sendError": false})).await;
    assert_eq!(got(&seen, "out"), Vec::<Json>::new());
    let seen = read_in(json!({"filename": text(&std::env::temp_dir())})).await;
    assert_eq!(got(&seen, "out")[0]["error"]["props"]["code"], "EISDIR");
    let seen = read_in(json!({"filename": "nothing", "filenameType": "msg"})).await;
    assert!(logged(&seen, LogLevel::Warn)[0].starts_with("There is no file name"));
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_through_a_flow_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let lines: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let copy = folder.path().join("copy.txt");
    let test = TestFlows::run(json!([
        {"id": "t", "type": "tab"},
        node("in", "file in", json!({"filename": text(&file), "format": "lines", "wires": [["out"]]})),
        node("out", "file", json!({"filename": text(&copy), "appendNewline": true})),
    ]))
    .await;
    test.send("in", json!({"payload": 1}));
    let mut test = test;
    while !copy.exists() || !read(&copy).ends_with("4999") {
        test.after(Duration::from_millis(10)).await;
    }
    assert_eq!(read(&copy), lines.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn relative_names_begin_at_the_working_directory_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut test = flow(node("n", "file", json!({"filename": "sub/../a.txt"}))).await;
    let mut settings = RuntimeSettings::default();
    let working = text(folder.path()).into();
    settings
        .others
        .insert("fileWorkingDirectory".into(), working);
    test.engine.change_settings(settings);
    test.send("n", json!({"payload": "x"}));
    let seen = test.after(Duration::from_secs(1)).await;
    assert_eq!(read(&folder.path().join("a.txt")), "x");
    assert_eq!(
        without_id(got(&seen, "out")[0].clone())["filename"],
        "sub/../a.txt"
    );
}
