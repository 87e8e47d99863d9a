//! From a value to YAML text, laid out as js-yaml lays it out.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::style::write_text;
use crate::message::{MAX_DEPTH, Object, Value, number_text};

/// A key longer than this is written with a `?` before it.
const MAX_IMPLICIT_KEY: usize = 1024;
/// js-yaml's blanks a level.
pub(super) const INDENT: usize = 2;

/// Writes a value as a YAML document; undefined has none and gives an empty text.
///
/// # Errors
/// A sentence when the value holds something that YAML has no form for: a function, a Map, an invalid date, itself.
pub(in crate::nodes) fn dump(value: &Value) -> Result<String, String> {
    if value.is_undefined() {
        return Ok(String::new());
    }
    let mut out = String::new();
    node(&mut out, value, 0, true)?;
    out.push('\n');
    Ok(out)
}

/// Whether the value is written as lines of its own: a list or mapping with entries.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(object) => object.values().any(|value| !value.is_undefined()),
        _ => false,
    }
}

/// Writes a value after its `- ` or `key: `; `compact` when a block may begin on the same line.
fn node(out: &mut String, value: &Value, level: usize, compact: bool) -> Result<(), String> {
    if level > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH} levels"));
    }
    match value {
        Value::Array(entries) if !entries.is_empty() => sequence(out, entries, level, compact)?,
        Value::Array(_) => out.push_str("[]"),
        Value::Object(object) if is_block(value) => mapping(out, object, level, compact)?,
        Value::Object(_) => out.push_str("{}"),
        Value::String(text) => write_text(out, text, level, false),
        Value::Null => out.push_str("null"),
        Value::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_form(*number)),
        Value::Date(time) if time.is_finite() => out.push_str(&date(*time)?),
        Value::Bytes(bytes) => binary(out, bytes, level),
        Value::TypedArray(array) if &*array.kind == "Uint8Array" => {
            binary(out, &array.bytes, level);
        }
        Value::Ancestor(_) => return Err("a value that contains itself has no YAML".into()),
        other => {
            return Err(format!(
                "unacceptable kind of an object to dump: {}",
                other.type_of()
            ));
        }
    }
    Ok(())
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', INDENT * level));
}

fn sequence(
    out: &mut String,
    entries: &Arc<Vec<Value>>,
    level: usize,
    compact: bool,
) -> Result<(), String> {
    for (index, entry) in entries.iter().enumerate() {
        if !compact || index > 0 {
            new_line(out, level);
        }
        out.push_str("- ");
        let entry = if entry.is_undefined() {
            &Value::Null
        } else {
            entry
        };
        node(out, entry, level + 1, true)?;
    }
    Ok(())
}

fn mapping(out: &mut String, object: &Object, level: usize, compact: bool) -> Result<(), String> {
    let entries = object.iter().filter(|(_, value)| !value.is_undefined());
    for (index, (key, value)) in entries.enumerate() {
        if !compact || index > 0 {
            new_line(out, level);
        }
        let mut written = String::new();
        write_text(&mut written, key, level + 1, true);
        let explicit = written.encode_utf16().count() > MAX_IMPLICIT_KEY;
        if explicit {
            out.push_str("? ");
        }
        out.push_str(&written);
        if explicit {
            new_line(out, level);
        }
        out.push(':');
        if explicit || !is_block(value) {
            out.push(' ');
        }
        node(out, value, level + 1, explicit)?;
    }
    Ok(())
}

fn number_form(number: f64) -> String {
    if number.is_nan() {
        return ".nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    if number == 0.0 && number.is_sign_negative() {
        return "-0.0".into();
    }
    let text = number_text(number);
    // YAML 1.1 takes 5e-7 for text; only fractions get the dot, as in js-yaml.
    match text.split_once('e') {
        Some((digits, _)) if number.fract() != 0.0 && !digits.contains('.') => {
            text.replacen('e', ".e", 1)
        }
        _ => text,
    }
}

fn date(time: f64) -> Result<String, String> {
    match crate::message::stringify(&Value::Date(time))? {
        Some(text) if text != "null" => Ok(text.trim_matches('"').to_owned()),
        _ => Err("Invalid time value".into()),
    }
}

fn binary(out: &mut String, bytes: &[u8], level: usize) {
    out.push_str("!!binary ");
    write_text(out, &BASE64_STANDARD.encode(bytes), level, false);
}
