//! Values as the debug panel gets them: text, and a format that says what they were (Node-RED's `encodeObject`).

use serde_json::{Map, Number, Value as Json, json};

use super::{ErrorValue, Object, Value, number_text, truncate};

/// The text of a value and what it was: `string[n]`, `number`, `boolean`, `null`, `undefined`, `buffer[n]`, `array[n]`, `Object`,
/// `error`, `set[n]`, `map`, `regexp`, `bigint`, `date`, `function`. Containers are JSON in which what JSON lacks is an
/// object with `__enc__`. Text, bytes and lists that are longer than `longest` are cut.
pub fn debug_encode(value: &Value, longest: usize) -> (String, String) {
    match value {
        Value::Undefined => ("(undefined)".into(), "undefined".into()),
        Value::Null => ("(undefined)".into(), "null".into()),
        Value::Bool(bool) => (bool.to_string(), "boolean".into()),
        Value::Number(number) => (number_text(*number), "number".into()),
        Value::BigInt(digits) => (digits.to_string(), "bigint".into()),
        Value::String(text) => (
            cut(text, longest),
            format!("string[{}]", text.encode_utf16().count()),
        ),
        Value::Bytes(bytes) => (hex(bytes, longest), format!("buffer[{}]", bytes.len())),
        Value::Regexp(_) => (value.to_text(), "regexp".into()),
        Value::Date(_) => (json_text(value, longest), "Object".into()),
        Value::Array(entries) => (
            json_text(value, longest),
            format!("array[{}]", entries.len()),
        ),
        Value::Set(entries) => (json_text(value, longest), format!("set[{}]", entries.len())),
        Value::Map(_) => (json_text(value, longest), "map".into()),
        Value::Error(_) => (json_text(value, longest), "error".into()),
        Value::TypedArray(array) => (json_text(value, longest), array.kind.to_string()),
        Value::Opaque(opaque) if opaque.0.type_name() == "function" => {
            ("[function]".into(), "function".into())
        }
        Value::Opaque(opaque) => (json_text(value, longest), opaque.0.type_name().to_owned()),
        Value::Object(_) | Value::Ancestor(_) => (json_text(value, longest), "Object".into()),
    }
}

fn json_text(value: &Value, longest: usize) -> String {
    let mut path = Vec::new();
    encode(value, longest, &mut path).to_string()
}

fn cut(text: &str, longest: usize) -> String {
    match truncate(text, longest) {
        (start, true) => format!("{start}..."),
        (whole, false) => whole.to_owned(),
    }
}

/// At most `longest` digits.
fn hex(bytes: &[u8], longest: usize) -> String {
    let digits: String = bytes
        .iter()
        .take(longest.div_ceil(2))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match digits.get(..longest) {
        Some(start) if bytes.len() * 2 > longest => start.to_owned(),
        _ => digits,
    }
}

fn tagged(kind: &str, data: impl Into<Json>) -> Json {
    json!({"__enc__": true, "type": kind, "data": data.into()})
}

/// `path` holds the keys that lead to `value`, so that a circle can say where it leads. Deep values come by here at every
/// level, so it stays small.
fn encode(value: &Value, longest: usize, path: &mut Vec<String>) -> Json {
    match value {
        Value::Array(entries) => array(entries, longest, path),
        Value::Set(entries) => set(entries, longest, path),
        Value::Map(entries) => map(entries, longest, path),
        Value::Error(error) => error_json(error, longest, path),
        Value::Object(object) => object_json(object, longest, path),
        Value::Ancestor(levels) => {
            let keys = path.len().saturating_sub(*levels as usize + 1);
            let place: String = path[..keys].iter().map(|key| format!(".{key}")).collect();
            format!("[Circular ~{place}]").into()
        }
        other => plain(other, longest),
    }
}

/// What holds no other values.
fn plain(value: &Value, longest: usize) -> Json {
    match value {
        Value::Undefined => json!({"__enc__": true, "type": "undefined"}),
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => {
            finite(*number).unwrap_or_else(|| tagged("number", number_text(*number)))
        }
        Value::String(text) => cut(text, longest).into(),
        Value::BigInt(digits) => tagged("bigint", &**digits),
        Value::Regexp(_) => tagged("regexp", value.to_text()),
        Value::Date(_) => value.to_text().into(),
        Value::Bytes(bytes) => json!({
            "type": "Buffer",
            "data": bytes.iter().take(longest).collect::<Vec<_>>(),
            "__enc__": true,
            "length": bytes.len(),
        }),
        Value::TypedArray(array) => json!({
            "__enc__": true,
            "type": "typedarray",
            "kind": &*array.kind,
            "data": array.bytes.iter().take(longest).collect::<Vec<_>>(),
            "length": array.bytes.len(),
        }),
        Value::Opaque(opaque) if opaque.0.type_name() == "function" => {
            json!({"__enc__": true, "type": "function"})
        }
        Value::Opaque(opaque) => tagged("internal", opaque.0.type_name()),
        _ => Json::Null,
    }
}

fn within(key: &str, value: &Value, longest: usize, path: &mut Vec<String>) -> Json {
    path.push(key.to_owned());
    let encoded = encode(value, longest, path);
    path.pop();
    encoded
}

fn list(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Vec<Json> {
    let mut encoded = Vec::with_capacity(entries.len().min(longest));
    for (index, value) in entries.iter().take(longest).enumerate() {
        encoded.push(within(&index.to_string(), value, longest, path));
    }
    encoded
}

fn array(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Json {
    let encoded = list(entries, longest, path);
    match entries.len() {
        length if length > longest => {
            json!({"__enc__": true, "type": "array", "data": encoded, "length": length})
        }
        _ => encoded.into(),
    }
}

fn set(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Json {
    let encoded = list(entries, longest, path);
    json!({"__enc__": true, "type": "set", "data": encoded, "length": entries.len()})
}

fn map(entries: &[(Value, Value)], longest: usize, path: &mut Vec<String>) -> Json {
    let mut data = Map::new();
    for (key, value) in entries.iter().take(longest) {
        let key = key.to_text();
        let encoded = within(&key, value, longest, path);
        data.insert(key, encoded);
    }
    json!({"__enc__": true, "type": "map", "data": data, "length": entries.len()})
}

fn error_json(error: &ErrorValue, longest: usize, path: &mut Vec<String>) -> Json {
    let mut data = Map::new();
    data.insert("name".into(), (*error.name).into());
    data.insert("message".into(), (*error.message).into());
    for key in ["code", "cause"] {
        if let Some(value) = error.properties.get(key) {
            data.insert(key.into(), within(key, value, longest, path));
        }
    }
    if let Some(stack) = &error.stack {
        data.insert("stack".into(), (**stack).into());
    }
    tagged("error", data)
}

fn object_json(object: &Object, longest: usize, path: &mut Vec<String>) -> Json {
    let mut data = Map::new();
    for (key, value) in object {
        data.insert(
            key.as_str().to_owned(),
            within(key.as_str(), value, longest, path),
        );
    }
    data.into()
}

/// A JSON number that is written as JavaScript would: `5`, not `5.0`.
fn finite(number: f64) -> Option<Json> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Json::from(number as i64));
    }
    Number::from_f64(number).map(Json::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::from_wire;

    fn encoded(value: &Json) -> (String, String) {
        debug_encode(&from_wire(value).unwrap(), 10)
    }

    #[test]
    fn scalars_are_text_with_a_format() {
        for (value, text, format) in [
            (json!("short"), "short", "string[5]"),
            (json!("longer than ten"), "longer tha...", "string[15]"),
            (json!(5), "5", "number"),
            (json!({"$t": "number", "v": "NaN"}), "NaN", "number"),
            (json!(true), "true", "boolean"),
            (json!(null), "(undefined)", "null"),
            (json!({"$t": "undefined"}), "(undefined)", "undefined"),
            (
                json!({"$t": "buffer", "v": "AQIDBAUGBw=="}),
                "0102030405",
                "buffer[7]",
            ),
            (json!({"$t": "bigint", "v": "12"}), "12", "bigint"),
            (
                json!({"$t": "regexp", "v": "a+", "flags": "i"}),
                "/a+/i",
                "regexp",
            ),
        ] {
            assert_eq!(
                encoded(&value),
                (text.to_owned(), format.to_owned()),
                "{value}"
            );
        }
    }

    #[test]
    fn containers_are_json_with_marks_for_what_json_lacks() {
        for (value, text, format) in [
            (
                json!({"a": 1, "b": 1.5}),
                json!({"a": 1, "b": 1.5}),
                "Object",
            ),
            (
                json!([1, {"$t": "undefined"}]),
                json!([1, {"__enc__": true, "type": "undefined"}]),
                "array[2]",
            ),
            (
                json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
                json!({"__enc__": true, "type": "array", "data": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "length": 12}),
                "array[12]",
            ),
            (
                json!({"b": {"$t": "buffer", "v": "AQI="}}),
                json!({"b": {"type": "Buffer", "data": [1, 2], "__enc__": true, "length": 2}}),
                "Object",
            ),
            (
                json!({"$t": "error", "name": "TypeError", "message": "no", "props": {"code": "E"}}),
                json!({"__enc__": true, "type": "error", "data": {"name": "TypeError", "message": "no", "code": "E"}}),
                "error",
            ),
            (
                json!({"a": {"b": {"$t": "ref", "v": "a"}, "c": {"$t": "ref", "v": ""}}}),
                json!({"a": {"b": "[Circular ~.a]", "c": "[Circular ~]"}}),
                "Object",
            ),
            (
                json!({"$t": "set", "v": [1]}),
                json!({"__enc__": true, "type": "set", "data": [1], "length": 1}),
                "set[1]",
            ),
            (
                json!({"$t": "map", "v": [["k", 1]]}),
                json!({"__enc__": true, "type": "map", "data": {"k": 1}, "length": 1}),
                "map",
            ),
        ] {
            let (shown, kind) = encoded(&value);
            assert_eq!(
                (serde_json::from_str::<Json>(&shown).unwrap(), kind.as_str()),
                (text, format),
                "{value}"
            );
        }
    }
}
