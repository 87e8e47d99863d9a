//! From a value to elements, with xml2js' conventions.

use super::{
    error,
    names::is_name,
    options::{DEFAULT_ROOT, Options},
    write::{Child, Element, document},
};
use crate::message::{ErrorValue, Object, Value};

/// The XML text of a value.
///
/// # Errors
/// When a key is no name, a text has characters that XML forbids, or the value contains itself.
pub(super) fn build(value: &Value, options: &Options) -> Result<String, ErrorValue> {
    let entries = entries(value)?;
    let (name, content) = match entries.as_slice() {
        [(name, content)] if options.root_name == DEFAULT_ROOT => (name.as_str(), content),
        _ => (options.root_name.as_str(), value),
    };
    let mut root = element(name, options)?;
    if !options.headless {
        options.declaration.check()?;
    }
    render(&mut root, content, options)?;
    Ok(document(&root, options))
}

fn element(name: &str, options: &Options) -> Result<Element, ErrorValue> {
    legal(name, options)?;
    if !is_name(name) {
        return Err(error("Invalid character in name"));
    }
    Ok(Element {
        name: name.to_owned(),
        attributes: Vec::new(),
        children: Vec::new(),
    })
}

/// The properties of a value that are its elements.
fn entries(value: &Value) -> Result<Vec<(String, Value)>, ErrorValue> {
    let indexed = |values: Vec<Value>| {
        (0..)
            .map(|index: usize| index.to_string())
            .zip(values)
            .collect()
    };
    Ok(match value {
        Value::Null => {
            return Err(ErrorValue {
                name: "TypeError".into(),
                ..error("Cannot convert undefined or null to object")
            });
        }
        Value::Object(object) => owned(object),
        Value::Error(error) => owned(&error.properties),
        Value::Array(values) => indexed(values.to_vec()),
        // A number is no name of an element, so no more of them are looked at.
        Value::Bytes(bytes) => indexed(
            bytes
                .iter()
                .take(2)
                .map(|byte| f64::from(*byte).into())
                .collect(),
        ),
        _ => Vec::new(),
    })
}

fn owned(object: &Object) -> Vec<(String, Value)> {
    object
        .iter()
        .map(|(key, value)| (key.to_string(), value.clone()))
        .collect()
}

fn render(into: &mut Element, value: &Value, options: &Options) -> Result<(), ErrorValue> {
    match value {
        Value::Null => Ok(()),
        Value::Ancestor(_) => Err(error("The value contains itself, so it has no XML")),
        Value::Array(values) => {
            for value in values.iter() {
                for (key, value) in parts(value)? {
                    let mut child = element(&key, options)?;
                    render(&mut child, &value, options)?;
                    into.children.push(Child::Element(child));
                }
            }
            Ok(())
        }
        value if value.type_of() == "object" => {
            for (key, value) in entries(value)? {
                property(into, &key, &value, options)?;
            }
            Ok(())
        }
        value => into.text(value, options),
    }
}

/// What stands in a list: the keys of an object, or, as in JavaScript, the characters of a text.
fn parts(value: &Value) -> Result<Vec<(String, Value)>, ErrorValue> {
    match value {
        Value::String(text) => Ok(text
            .chars()
            .enumerate()
            .map(|(index, character)| (index.to_string(), character.to_string().into()))
            .collect()),
        Value::Undefined | Value::Null => Ok(Vec::new()),
        value => entries(value),
    }
}

fn property(
    into: &mut Element,
    key: &str,
    value: &Value,
    options: &Options,
) -> Result<(), ErrorValue> {
    if key == options.attribute_key {
        if value.type_of() == "object" && !matches!(value, Value::Null) {
            for (name, value) in entries(value)? {
                into.attribute(&name, &value, options)?;
            }
        }
        return Ok(());
    }
    if key == options.text_key {
        return into.text(value, options);
    }
    let one = std::slice::from_ref(value);
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Undefined => &[Value::Null],
        _ => one,
    };
    for value in values {
        let mut child = element(key, options)?;
        render(&mut child, value, options)?;
        into.children.push(Child::Element(child));
    }
    Ok(())
}

impl Element {
    fn text(&mut self, value: &Value, options: &Options) -> Result<(), ErrorValue> {
        if value.is_nullish() {
            return Err(error(format!(
                "Missing element text. parent: <{}>",
                self.name
            )));
        }
        let text = value.to_text();
        let needs_cdata = value.as_str().is_some() && text.contains(['&', '<', '>']);
        self.children.push(if options.cdata && needs_cdata {
            let text = text.replacen("]]>", "]]]]><![CDATA[>", 1);
            Child::Raw(format!("<![CDATA[{text}]]>"))
        } else {
            let text = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('\r', "&#xD;");
            legal(&text, options)?;
            Child::Text(text)
        });
        Ok(())
    }

    fn attribute(
        &mut self,
        name: &str,
        value: &Value,
        options: &Options,
    ) -> Result<(), ErrorValue> {
        if value.is_nullish() {
            return Ok(());
        }
        legal(name, options)?;
        if !is_name(name) {
            return Err(error("Invalid character in name"));
        }
        let value = value
            .to_text()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\t', "&#x9;")
            .replace('\n', "&#xA;")
            .replace('\r', "&#xD;");
        legal(&value, options)?;
        self.attributes.push((name.to_owned(), value));
        Ok(())
    }
}

/// Refuses characters that XML has no form for.
fn legal(text: &str, options: &Options) -> Result<(), ErrorValue> {
    let wrong = text
        .char_indices()
        .find(|(_, c)| !options.declaration.allows(*c));
    match wrong {
        None => Ok(()),
        Some((at, _)) => {
            let index = text[..at].encode_utf16().count();
            Err(error(format!(
                "Invalid character in string: {text} at index {index}"
            )))
        }
    }
}
