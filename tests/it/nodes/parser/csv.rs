//! Texts and results compared with Node-RED 5.0.4.

use flowrill::flow::DeployMode;
use serde_json::{Value as Json, json};

use super::{Outcome, Tested, run};
use crate::support::flows::node;

/// The node in both of its modes.
fn modes(config: &Json) -> [Json; 2] {
    let mut rfc = config.clone();
    rfc["spec"] = json!("rfc");
    [config.clone(), rfc]
}

/// All rows that the node makes of a text.
async fn rows(config: &Json, text: &str) -> Json {
    let mut config = config.clone();
    config["multi"] = json!("mult");
    let outcome = run("csv", config, &[json!({"payload": text})]).await;
    assert_eq!(outcome.done, 1, "{outcome:?}");
    outcome.payloads().remove(0)
}

/// What the node writes for a payload.
async fn text(config: &Json, msg: Json) -> String {
    let outcome = run("csv", config.clone(), &[msg]).await;
    assert_eq!(outcome.done, 1, "{outcome:?}");
    outcome.payloads()[0].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn both_modes_read_plain_text_alike() {
    for (config, csv, expected) in [
        (
            json!({}),
            "1,2,3",
            json!([{"col1": 1, "col2": 2, "col3": 3}]),
        ),
        (
            json!({"temp": "a,b"}),
            "1,2\n3,4\n",
            json!([{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        ),
        (json!({"temp": "a,,c"}), "1,2,3", json!([{"a": 1, "c": 3}])),
        (
            json!({"temp": "\"a,b\",c"}),
            "1,2",
            json!([{"a,b": 1, "c": 2}]),
        ),
        (
            json!({"hdrin": true}),
            "a,b\r\n1,x\r\n2,y\r\n",
            json!([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ),
        (
            json!({"hdrin": true}),
            "\"a,b\",c\n1,2",
            json!([{"a,b": 1, "c": 2}]),
        ),
        (
            json!({"hdrin": true, "skip": 1}),
            "# by hand\na\n1",
            json!([{"a": 1}]),
        ),
        (
            json!({"hdrin": true, "skip": "2"}),
            "x\ny\na\n1",
            json!([{"a": 1}]),
        ),
        (
            json!({"sep": "\\t"}),
            "1\t2",
            json!([{"col1": 1, "col2": 2}]),
        ),
        (
            json!({"sep": ";", "hdrin": true}),
            "a;b\n1;2",
            json!([{"a": 1, "b": 2}]),
        ),
        (
            json!({"temp": "a,b"}),
            "\"x, \"\"y\"\"\",\"line\nbreak\"",
            json!([{"a": "x, \"y\"", "b": "line\nbreak"}]),
        ),
        (
            json!({"strings": false, "temp": "a"}),
            "5",
            json!([{"a": "5"}]),
        ),
        (json!({"temp": "a,b,c"}), "1,,3", json!([{"a": 1, "c": 3}])),
        (
            json!({"temp": "a,b,c", "include_null_values": true}),
            "1,,3",
            json!([{"a": 1, "b": null, "c": 3}]),
        ),
        (
            json!({"temp": "a,b,c", "include_empty_strings": true}),
            "1,\"\",3",
            json!([{"a": 1, "b": "", "c": 3}]),
        ),
        (json!({"temp": "a"}), "\n\n1\n\n", json!([{"a": 1}])),
        (
            json!({"temp": "b,1,0"}),
            "x,y,z",
            json!([{"0": "z", "1": "y", "b": "x"}]),
        ),
        (
            json!({"temp": "a,b"}),
            "é,😀",
            json!([{"a": "é", "b": "😀"}]),
        ),
    ] {
        for config in modes(&config) {
            assert_eq!(rows(&config, csv).await, expected, "{config} {csv}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_modes_differ_in_numbers_and_quotes() {
    let config = json!({});
    let rfc = json!({"spec": "rfc"});
    for (csv, legacy, strict) in [
        ("0x1f", json!("0x1f"), json!(31)),
        ("1e3", json!(1000), json!(1000)),
        ("007", json!("007"), json!("007")),
        ("+5", json!("+5"), json!("+5")),
        (" 5 ", json!(5), json!(5)),
        ("1e", json!("1e"), json!("1e")),
        ("5.", json!("5."), json!(5)),
        (".5", json!(0.5), json!(0.5)),
        ("  ", json!("  "), json!(0)),
        ("x\"y\"z", json!("xyz"), json!("x\"y\"z")),
        ("\"x\"y", json!("xy"), json!("x\"y")),
    ] {
        assert_eq!(rows(&config, csv).await[0]["col1"], legacy, "{csv}");
        assert_eq!(rows(&rfc, csv).await[0]["col1"], strict, "{csv}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_row_is_a_message_with_parts_and_columns() {
    for config in modes(&json!({"hdrin": true})) {
        let msg = json!({"_msgid": "m", "topic": "t", "payload": "a,\"b,c\"\n1,2\n3,4"});
        let outcome = run("csv", config, &[msg]).await;
        let sent = |index: usize, payload: Json| json!({"topic": "t", "payload": payload, "columns": "a,\"b,c\"", "parts": {"id": "m", "index": index, "count": 2}});
        assert_eq!(
            outcome.sent,
            [
                sent(0, json!({"a": 1, "b,c": 2})),
                sent(1, json!({"a": 3, "b,c": 4}))
            ]
        );
        assert_eq!(outcome.done, 1);
    }
}

fn lines(lines: &[&str]) -> Vec<Json> {
    let line = |(index, text): (usize, &&str)| json!({"payload": text, "parts": {"id": "s", "index": index, "count": lines.len()}});
    lines.iter().enumerate().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sequence_of_lines_is_read_as_one_text() {
    for config in modes(&json!({"hdrin": true})) {
        let outcome = run("csv", config, &lines(&["a,b", "1,2", "3,4"])).await;
        assert_eq!(
            outcome.sent,
            [
                json!({"payload": {"a": 1, "b": 2}, "columns": "a,b", "parts": {"id": "s", "index": 0, "count": 2}}),
                json!({"payload": {"a": 3, "b": 4}, "columns": "a,b", "parts": {"id": "s", "index": 1, "count": 2}, "complete": true}),
            ]
        );
        assert_eq!(outcome.done, 3);
    }
    for config in modes(&json!({"hdrin": true, "skip": 1})) {
        let outcome = run("csv", config, &lines(&["# x", "a,b", "1,2"])).await;
        assert_eq!(
            outcome.sent,
            [
                json!({"payload": {"a": 1, "b": 2}, "columns": "a,b", "parts": {"id": "s", "index": 0, "count": 1}, "complete": true})
            ]
        );
    }
    for config in modes(&json!({"temp": "a,b"})) {
        let outcome = run("csv", config, &lines(&["1,2", ""])).await;
        assert_eq!(outcome.sent[1], json!({"complete": true}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_waits_for_the_end_of_the_sequence() {
    for config in modes(&json!({"hdrin": true, "multi": "mult"})) {
        let msgs = [lines(&["a,b", "1,2", "3,4"]), lines(&["a,b", "5,6"])].concat();
        let outcome = run("csv", config.clone(), &msgs).await;
        assert_eq!(
            outcome.sent,
            [
                json!({"payload": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "columns": "a,b"}),
                json!({"payload": [{"a": 5, "b": 6}], "columns": "a,b"}),
            ]
        );
        assert_eq!(outcome.done, 5);
        // Blocks of lines are lists of their own, each with its header.
        let outcome = run("csv", config, &lines(&["a\n1\n2\n", "a\n3\n4\n"])).await;
        assert_eq!(
            outcome.payloads(),
            [json!([{"a": 1}, {"a": 2}]), json!([{"a": 3}, {"a": 4}])]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn objects_and_lists_become_text() {
    for (config, payload, expected) in [
        (json!({"temp": "a,b"}), json!({"b": 2, "a": 1}), "1,2\n"),
        (json!({"temp": "a,,b"}), json!({"b": 2, "a": 1}), "1,,2\n"),
        (
            json!({"temp": "a,b"}),
            json!([{"a": 1, "b": 2}, {"a": 3}]),
            "1,2\n3,\n",
        ),
        (
            json!({"temp": "a,b,c"}),
            json!({"a": "x,y", "b": "say \"x\"", "c": "l\nm"}),
            "\"x,y\",\"say \"\"x\"\"\",\"l\nm\"\n",
        ),
        (
            json!({"temp": "a,b,c"}),
            json!({"a": true, "b": null, "c": {"x": [1]}}),
            "true,null,\"{\"\"x\"\":[1]}\"\n",
        ),
        (json!({}), json!([1, "x", true]), "1,x,true\n"),
        (
            json!({}),
            json!([[1, 2], ["a,b", "c\"d"]]),
            "1,2\n\"a,b\",\"c\"\"d\"\n",
        ),
        (
            json!({"hdrout": "all"}),
            json!([{"b": 1, "a": 2}]),
            "b,a\n1,2\n",
        ),
        (
            json!({"hdrout": true, "temp": "x,y"}),
            json!({"x": 1}),
            "x,y\n1,\n",
        ),
        (
            json!({"sep": ";", "hdrout": "all", "temp": "a,b;c"}),
            json!({"a": "1;2", "b;c": 3}),
            "a;\"b;c\"\n\"1;2\";3\n",
        ),
        (json!({"sep": "\\t"}), json!([[1, 2]]), "1\t2\n"),
        (json!({"temp": "a"}), json!([]), "\n"),
    ] {
        for mut config in modes(&config) {
            config["ret"] = json!("\\n");
            assert_eq!(
                text(&config, json!({"payload": payload})).await,
                expected,
                "{config} {payload}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lines_end_as_the_mode_has_it() {
    for (config, expected) in [
        (json!({}), "1\n"),
        (json!({"spec": "rfc"}), "1\r\n"),
        (json!({"ret": "\\r\\n"}), "1\r\n"),
        (json!({"ret": "\r", "spec": "rfc"}), "1\r"),
    ] {
        assert_eq!(text(&config, json!({"payload": [1]})).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn names_may_come_with_the_message() {
    for mut config in modes(&json!({"hdrout": "all", "ret": "\\n"})) {
        let msg = json!({"payload": {"a": 1, "b": 2}, "columns": "b,\"a\""});
        assert_eq!(text(&config, msg).await, "b,a\n2,1\n");
        config["hdrout"] = json!("none");
        let msg = json!({"payload": [{"a": 1, "b": 2}], "columns": "b"});
        assert_eq!(text(&config, msg).await, "2\n");
    }
}

#[tokio::test(start_paused = true)]
async fn the_names_are_written_once_until_a_reset() {
    for config in modes(&json!({"hdrout": "once", "temp": "a", "ret": "\\n"})) {
        let msg = json!({"payload": {"a": 1}});
        let again = json!({"payload": {"a": 2}, "reset": true});
        let msgs = [msg.clone(), msg.clone(), json!({"reset": true}), msg, again];
        let outcome = run("csv", config, &msgs).await;
        assert_eq!(
            outcome.payloads(),
            [
                json!("a\n1\n"),
                json!("1\n"),
                json!("a\n1\n"),
                json!("a\n2\n")
            ]
        );
        assert_eq!(outcome.done, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn objects_without_names_are_told_once() {
    for config in modes(&json!({"ret": "\\n"})) {
        let msg = json!({"payload": {"a": 1, "o": {}, "b": "x"}});
        let outcome = run("csv", config, &[msg.clone(), msg]).await;
        assert_eq!(outcome.payloads(), [json!("1,x\n"), json!("1,x\n")]);
        assert!(
            outcome.warnings.len() == 1 && outcome.warnings[0].contains("No columns"),
            "{outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_payload_passes_and_what_is_no_csv_is_told() {
    for config in modes(&json!({})) {
        let outcome = run("csv", config, &[json!({"topic": "x"})]).await;
        assert_eq!(
            (outcome.sent, outcome.done),
            (vec![json!({"topic": "x"})], 1)
        );
    }
    let outcome = run("csv", json!({}), &[json!({"payload": 5})]).await;
    assert!(outcome.warnings[0].contains("can be converted"));
    assert_eq!((outcome.sent, outcome.done), (Vec::<Json>::new(), 1));
    let outcome = run("csv", json!({"spec": "rfc"}), &[json!({"payload": true})]).await;
    assert!(outcome.error().contains("can be converted"));
    assert_eq!(
        outcome.statuses,
        [
            json!({"fill": "red", "shape": "dot", "text": "Only text, objects and lists can be converted"})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn open_quotes_are_told_and_the_rows_sent() {
    let outcome = run(
        "csv",
        json!({"temp": "a,b"}),
        &[json!({"payload": "1,\"2"})],
    )
    .await;
    assert_eq!(outcome.payloads(), [json!({"a": 1, "b": 2})]);
    assert!(outcome.warnings[0].contains("never closed"));
    // Node-RED looks before the first character.
    let outcome = run("csv", json!({}), &[json!({"payload": ",1"})]).await;
    assert_eq!(
        outcome.error(),
        "TypeError: Cannot read properties of undefined (reading 'includes')"
    );
}

#[tokio::test(start_paused = true)]
async fn rfc_columns_are_read_strictly() {
    let bad = |text: &str| json!({"fill": "red", "shape": "dot", "text": text});
    let bad = bad("The columns can't be read: check the quotes in them");
    for temp in ["a,\"b", "a\"b", "\"a\"b"] {
        let mut test = Tested::new("csv", json!({"spec": "rfc", "temp": temp})).await;
        let outcome = test.outcome(&[json!({"payload": "1,2"})]).await;
        let expected = Outcome {
            warnings: outcome.warnings.clone(),
            statuses: vec![bad.clone()],
            ..Outcome::default()
        };
        assert_eq!(outcome, expected);
        assert_eq!(outcome.warnings.len(), 1);
    }
    let config = json!({"spec": "rfc", "hdrin": true});
    let outcome = run(
        "csv",
        config,
        &[json!({"payload": "a\"b\n1"}), json!({"payload": "a\n1"})],
    )
    .await;
    assert_eq!(
        outcome.errors[0].0,
        "UnquotedQuoteError: Quote found in the middle of an unquoted field"
    );
    assert_eq!(outcome.statuses, [bad]);
    assert_eq!(outcome.payloads(), [json!({"a": 1})]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_template_that_is_mended_lets_the_node_live() {
    let mut test = Tested::new("csv", json!({"spec": "rfc", "temp": "a,\"b"})).await;
    let mut mended = node("n", "csv", json!({"spec": "rfc", "temp": "a,b"}));
    mended["wires"] = json!([["end"]]);
    let flows = json!([mended, node("end", "junction", json!({}))]);
    test.0.deploy(flows, DeployMode::Nodes).await;
    let outcome = test.outcome(&[json!({"payload": "1,2"})]).await;
    assert_eq!(outcome.payloads(), [json!({"a": 1, "b": 2})]);
}

#[tokio::test(start_paused = true)]
async fn odd_values_do_no_harm() {
    let deep = (0..400).fold(json!(1), |value, _| json!([value]));
    let odd = [
        json!(null),
        json!({"$t": "undefined"}),
        json!([null]),
        json!([[null]]),
        json!([{"a": 1}, null]),
        json!([{"a": 1}, 5]),
        json!({"$t": "buffer", "v": "AQID"}),
        json!({"$t": "date", "v": null}),
        json!({"$t": "number", "v": "NaN"}),
        json!({"a": {"$t": "ref", "v": "payload"}}),
        deep,
    ];
    for config in [
        json!({}),
        json!({"temp": "a,b"}),
        json!({"hdrout": "all"}),
        json!({"skip": "x", "hdrin": true}),
    ] {
        for config in modes(&config) {
            for payload in &odd {
                let outcome = run(
                    "csv",
                    config.clone(),
                    &[
                        json!({"payload": payload}),
                        json!({"payload": "1,2", "parts": null}),
                        json!({"payload": "1,2", "parts": {"index": "x"}}),
                    ],
                )
                .await;
                assert!(outcome.done + outcome.errors.len() >= 2, "{outcome:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn large_texts_are_read() {
    let text = "1,\"two, 2\",3\n".repeat(100_000);
    for config in modes(&json!({"temp": "a,b,c", "multi": "mult"})) {
        let outcome = run("csv", config, &[json!({"payload": text})]).await;
        assert_eq!(outcome.payloads()[0].as_array().unwrap().len(), 100_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_text_leaves_in_turns_and_before_what_comes_after_it() {
    let long: String = (0..5_000).map(|n| format!("{n}\n")).collect();
    for config in modes(&json!({"temp": "a"})) {
        let given = [json!({"payload": long}), json!({"payload": "last\n"})];
        let outcome = run("csv", config, &given).await;
        let payloads = outcome.payloads();
        assert_eq!((payloads.len(), outcome.done), (5_001, 2));
        for (n, payload) in payloads.iter().take(5_000).enumerate() {
            assert_eq!(payload, &json!({"a": n}));
        }
        assert_eq!(payloads[5_000], json!({"a": "last"}));
    }
}
