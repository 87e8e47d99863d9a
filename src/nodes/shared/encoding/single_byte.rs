//! Encodings with a byte for each character, from `single_byte.txt`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

static SOURCE: &str = include_str!("single_byte.txt");

/// What is not in the encoding.
const UNKNOWN: char = '\u{fffd}';

/// An encoding: the characters of its 256 bytes, and their bytes.
#[derive(Debug)]
pub(in crate::nodes) struct Table {
    chars: Vec<char>,
    bytes: FxHashMap<char, u8>,
}

/// The encoding of this name, which is in lower case and without punctuation.
pub(super) fn table(name: &str) -> Option<&'static Table> {
    static TABLES: LazyLock<FxHashMap<&str, usize>> = LazyLock::new(|| {
        let names = lines()
            .enumerate()
            .flat_map(|(place, (names, _))| names.split(' ').map(move |name| (name, place)));
        names.collect()
    });
    static READ: LazyLock<Vec<std::sync::OnceLock<Table>>> =
        LazyLock::new(|| lines().map(|_| std::sync::OnceLock::new()).collect());
    let place = *TABLES.get(name)?;
    let (_, chars) = lines().nth(place)?;
    Some(READ.get(place)?.get_or_init(|| Table::read(chars)))
}

/// Names and characters of each encoding.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCE
        .split('\n')
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
}

impl Table {
    fn read(source: &str) -> Self {
        let listed = unescape(source);
        let mut chars: Vec<char> = match listed.len() {
            256 => Vec::new(),
            _ => (0..128_u8).map(char::from).collect(),
        };
        chars.extend(listed);
        // Where two bytes mean the same character the later one is written, as iconv-lite does.
        let bytes = (0..=u8::MAX)
            .zip(&chars)
            .map(|(byte, char)| (*char, byte))
            .collect();
        Self { chars, bytes }
    }

    pub(super) fn decode(&self, bytes: &[u8]) -> String {
        let char = |byte: &u8| self.chars.get(usize::from(*byte)).copied();
        bytes
            .iter()
            .map(|byte| char(byte).unwrap_or(UNKNOWN))
            .collect()
    }

    /// A character outside the first plane is two units in JavaScript, and becomes two question marks.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for char in text.chars() {
            match self.bytes.get(&char) {
                Some(byte) => out.push(*byte),
                None => out.extend(std::iter::repeat_n(b'?', char.len_utf16())),
            }
        }
        out
    }
}

/// Characters as the file has them: `\xx` and `\uxxxx` for those that can't be seen.
fn unescape(source: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(128);
    let mut rest = source;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        if char != '\\' {
            out.push(char);
            continue;
        }
        let length = if rest.starts_with('u') { 5 } else { 2 };
        let (code, after) = rest.split_at(length.min(rest.len()));
        let code = u32::from_str_radix(code.trim_start_matches('u'), 16).ok();
        out.push(code.and_then(char::from_u32).unwrap_or(UNKNOWN));
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_has_a_character_for_each_byte() {
        let mut count = 0;
        for (names, _) in lines() {
            let name = names.split(' ').next().unwrap();
            let table = table(name).unwrap();
            assert_eq!(table.chars.len(), 256, "{name}");
            assert!(table.bytes.len() > 100, "{name}");
            count += 1;
        }
        assert_eq!(count, 81);
    }

    #[test]
    fn aliases_name_the_same() {
        let pointer = |name| std::ptr::from_ref(table(name).unwrap());
        assert_eq!(pointer("latin1"), pointer("iso88591"));
        assert_eq!(pointer("cp1252"), pointer("windows1252"));
        assert!(table("utf7").is_none());
    }
}
