//! Values as a person reads them in a log or a status: in the manner of Node.js' `util.inspect`.

use std::fmt::Write;

use super::{Object, Value, date::iso_text, number_text};

/// A line longer than this is broken up.
const LINE: usize = 72;
/// Entries of a list that are shown.
const MOST_ENTRIES: usize = 100;

/// The value as text; containers deeper than `depth` are only named.
pub fn inspect(value: &Value, depth: usize) -> String {
    let mut out = String::new();
    write(&mut out, value, depth, 0, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize, level: usize, indent: usize) {
    match value {
        Value::String(text) => quote(out, text),
        Value::Bytes(bytes) => {
            out.push_str("<Buffer");
            for byte in bytes.iter().take(50) {
                // Writing into a String cannot fail.
                let _ = write!(out, " {byte:02x}");
            }
            if bytes.len() > 50 {
                let _ = write!(out, " ... {} more bytes", bytes.len() - 50);
            }
            out.push('>');
        }
        Value::BigInt(digits) => {
            let _ = write!(out, "{digits}n");
        }
        Value::Number(number) if *number == 0.0 && number.is_sign_negative() => out.push_str("-0"),
        Value::Number(number) => out.push_str(&number_text(*number)),
        Value::Date(time) => {
            out.push_str(iso_text(*time).as_deref().unwrap_or("Invalid Date"));
        }
        Value::Error(error) => out.push_str(error.stack.as_deref().unwrap_or(&error.text())),
        Value::Array(_) if level > depth => out.push_str("[Array]"),
        Value::Object(_) if level > depth => out.push_str("[Object]"),
        Value::Array(entries) => {
            let mut parts: Vec<String> = entries
                .iter()
                .take(MOST_ENTRIES)
                .map(|entry| part(entry, depth, level, indent))
                .collect();
            if entries.len() > MOST_ENTRIES {
                parts.push(format!("... {} more items", entries.len() - MOST_ENTRIES));
            }
            enclose(out, ('[', ']'), &parts, indent);
        }
        Value::Object(object) => enclose(
            out,
            ('{', '}'),
            &fields(object, depth, level, indent),
            indent,
        ),
        Value::Map(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    format!(
                        "{} => {}",
                        part(key, depth, level, indent),
                        part(value, depth, level, indent)
                    )
                })
                .collect();
            let _ = write!(out, "Map({}) ", entries.len());
            enclose(out, ('{', '}'), &parts, indent);
        }
        Value::Set(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|entry| part(entry, depth, level, indent))
                .collect();
            let _ = write!(out, "Set({}) ", entries.len());
            enclose(out, ('{', '}'), &parts, indent);
        }
        Value::TypedArray(array) => {
            let _ = write!(out, "{}({} bytes)", array.kind, array.bytes.len());
        }
        Value::Ancestor(_) => out.push_str("[Circular]"),
        Value::Opaque(opaque) => {
            let _ = write!(out, "[{}]", opaque.0.type_name());
        }
        other => out.push_str(&other.to_text()),
    }
}

fn part(value: &Value, depth: usize, level: usize, indent: usize) -> String {
    let mut out = String::new();
    write(&mut out, value, depth, level + 1, indent + 2);
    out
}

fn fields(object: &Object, depth: usize, level: usize, indent: usize) -> Vec<String> {
    let field = |(key, value): (&super::Key, &Value)| {
        let mut out = String::new();
        if is_identifier(key.as_str()) {
            out.push_str(key.as_str());
        } else {
            quote(&mut out, key.as_str());
        }
        out.push_str(": ");
        write(&mut out, value, depth, level + 1, indent + 2);
        out
    };
    object.iter().map(field).collect()
}

fn enclose(out: &mut String, (open, close): (char, char), parts: &[String], indent: usize) {
    out.push(open);
    let length: usize = parts.iter().map(|part| part.len() + 2).sum();
    if parts.is_empty() {
    } else if length + indent <= LINE && !parts.iter().any(|part| part.contains('\n')) {
        let blank = if open == '{' || open == '[' { " " } else { "" };
        let _ = write!(out, "{blank}{}{blank}", parts.join(", "));
    } else {
        let margin = " ".repeat(indent + 2);
        let _ = write!(
            out,
            "\n{margin}{}\n{}",
            parts.join(&format!(",\n{margin}")),
            " ".repeat(indent)
        );
    }
    out.push(close);
}

fn quote(out: &mut String, text: &str) {
    let mark = if !text.contains('\'') {
        '\''
    } else if !text.contains('"') {
        '"'
    } else {
        '`'
    };
    out.push(mark);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out.push(mark);
}

fn is_identifier(key: &str) -> bool {
    let mut characters = key.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$')
        && characters.all(|character| {
            character.is_ascii_alphanumeric() || character == '_' || character == '$'
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::from_wire;

    #[test]
    fn values_read_as_in_node_js() {
        for (value, text) in [
            (json!("it's"), "\"it's\""),
            (
                json!({"a": 1, "b c": [true, null, "x"]}),
                "{ a: 1, 'b c': [ true, null, 'x' ] }",
            ),
            (json!([]), "[]"),
            (json!({"a": {"b": {"c": {}}}}), "{ a: { b: [Object] } }"),
            (json!({"$t": "buffer", "v": "AQID"}), "<Buffer 01 02 03>"),
            (json!({"$t": "undefined"}), "undefined"),
        ] {
            assert_eq!(inspect(&from_wire(&value).unwrap(), 1), text, "{value}");
        }
    }

    #[test]
    fn long_ones_take_a_line_an_entry() {
        let value = from_wire(&json!({"first": "x".repeat(60), "second": [1]})).unwrap();
        assert_eq!(
            inspect(&value, 5),
            format!("{{\n  first: '{}',\n  second: [ 1 ]\n}}", "x".repeat(60))
        );
    }
}
