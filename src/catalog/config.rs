//! From loose JSON to a strict configuration: every property of the manifest is there, in the type that its kind says.

use serde_json::{Map, Number, Value};

use super::manifest::{Property, PropertyKind, TrueTexts};
use crate::message::parse_number;

/// The strict configuration of a node: defaults filled in, values coerced by kind, properties that the manifest does not name dropped.
pub fn strict_config(properties: &[Property], item: &Map<String, Value>) -> Map<String, Value> {
    let mut config = Map::new();
    for property in properties {
        let value = item.get(&property.name);
        config.insert(property.name.clone(), strict_value(property, value));
        if let Some(type_property) = &property.type_property {
            let kind = match item.get(type_property) {
                Some(Value::String(kind)) => Value::String(kind.clone()),
                _ => property.type_default.clone(),
            };
            config.insert(type_property.clone(), kind);
        }
    }
    config
}

fn strict_value(property: &Property, value: Option<&Value>) -> Value {
    let Some(value) = value else {
        return property.default.clone();
    };
    match property.kind {
        PropertyKind::Text
        | PropertyKind::Multiline
        | PropertyKind::MessagePath
        | PropertyKind::Topic
        | PropertyKind::File
        | PropertyKind::Colour
        | PropertyKind::Icon
        | PropertyKind::Select
        | PropertyKind::Typed
        | PropertyKind::Code
        | PropertyKind::Config
        | PropertyKind::Secret => text(value).unwrap_or_else(|| property.default.clone()),
        PropertyKind::Number | PropertyKind::Duration => number(value, &property.default),
        PropertyKind::Bool => match (value, property.texts) {
            (Value::Bool(bool), _) => Value::Bool(*bool),
            (Value::String(_) | Value::Number(_), TrueTexts::None) => Value::Bool(false),
            (Value::String(text), TrueTexts::Said) => {
                Value::Bool(!matches!(text.as_str(), "" | "false"))
            }
            (Value::String(text), TrueTexts::Any) => Value::Bool(!text.is_empty()),
            (Value::Number(number), _) => Value::Bool(number.as_f64() != Some(0.0)),
            _ => property.default.clone(),
        },
        PropertyKind::List => match value {
            Value::Array(entries) if property.fields.is_empty() => Value::Array(entries.clone()),
            Value::Array(entries) => Value::Array(
                entries
                    .iter()
                    .filter_map(Value::as_object)
                    .map(|entry| Value::Object(strict_config(&property.fields, entry)))
                    .collect(),
            ),
            _ => property.default.clone(),
        },
        PropertyKind::Nodes => match value {
            Value::Array(_) | Value::String(_) | Value::Null => value.clone(),
            _ => property.default.clone(),
        },
        PropertyKind::Json | PropertyKind::Unknown => value.clone(),
    }
}

/// Text as it is; numbers and booleans as their text. Null and containers are no text.
fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) => Some(crate::message::number_text(number.as_f64()?).into()),
        Value::Bool(bool) => Some(bool.to_string().into()),
        Value::Object(_) | Value::Array(_) => Some(value.to_string().into()),
        Value::Null => None,
    }
}

/// A number, also from text; null where it is none; the default where the field was left empty.
fn number(value: &Value, default: &Value) -> Value {
    match value {
        Value::Number(_) => value.clone(),
        Value::String(text) if text.trim().is_empty() => default.clone(),
        Value::String(text) => {
            Number::from_f64(parse_number(text)).map_or(Value::Null, Value::Number)
        }
        Value::Bool(bool) => Value::from(u8::from(*bool)),
        _ => default.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_in_place_of_a_bool() {
        for (texts, of_false, of_true, of_nothing, of_one) in [
            ("said", false, true, false, true),
            ("any", true, true, false, true),
            ("none", false, false, false, false),
        ] {
            let property = json!([{"name": "on", "kind": "bool", "default": true, "texts": texts}]);
            let properties: Vec<Property> = serde_json::from_value(property).unwrap();
            for (given, expected) in [
                (json!("false"), of_false),
                (json!("true"), of_true),
                (json!(""), of_nothing),
                (json!(1), of_one),
                (json!(0), false),
                (json!(true), true),
                (json!(false), false),
            ] {
                let item = Map::from_iter([("on".to_owned(), given.clone())]);
                let config = strict_config(&properties, &item);
                assert_eq!(config["on"], json!(expected), "{texts}: {given}");
            }
        }
    }

    #[test]
    fn loose_json_becomes_strict() {
        let properties: Vec<Property> = serde_json::from_value(json!([
            {"name": "port", "kind": "number", "default": 1883},
            {"name": "on", "kind": "bool", "default": true},
            {"name": "topic", "kind": "topic", "default": ""},
            {"name": "payload", "kind": "typed", "default": "", "typeProperty": "payloadType", "typeDefault": "date"},
            {"name": "props", "kind": "list", "default": null, "fields": [{"name": "p", "kind": "text", "default": "payload"}]},
            {"name": "scope", "kind": "nodes", "default": []}
        ]))
        .unwrap();
        for (given, expected) in [
            (
                json!({"port": "1884", "on": "false", "topic": 5, "payload": 1, "payloadType": "num", "props": [{"p": 1}, {}, 3], "scope": null, "extra": 1}),
                json!({"port": 1884.0, "on": false, "topic": "5", "payload": "1", "payloadType": "num", "props": [{"p": "1"}, {"p": "payload"}], "scope": null}),
            ),
            (
                json!({"port": "x"}),
                json!({"port": null, "on": true, "topic": "", "payload": "", "payloadType": "date", "props": null, "scope": []}),
            ),
        ] {
            assert_eq!(
                Value::Object(strict_config(&properties, given.as_object().unwrap())),
                expected
            );
        }
    }
}
