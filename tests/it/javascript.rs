//! Tables that were worked out by Node.js, so that our JavaScript is JavaScript. `tests/it/data/*.mjs` makes them.

use flowrill::message::{PathPart, Pattern, PropertyPath, Replacement, Value};
use serde_json::{Value as Json, json};

/// `{texts, cases: [[source, flags, error or [[index of a text that matches, the text replaced or null]]]]}`
#[test]
fn regular_expressions_match_as_in_node_js() {
    let table: Json = serde_json::from_str(include_str!("data/regex.json")).unwrap();
    let texts: Vec<&str> = table["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    let mut failures = Vec::new();
    for case in table["cases"].as_array().unwrap() {
        let (source, flags) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let pattern = Pattern::new(source, flags);
        let (Ok(pattern), Some(rows)) = (&pattern, case[2].as_array()) else {
            let expected = case[2].as_str().unwrap_or("no error");
            match &pattern {
                Err(error) if error.to_string() == expected => {}
                other => {
                    failures.push(format!("/{source}/{flags}: {other:?}, expected {expected}"))
                }
            }
            continue;
        };
        let global = Pattern::new(source, &format!("g{}", flags.replace('g', ""))).unwrap();
        let with = Replacement::parse("<$&|$1|$2|$$>", &global);
        for (index, text) in texts.iter().enumerate() {
            let row = rows.iter().find(|row| row[0] == index);
            let matches = pattern.is_match(text).unwrap();
            let replaced = global.replace(text, &with).unwrap();
            // Null: JavaScript's answer is torn within a character.
            let torn = row.is_some_and(|row| row[1].is_null());
            let expected = row.and_then(|row| row[1].as_str());
            if matches != row.is_some() || (!torn && replaced.as_deref() != expected) {
                failures.push(format!(
                    "/{source}/{flags} on {text:?}: {matches} {replaced:?}, expected {row:?}"
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// `{msg, paths: [[expression, the parts that it has with this message, unless it is none]]}`
#[test]
fn property_expressions_are_read_as_in_node_red() {
    let table: Json = serde_json::from_str(include_str!("data/paths.json")).unwrap();
    let Value::Object(msg) = Value::from(table["msg"].clone()) else {
        panic!("the message is no object")
    };
    let mut failures = Vec::new();
    for row in table["paths"].as_array().unwrap() {
        let text = row[0].as_str().unwrap();
        let parts = PropertyPath::parse(text)
            .and_then(|path| path.parts_in(&msg).map(|parts| parts.to_vec()));
        let parts: Option<Vec<Json>> = parts.ok().map(|parts| {
            let part = |part: &PathPart| match part {
                PathPart::Key(key) => json!(&**key),
                PathPart::Index(index) => json!(index),
                PathPart::Reference(..) => json!(null),
            };
            parts.iter().map(part).collect()
        });
        let expected = row.get(1).and_then(Json::as_array);
        if parts.as_ref() != expected {
            failures.push(format!("{text:?}: {parts:?}, expected {expected:?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
