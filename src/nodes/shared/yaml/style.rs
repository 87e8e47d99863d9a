//! How a text is written: plain, quoted, or as a block. js-yaml's choice, character by character.

use std::fmt::Write;

use super::{scalar, write::INDENT};

/// js-yaml's width of a line, and the least that deep indentation leaves.
const WIDTH: usize = 80;
const LEAST_WIDTH: usize = 40;

/// Writes a text at a level of indentation; a key stays on one line.
pub(super) fn write_text(out: &mut String, text: &str, level: usize, is_key: bool) {
    if text.is_empty() {
        out.push_str("''");
        return;
    }
    if is_old_boolean(text) || is_base_60(text) {
        quote(out, text);
        return;
    }
    let indent = INDENT * level.max(1);
    let width = LEAST_WIDTH.max(WIDTH.saturating_sub(indent));
    match style(text, is_key, width) {
        Style::Plain => out.push_str(text),
        Style::Single => quote(out, text),
        Style::Double => double_quote(out, text),
        Style::Literal => {
            out.push('|');
            block(out, text, text, indent);
        }
        Style::Folded => {
            out.push('>');
            block(out, text, &fold(text, width), indent);
        }
    }
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

fn style(text: &str, one_line: bool, width: usize) -> Style {
    let mut plain = text.chars().next().is_some_and(may_begin_plain)
        && text
            .chars()
            .next_back()
            .is_some_and(|c| !matches!(c, ' ' | '\t' | ':'));
    let mut before = None;
    for c in text.chars() {
        if !is_printable(c) && (one_line || c != '\n') {
            return Style::Double;
        }
        plain = plain && may_stand_in_plain(c, before);
        before = Some(c);
    }
    let foldable = |line: &str| !line.starts_with(' ') && line.encode_utf16().nth(width).is_some();
    if !one_line {
        if text.split('\n').any(foldable) {
            return Style::Folded;
        }
        if text.contains('\n') {
            return Style::Literal;
        }
    }
    if plain && !scalar::is_ambiguous(text) {
        Style::Plain
    } else {
        Style::Single
    }
}

/// YAML 1.1's booleans, which older readers still take for such.
fn is_old_boolean(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// YAML 1.1's numbers such as 12:30:45.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    whole.contains(':')
        && whole
            .split(':')
            .all(|part| !part.is_empty() && part.bytes().all(is_digit))
        && fraction.bytes().all(is_digit)
}

fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn may_begin_plain(c: char) -> bool {
    is_printable(c) && !matches!(c, ' ' | '\t') && !"-?:,[]{}#&*!|=>'\"%@`".contains(c)
}

fn may_stand_in_plain(c: char, before: Option<char>) -> bool {
    let is_text = |c: char| is_printable(c) && !matches!(c, ' ' | '\t');
    let after_colon = before == Some(':');
    (is_printable(c) && c != '#' && (!after_colon || is_text(c)))
        || (c == '#' && before.is_some_and(is_text))
        || (after_colon && is_text(c))
}

fn quote(out: &mut String, text: &str) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

fn double_quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        let escape = match c {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            c if is_printable(c) => {
                out.push(c);
                continue;
            }
            c => {
                let code = u32::from(c);
                // Writing into a String cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
}

/// The header and lines of a block; the last line's end is left to what follows.
fn block(out: &mut String, text: &str, lines: &str, indent: usize) {
    if text.trim_start_matches('\n').starts_with(' ') {
        out.push_str(&INDENT.to_string());
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text == "\n" || text.ends_with("\n\n") {
        out.push('+');
    }
    out.push('\n');
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    for (index, line) in lines.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

/// Breaks long lines. A single line break means a blank in this style, so each real one is doubled, but for those
/// around lines that begin with a blank.
fn fold(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / width + 16);
    let first = text.find('\n').unwrap_or(text.len());
    fold_line(&mut out, &text[..first], width);
    let mut indented_before = text.starts_with(['\n', ' ']);
    let mut rest = &text[first..];
    while !rest.is_empty() {
        let line_at = rest.find(|c| c != '\n').unwrap_or(rest.len());
        let (breaks, after) = rest.split_at(line_at);
        let end = after.find('\n').unwrap_or(after.len());
        let (line, after) = after.split_at(end);
        let indented = line.starts_with(' ');
        out.push_str(breaks);
        if !indented_before && !indented && !line.is_empty() {
            out.push('\n');
        }
        fold_line(&mut out, line, width);
        indented_before = indented;
        rest = after;
    }
    out
}

/// Puts the line's words onto lines as long as the width allows, counted as JavaScript counts.
fn fold_line(out: &mut String, line: &str, width: usize) {
    if line.is_empty() || line.starts_with(' ') {
        out.push_str(line);
        return;
    }
    // Where a line may be broken: at a blank that no other follows. As bytes, and as JavaScript counts.
    let mut breaks = Vec::new();
    let mut units = 0;
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == ' ' && characters.peek().is_some_and(|(_, next)| *next != ' ') {
            breaks.push((at, units));
        }
        units += c.len_utf16();
    }
    let (mut start, mut current) = ((0, 0), (0, 0));
    for next in breaks {
        // After a break the scan goes on behind the character that follows it.
        if next.1 - start.1 > width {
            let end = if current.1 > start.1 { current } else { next };
            out.push_str(&line[start.0..end.0]);
            out.push('\n');
            start = (end.0 + 1, end.1 + 1);
        }
        current = next;
    }
    if units - start.1 > width && current.1 > start.1 {
        out.push_str(&line[start.0..current.0]);
        out.push('\n');
        start = (current.0 + 1, current.1 + 1);
    }
    out.push_str(&line[start.0..]);
}
