//! Values as JSON text, the way JavaScript writes it.

use std::{fmt::Write as _, sync::Arc};

use super::{MAX_DEPTH, Object, Value, date::iso_text};

/// A number as JavaScript prints it: `1883`, `0.1`, `1e+21`, `NaN`.
pub fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    ryu_js::Buffer::new().format(number).to_owned()
}

/// The first `length` characters of a text as JavaScript counts them (units of UTF-16, none of them split), and whether
/// something was cut off.
pub fn truncate(text: &str, length: usize) -> (&str, bool) {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > length {
            return (&text[..at], true);
        }
    }
    (text, false)
}

/// `JSON.stringify(value)`: `None` for what has no JSON text (undefined, a function).
///
/// # Errors
/// A sentence, as JavaScript throws: a value that contains itself, a BigInt.
pub fn stringify(value: &Value) -> Result<Option<String>, String> {
    write(value, None)
}

/// `JSON.stringify(value, null, indent)`.
///
/// # Errors
/// As [`stringify`].
pub fn stringify_pretty(value: &Value, indent: usize) -> Result<Option<String>, String> {
    write(value, Some(indent))
}

fn write(value: &Value, indent: Option<usize>) -> Result<Option<String>, String> {
    if !has_text(value) {
        return Ok(None);
    }
    let mut writer = Writer {
        out: String::with_capacity(64),
        indent,
        depth: 0,
    };
    writer.value(value)?;
    Ok(Some(writer.out))
}

fn has_text(value: &Value) -> bool {
    !(value.is_undefined() || value.type_of() == "function")
}

struct Writer {
    out: String,
    indent: Option<usize>,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Undefined | Value::Null => self.out.push_str("null"),
            Value::Bool(bool) => self.out.push_str(if *bool { "true" } else { "false" }),
            Value::Number(number) if !number.is_finite() => self.out.push_str("null"),
            Value::Number(number) if *number == 0.0 => self.out.push('0'),
            Value::Number(number) => self.out.push_str(ryu_js::Buffer::new().format(*number)),
            Value::String(text) => write_string(&mut self.out, text),
            Value::Date(time) => match iso_text(*time) {
                Some(text) => write_string(&mut self.out, &text),
                None => self.out.push_str("null"),
            },
            Value::BigInt(_) => return Err("Do not know how to serialize a BigInt".into()),
            Value::Ancestor(_) => return Err("Converting circular structure to JSON".into()),
            Value::Bytes(bytes) => {
                let data: Vec<Value> = bytes
                    .iter()
                    .map(|&byte| Value::Number(f64::from(byte)))
                    .collect();
                let object = [("type", Value::from("Buffer")), ("data", data.into())]
                    .into_iter()
                    .collect();
                self.object(&object)?;
            }
            Value::TypedArray(array) => {
                let elements = array.elements().enumerate();
                let object = elements.map(|(index, value)| (index.to_string(), value));
                self.object(&object.collect())?;
            }
            Value::Array(array) => {
                self.container('[', ']', array.iter(), |writer, value| writer.value(value))?
            }
            Value::Object(object) => self.object(object)?,
            Value::Error(error) => self.object(&error.properties)?,
            Value::Regexp(_) | Value::Map(_) | Value::Set(_) | Value::Opaque(_) => {
                self.out.push_str("{}")
            }
        }
        Ok(())
    }

    fn object(&mut self, object: &Object) -> Result<(), String> {
        let entries = object.iter().filter(|(_, value)| has_text(value));
        self.container('{', '}', entries, |writer, (key, value)| {
            write_string(&mut writer.out, key);
            writer
                .out
                .push_str(if writer.indent.is_some() { ": " } else { ":" });
            writer.value(value)
        })
    }

    fn container<T>(
        &mut self,
        open: char,
        close: char,
        entries: impl Iterator<Item = T>,
        mut entry: impl FnMut(&mut Self, T) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.out.push(open);
        self.depth += 1;
        let mut empty = true;
        for value in entries {
            if !empty {
                self.out.push(',');
            }
            empty = false;
            self.newline();
            entry(self, value)?;
        }
        self.depth -= 1;
        if !empty {
            self.newline();
        }
        self.out.push(close);
        Ok(())
    }

    fn newline(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out
                .extend(std::iter::repeat_n(' ', indent * self.depth));
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[clean..at]);
        if escape.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        clean = at + 1;
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

/// Takes the rough size of an object off `left`, stopping at zero.
pub(super) fn count_object(object: &Object, left: &mut usize, depth: usize) {
    for (key, value) in object {
        *left = left.saturating_sub(48 + key.len());
        count(value, left, depth + 1);
        if *left == 0 {
            return;
        }
    }
}

fn count(value: &Value, left: &mut usize, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let text = |text: &Arc<str>| text.len() + 16;
    let own = match value {
        Value::String(string) | Value::BigInt(string) => text(string),
        Value::Bytes(bytes) => bytes.len() + 32,
        Value::TypedArray(array) => array.bytes.len() + 48,
        Value::Error(error) => {
            error.message.len() + error.stack.as_ref().map_or(0, |stack| stack.len()) + 64
        }
        Value::Array(values) | Value::Set(values) => {
            for value in values.iter() {
                *left = left.saturating_sub(24);
                count(value, left, depth + 1);
                if *left == 0 {
                    return;
                }
            }
            32
        }
        Value::Object(object) => {
            count_object(object, left, depth);
            64
        }
        Value::Map(entries) => entries.len() * 64 + 32,
        _ => 0,
    };
    *left = left.saturating_sub(own);
}
