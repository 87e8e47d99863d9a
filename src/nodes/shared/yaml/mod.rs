//! YAML text as a value, by the rules of js-yaml 4 (YAML 1.2's core schema, with timestamps and merge keys), which
//! Node-RED's yaml and template nodes use.

mod scalar;

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use crate::message::{MAX_DEPTH, Object, Value};

/// Keys that merges (`<<`) of one document may copy, so that merges of merges end.
const MOST_MERGED: usize = 1_000_000;

/// Reads a document. No document at all is undefined.
///
/// # Errors
/// A sentence that says what is wrong and where.
pub(in crate::nodes) fn parse_yaml(text: &str) -> Result<Value, String> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        reader.take(event).map_err(|error| {
            let place = &span.start;
            format!(
                "{error} (line {}, column {})",
                place.line(),
                place.col() + 1
            )
        })?;
    }
    Ok(reader.document.unwrap_or_default())
}

#[derive(Default)]
struct Reader {
    document: Option<Value>,
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    merged: usize,
}

/// A list or mapping that has begun.
struct Open {
    anchor: usize,
    tag: Option<String>,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Value>),
    Map {
        object: Object,
        /// The key whose value comes next.
        key: Option<MapKey>,
        /// Keys that came from a merge, which the mapping's own ones replace.
        from_merge: HashSet<String>,
    },
}

enum MapKey {
    Name(String),
    Merge,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) if self.document.is_some() => {
                Err("one document is expected, but there are more".into())
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                self.put(value.ok_or("an alias stands within what it names")?, false)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let tag = tag.map(|tag| tag_text(&tag));
                let value = match &tag {
                    None if plain => scalar::implicit(&text),
                    Some(tag) if tag != "!" => scalar::tagged(tag, &text)?,
                    _ => (&*text).into(),
                };
                if anchor > 0 {
                    self.anchors.insert(anchor, value.clone());
                }
                let merge = (plain && tag.is_none() && text == "<<")
                    || tag.as_deref() == Some("tag:yaml.org,2002:merge");
                self.put(value, merge)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(anchor, tag.as_deref(), OpenKind::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => self.begin(
                anchor,
                tag.as_deref(),
                OpenKind::Map {
                    object: Object::new(),
                    key: None,
                    from_merge: HashSet::new(),
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let value = close(open.kind, open.tag.as_deref())?;
                if open.anchor > 0 {
                    self.anchors.insert(open.anchor, value.clone());
                }
                self.put(value, false)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, kind: OpenKind) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(Open {
            anchor,
            tag: tag.map(tag_text),
            kind,
        });
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, value: Value, is_merge: bool) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            self.document = Some(value);
            return Ok(());
        };
        match &mut open.kind {
            OpenKind::List(list) => list.push(value),
            OpenKind::Map {
                object,
                key,
                from_merge,
            } => match key.take() {
                None => {
                    *key = Some(if is_merge {
                        MapKey::Merge
                    } else {
                        MapKey::Name(key_text(&value)?)
                    });
                }
                Some(MapKey::Name(name)) => {
                    if !from_merge.remove(&name) && object.contains_key(&name) {
                        return Err(format!("the key \"{name}\" stands here twice"));
                    }
                    object.insert(name, value);
                }
                Some(MapKey::Merge) => {
                    let sources = value.as_array().unwrap_or(std::slice::from_ref(&value));
                    for source in sources {
                        merge(object, source, from_merge, &mut self.merged)?;
                    }
                }
            },
        }
        Ok(())
    }
}

fn merge(
    object: &mut Object,
    source: &Value,
    from_merge: &mut HashSet<String>,
    merged: &mut usize,
) -> Result<(), String> {
    let source = source
        .as_object()
        .ok_or("only mappings can be merged with <<")?;
    *merged += 1 + source.len();
    if *merged > MOST_MERGED {
        return Err("too much is merged with <<".into());
    }
    for (name, value) in source {
        if !object.contains_key(name) {
            object.insert(name.clone(), value.clone());
            from_merge.insert(name.to_string());
        }
    }
    Ok(())
}

/// The name that a key has in JavaScript.
fn key_text(key: &Value) -> Result<String, String> {
    match key {
        Value::Array(list) if list.iter().any(|entry| entry.as_array().is_some()) => {
            Err("a list within a list can't be a key".into())
        }
        key => Ok(key.to_text()),
    }
}

fn close(kind: OpenKind, tag: Option<&str>) -> Result<Value, String> {
    match (kind, tag.map(core_tag)) {
        (OpenKind::List(list), None | Some("seq" | "!")) => Ok(list.into()),
        (OpenKind::Map { object, .. }, None | Some("map" | "!")) => Ok(object.into()),
        (OpenKind::Map { object, .. }, Some("set"))
            if object.values().all(|value| *value == Value::Null) =>
        {
            Ok(object.into())
        }
        (OpenKind::List(list), Some("omap")) => {
            let mut seen = HashSet::new();
            match list.iter().map(only_pair).collect::<Option<Vec<_>>>() {
                Some(pairs) if pairs.iter().all(|(name, _)| seen.insert(name.clone())) => {
                    Ok(list.into())
                }
                _ => Err("this is no ordered mapping (!!omap)".into()),
            }
        }
        (OpenKind::List(list), Some("pairs")) => list
            .iter()
            .map(|entry| {
                only_pair(entry).map(|(name, value)| Value::from(vec![name.into(), value]))
            })
            .collect::<Option<Vec<_>>>()
            .map(Value::from)
            .ok_or_else(|| "these are no pairs (!!pairs)".into()),
        (_, Some(tag)) => Err(format!("the tag {tag} does not fit here, or is not known")),
    }
}

/// Key and value of an object with one property.
fn only_pair(value: &Value) -> Option<(String, Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (name, value) = object.iter().next()?;
    Some((name.to_string(), value.clone()))
}

fn tag_text(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

/// The short name of a tag of YAML itself.
fn core_tag(tag: &str) -> &str {
    tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::message::{parse_json, stringify, to_wire};

    fn wire(text: &str) -> Json {
        to_wire(&parse_yaml(text).unwrap())
    }

    #[test]
    fn documents_become_values() {
        for (text, expected) in [
            (
                "a: 1\nb: [x, 'y', \"z\\n\"]",
                json!({"a": 1, "b": ["x", "y", "z\n"]}),
            ),
            ("- 1\n- - 2\n  - 3\n-\n", json!([1, [2, 3], null])),
            (
                "z: 1\na: 2\n10: c\n2: b",
                json!({"2": "b", "10": "c", "z": 1, "a": 2}),
            ),
            (
                "text: |\n  one\n  two\nfolded: >-\n  a\n  b\n",
                json!({"text": "one\ntwo\n", "folded": "a b"}),
            ),
            (
                "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n",
                json!({"base": {"x": 1, "y": 2}, "own": {"x": 1, "y": 3}}),
            ),
            (
                "own:\n  y: 3\n  <<: [{y: 1, z: 2}, {z: 9}]\n",
                json!({"own": {"y": 3, "z": 2}}),
            ),
            ("a: &x [1]\nb: *x", json!({"a": [1], "b": [1]})),
            (
                "? [a, b]\n: 1\n? {c: d}\n: 2",
                json!({"a,b": 1, "[object Object]": 2}),
            ),
            ("!!set {a, b}", json!({"a": null, "b": null})),
            ("!!pairs [a: 1, a: 2]", json!([["a", 1], ["a", 2]])),
            ("--- x\n...", json!("x")),
            ("'<<': 1", json!({"<<": 1})),
            ("", json!({"$t": "undefined"})),
            ("# nothing\n", json!({"$t": "undefined"})),
            ("---\n", Json::Null),
        ] {
            assert_eq!(wire(text), expected, "{text}");
            if text.starts_with("z:") {
                assert_eq!(
                    stringify(&parse_yaml(text).unwrap()).unwrap().unwrap(),
                    "{\"2\":\"b\",\"10\":\"c\",\"z\":1,\"a\":2}"
                );
            }
        }
    }

    #[test]
    fn json_is_yaml() {
        let text = "{\"a\": [1, 2.5, -3e2, true, null, \"\\u00e4\"], \"b\": {\"c\": {}}}";
        assert_eq!(parse_yaml(text).unwrap(), parse_json(text).unwrap());
    }

    #[test]
    fn what_is_no_yaml_is_told() {
        for text in [
            "a: [1, 2",
            "a: b: c",
            "a: 1\na: 2",
            "--- 1\n--- 2",
            "!!int x",
            "!own x",
            "a: &x [*x]",
            "b: *nobody",
            "<<: 5",
            "!!omap [a: 1, a: 2]",
            "'open",
            "a: @b",
        ] {
            assert!(parse_yaml(text).is_err(), "{text}");
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(parse_yaml(&deep).is_err());
        let deep: String = (0..10_000)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect();
        assert!(parse_yaml(&deep).is_err());
    }
}
