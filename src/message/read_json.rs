//! JSON text to values, the way JavaScript reads it.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Key, Keys, MAX_DEPTH, Object, Value};

/// Reads JSON text into a value.
///
/// # Errors
/// V8's sentence; also when it is nested deeper than [`MAX_DEPTH`].
pub fn parse_json(text: &str) -> Result<Value, JsonError> {
    read_json(text, false).or_else(|error| {
        if let Some(mistake) = JsonError::find(text) {
            return Err(mistake);
        }
        // JavaScript takes halves of surrogate pairs, which text here can't hold, and numbers beyond all bounds.
        let whole = whole_surrogates(text);
        let bounded = without_infinities(whole.as_deref().unwrap_or(text));
        let told = |error: serde_json::Error| JsonError::new(error.to_string());
        match (bounded, whole) {
            (Some(text), _) => read_json(&text, true).map_err(told),
            (None, Some(text)) => read_json(&text, false).map_err(told),
            (None, None) => Err(told(error)),
        }
    })
}

fn read_json(text: &str, infinities: bool) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = Reader {
        depth: 0,
        shared: &mut Shared {
            infinities,
            ..Shared::default()
        },
    }
    .deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Texts that stand for a number beyond all bounds, while a text with such numbers is read. No character has this code.
const INFINITY: &str = "\u{fdd0}+";
const MINUS_INFINITY: &str = "\u{fdd0}-";

/// The text with a word for each number that is beyond all bounds; none if there is none, or if the word stands in the text.
fn without_infinities(text: &str) -> Option<String> {
    if text.contains('\u{fdd0}') || text.to_ascii_lowercase().contains("\\ufdd0") {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at, mut in_text) = (String::new(), 0, 0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'-' | b'0'..=b'9' if !in_text => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                let end = at + bytes[at..].iter().take_while(is_part).count();
                let number: f64 = text[at..end].parse().unwrap_or_default();
                if number.is_infinite() {
                    let word = if number > 0.0 {
                        INFINITY
                    } else {
                        MINUS_INFINITY
                    };
                    out.push_str(&text[copied..at]);
                    out.push('"');
                    out.push_str(word);
                    out.push('"');
                    copied = end;
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&text[copied..]);
    (copied > 0).then_some(out)
}

/// The text with U+FFFD for each escaped half of a surrogate pair; none if there is no such half.
fn whole_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        at = match unit(escape) {
            None => text[escape + 1..]
                .chars()
                .next()
                .map_or(text.len(), |c| escape + 1 + c.len_utf8()),
            Some(0xd800..0xdc00) if matches!(unit(escape + 6), Some(0xdc00..0xe000)) => escape + 12,
            Some(0xd800..0xe000) => {
                out.push_str(&text[copied..escape]);
                out.push_str("\\ufffd");
                copied = escape + 6;
                copied
            }
            Some(_) => escape + 6,
        };
    }
    out.push_str(&text[copied..]);
    (copied > 0).then_some(out)
}

/// An object with more properties is filled while it is read.
const MANY: usize = 64;

/// What the readers of all levels of one text have in common.
#[derive(Default)]
struct Shared {
    keys: Keys,
    /// Properties of the objects that are not closed, innermost last: an object takes its own at its end, when their
    /// number is known.
    waiting: Vec<(Key, Value)>,
    /// [`INFINITY`] and [`MINUS_INFINITY`] are numbers.
    infinities: bool,
}

/// Builds values while the parser reads, counting the depth itself.
struct Reader<'a> {
    depth: usize,
    shared: &'a mut Shared,
}

impl Reader<'_> {
    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn deeper(&mut self) -> Reader<'_> {
        Reader {
            depth: self.depth + 1,
            shared: self.shared,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(match text {
            INFINITY if self.shared.infinities => Value::Number(f64::INFINITY),
            MINUS_INFINITY if self.shared.infinities => Value::Number(f64::NEG_INFINITY),
            text => Value::String(text.into()),
        })
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut array = Vec::new();
        while let Some(value) = entries.next_element_seed(self.deeper())? {
            array.push(value);
        }
        array.shrink_to_fit();
        Ok(array.into())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let start = self.shared.waiting.len();
        let mut large = None;
        while let Some(key) = entries.next_key_seed(&mut self.shared.keys)? {
            let value = entries.next_value_seed(self.deeper())?;
            if let Some(large) = &mut large {
                Object::insert(large, key, value);
                continue;
            }
            let waiting = &mut self.shared.waiting;
            waiting.push((key, value));
            if waiting.len() - start > MANY {
                large = Some(waiting.drain(start..).collect());
            }
        }
        let mut object =
            large.unwrap_or_else(|| self.shared.waiting.drain(start..).collect::<Object>());
        object.shrink_to_fit();
        Ok(Value::Object(object))
    }
}

/// Reads a key.
impl<'de> DeserializeSeed<'de> for &mut Keys {
    type Value = Key;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for &mut Keys {
    type Value = Key;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a property")
    }
    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(self.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::stringify;

    /// Objects of every size, one within the other, with keys that come again.
    #[test]
    fn objects_of_any_size_keep_their_order() {
        let mut inner = "1".to_owned();
        for count in [0, 1, 2, 11, 12, 13, MANY - 1, MANY, MANY + 1, 300] {
            let mut entries: Vec<String> = (0..count).map(|at| format!("\"k{at}\":{at}")).collect();
            entries.insert(count / 2, format!("\"in\":{inner}"));
            inner = format!("{{{}}}", entries.join(","));
        }
        let value = parse_json(&inner).unwrap();
        assert_eq!(stringify(&value), Ok(Some(inner)));
        for count in [3, 30, 300] {
            let text: Vec<String> = (0..count)
                .map(|at| format!("\"k{}\":{at}", at % 2))
                .collect();
            let value = parse_json(&format!("{{{}}}", text.join(","))).unwrap();
            let expected = [count - 2, count - 1].map(|at| (at % 2, at));
            let mut expected = expected.map(|(key, at)| format!("\"k{key}\":{at}"));
            expected.sort();
            assert_eq!(
                stringify(&value),
                Ok(Some(format!("{{{}}}", expected.join(","))))
            );
        }
    }

    #[test]
    fn numbers_beyond_all_bounds_are_infinite() {
        for (text, written) in [
            ("1e999", "Infinity"),
            ("-1e999", "-Infinity"),
            (
                "[1e400, \"1e400\", {\"a\\\"1e400\": -2E+999}]",
                "Infinity,1e400,[object Object]",
            ),
            ("[\"\\ud800\", 1e999]", "\u{fffd},Infinity"),
        ] {
            assert_eq!(parse_json(text).unwrap().to_text(), written, "{text}");
        }
        let object = parse_json("{\"a\": -1e999}").unwrap();
        assert_eq!(
            object.as_object().and_then(|object| object.get("a")),
            Some(&Value::Number(f64::NEG_INFINITY))
        );
        assert!(parse_json("[\"\u{fdd0}+\", 1e999]").is_err());
        assert!(parse_json("[1e999").is_err());
    }

    #[test]
    fn what_is_no_json_is_refused_at_every_level() {
        for text in [
            "[{\"a\":1,\"b\"",
            "{\"a\":{\"b\":{\"c\":}}}",
            "{1:2}",
            "{\"a\":1,}",
        ] {
            assert!(parse_json(text).is_err(), "{text}");
        }
    }
}
