//! What templates become, in the manner of the public Mustache cases.

use serde_json::{Value as Json, json};

use super::{Template, View};
use crate::message::{Message, Value};

fn message(data: Json) -> Message {
    match Value::from(data) {
        Value::Object(fields) => Message::new(fields),
        other => panic!("{other:?} is no message"),
    }
}

fn render(template: &str, data: Json) -> String {
    let template = Template::parse(template).unwrap_or_else(|error| panic!("{template}: {error}"));
    template.render(&message(data), &()).unwrap()
}

#[track_caller]
fn check(cases: &[(&str, Json, &str)]) {
    for (template, data, expected) in cases {
        assert_eq!(
            &render(template, data.clone()),
            expected,
            "{template:?} with {data}"
        );
    }
}

#[test]
fn values_are_written() {
    check(&[
        ("plain { text }\n", json!({}), "plain { text }\n"),
        ("Hello, {{name}}!", json!({"name": "you"}), "Hello, you!"),
        ("{{ a }}|{{{ a }}}|{{& a }}", json!({"a": "x"}), "x|x|x"),
        (
            "{{a}}",
            json!({"a": "<&>\"'/`="}),
            "&lt;&amp;&gt;&quot;&#39;&#x2F;&#x60;&#x3D;",
        ),
        ("{{{a}}}{{&a}}", json!({"a": "<&>"}), "<&><&>"),
        (
            "{{n}} {{big}} {{neg}}",
            json!({"n": 1.50, "big": 1e21, "neg": -0.1}),
            "1.5 1e+21 -0.1",
        ),
        (
            "[{{no}}{{nil}}{{a.b.c}}]",
            json!({"nil": null, "a": {}}),
            "[]",
        ),
        ("{{t}} {{f}}", json!({"t": true, "f": false}), "true false"),
        (
            "{{list}} {{o}}",
            json!({"list": [1, [2, 3]], "o": {}}),
            "1,2,3 [object Object]",
        ),
        ("{{a.b.c}}", json!({"a": {"b": {"c": "deep"}}}), "deep"),
        (
            "{{a.length}} {{a.1}} {{list.length}} {{list.0.x}}",
            json!({"a": "abc", "list": [{"x": 5}]}),
            "3 b 1 5",
        ),
        ("{{ä}} {{a b}}", json!({"ä": 1, "a b": 2}), "1 2"),
        ("  {{a}}\n", json!({"a": 1}), "  1\n"),
        ("{{.a}}", json!({".a": 1}), "1"),
    ]);
}

#[test]
fn sections_repeat_or_hide() {
    check(&[
        (
            "{{#on}}yes{{/on}}{{^on}}no{{/on}}",
            json!({"on": true}),
            "yes",
        ),
        ("{{#on}}yes{{/on}}{{^on}}no{{/on}}", json!({"on": 0}), "no"),
        ("{{#on}}yes{{/on}}{{^on}}no{{/on}}", json!({}), "no"),
        ("{{#on}}yes{{/on}}{{^on}}no{{/on}}", json!({"on": ""}), "no"),
        (
            "{{#l}}{{.}};{{/l}}{{^l}}none{{/l}}",
            json!({"l": [1, "b", true]}),
            "1;b;true;",
        ),
        (
            "{{#l}}{{.}};{{/l}}{{^l}}none{{/l}}",
            json!({"l": []}),
            "none",
        ),
        (
            "{{#l}}[{{#.}}{{.}}{{/.}}]{{/l}}",
            json!({"l": [[1, 2], ["a"]]}),
            "[12][a]",
        ),
        (
            "{{#l}}{{n}}{{top}} {{/l}}",
            json!({"l": [{"n": 1}, {"n": 2, "top": "own"}], "top": "T"}),
            "1T 2own ",
        ),
        (
            "{{#o}}{{x}}{{#o}}{{y}}{{/o}}{{/o}}",
            json!({"o": {"x": 1, "y": 2}}),
            "12",
        ),
        (
            "{{#o}}{{p.q}}{{/o}}",
            json!({"o": {"p": {}}, "p": {"q": "out"}}),
            "out",
        ),
        (
            "{{#length}}{{length}}{{/length}}",
            json!({"length": "100 yards"}),
            "100 yards",
        ),
        (
            "{{#s}}{{.}} {{s.length}}{{/s}}",
            json!({"s": "text"}),
            "text 4",
        ),
        ("{{#l}}{{.}}{{x}}{{/l}}", json!({"l": [null, 1]}), "1"),
        ("{{^l}}{{^m}}both{{/m}}{{/l}}", json!({"l": null}), "both"),
        (
            "{{#a.b}}here{{/a.b}}{{^a.c}}not{{/a.c}}",
            json!({"a": {"b": 1}}),
            "herenot",
        ),
        ("{{# a }}x{{/ a }}", json!({"a": 1}), "x"),
    ]);
}

#[test]
fn lines_with_nothing_but_such_tags_go() {
    check(&[
        (
            "| A\n{{#b}}\n| B\n{{/b}}\n| C\n",
            json!({"b": true}),
            "| A\n| B\n| C\n",
        ),
        (
            "| A\n  {{^b}}  \n| B\n\t{{/b}}\n| C",
            json!({}),
            "| A\n| B\n| C",
        ),
        (
            "a\r\n{{#b}}\r\nB\r\n{{/b}}\r\nc",
            json!({"b": 1}),
            "a\r\nB\r\nc",
        ),
        ("  {{#b}}\nx\n{{/b}}", json!({"b": 1}), "x\n"),
        ("a {{#b}}x{{/b}}\nc", json!({"b": 1}), "a x\nc"),
        ("{{#b}} {{/b}}\n", json!({"b": 1}), ""),
        (" {{#b}}{{x}}{{/b}}\n", json!({"b": 1, "x": 2}), " 2\n"),
        (
            "Begin.\n  {{! a\n  comment }}\nEnd.\n",
            json!({}),
            "Begin.\nEnd.\n",
        ),
        ("12{{! gone }}34", json!({}), "1234"),
        (
            "a\n  {{> partial }}\nb{{>p}}c",
            json!({"partial": 1, "p": 2}),
            "a\nbc",
        ),
    ]);
}

#[test]
fn delimiters_can_be_others() {
    check(&[
        ("{{=<% %>=}}(<%a%>) {{a}}", json!({"a": 1}), "(1) {{a}}"),
        ("({{=| |=}}|a||={{ }}=|{{a}})", json!({"a": 1}), "(11)"),
        ("{{= @   @ =}}@a@", json!({"a": 1}), "1"),
        ("a\n{{=<% %>=}}\nb", json!({}), "a\nb"),
        (
            "{{=<% %>=}}<%{ a }%><%#b%>x<%/b%>",
            json!({"a": "<", "b": 1}),
            "<x",
        ),
    ]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (template, error) in [
        ("payload={{payload", "Unclosed tag at 17"),
        ("ä😀{{a", "Unclosed tag at 6"),
        ("{{{a}}", "Unclosed tag at 6"),
        ("{{#a}}x", "Unclosed section \"a\" at 7"),
        ("{{#a}}x{{/b}}", "Unclosed section \"a\" at 7"),
        ("x{{/b}}", "Unopened section \"b\" at 1"),
        ("{{=x=}}", "Invalid tags: x"),
        ("{{=", "Unclosed tag at 3"),
    ] {
        assert_eq!(Template::parse(template).unwrap_err(), error, "{template}");
    }
    let deep = "{{#a}}".repeat(10_000) + &"{{/a}}".repeat(10_000);
    assert!(Template::parse(&deep).is_err());
}

#[test]
fn what_grows_without_end_is_ended() {
    let list: Vec<Json> = (0..1000).map(Json::from).collect();
    let template = Template::parse("{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}").unwrap();
    let rendered = template.render_within(10_000, &message(json!({"l": list})), &());
    assert!(rendered.is_err());
}

struct Outside;

impl View for Outside {
    fn outer(&self, name: &str) -> Result<Value, String> {
        match name {
            "bad" => Err("no".into()),
            name => Ok(format!("<{name}>").into()),
        }
    }
    fn text(&self, text: &str) -> Option<String> {
        Some(text.to_uppercase())
    }
}

#[test]
fn a_view_gives_what_the_message_lacks() {
    let render = |template: &str, data| {
        Template::parse(template)
            .unwrap()
            .render(&message(data), &Outside)
    };
    let data = json!({"a": "x", "o": {"b": "y"}, "n": null});
    assert_eq!(
        render(
            "{{a}} {{{flow.z}}} {{env.X}} [{{n}}] {{o.b}} {{#o}}{{a}}{{b}}{{/o}}",
            data.clone()
        )
        .unwrap(),
        "X <flow.z> &lt;env.X&gt; [] Y xy",
        "only what is looked up outside of sections goes through `text`"
    );
    assert_eq!(render("{{bad}}", data).unwrap_err(), "no");
}
