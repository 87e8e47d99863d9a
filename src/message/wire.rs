//! Values as `/tap` and examples write them: JSON, with a `$t` tag where JSON has no word for it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::{ErrorValue, Object, Regexp, TypedArray, Value, number_text, parse_number};

/// Encodes a value; the order of keys is kept and numbers read back to the same double.
pub fn to_wire(value: &Value) -> Json {
    encode(value, &mut Vec::new())
}

fn encode(value: &Value, path: &mut Vec<String>) -> Json {
    match value {
        Value::Undefined => json!({"$t": "undefined"}),
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => encode_number(*number),
        Value::String(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) => json!({"$t": "buffer", "v": BASE64.encode(bytes)}),
        Value::Date(time) => {
            json!({"$t": "date", "v": if time.is_finite() { encode_number(*time) } else { Json::Null }})
        }
        Value::BigInt(digits) => json!({"$t": "bigint", "v": &**digits}),
        Value::Regexp(regexp) => {
            json!({"$t": "regexp", "v": &*regexp.source, "flags": &*regexp.flags})
        }
        Value::Error(error) => {
            let mut out = Map::new();
            out.insert("$t".into(), "error".into());
            out.insert("name".into(), (&*error.name).into());
            out.insert("message".into(), (&*error.message).into());
            if let Some(stack) = &error.stack {
                out.insert("stack".into(), (&**stack).into());
            }
            if !error.properties.is_empty() {
                path.push("props".into());
                out.insert(
                    "props".into(),
                    Json::Object(encode_fields(&error.properties, path)),
                );
                path.pop();
            }
            Json::Object(out)
        }
        Value::TypedArray(array) if &*array.kind == "ArrayBuffer" => {
            json!({"$t": "arraybuffer", "v": BASE64.encode(&array.bytes)})
        }
        Value::TypedArray(array) => {
            json!({"$t": "typedarray", "kind": &*array.kind, "v": BASE64.encode(&array.bytes)})
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                json!([encode_at(key, "0", path), encode_at(value, "1", path)])
            });
            json!({"$t": "map", "v": entries.collect::<Vec<_>>()})
        }
        Value::Set(values) => json!({"$t": "set", "v": encode_list(values, path)}),
        Value::Array(values) => Json::Array(encode_list(values, path)),
        Value::Object(object) => {
            let fields = encode_fields(object, path);
            if object.contains_key("$t") {
                json!({"$t": "object", "v": fields})
            } else {
                Json::Object(fields)
            }
        }
        Value::Ancestor(levels) => {
            let end = path.len().saturating_sub(1 + *levels as usize);
            let names: Vec<String> = path[..end]
                .iter()
                .map(|key| key.replace('~', "~0").replace('/', "~1"))
                .collect();
            json!({"$t": "ref", "v": names.join("/")})
        }
        Value::Opaque(opaque) if opaque.0.type_name() == "function" => {
            let name = opaque
                .0
                .get("name")
                .map(|name| name.to_text())
                .unwrap_or_default();
            json!({"$t": "function", "name": name})
        }
        Value::Opaque(opaque) => json!({"$t": "opaque", "v": opaque.0.type_name()}),
    }
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
    values
        .iter()
        .enumerate()
        .map(|(index, value)| encode_at(value, &index.to_string(), path))
        .collect()
}

fn encode_fields(object: &Object, path: &mut Vec<String>) -> Map<String, Json> {
    object
        .iter()
        .map(|(key, value)| (key.to_string(), encode_at(value, key, path)))
        .collect()
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
        "buffer" => Value::Bytes(bytes()?),
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
    values
        .iter()
        .enumerate()
        .map(|(index, value)| decode_at(value, &index.to_string(), path))
        .collect()
}

fn decode_fields(fields: &Map<String, Json>, path: &mut Vec<String>) -> Result<Object, String> {
    fields
        .iter()
        .map(|(key, value)| Ok((key.as_str(), decode_at(value, key, path)?)))
        .collect()
}
