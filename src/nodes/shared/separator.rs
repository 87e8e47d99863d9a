//! What stands between the pieces of a text or buffer, as split and join take it from their settings.

use bytes::Bytes;

use crate::message::{Value, parse_json};

/// The text with its escapes replaced. `\e` is an `e`, as in Node-RED, and what is no escape stays as it is.
pub(in crate::nodes) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let character = match rest.as_bytes().get(at + 1) {
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'e') => 'e',
            Some(b'f') => '\u{c}',
            Some(b'0') => '\0',
            _ => {
                out.push('\\');
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.push(character);
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    out
}

/// The bytes that a JSON list names, and that list.
///
/// # Errors
/// An error's text as JavaScript gives it, when the text is no JSON or no list.
pub(in crate::nodes) fn byte_list(json: &str) -> Result<(Bytes, Value), String> {
    match parse_json(json) {
        Ok(Value::Array(list)) => Ok((
            list.iter().map(Value::to_byte).collect(),
            Value::Array(list),
        )),
        Ok(_) => Err("Error: not an array".into()),
        Err(error) => Err(format!("SyntaxError: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        for (text, expected) in [
            ("\\n", "\n"),
            ("a\\r\\n\\tb", "a\r\n\tb"),
            ("\\0\\f\\e", "\0\u{c}e"),
            ("\\\\n", "\\\n"),
            ("\\x\\", "\\x\\"),
            ("é\\né", "é\né"),
            ("", ""),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_are_read_as_buffer_from_reads_them() {
        let (bytes, _) = byte_list("[1, 256, -1, \"3\", null, {}]").unwrap();
        assert_eq!(&*bytes, [1, 0, 255, 3, 0, 0]);
        assert_eq!(byte_list("5").unwrap_err(), "Error: not an array");
        assert!(byte_list("[").unwrap_err().starts_with("SyntaxError: "));
    }
}
