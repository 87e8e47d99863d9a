//! How a split node takes things apart, from its settings.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::pieces::{Cut, Separator};
use crate::{
    message::Value,
    nodes::shared::separator::{byte_list, unescape},
};

/// How things are taken apart.
pub(super) struct Rules {
    pub(super) text: Cut,
    pub(super) buffer: Cut,
    /// `parts.ch`, and what the separator looks like from outside.
    pub(super) ch: Value,
    pub(super) shown: Value,
    /// How many elements of an array go into one message.
    pub(super) array_length: usize,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    /// An error's text as JavaScript gives it.
    pub(super) fn read(splt: &str, kind: &str, array_length: Option<f64>) -> Result<Self, String> {
        let (text, buffer, ch, shown) = match kind {
            "len" => {
                let length = leading_integer(splt)
                    .filter(|&length| length >= 1)
                    .ok_or_else(|| format!("Error: invalid split length: {splt}"))?;
                let cut = Cut::After(length);
                (cut.clone(), cut, "".into(), length.into())
            }
            "bin" => {
                let (bytes, list) = byte_list(splt)?;
                if bytes.is_empty() {
                    return Err("Error: the separator is empty".into());
                }
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let length = bytes.len();
                (
                    at(text.as_bytes(), text.len()),
                    at(&bytes, length),
                    list,
                    bytes.into(),
                )
            }
            _ => {
                let text = unescape(if splt.is_empty() { "\\n" } else { splt });
                let bytes = text.as_bytes();
                let cut = at(bytes, bytes.len());
                let buffer = at(bytes, text.encode_utf16().count());
                let shown = Value::from(text);
                (cut, buffer, shown.clone(), shown)
            }
        };
        let array_length = match array_length {
            Some(length) if length >= 1.0 => length as usize,
            length => {
                let given = Value::Number(length.unwrap_or(f64::NAN)).to_text();
                return Err(format!("Error: invalid array split length: {given}"));
            }
        };
        Ok(Self {
            text,
            buffer,
            ch,
            shown,
            array_length,
        })
    }
}

fn at(separator: &[u8], length: usize) -> Cut {
    let finder = Finder::new(separator).into_owned();
    Cut::At(Arc::new(Separator { finder, length }))
}

/// `parseInt(text)` of JavaScript, for what may be a length.
fn leading_integer(text: &str) -> Option<usize> {
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_separator_is_refused_with_its_error() {
        for (splt, kind, array, expected) in [
            ("0", "len", 1.0, "Error: invalid split length: 0"),
            ("-2", "len", 1.0, "Error: invalid split length: -2"),
            ("x", "len", 1.0, "Error: invalid split length: x"),
            ("5", "bin", 1.0, "Error: not an array"),
            ("[]", "bin", 1.0, "Error: the separator is empty"),
            ("\\n", "str", 0.0, "Error: invalid array split length: 0"),
            (
                "\\n",
                "str",
                f64::NAN,
                "Error: invalid array split length: NaN",
            ),
        ] {
            assert_eq!(
                Rules::read(splt, kind, Some(array)).err().as_deref(),
                Some(expected)
            );
        }
        assert!(Rules::read(" 12px", "len", Some(2.5)).is_ok_and(|rules| rules.array_length == 2));
    }
}
