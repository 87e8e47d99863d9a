//! Values as `/tap` and examples write them: JSON, with a `$t` tag where JSON has no word for it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::{ErrorValue, Object, Regexp, TypedArray, Value, number_text, parse_number};

/// Encodes a value; the order of keys is kept and numbers read back to the same double.
pub fn to_wire(value: &Value) -> Json {
    encode(value, &mut Vec::new())
}

/// What holds other values is handed on to functions of their own: this one is entered once a level, and its frame has to be small.
fn encode(value: &Value, path: &mut Vec<String>) -> Json {
    match value {
        Value::Array(values) => Json::Array(encode_list(values, path)),
        Value::Object(object) => encode_object(object, path),
        Value::Set(values) => tagged("set", Json::Array(encode_list(values, path))),
        Value::Map(entries) => encode_map(entries, path),
        Value::Error(error) => encode_error(error, path),
        Value::Ancestor(levels) => encode_reference(*levels, path),
        single => encode_single(single),
    }
}

fn encode_single(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => encode_number(*number),
        Value::String(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) => tagged("buffer", BASE64.encode(&**bytes).into()),
        Value::Date(time) if time.is_finite() => tagged("date", encode_number(*time)),
        Value::Date(_) => tagged("date", Json::Null),
        Value::BigInt(digits) => tagged("bigint", (&**digits).into()),
        Value::Regexp(regexp) => {
            json!({"$t": "regexp", "v": &*regexp.source, "flags": &*regexp.flags})
        }
        Value::TypedArray(array) if &*array.kind == "ArrayBuffer" => {
            tagged("arraybuffer", BASE64.encode(&array.bytes).into())
        }
        Value::TypedArray(array) => {
            json!({"$t": "typedarray", "kind": &*array.kind, "v": BASE64.encode(&array.bytes)})
        }
        Value::Opaque(opaque) if opaque.0.type_name() == "function" => {
            let name = opaque.0.get("name").map(|name| name.to_text());
            json!({"$t": "function", "name": name.unwrap_or_default()})
        }
        Value::Opaque(opaque) => tagged("opaque", opaque.0.type_name().into()),
        _ => json!({"$t": "undefined"}),
    }
}

fn tagged(tag: &str, value: Json) -> Json {
    let mut out = Map::new();
    out.insert("$t".into(), tag.into());
    out.insert("v".into(), value);
    Json::Object(out)
}

fn encode_object(object: &Object, path: &mut Vec<String>) -> Json {
    let fields = Json::Object(encode_fields(object, path));
    match object.contains_key("$t") {
        true => tagged("object", fields),
        false => fields,
    }
}

fn encode_map(entries: &[(Value, Value)], path: &mut Vec<String>) -> Json {
    let mut list = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let pair = vec![encode_at(key, "0", path), encode_at(value, "1", path)];
        list.push(Json::Array(pair));
    }
    tagged("map", Json::Array(list))
}

fn encode_error(error: &ErrorValue, path: &mut Vec<String>) -> Json {
    let mut out = Map::new();
    out.insert("$t".into(), "error".into());
    out.insert("name".into(), (&*error.name).into());
    out.insert("message".into(), (&*error.message).into());
    if let Some(stack) = &error.stack {
        out.insert("stack".into(), (&**stack).into());
    }
    if !error.properties.is_empty() {
        path.push("props".into());
        let properties = encode_fields(&error.properties, path);
        out.insert("props".into(), Json::Object(properties));
        path.pop();
    }
    Json::Object(out)
}

fn encode_reference(levels: u32, path: &[String]) -> Json {
    let end = path.len().saturating_sub(1 + levels as usize);
    let names: Vec<String> = path[..end]
        .iter()
        .map(|key| key.replace('~', "~0").replace('/', "~1"))
        .collect();
    tagged("ref", names.join("/").into())
}

fn encode_number(number: f64) -> Json {
    if !number.is_finite() || (number == 0.0 && number.is_sign_negative()) {
        let text = if number == 0.0 {
            "-0".into()
        } else {
            number_text(number)
        };
        return json!({"$t": "number", "v": text});
    }
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Json::from(number as i64);
    }
    Json::from(number)
}

fn encode_at(value: &Value, key: &str, path: &mut Vec<String>) -> Json {
    path.push(key.to_owned());
    let json = encode(value, path);
    path.pop();
    json
}

fn encode_list(values: &[Value], path: &mut Vec<String>) -> Vec<Json> {
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        list.push(encode_at(value, &index.to_string(), path));
    }
    list
}

fn encode_fields(object: &Object, path: &mut Vec<String>) -> Map<String, Json> {
    let mut fields = Map::new();
    for (key, value) in object {
        fields.insert(key.to_string(), encode_at(value, key, path));
    }
    fields
}

/// Decodes what [`to_wire`] encodes.
///
/// # Errors
/// A sentence that names the tag or the value that can't be understood.
pub fn from_wire(json: &Json) -> Result<Value, String> {
    decode(json, &mut Vec::new())
}

fn decode(json: &Json, path: &mut Vec<String>) -> Result<Value, String> {
    if path.len() > super::MAX_DEPTH {
        return Err(format!(
            "The value is nested deeper than {} levels",
            super::MAX_DEPTH
        ));
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => decode_list(values, path)?.into(),
        Json::Object(fields) => match fields.get("$t") {
            None => Value::Object(decode_fields(fields, path)?),
            Some(tag) => decode_tagged(tag.as_str().unwrap_or_default(), fields, path)?,
        },
    })
}

fn decode_tagged(
    tag: &str,
    fields: &Map<String, Json>,
    path: &mut Vec<String>,
) -> Result<Value, String> {
    let inner = fields.get("v").unwrap_or(&Json::Null);
    let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let bytes = || {
        BASE64
            .decode(text("v"))
            .map(Bytes::from)
            .map_err(|error| format!("\"v\" is not base64: {error}"))
    };
    Ok(match tag {
        "undefined" => Value::Undefined,
        "number" => Value::Number(if text("v") == "-0" {
            -0.0
        } else {
            parse_number(text("v"))
        }),
        "buffer" => bytes()?.into(),
        "arraybuffer" => Value::TypedArray(
            TypedArray {
                kind: "ArrayBuffer".into(),
                bytes: bytes()?,
            }
            .into(),
        ),
        "typedarray" => Value::TypedArray(
            TypedArray {
                kind: text("kind").into(),
                bytes: bytes()?,
            }
            .into(),
        ),
        "date" => Value::Date(inner.as_f64().unwrap_or(f64::NAN)),
        "bigint" => Value::BigInt(text("v").into()),
        "regexp" => Value::Regexp(
            Regexp {
                source: text("v").into(),
                flags: text("flags").into(),
            }
            .into(),
        ),
        "map" => {
            let mut entries = Vec::new();
            for pair in inner.as_array().into_iter().flatten() {
                let [key, value] = pair.as_array().map(Vec::as_slice).unwrap_or_default() else {
                    return Err("A map's \"v\" is a list of [key, value]".into());
                };
                entries.push((decode_at(key, "0", path)?, decode_at(value, "1", path)?));
            }
            Value::Map(entries.into())
        }
        "set" => Value::Set(
            decode_list(
                inner.as_array().map(Vec::as_slice).unwrap_or_default(),
                path,
            )?
            .into(),
        ),
        "error" => {
            let empty = Map::new();
            let properties = fields
                .get("props")
                .and_then(Json::as_object)
                .unwrap_or(&empty);
            Value::from(ErrorValue {
                name: text("name").into(),
                message: text("message").into(),
                stack: fields.get("stack").and_then(Json::as_str).map(Into::into),
                properties: decode_fields(properties, path)?,
            })
        }
        "ref" => {
            let depth = if text("v").is_empty() {
                0
            } else {
                text("v").split('/').count()
            };
            let levels = path
                .len()
                .checked_sub(1 + depth)
                .ok_or("A \"ref\" names a container that does not hold it")?;
            Value::Ancestor(u32::try_from(levels).unwrap_or(u32::MAX))
        }
        "object" => Value::Object(decode_fields(
            inner.as_object().ok_or("An object's \"v\" is an object")?,
            path,
        )?),
        other => return Err(format!("A value of type \"{other}\" can't be sent in")),
    })
}

fn decode_at(json: &Json, key: &str, path: &mut Vec<String>) -> Result<Value, String> {
    path.push(key.to_owned());
    let value = decode(json, path);
    path.pop();
    value
}

fn decode_list(values: &[Json], path: &mut Vec<String>) -> Result<Vec<Value>, String> {
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        list.push(decode_at(value, &index.to_string(), path)?);
    }
    Ok(list)
}

fn decode_fields(fields: &Map<String, Json>, path: &mut Vec<String>) -> Result<Object, String> {
    let mut object = Object::with_capacity(fields.len());
    for (key, value) in fields {
        object.insert(key.as_str(), decode_at(value, key, path)?);
    }
    Ok(object)
}
