//! Values as a person reads them in a log or a status: the text of Node.js' `util.inspect`.

mod layout;
mod quote;

use super::{ErrorValue, Object, TypedArray, Value, date::iso_text, number_text};
use layout::{Parts, units};
use quote::{key, quote};

/// Entries of a list that are shown.
const MOST_ENTRIES: usize = 100;
/// Characters of a text that are shown.
const MOST_CHARACTERS: usize = 10_000;
/// Bytes of a Buffer that are shown.
const MOST_BYTES: usize = 50;
/// A text that is no longer is never broken into its lines.
const SHORT_TEXT: usize = 16;
/// A line longer than this is broken up.
const LINE: usize = 80;

/// The value as text; containers deeper than `depth` are only named.
pub fn inspect(value: &Value, depth: usize) -> String {
    let mut printer = Printer {
        depth,
        indent: 0,
        deepest: 0,
        above: Vec::new(),
        circles: 0,
    };
    printer.text(value, 0)
}

/// Writes one value.
struct Printer {
    /// The deepest level whose containers are shown.
    depth: usize,
    indent: usize,
    /// The level of the container that was begun last.
    deepest: usize,
    /// The containers around what is written, and the number that a circle back to each of them has.
    above: Vec<Option<usize>>,
    circles: usize,
}

impl Printer {
    fn text(&mut self, value: &Value, level: usize) -> String {
        match value {
            Value::String(text) => self.string(text),
            Value::BigInt(digits) => format!("{digits}n"),
            Value::Number(number) if *number == 0.0 && number.is_sign_negative() => "-0".into(),
            Value::Number(number) => number_text(*number),
            Value::Bytes(bytes) => {
                let length = bytes.len();
                format!("<Buffer {}>", hex(bytes, length))
            }
            Value::Date(time) => iso_text(*time).unwrap_or_else(|| "Invalid Date".into()),
            Value::Error(error) => self.error(error, level),
            Value::Array(entries) if entries.is_empty() => "[]".into(),
            Value::Array(entries) => {
                let is_numeric = entries.iter().all(is_number);
                self.container("Array", level, |printer, level| {
                    let list = printer.list(entries.iter(), entries.len(), level);
                    Parts::list("[".into(), list, is_numeric, entries.len() > MOST_ENTRIES)
                })
            }
            Value::TypedArray(array) => self.typed_array(array, level),
            Value::Object(object) if object.is_empty() => "{}".into(),
            Value::Object(object) => self.container("Object", level, |printer, level| {
                Parts::object("{".into(), printer.fields(object, level))
            }),
            Value::Map(entries) if entries.is_empty() => "Map(0) {}".into(),
            Value::Map(entries) => self.container("Map", level, |printer, level| {
                let pairs = entries.iter().take(MOST_ENTRIES).map(|(key, value)| {
                    let key = printer.indented(key, level);
                    format!("{key} => {}", printer.indented(value, level))
                });
                let mut pairs: Vec<String> = pairs.collect();
                pairs.extend(rest(entries.len()));
                Parts::object(format!("Map({}) {{", entries.len()), pairs)
            }),
            Value::Set(entries) if entries.is_empty() => "Set(0) {}".into(),
            Value::Set(entries) => self.container("Set", level, |printer, level| {
                let list = printer.list(entries.iter(), entries.len(), level);
                Parts::object(format!("Set({}) {{", entries.len()), list)
            }),
            Value::Ancestor(levels) => self.circle(*levels as usize),
            Value::Opaque(opaque) if opaque.0.type_name() == "function" => {
                match opaque.0.get("name") {
                    Some(Value::String(name)) if !name.is_empty() => format!("[Function: {name}]"),
                    _ => "[Function (anonymous)]".into(),
                }
            }
            Value::Opaque(opaque) => format!("[{}]", opaque.0.type_name()),
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Regexp(_) => value.to_text(),
        }
    }

    fn string(&self, text: &str) -> String {
        let length = units(text);
        let (kept, rest) = match length.checked_sub(MOST_CHARACTERS) {
            None | Some(0) => (text, String::new()),
            Some(more) => {
                let (kept, _) = super::truncate(text, MOST_CHARACTERS);
                (kept, format!("... {more} more character{}", plural(more)))
            }
        };
        let shown = length.min(MOST_CHARACTERS);
        if shown <= SHORT_TEXT || shown + self.indent + 4 <= LINE {
            return quote(kept) + &rest;
        }
        let lines: Vec<String> = kept.split_inclusive('\n').map(quote).collect();
        let margin = " ".repeat(self.indent + 2);
        lines.join(&format!(" +\n{margin}")) + &rest
    }

    /// A container that is not empty: only its name if it is too deep.
    fn container(
        &mut self,
        name: &str,
        level: usize,
        parts: impl FnOnce(&mut Self, usize) -> Parts,
    ) -> String {
        if level > self.depth {
            return format!("[{name}]");
        }
        let level = level + 1;
        self.above.push(None);
        self.deepest = level;
        let mut parts = parts(self, level);
        if let Some(Some(circle)) = self.above.pop() {
            parts.refer(circle);
        }
        parts.lay_out(self.indent, self.deepest - level)
    }

    fn indented(&mut self, value: &Value, level: usize) -> String {
        self.indent += 2;
        let text = self.text(value, level);
        self.indent -= 2;
        text
    }

    fn list<'v>(
        &mut self,
        entries: impl Iterator<Item = &'v Value>,
        length: usize,
        level: usize,
    ) -> Vec<String> {
        let shown = entries.take(MOST_ENTRIES);
        let mut list: Vec<String> = shown.map(|entry| self.indented(entry, level)).collect();
        list.extend(rest(length));
        list
    }

    fn fields(&mut self, object: &Object, level: usize) -> Vec<String> {
        let fields = object.iter();
        fields
            .map(|(name, value)| format!("{}: {}", key(name.as_str()), self.indented(value, level)))
            .collect()
    }

    fn typed_array(&mut self, array: &TypedArray, level: usize) -> String {
        match array.length() {
            Some(0) => format!("{}(0) []", array.kind),
            Some(length) => {
                let elements: Vec<Value> = array.elements().take(MOST_ENTRIES).collect();
                self.container(&array.kind, level, |printer, level| {
                    let list = printer.list(elements.iter(), length, level);
                    let open = format!("{}({length}) [", array.kind);
                    Parts::list(open, list, true, length > MOST_ENTRIES)
                })
            }
            None => {
                let length = array.bytes.len();
                let contents = format!("[Uint8Contents]: <{}>", hex(&array.bytes, length));
                let buffer = vec![contents, format!("[byteLength]: {length}")];
                self.container(&array.kind, level, |printer, _| match &*array.kind {
                    "DataView" => {
                        printer.deepest += 1;
                        let inner = Parts::object("ArrayBuffer {".into(), buffer);
                        let inner = inner.lay_out(printer.indent + 2, 0);
                        Parts::object(
                            "DataView {".into(),
                            vec![
                                format!("[byteLength]: {length}"),
                                "[byteOffset]: 0".into(),
                                format!("[buffer]: {inner}"),
                            ],
                        )
                    }
                    kind => Parts::object(format!("{kind} {{"), buffer),
                })
            }
        }
    }

    /// The stack, and what else the error carries.
    fn error(&mut self, error: &ErrorValue, level: usize) -> String {
        let stack = match error.stack.as_deref() {
            Some(stack) if !stack.is_empty() => stack.to_owned(),
            _ => error.text(),
        };
        let mut base = match stack.contains("\n    at") {
            true => stack,
            false => format!("[{stack}]"),
        };
        if self.indent > 0 {
            base = base.replace('\n', &format!("\n{}", " ".repeat(self.indent)));
        }
        if error.properties.is_empty() {
            return base;
        }
        self.container(&error.name, level, |printer, level| {
            let fields = error.properties.iter().map(|(name, value)| {
                // JavaScript does not list it with the others.
                let name = match name.as_str() {
                    "cause" => "[cause]".to_owned(),
                    name => key(name),
                };
                format!("{name}: {}", printer.indented(value, level))
            });
            let fields = fields.collect();
            let mut parts = Parts::object("{".into(), fields);
            parts.base = base;
            parts
        })
    }

    /// A container that is around the value: 0 is the nearest.
    fn circle(&mut self, levels: usize) -> String {
        let place = self.above.len().checked_sub(levels + 1);
        let Some(number) = place.and_then(|place| self.above.get_mut(place)) else {
            return "[Circular *1]".into();
        };
        let number = *number.get_or_insert_with(|| {
            self.circles += 1;
            self.circles
        });
        format!("[Circular *{number}]")
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Number(_) | Value::BigInt(_))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn rest(length: usize) -> Option<String> {
    let more = length.checked_sub(MOST_ENTRIES).filter(|more| *more > 0)?;
    Some(format!("... {more} more item{}", plural(more)))
}

fn hex(bytes: &[u8], length: usize) -> String {
    let shown = bytes.iter().take(MOST_BYTES);
    let mut all: Vec<String> = shown.map(|byte| format!("{byte:02x}")).collect();
    if let Some(more) = length.checked_sub(MOST_BYTES).filter(|more| *more > 0) {
        all.push(format!("... {more} more byte{}", plural(more)));
    }
    all.join(" ")
}

#[cfg(test)]
mod tests;
