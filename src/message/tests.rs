//! Messages, paths and texts as data: input, expectation.

use super::*;

fn parse(json: &str) -> Value {
    parse_json(json).unwrap()
}

fn object(json: &str) -> Object {
    parse(json).as_object().unwrap().clone()
}

#[test]
fn numbers_print_as_javascript_prints_them() {
    for (number, text) in [
        (1883.0, "1883"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (-0.0, "0"),
        (f64::NAN, "NaN"),
        (1.5e-7, "1.5e-7"),
    ] {
        assert_eq!(number_text(number), text);
    }
}

#[test]
fn json_keeps_javascripts_key_order() {
    assert_eq!(
        stringify(&parse(r#"{"b":1,"10":2,"a":3,"2":4}"#))
            .unwrap()
            .unwrap(),
        r#"{"2":4,"10":2,"b":1,"a":3}"#
    );
}

#[test]
fn stringify_writes_what_javascript_writes() {
    let mut fields = Object::new();
    fields.insert("u", Value::Undefined);
    fields.insert("n", Value::Number(f64::NAN));
    fields.insert("d", Value::Date(0.0));
    fields.insert("b", bytes::Bytes::from(vec![1, 2]).into());
    fields.insert("s", Value::from("\u{1}\"\n"));
    assert_eq!(
        stringify(&fields.into()).unwrap().unwrap(),
        r#"{"n":null,"d":"1970-01-01T00:00:00.000Z","b":{"type":"Buffer","data":[1,2]},"s":"\u0001\"\n"}"#
    );
    assert_eq!(stringify(&Value::Undefined), Ok(None));
    assert!(stringify(&vec![Value::Ancestor(0)].into()).is_err());
    assert_eq!(
        stringify_pretty(&parse(r#"{"a":[1,{}]}"#), 2)
            .unwrap()
            .unwrap(),
        "{\n  \"a\": [\n    1,\n    {}\n  ]\n}"
    );
}

#[test]
fn values_too_deep_are_refused() {
    let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
    assert!(parse_json(&deep).unwrap_err().to_string().contains("500"));
    let fits = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    assert!(parse_json(&fits).is_ok());
}

#[test]
fn a_clone_shares_until_it_is_written() {
    let original = Message::new(object(r#"{"payload":{"a":{"b":1},"c":2}}"#));
    let mut copy = original.clone();
    PropertyPath::parse("payload.a.b")
        .unwrap()
        .set(copy.fields_mut(), original.fields(), 5.into(), true)
        .unwrap();
    assert_eq!(
        original,
        Message::new(object(r#"{"payload":{"a":{"b":1},"c":2}}"#))
    );
    assert_eq!(
        copy,
        Message::new(object(r#"{"payload":{"a":{"b":5},"c":2}}"#))
    );
}

#[test]
fn paths_read() {
    let root =
        object(r#"{"a":{"b c":[10,{"d":"x"}],"0":"zero"},"topic":"b c","n":null,"s":"héllo"}"#);
    for (path, expected) in [
        ("a[\"b c\"][0]", "10"),
        ("a['b c'][1].d", "\"x\""),
        ("a[msg.topic][0]", "10"),
        ("a[msg.topic].length", "2"),
        ("a.0", "\"zero\""),
        ("s.length", "5"),
        ("n", "null"),
    ] {
        let value = PropertyPath::parse(path)
            .unwrap()
            .get(&root, &root)
            .unwrap();
        assert_eq!(stringify(&value).unwrap().unwrap(), expected, "{path}");
    }
    assert!(
        PropertyPath::parse("a.x")
            .unwrap()
            .get(&root, &root)
            .unwrap()
            .is_undefined()
    );
    assert!(
        PropertyPath::parse("n.x")
            .unwrap()
            .get(&root, &root)
            .is_err()
    );
    assert!(
        PropertyPath::parse("a[msg.nothing]")
            .unwrap()
            .get(&root, &root)
            .is_err()
    );
}

#[test]
fn wrong_paths_are_refused() {
    for path in [
        "", ".a", "[0]", "a.", "a b", "a[", "a[]", "a[\"\"]", "a['x\"]", "a]", "a..b", "a['x'",
        "a.#b", "a[msg]",
    ] {
        assert!(PropertyPath::parse(path).is_err(), "{path:?}");
    }
}

#[test]
fn paths_write() {
    for (start, path, value, expected) in [
        ("{}", "a.b[1]", "5", Some(r#"{"a":{"b":[null,5]}}"#)),
        (r#"{"a":5}"#, "a.b", "1", None),
        (r#"{"a":null}"#, "a.b", "1", None),
        (r#"{"a":[1,2,3]}"#, "a[1]", "9", Some(r#"{"a":[1,9,3]}"#)),
    ] {
        let mut root = object(start);
        let written = PropertyPath::parse(path)
            .unwrap()
            .set(&mut root, &object("{}"), parse(value), true)
            .unwrap();
        assert_eq!(written, expected.is_some(), "{path}");
        assert_eq!(
            stringify(&root.into()).unwrap().unwrap(),
            expected.unwrap_or(start),
            "{path}"
        );
    }
    let mut root = object(r#"{"a":[1,2,3],"b":1}"#);
    PropertyPath::parse("a[0]")
        .unwrap()
        .delete(&mut root, &Object::new())
        .unwrap();
    PropertyPath::parse("b")
        .unwrap()
        .delete(&mut root, &Object::new())
        .unwrap();
    PropertyPath::parse("x.y.z")
        .unwrap()
        .delete(&mut root, &Object::new())
        .unwrap();
    assert_eq!(stringify(&root.into()).unwrap().unwrap(), r#"{"a":[2,3]}"#);
}

#[test]
fn the_wire_format_goes_both_ways() {
    for text in [
        r#"{"$t":"undefined"}"#,
        r#"{"$t":"number","v":"-0"}"#,
        r#"{"$t":"number","v":"Infinity"}"#,
        r#"{"a":{"$t":"buffer","v":"AQID"},"b":[1,2.5,"x",null,true]}"#,
        r#"{"$t":"typedarray","kind":"Uint8Array","v":"AQ=="}"#,
        r#"{"$t":"date","v":0}"#,
        r#"{"$t":"date","v":null}"#,
        r#"{"$t":"regexp","v":"a+","flags":"i"}"#,
        r#"{"$t":"map","v":[["k",{"$t":"set","v":[1]}]]}"#,
        r#"{"$t":"error","name":"TypeError","message":"no","props":{"code":"ENOENT"}}"#,
        r#"{"a":[{"b":{"$t":"ref","v":"a/0"}}]}"#,
        r#"{"a":{"$t":"ref","v":""}}"#,
        r#"{"$t":"object","v":{"$t":"mine"}}"#,
    ] {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(to_wire(&from_wire(&json).unwrap()), json, "{text}");
    }
    assert!(from_wire(&serde_json::json!({"$t": "nosuch"})).is_err());
}

#[test]
fn typed_inputs_read_their_text() {
    let constant = |text, kind| match TypedInput::parse(text, kind) {
        Ok(TypedInput::Constant(value)) => value,
        other => panic!("{other:?}"),
    };
    assert_eq!(constant("5", Kind::Number), Value::Number(5.0));
    assert_eq!(constant("TRUE", Kind::Bool), Value::Bool(true));
    assert_eq!(
        constant("[1,258]", Kind::Buffer),
        bytes::Bytes::from(vec![1, 2]).into()
    );
    assert!(TypedInput::parse("{", Kind::Json).is_err());
    assert!(TypedInput::parse("{}", Kind::Buffer).is_err());
}
