//! Texts and results compared with Node-RED 5.0.4.

use serde_json::{Value as Json, json};

use super::run;

async fn convert(config: Json, msg: Json) -> Json {
    let outcome = run("xml", config, &[msg]).await;
    assert_eq!(outcome.done, 1, "{outcome:?}");
    outcome.payloads().remove(0)
}

#[tokio::test(start_paused = true)]
async fn text_becomes_an_object() {
    for (text, expected) in [
        ("<a/>", json!({"a": ""})),
        ("<a>t</a>", json!({"a": "t"})),
        (
            "<a><b>1</b><b>2</b><c/></a>",
            json!({"a": {"b": ["1", "2"], "c": [""]}}),
        ),
        ("<a x='1'>t</a>", json!({"a": {"_": "t", "$": {"x": "1"}}})),
        (
            "<?xml version=\"1.0\"?>\n<!-- c --><a>\n  <b> x </b>\n</a>\n",
            json!({"a": {"b": [" x "]}}),
        ),
        ("<a><![CDATA[<x>&]]></a>", json!({"a": "<x>&"})),
        ("<a>&lt;&#65;&#x42;&eacute;&amp;</a>", json!({"a": "<ABé&"})),
        ("<a>1<b/>2</a>", json!({"a": {"_": "12", "b": [""]}})),
        ("<a/>what comes behind", json!({"a": ""})),
        ("  ", json!(null)),
    ] {
        assert_eq!(
            convert(json!({}), json!({"payload": text})).await,
            expected,
            "{text}"
        );
    }
    let keys = json!({"attr": "@", "chr": "#"});
    assert_eq!(
        convert(keys, json!({"payload": "<a x='1'>t</a>"})).await,
        json!({"a": {"@": {"x": "1"}, "#": "t"}})
    );
}

#[tokio::test(start_paused = true)]
async fn options_of_the_parser_hold() {
    let text = "<A x=\"1\"><b> t  u </b><b/></A>";
    for (options, expected) in [
        (
            json!({"explicitArray": false}),
            json!({"A": {"$": {"x": "1"}, "b": [" t  u ", ""]}}),
        ),
        (
            json!({"mergeAttrs": true}),
            json!({"A": {"x": ["1"], "b": [" t  u ", ""]}}),
        ),
        (
            json!({"ignoreAttrs": true, "trim": true}),
            json!({"A": {"b": ["t  u", ""]}}),
        ),
        (
            json!({"normalize": true, "explicitRoot": false}),
            json!({"$": {"x": "1"}, "b": ["t u", ""]}),
        ),
        (
            json!({"emptyTag": null, "normalizeTags": true}),
            json!({"a": {"$": {"x": "1"}, "b": [" t  u ", null]}}),
        ),
        (
            json!({"explicitCharkey": true, "attrkey": "@", "charkey": "#"}),
            json!({"A": {"@": {"x": "1"}, "b": [{"#": " t  u "}, ""]}}),
        ),
        (
            json!({"explicitChildren": true, "childkey": "kids"}),
            json!({"A": {"$": {"x": "1"}, "kids": {"b": [" t  u ", ""]}}}),
        ),
        (
            json!({"explicitChildren": true, "preserveChildrenOrder": true}),
            json!({"A": {"$": {"x": "1"}, "#name": "A", "$$": [{"_": " t  u ", "#name": "b"}, {"#name": "b"}], "b": [" t  u ", {}]}}),
        ),
    ] {
        let outcome = run(
            "xml",
            json!({}),
            &[json!({"payload": text, "options": options})],
        )
        .await;
        assert_eq!(outcome.payloads(), [expected], "{options}");
        assert_eq!(outcome.sent[0]["options"]["async"], json!(true));
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";

#[tokio::test(start_paused = true)]
async fn objects_become_text() {
    for (payload, expected) in [
        (json!({"a": 1}), "<a>1</a>"),
        (json!({"a": 1, "b": "x"}), "<root><a>1</a><b>x</b></root>"),
        (
            json!({"a": {"$": {"x": 1, "y": "\"<&\n"}, "_": "t<>&", "b": [1, "two", null, true, {"c": ""}]}}),
            "<a x=\"1\" y=\"&quot;&lt;&amp;&#xA;\">t&lt;&gt;&amp;<b>1</b><b>two</b><b/><b>true</b><b><c/></b></a>",
        ),
        (json!([{"a": 1}, {"b": 2}]), "<root><a>1</a><b>2</b></root>"),
        (json!({}), "<root/>"),
        (json!({"é": "😀"}), "<é>😀</é>"),
    ] {
        let text = convert(json!({}), json!({"payload": payload})).await;
        assert_eq!(text, json!(format!("{HEAD}{expected}")));
    }
}

#[tokio::test(start_paused = true)]
async fn options_of_the_builder_hold() {
    let payload = json!({"a": {"b": ["<", {"c": ""}]}});
    for (options, expected) in [
        (
            json!({}),
            format!("{HEAD}\n<a>\n  <b>&lt;</b>\n  <b>\n    <c/>\n  </b>\n</a>"),
        ),
        (
            json!({"headless": true, "renderOpts": {"pretty": false}}),
            "<a><b>&lt;</b><b><c/></b></a>".into(),
        ),
        (
            json!({"headless": true, "cdata": true, "renderOpts": {}}),
            "<a><b><![CDATA[<]]></b><b><c/></b></a>".into(),
        ),
        (
            json!({"rootName": "top", "headless": true, "renderOpts": {}}),
            "<top><a><b>&lt;</b><b><c/></b></a></top>".into(),
        ),
        (
            json!({"xmldec": {"version": "1.1", "encoding": "latin1"}, "renderOpts": {"allowEmpty": true}}),
            "<?xml version=\"1.1\" encoding=\"latin1\"?><a><b>&lt;</b><b><c></c></b></a>".into(),
        ),
        (
            json!({"headless": true, "renderOpts": {"pretty": true, "indent": "\t", "newline": "\r\n", "spaceBeforeSlash": true}}),
            "<a>\r\n\t<b>&lt;</b>\r\n\t<b>\r\n\t\t<c />\r\n\t</b>\r\n</a>".into(),
        ),
        (
            json!({"doctype": {"sysID": "s.dtd"}, "renderOpts": {}}),
            format!("{HEAD}<!DOCTYPE a SYSTEM \"s.dtd\"><a><b>&lt;</b><b><c/></b></a>"),
        ),
    ] {
        let msg = json!({"payload": payload, "options": options});
        assert_eq!(convert(json!({}), msg).await, json!(expected), "{options}");
    }
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_in_sax_words() {
    for (payload, error) in [
        (
            json!("<not valid>"),
            "Error: Attribute without value\nLine: 0\nColumn: 11\nChar: >",
        ),
        (
            json!("<a><b></a>"),
            "Error: Unexpected close tag\nLine: 0\nColumn: 10\nChar: >",
        ),
        (
            json!("<a>\n<b>"),
            "Error: Unclosed root tag\nLine: 1\nColumn: 3\nChar: ",
        ),
        (
            json!("x"),
            "Error: Non-whitespace before first tag.\nLine: 0\nColumn: 1\nChar: x",
        ),
        (
            json!("<a b=1>"),
            "Error: Unquoted attribute value\nLine: 0\nColumn: 6\nChar: 1",
        ),
        (
            json!("<a>&x;</a>"),
            "Error: Invalid character entity\nLine: 0\nColumn: 6\nChar: ;",
        ),
        (
            json!("<a>& b</a>"),
            "Error: Invalid character in entity name\nLine: 0\nColumn: 5\nChar:  ",
        ),
        (json!({"a b": 1}), "Error: Invalid character in name"),
        (
            json!({"a": "\u{1}"}),
            "Error: Invalid character in string: \u{1} at index 0",
        ),
        (
            json!({"a": {"self": {"$t": "ref", "v": "payload"}}}),
            "Error: The value contains itself",
        ),
        (
            json!(null),
            "TypeError: Cannot convert undefined or null to object",
        ),
    ] {
        let outcome = run("xml", json!({}), &[json!({"payload": payload.clone()})]).await;
        assert!(
            outcome.error().starts_with(error),
            "{payload}: {}",
            outcome.error()
        );
        assert_eq!(outcome.errors[0].1["payload"], payload);
    }
    let functions = json!({"valueProcessors": [1]});
    let outcome = run(
        "xml",
        json!({}),
        &[json!({"payload": "<a/>", "options": functions})],
    )
    .await;
    assert!(outcome.error().contains("valueProcessors is not supported"));
}

#[tokio::test(start_paused = true)]
async fn other_values_are_ignored_and_nothing_passes() {
    let outcome = run(
        "xml",
        json!({}),
        &[json!({"payload": 5}), json!({"topic": "x"})],
    )
    .await;
    assert_eq!(outcome.sent, [json!({"topic": "x"})]);
    assert!(outcome.warnings.len() == 1 && outcome.warnings[0].contains("Only text and objects"));
    assert_eq!(outcome.done, 2);
}

#[tokio::test(start_paused = true)]
async fn bombs_and_depth_do_no_harm() {
    let mut bomb = String::from("<!DOCTYPE a [<!ENTITY e0 \"x\">");
    for level in 1..20 {
        bomb += &format!(
            "<!ENTITY e{level} \"{}\">",
            format!("&e{};", level - 1).repeat(10)
        );
    }
    bomb += "]><a>&e19;</a>";
    let deep = "<a>".repeat(10_000);
    for text in [bomb, deep] {
        let outcome = run("xml", json!({}), &[json!({"payload": text})]).await;
        assert!(
            outcome.error().contains("entity") || outcome.error().contains("nested"),
            "{}",
            outcome.error()
        );
    }
    let deep = (0..400).fold(json!("x"), |value, _| json!({"a": value}));
    let outcome = run("xml", json!({}), &[json!({"payload": deep})]).await;
    assert_eq!(outcome.sent.len(), 1);
}
