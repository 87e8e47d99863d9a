//! Values as the debug panel gets them: text, and a format that says what they were (Node-RED's `encodeObject`).

use serde_json::{Map, Number, Value as Json, json};

use super::{ErrorValue, Object, TypedArray, Value, date::iso_text, number_text, truncate};

/// What the panel gets of a value, and what it was: `string[n]`, `number`, `boolean`, `null`, `undefined`, `buffer[n]`,
/// `array[n]`, `Object`, `error`, `set[n]`, `map`, `regexp`, `bigint`, `Date`, `function`. It is text: containers are JSON in
/// which what JSON lacks is an object with `__enc__`. Text, bytes and lists that are longer than `longest` are cut.
pub fn debug_encode(value: &Value, longest: usize) -> (Json, String) {
    let json = |format: String| {
        let text = encode(value, longest, &mut Vec::new()).to_string();
        (Json::String(text), format)
    };
    let text = |text: &str, format: &str| (Json::from(text), format.to_owned());
    match value {
        Value::Undefined => text("(undefined)", "undefined"),
        Value::Null => text("(undefined)", "null"),
        Value::Bool(bool) => text(&bool.to_string(), "boolean"),
        Value::Number(number) => text(&number_text(*number), "number"),
        Value::BigInt(_) => (encode(value, longest, &mut Vec::new()), "bigint".into()),
        Value::String(whole) => {
            let length = whole.encode_utf16().count();
            text(&cut(whole, longest), &format!("string[{length}]"))
        }
        Value::Bytes(bytes) => text(&hex(bytes, longest), &format!("buffer[{}]", bytes.len())),
        Value::Regexp(_) => text(&value.to_text(), "regexp"),
        Value::Date(_) => text(&value.to_text(), "Date"),
        Value::Array(entries) => json(format!("array[{}]", entries.len())),
        Value::Set(entries) => json(format!("set[{}]", entries.len())),
        Value::Map(_) => json("map".into()),
        Value::Error(_) => json("error".into()),
        Value::TypedArray(array) => match array.length() {
            Some(length) => json(format!("{}[{length}]", array.kind)),
            None if &*array.kind == "DataView" => json("DataView[undefined]".into()),
            None => text(&format!("[object {}]", array.kind), &array.kind),
        },
        Value::Opaque(opaque) => match opaque.0.type_name() {
            "function" => text("[function]", "function"),
            "IncomingMessage" | "ServerResponse" => json("Object".into()),
            class => text("[object Object]", class),
        },
        Value::Object(_) | Value::Ancestor(_) => json("Object".into()),
    }
}

fn cut(text: &str, longest: usize) -> String {
    match truncate(text, longest) {
        (start, true) => format!("{start}..."),
        (whole, false) => whole.to_owned(),
    }
}

/// At most `longest` digits.
fn hex(bytes: &[u8], longest: usize) -> String {
    let shown = bytes.iter().take(longest.div_ceil(2));
    let mut digits: String = shown.map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(longest);
    digits
}

fn tagged(kind: &str, data: impl Into<Json>) -> Json {
    json!({"__enc__": true, "type": kind, "data": data.into()})
}

fn counted(kind: &str, data: impl Into<Json>, length: usize) -> Json {
    json!({"__enc__": true, "type": kind, "data": data.into(), "length": length})
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
        Value::TypedArray(array) => typed_array(array, longest, path),
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
        Value::Date(time) => iso_text(*time).into(),
        Value::Bytes(bytes) => {
            let data: Vec<u8> = bytes.iter().take(longest).copied().collect();
            json!({"type": "Buffer", "data": data, "__enc__": true, "length": bytes.len()})
        }
        Value::Opaque(opaque) => match opaque.0.type_name() {
            "function" => json!({"__enc__": true, "type": "function"}),
            "ServerResponse" | "Socket" => "[internal]".into(),
            class => tagged("internal", class),
        },
        _ => Json::Null,
    }
}

fn typed_array(array: &TypedArray, longest: usize, path: &[String]) -> Json {
    let elements = |most| {
        let elements: Vec<Value> = array.elements().take(most).collect();
        list(&elements, longest, &mut Vec::new())
    };
    match array.length() {
        // Node-RED cuts the one that is shown by itself to a shorter typed array.
        Some(length) if length > longest && path.is_empty() => {
            let shown = counted("array", elements(longest), longest);
            counted(&array.kind, shown, length)
        }
        Some(length) if length > longest => counted(&array.kind, elements(longest), length),
        Some(length) => counted("array", elements(length), length),
        None if &*array.kind == "DataView" => tagged("array", Vec::<Json>::new()),
        None => json!({}),
    }
}

/// Name and message first, then what else it has; a cause is text.
fn error_json(error: &ErrorValue, longest: usize, path: &mut Vec<String>) -> Json {
    let mut data = Map::new();
    let text = |text: &str, within: bool| match within {
        true => Json::from(cut(text, longest)),
        false => text.into(),
    };
    // What is written at the end has no limit; what lies within something has.
    let within_another = !path.is_empty();
    data.insert("name".into(), text(&error.name, within_another));
    data.insert("message".into(), text(&error.message, within_another));
    let present = |key| {
        error
            .properties
            .get(key)
            .filter(|value| !value.is_undefined())
    };
    if let Some(code) = present("code") {
        data.insert("code".into(), within("code", code, longest, path));
    }
    if let Some(cause) = present("cause") {
        data.insert("cause".into(), text(&cause.to_text(), within_another));
    }
    // Every error has one in JavaScript.
    let stack = error
        .stack
        .as_deref()
        .map_or_else(|| error.text(), str::to_owned);
    data.insert("stack".into(), text(&stack, within_another));
    tagged("error", data)
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

/// The entries of a list that stands below `data`.
fn list_in_data(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Vec<Json> {
    path.push("data".into());
    let encoded = list(entries, longest, path);
    path.pop();
    encoded
}

fn array(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Json {
    match entries.len() {
        length if length > longest => {
            counted("array", list_in_data(entries, longest, path), length)
        }
        _ => list(entries, longest, path).into(),
    }
}

fn set(entries: &[Value], longest: usize, path: &mut Vec<String>) -> Json {
    counted("set", list_in_data(entries, longest, path), entries.len())
}

fn map(entries: &[(Value, Value)], longest: usize, path: &mut Vec<String>) -> Json {
    let shown = entries.iter().take(longest);
    let shown: Object = shown
        .map(|(key, value)| (key.to_text(), value.clone()))
        .collect();
    path.push("data".into());
    let data = object_json(&shown, longest, path);
    path.pop();
    counted("map", data, entries.len())
}

fn object_json(object: &Object, longest: usize, path: &mut Vec<String>) -> Json {
    let mut fields = Map::new();
    for (key, value) in object {
        let shown = match key.as_str() {
            // What Node-RED hides of its HTTP nodes.
            "_req" | "_res" => json!({"__enc__": true, "type": "internal"}),
            key => within(key, value, longest, path),
        };
        fields.insert(key.as_str().to_owned(), shown);
    }
    mark_buffer(object, &mut fields);
    fields.into()
}

/// What JSON makes of a Buffer, wherever it comes from, is shown as one.
fn mark_buffer(object: &Object, fields: &mut Map<String, Json>) {
    let length = match (object.get("type"), object.get("data")) {
        (Some(Value::String(kind)), Some(Value::Array(data))) if &**kind == "Buffer" => data.len(),
        _ => return,
    };
    let cut = fields.get("data").and_then(|data| data.get("data"));
    if let Some(data) = cut.cloned() {
        fields.insert("data".into(), data);
    }
    fields.insert("__enc__".into(), true.into());
    fields.insert("length".into(), length.into());
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

    fn encoded(value: &Json) -> (Json, String) {
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
            (
                json!({"$t": "regexp", "v": "a+", "flags": "i"}),
                "/a+/i",
                "regexp",
            ),
        ] {
            assert_eq!(encoded(&value), (json!(text), format.to_owned()), "{value}");
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
                json!({"__enc__": true, "type": "error", "data": {"name": "TypeError", "message": "no", "code": "E", "stack": "TypeError: no"}}),
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
                (
                    serde_json::from_str::<Json>(shown.as_str().unwrap()).unwrap(),
                    kind.as_str()
                ),
                (text, format),
                "{value}"
            );
        }
    }
}
