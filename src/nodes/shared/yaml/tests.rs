//! YAML read and written as js-yaml does it.

use serde_json::{Value as Json, json};

use super::{dump, parse};
use crate::message::{from_wire, to_wire};

/// Texts and values compared with js-yaml 4.3.
#[test]
fn texts_are_read_as_js_yaml_reads_them() {
    let number = |text: &str| json!({"$t": "number", "v": text});
    for (text, value) in [
        (
            "a: 1\nb: [x, 'y', \"z\\n\"]",
            json!({"a": 1, "b": ["x", "y", "z\n"]}),
        ),
        ("# only a comment\n", json!(null)),
        ("   \n", json!({"$t": "undefined"})),
        (
            "a: ~\nb:\nc: NULL\nd: nUll",
            json!({"a": null, "b": null, "c": null, "d": "nUll"}),
        ),
        ("[true, True, yes, on]", json!([true, true, "yes", "on"])),
        (
            "[0x1F, 0o17, 0b101, 017, 1_000, 1e3, .5, +12, 1., -0]",
            json!([31, 15, 5, 17, "1_000", 1000, 0.5, 12, 1, 0]),
        ),
        (
            "[-.inf, .NaN, -.5, 1e400]",
            json!([number("-Infinity"), number("NaN"), "-.5", "1e400"]),
        ),
        (
            "2001-12-14",
            json!({"$t": "date", "v": 1_008_288_000_000_u64}),
        ),
        (
            "2001-12-14t21:59:43.10-05:00",
            json!({"$t": "date", "v": 1_008_385_183_100_u64}),
        ),
        ("'2001-12-14'", json!("2001-12-14")),
        (
            "a: !!str 1\nb: !!int \"3\"\nc: !!seq\nd: ! 12",
            json!({"a": "1", "b": 3, "c": [], "d": "12"}),
        ),
        (
            "!!binary aGVsbG8=",
            json!({"$t": "typedarray", "kind": "Uint8Array", "v": "aGVsbG8="}),
        ),
        ("!!pairs [{a: 1}, {a: 2}]", json!([["a", 1], ["a", 2]])),
        (
            "d: {y: 3, <<: [{y: 1, z: 2}, {z: 4}]}",
            json!({"d": {"y": 3, "z": 2}}),
        ),
        ("d: {<<: {y: 1}, y: 3}", json!({"d": {"y": 3}})),
        (
            "? [a, ~]\n: 1\n? {a: b}\n: 2\n1.5: 3",
            json!({"a,": 1, "[object Object]": 2, "1.5": 3}),
        ),
        ("&x {b: *x}", json!({"b": {"$t": "ref", "v": ""}})),
        ("b: &x [1]\na: *x", json!({"b": [1], "a": [1]})),
    ] {
        assert_eq!(to_wire(&parse(text).unwrap()), value, "{text}");
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, start) in [
        (
            "employees:\n-firstName: John\n- lastName: Smith\n",
            "end of the stream or a document separator is expected (3:1)\n\n 1 | employees:\n 2 | -firstName: John\n 3 | - lastName: Smith\n-----^",
        ),
        (
            "a: [1, 2",
            "unexpected end of the stream within a flow collection (2:1)\n\n 1 | a: [1, 2\n 2 | \n-----^",
        ),
        (
            "a: \"x",
            "unexpected end of the stream within a double quoted scalar (2:1)",
        ),
        ("a: 1\na: 2", "duplicated mapping key (2:1)"),
        ("a: b: c", "bad indentation of a mapping entry (1:5)"),
        ("a: *nope", "unidentified alias \"nope\" (1:9)"),
        ("a: !foo bar", "unknown tag !<!foo> (1:12)"),
        (
            "a: !!int x",
            "cannot resolve a node with !<tag:yaml.org,2002:int> explicit tag (1:11)",
        ),
        (
            "--- a\n--- b",
            "expected a single document in the stream, but found more",
        ),
        (
            "<<: 1",
            "cannot merge mappings; the provided source object is unacceptable (1:6)",
        ),
        (
            "a: &x {b: &y [*x]}\nc: *y",
            "an alias names a value that refers to something around it",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(start), "{text}: {error}");
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let deep = "[".repeat(10_000);
    assert!(
        parse(&deep)
            .unwrap_err()
            .starts_with("nesting exceeded maxDepth (100)")
    );
    let deep = (0..10_000).fold(String::new(), |text, level| {
        text + &" ".repeat(level % 200) + "- \n"
    });
    assert!(parse(&deep).is_err());
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", "));
    }
    assert!(
        parse(&bomb)
            .unwrap_err()
            .starts_with("the aliases stand for too many values")
    );
    let mut merges = String::from("m: &m {");
    for key in 0..200 {
        merges += &format!("k{key}: 1, ");
    }
    merges += "}\n";
    for at in 0..100 {
        merges += &format!("n{at}: {{<<: *m}}\n");
    }
    assert!(
        parse(&merges)
            .unwrap_err()
            .starts_with("merge keys exceeded")
    );
}

#[test]
fn values_are_written_as_js_yaml_writes_them() {
    let long = "word ".repeat(30);
    for (value, text) in [
        (
            json!({"a": 1, "b": [1, {"c": null}, [2, [3]]], "e": [], "f": {}}),
            "a: 1\nb:\n  - 1\n  - c: null\n  - - 2\n    - - 3\ne: []\nf: {}\n",
        ),
        (
            json!([
                "y", "12:30", "true", "~", "0x1f", "- a", "a: b", "a:b", "a #b", "a#b", ""
            ]),
            "- 'y'\n- '12:30'\n- 'true'\n- '~'\n- '0x1f'\n- '- a'\n- 'a: b'\n- a:b\n- 'a #b'\n- a#b\n- ''\n",
        ),
        (
            json!(["it's", "say \"x\"", "tab\tin", "\u{7}", "é😀"]),
            "- it's\n- say \"x\"\n- \"tab\\tin\"\n- \"\\a\"\n- é😀\n",
        ),
        (
            json!({"t": "a\nb", "u": "a\n", "v": "a\n\n", "w": " a\nb"}),
            "t: |-\n  a\n  b\nu: |\n  a\nv: |+\n  a\n\nw: |2-\n   a\n  b\n",
        ),
        (
            json!({"n": {"$t": "number", "v": "NaN"}, "z": {"$t": "number", "v": "-0"}, "s": 1e-7, "l": 1e21}),
            "'n': .nan\nz: -0.0\ns: 1.e-7\nl: 1e+21\n",
        ),
        (
            json!({"d": {"$t": "date", "v": 1000}, "b": {"$t": "buffer", "v": "AQID"}}),
            "d: 1970-01-01T00:00:01.000Z\nb: !!binary AQID\n",
        ),
        (
            json!({"gone": {"$t": "undefined"}, "list": [{"$t": "undefined"}]}),
            "list:\n  - null\n",
        ),
        (
            json!({"l": long.trim_end()}),
            "l: >-\n  word word word word word word word word word word word word word word word\n  word word word word word word word word word word word word word word word\n",
        ),
    ] {
        assert_eq!(dump(&from_wire(&value).unwrap()).unwrap(), text, "{value}");
    }
}

#[test]
fn what_has_no_yaml_is_refused() {
    let values: [Json; 4] = [
        json!({"self": {"$t": "ref", "v": ""}}),
        json!([{"$t": "regexp", "v": "a"}]),
        json!({"$t": "date", "v": null}),
        json!({"big": {"$t": "bigint", "v": "1"}}),
    ];
    for value in values {
        assert!(dump(&from_wire(&value).unwrap()).is_err(), "{value}");
    }
}
