//! Texts and keys between quotes, as JavaScript would read them.

use std::fmt::Write;

/// The text between quotes: single ones if it holds none.
pub(super) fn quote(text: &str) -> String {
    let mark = match text {
        _ if !text.contains('\'') => '\'',
        _ if !text.contains('"') => '"',
        _ if !text.contains('`') && !text.contains("${") => '`',
        _ => '\'',
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for character in text.chars() {
        match character {
            '\'' if mark == '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\x{:02X}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push(mark);
    out
}

/// The name of a property: as it is if it is a plain name.
pub(super) fn key(name: &str) -> String {
    if name == "__proto__" {
        return "['__proto__']".into();
    }
    let is_plain = |(at, character): (usize, char)| {
        character == '_' || character.is_ascii_alphabetic() || at > 0 && character.is_ascii_digit()
    };
    match !name.is_empty() && name.char_indices().all(is_plain) {
        true => name.to_owned(),
        false => quote(name),
    }
}
