//! Encodings of Unicode in units of two and four bytes, and bytes as text.

use std::fmt::Write as _;

use base64::{Engine as _, alphabet, engine};

const BIG_MARK_16: &[u8] = b"\xfe\xff";
const LITTLE_MARK_16: &[u8] = b"\xff\xfe";
const BIG_MARK_32: &[u8] = b"\0\0\xfe\xff";
const LITTLE_MARK_32: &[u8] = b"\xff\xfe\0\0";
/// Characters that are looked at to guess an order.
const GUESSED: usize = 100;

pub(super) fn to_utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    text.encode_utf16().flat_map(bytes).collect()
}

pub(super) fn from_utf16(bytes: &[u8], big: bool) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    lossy(units)
}

pub(super) fn to_utf32(text: &str, big: bool) -> Vec<u8> {
    let bytes = |char: char| {
        let code = u32::from(char);
        if big {
            code.to_be_bytes()
        } else {
            code.to_le_bytes()
        }
    };
    text.chars().flat_map(bytes).collect()
}

pub(super) fn from_utf32(bytes: &[u8], big: bool) -> String {
    let (groups, rest) = bytes.as_chunks::<4>();
    let char = |group: &[u8; 4]| {
        let code = if big {
            u32::from_be_bytes(*group)
        } else {
            u32::from_le_bytes(*group)
        };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let cut = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    groups.iter().map(char).chain(cut).collect()
}

/// UTF-8 of UTF-16 units: a character outside the first plane takes six bytes.
pub(super) fn to_cesu8(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match unit {
            0..0x80 => out.push(unit as u8),
            0x80..0x800 => out.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]),
            _ => out.extend([
                0xe0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3f) as u8,
                0x80 | (unit & 0x3f) as u8,
            ]),
        }
    }
    out
}

pub(super) fn from_cesu8(bytes: &[u8]) -> String {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let (length, start) = match first {
            0..0x80 => (0, u16::from(first)),
            0xc0..0xe0 => (1, u16::from(first & 0x1f)),
            0xe0..0xf0 => (2, u16::from(first & 0x0f)),
            _ => (0, 0xfffd),
        };
        let tail = after
            .iter()
            .take(length)
            .take_while(|byte| **byte & 0xc0 == 0x80);
        let tail: Vec<u8> = tail.copied().collect();
        units.push(match tail.len() == length {
            true => tail
                .iter()
                .fold(start, |unit, byte| unit << 6 | u16::from(byte & 0x3f)),
            false => 0xfffd,
        });
        rest = &after[tail.len()..];
    }
    lossy(units.into_iter())
}

fn lossy(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units)
        .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// By the mark, else by where the zero bytes of ASCII characters stand.
pub(super) fn is_big_utf16(start: &[u8]) -> bool {
    if start.starts_with(BIG_MARK_16) || start.starts_with(LITTLE_MARK_16) {
        return start.starts_with(BIG_MARK_16);
    }
    let (pairs, _) = start.as_chunks::<2>();
    let count = |is: fn(&[u8; 2]) -> bool| pairs.iter().take(GUESSED).filter(|p| is(p)).count();
    count(|pair| pair[0] == 0 && pair[1] != 0) > count(|pair| pair[0] != 0 && pair[1] == 0)
}

/// By the mark, else by which order gives characters at all.
pub(super) fn is_big_utf32(start: &[u8]) -> bool {
    if start.starts_with(BIG_MARK_32) || start.starts_with(LITTLE_MARK_32) {
        return start.starts_with(BIG_MARK_32);
    }
    let (groups, _) = start.as_chunks::<4>();
    let invalid = |read: fn([u8; 4]) -> u32| {
        let codes = groups.iter().take(GUESSED).map(|group| read(*group));
        codes.filter(|code| char::from_u32(*code).is_none()).count()
    };
    invalid(u32::from_be_bytes) < invalid(u32::from_le_bytes)
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String never fails.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// As Node.js reads hex: up to the first pair that is none.
pub(super) fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs
        .iter()
        .map_while(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    engine::general_purpose::STANDARD.encode(bytes)
}

/// As iconv-lite has Node.js read base64: whole groups of four characters first, then what is left.
pub(super) fn from_base64(text: &str) -> Vec<u8> {
    let whole = text.chars().count() / 4 * 4;
    let end = text
        .char_indices()
        .nth(whole)
        .map_or(text.len(), |(end, _)| end);
    let (groups, rest) = text.split_at(end);
    let mut bytes = from_digits(groups);
    bytes.extend(from_digits(rest));
    bytes
}

/// As Node.js reads base64: either alphabet, up to the first `=`; what is no digit is skipped.
fn from_digits(text: &str) -> Vec<u8> {
    let digits = text.bytes().take_while(|byte| *byte != b'=');
    let mut digits: Vec<u8> = digits
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    let lenient = engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(engine::DecodePaddingMode::RequireNone);
    let engine = engine::GeneralPurpose::new(&alphabet::STANDARD, lenient);
    engine.decode(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_and_hex_forgive_what_node_js_forgives() {
        assert_eq!(from_digits("AQ ID\n_-8="), b"\x01\x02\x03\xff\xef");
        assert_eq!(from_base64("AQ ID\n_-8="), b"\x01\x02\x03\xff");
        assert_eq!(from_base64("AQIDB"), b"\x01\x02\x03");
        assert_eq!(from_hex("0aFFzz11"), b"\x0a\xff");
        assert_eq!(from_hex("abc"), b"\xab");
    }

    #[test]
    fn broken_text_is_marked() {
        assert_eq!(from_utf16(b"\x00\xd8a\0b", false), "\u{fffd}a");
        assert_eq!(from_cesu8(b"a\xe2\x82"), "a\u{fffd}");
        assert_eq!(from_utf32(b"\xff\xff\xff\xff", true), "\u{fffd}");
    }
}
