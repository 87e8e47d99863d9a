//! Values as JSON text and back, the way JavaScript writes and reads it.

use std::{fmt, fmt::Write as _, sync::Arc};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::{JsonError, MAX_DEPTH, Object, Value, date::iso_text};

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

/// Reads JSON text into a value.
///
/// # Errors
/// V8's sentence; also when it is nested deeper than [`MAX_DEPTH`].
pub fn parse_json(text: &str) -> Result<Value, JsonError> {
    read_json(text).or_else(|error| {
        if let Some(mistake) = JsonError::find(text) {
            return Err(mistake);
        }
        // JavaScript takes halves of surrogate pairs, which text here can't hold.
        match whole_surrogates(text) {
            Some(whole) => read_json(&whole).map_err(|error| JsonError::new(error.to_string())),
            None => Err(JsonError::new(error.to_string())),
        }
    })
}

fn read_json(text: &str) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = Reader { depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
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

/// Builds values while the parser reads, counting the depth itself.
#[derive(Clone, Copy)]
struct Reader {
    depth: usize,
}

impl Reader {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
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
        Ok(Value::String(text.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut array = Vec::with_capacity(entries.size_hint().unwrap_or(0).min(4096));
        while let Some(value) = entries.next_element_seed(deeper)? {
            array.push(value);
        }
        Ok(array.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut object = Object::new();
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            object.insert(&*key, entries.next_value_seed(deeper)?);
        }
        if object.len() > u32::MAX as usize {
            return Err(A::Error::custom("too many properties"));
        }
        Ok(Value::Object(object))
    }
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
