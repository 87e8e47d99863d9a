//! Values as cells, and cells as values: JavaScript's rules.

use crate::message::{Value, number_text, parse_float, parse_number, stringify, trim};

/// Whether the legacy mode takes a trimmed text for a number:
/// `/^[-]?(?!E)(?!0\d)\d*\.?\d*(E-?\+?)?\d+$/i`.
pub(super) fn is_legacy_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let text = text.strip_prefix('-').unwrap_or(text);
    let bytes = text.as_bytes();
    if matches!(bytes, [b'e' | b'E', ..]) || matches!(bytes, [b'0', b'0'..=b'9', ..]) {
        return false;
    }
    let mut rest = &text[digits(text)..];
    if let Some(after) = rest.strip_prefix('.') {
        rest = &after[digits(after)..];
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty() && bytes.last().is_some_and(u8::is_ascii_digit),
        Some(exponent) => {
            let exponent = exponent.strip_prefix('-').unwrap_or(exponent);
            let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// `Number(text)`, or none for what stays text in the RFC mode: no number, a `+`, a leading zero.
pub(super) fn rfc_number(text: &str) -> Option<f64> {
    let start = text.trim_start_matches(' ');
    let unsigned = start.strip_prefix('-').unwrap_or(start);
    let leading_zero = matches!(unsigned.as_bytes(), [b'0', b'0'..=b'9', ..]);
    if start.starts_with('+') || leading_zero {
        return None;
    }
    Some(parse_number(text)).filter(|number| !number.is_nan())
}

/// Node-RED's `ensureString`: objects and null as JSON.
///
/// # Errors
/// When it has no JSON.
pub(super) fn to_cell(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Bytes(_) => Ok(value.to_text()),
        value if value.type_of() == "object" => Ok(stringify(value)?.unwrap_or_default()),
        value => Ok(value.to_text()),
    }
}

/// The keys that `Object.keys` gives; none for null and undefined, which have no keys.
pub(super) fn keys(value: &Value) -> Option<Vec<String>> {
    let indices = |length: usize| (0..length).map(|index| index.to_string()).collect();
    Some(match value {
        Value::Undefined | Value::Null => return None,
        Value::Object(object) => object.keys().map(|key| key.to_string()).collect(),
        Value::Array(entries) => indices(entries.len()),
        Value::Bytes(bytes) => indices(bytes.len()),
        Value::String(text) => indices(text.encode_utf16().count()),
        Value::Error(error) => error.properties.keys().map(|key| key.to_string()).collect(),
        _ => Vec::new(),
    })
}

/// A property of any value but null and undefined; none where it has no such own property.
pub(super) fn property(value: &Value, key: &str) -> Option<Value> {
    match value {
        Value::Object(object) => object.get(key).cloned(),
        Value::Error(error) => error.properties.get(key).cloned(),
        Value::Array(entries) => entries.get(index(key)?).cloned(),
        Value::Bytes(bytes) => bytes
            .get(index(key)?)
            .map(|byte| Value::Number(f64::from(*byte))),
        Value::String(text) => text
            .chars()
            .nth(index(key)?)
            .map(|character| character.to_string().into()),
        _ => None,
    }
}

/// The number when the key is an index as JavaScript writes it.
fn index(key: &str) -> Option<usize> {
    let index: usize = key.parse().ok()?;
    (number_text(index as f64) == key).then_some(index)
}

/// The value of a cell as the legacy mode reads it.
pub(super) fn legacy_value(cell: String, parse_numbers: bool) -> Value {
    if parse_numbers {
        let trimmed = trim(&cell);
        if is_legacy_number(trimmed) {
            return Value::Number(parse_float(trimmed));
        }
    }
    cell.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_numbers() {
        for (text, number) in [
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("1E-3", Some(0.001)),
            ("5.e2", Some(500.0)),
            ("1e-+5", Some(1.0)),
            ("0.1", Some(0.1)),
            ("0", Some(0.0)),
            ("01", None),
            ("-01", None),
            ("1e", None),
            ("e5", None),
            ("5.", None),
            ("+5", None),
            ("1 2", None),
            ("", None),
            ("0x10", None),
            ("1.2.3", None),
        ] {
            let read = is_legacy_number(text).then(|| parse_float(text));
            assert_eq!(read, number, "{text}");
        }
        assert!(is_legacy_number(".e5") && parse_float(".e5").is_nan());
    }

    #[test]
    fn rfc_numbers() {
        for (text, number) in [
            ("0x1F", Some(31.0)),
            ("0b11", Some(3.0)),
            ("1e3", Some(1000.0)),
            (" 12 ", Some(12.0)),
            ("  ", Some(0.0)),
            ("+5", None),
            (" +5", None),
            ("007", None),
            ("-007", None),
            ("-0.5", Some(-0.5)),
            ("1,5", None),
            ("abc", None),
            ("Infinity", Some(f64::INFINITY)),
        ] {
            assert_eq!(rfc_number(text), number, "{text}");
        }
    }
}
