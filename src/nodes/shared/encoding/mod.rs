//! Text encodings by the names that Node-RED's file nodes know (those of npm's iconv-lite).

mod single_byte;
mod units;

use self::single_byte::Table;

/// How text becomes bytes and back.
#[derive(Clone, Copy, Debug)]
pub(in crate::nodes) enum TextEncoding {
    /// UTF-8 as Node.js reads it: a byte order mark stays.
    Plain,
    Utf8,
    Cesu8,
    Utf16 {
        big: bool,
    },
    /// UTF-16 that says its order by a byte order mark; little-endian without one.
    Utf16Marked,
    Utf32 {
        big: bool,
    },
    Utf32Marked,
    /// The lower byte of each character.
    Binary,
    Base64,
    Hex,
    SingleByte(&'static Table),
    MultiByte(&'static encoding_rs::Encoding),
}

impl TextEncoding {
    /// The encoding of this name; case and punctuation do not count.
    ///
    /// # Errors
    /// The sentence of iconv-lite.
    pub(in crate::nodes) fn named(name: &str) -> Result<Self, String> {
        if name == "none" {
            return Ok(Self::Plain);
        }
        let searched = canonical(name);
        Ok(match searched.as_str() {
            "utf8" | "unicode11utf8" => Self::Utf8,
            "cesu8" => Self::Cesu8,
            "ucs2" | "utf16le" => Self::Utf16 { big: false },
            "utf16be" => Self::Utf16 { big: true },
            "utf16" => Self::Utf16Marked,
            "utf32le" | "ucs4le" => Self::Utf32 { big: false },
            "utf32be" | "ucs4be" => Self::Utf32 { big: true },
            "utf32" | "ucs4" => Self::Utf32Marked,
            "binary" => Self::Binary,
            "base64" => Self::Base64,
            "hex" => Self::Hex,
            _ => match multi_byte(&searched) {
                Some(encoding) => Self::MultiByte(encoding),
                None => Self::SingleByte(single_byte::table(&searched).ok_or_else(|| {
                    format!("Encoding not recognized: '{name}' (searched as: '{searched}')")
                })?),
            },
        })
    }

    /// The text as bytes. What the encoding has no bytes for becomes `?`.
    pub(in crate::nodes) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Plain | Self::Utf8 => text.as_bytes().to_vec(),
            Self::Cesu8 => units::to_cesu8(text),
            Self::Utf16 { big } => units::to_utf16(text, big),
            Self::Utf16Marked => units::to_utf16(&format!("\u{feff}{text}"), false),
            Self::Utf32 { big } => units::to_utf32(text, big),
            Self::Utf32Marked => units::to_utf32(&format!("\u{feff}{text}"), false),
            Self::Binary => text.encode_utf16().map(|unit| unit as u8).collect(),
            Self::Base64 => units::from_base64(text),
            Self::Hex => units::from_hex(text),
            Self::SingleByte(table) => table.encode(text),
            Self::MultiByte(encoding) => encode_multi_byte(encoding, text),
        }
    }

    /// The bytes as text. What is no character becomes U+FFFD; a byte order mark is left out, but not by `Plain`.
    pub(in crate::nodes) fn decode(self, bytes: &[u8]) -> String {
        match self.settled(bytes) {
            Self::Plain => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf8 => without_mark(String::from_utf8_lossy(bytes).into_owned()),
            Self::Cesu8 => without_mark(units::from_cesu8(bytes)),
            Self::Utf16 { big } => without_mark(units::from_utf16(bytes, big)),
            Self::Utf32 { big } => without_mark(units::from_utf32(bytes, big)),
            Self::Utf16Marked | Self::Utf32Marked => String::new(),
            Self::Binary => bytes.iter().map(|&byte| char::from(byte)).collect(),
            Self::Base64 => units::to_base64(bytes),
            Self::Hex => units::to_hex(bytes),
            Self::SingleByte(table) => table.decode(bytes),
            Self::MultiByte(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    /// The encoding that the beginning of a text decides on: with or without a byte order mark, its order is known now.
    pub(in crate::nodes) fn settled(self, start: &[u8]) -> Self {
        match self {
            Self::Utf16Marked => Self::Utf16 {
                big: units::is_big_utf16(start),
            },
            Self::Utf32Marked => Self::Utf32 {
                big: units::is_big_utf32(start),
            },
            other => other,
        }
    }

    /// The bytes of a line feed, on a boundary of their own length; none where lines cannot be told by bytes.
    pub(in crate::nodes) fn line_feed(self) -> Option<&'static [u8]> {
        match self {
            Self::Utf16 { big: false } => Some(b"\n\0"),
            Self::Utf16 { big: true } => Some(b"\0\n"),
            Self::Utf32 { big: false } => Some(b"\n\0\0\0"),
            Self::Utf32 { big: true } => Some(b"\0\0\0\n"),
            Self::Base64 | Self::Hex | Self::Utf16Marked | Self::Utf32Marked => None,
            _ => Some(b"\n"),
        }
    }
}

fn canonical(name: &str) -> String {
    let name = name.to_lowercase();
    // A year, as in ISO_8859-1:1987.
    let name = match name.rsplit_once(':') {
        Some((name, year)) if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => &name,
    };
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn without_mark(text: String) -> String {
    match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    }
}

fn multi_byte(name: &str) -> Option<&'static encoding_rs::Encoding> {
    Some(match name {
        "932" | "shiftjis" | "csshiftjis" | "mskanji" | "sjis" | "windows31j" | "ms31j"
        | "xsjis" | "windows932" | "ms932" | "cp932" => encoding_rs::SHIFT_JIS,
        "eucjp" => encoding_rs::EUC_JP,
        "936" | "gb2312" | "gb231280" | "gb23121980" | "csgb2312" | "csiso58gb231280" | "euccn"
        | "windows936" | "ms936" | "cp936" | "gbk" | "xgbk" | "isoir58" => encoding_rs::GBK,
        "gb18030" | "chinese" => encoding_rs::GB18030,
        "949" | "windows949" | "ms949" | "cp949" | "cseuckr" | "csksc56011987" | "euckr"
        | "isoir149" | "korean" | "ksc56011987" | "ksc56011989" | "ksc5601" => encoding_rs::EUC_KR,
        "950" | "windows950" | "ms950" | "cp950" | "big5" | "big5hkscs" | "cnbig5" | "csbig5"
        | "xxbig5" => encoding_rs::BIG5,
        _ => return None,
    })
}

fn encode_multi_byte(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    loop {
        let room = encoder
            .max_buffer_length_from_utf8_without_replacement(rest.len())
            .unwrap_or(rest.len() * 4 + 16);
        out.reserve(room);
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            encoding_rs::EncoderResult::InputEmpty => return out,
            encoding_rs::EncoderResult::OutputFull => {}
            encoding_rs::EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_there_and_back() {
        for (name, text, bytes) in [
            (
                "none",
                "aé€😀",
                &b"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"[..],
            ),
            ("UTF-8", "é", b"\xc3\xa9"),
            ("cesu-8", "😀", b"\xed\xa0\xbd\xed\xb8\x80"),
            ("utf-16le", "a😀", b"a\0\x3d\xd8\x00\xde"),
            ("utf-16be", "a€", b"\0a\x20\xac"),
            ("utf-16", "a", b"\xff\xfea\0"),
            ("utf-32be", "😀", b"\0\x01\xf6\x00"),
            ("utf-32", "a", b"\xff\xfe\0\0a\0\0\0"),
            ("binary", "é", b"\xe9"),
            ("latin1", "é", b"\xe9"),
            ("hex", "0aff", b"\x0a\xff"),
            ("base64", "AQID", b"\x01\x02\x03"),
            ("Windows-1252", "€", b"\x80"),
            ("ISO_8859-15:1998", "€", b"\xa4"),
            ("cp437", "é█", b"\x82\xdb"),
            ("koi8-r", "Я", b"\xf1"),
            ("Shift_JIS", "日本", b"\x93\xfa\x96\x7b"),
            ("EUC-JP", "日", b"\xc6\xfc"),
            ("GB2312", "中", b"\xd6\xd0"),
            ("GB18030", "😀", b"\x94\x39\xfc\x36"),
            ("Big5", "中", b"\xa4\xa4"),
            ("KS_C_5601", "한", b"\xc7\xd1"),
        ] {
            let encoding = TextEncoding::named(name).unwrap();
            assert_eq!(encoding.encode(text), bytes, "{name}");
            assert_eq!(encoding.decode(bytes), text, "{name}");
        }
    }

    #[test]
    fn what_has_no_bytes_is_a_question_mark() {
        for (name, text, expected) in [
            ("ascii", "aé😀", "a???"),
            ("cp1252", "日", "?"),
            ("sjis", "a😀b", "a?b"),
        ] {
            let encoding = TextEncoding::named(name).unwrap();
            assert_eq!(encoding.encode(text), expected.as_bytes(), "{name}");
        }
    }

    #[test]
    fn marks_are_left_out_but_not_without_an_encoding() {
        let decode = |name: &str, bytes: &[u8]| TextEncoding::named(name).unwrap().decode(bytes);
        assert_eq!(decode("none", b"\xef\xbb\xbfa"), "\u{feff}a");
        assert_eq!(decode("utf8", b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode("utf16le", b"\xff\xfea\0"), "a");
        assert_eq!(decode("utf16", b"\xfe\xff\0a"), "a");
        assert_eq!(decode("utf16", b"a\0b\0"), "ab");
        assert_eq!(decode("utf16", b"\0a\0b"), "ab");
        assert_eq!(decode("utf32", b"\0\0\xfe\xff\0\0\0a"), "a");
    }

    #[test]
    fn an_unknown_name_is_told() {
        assert_eq!(
            TextEncoding::named("No-Such").unwrap_err(),
            "Encoding not recognized: 'No-Such' (searched as: 'nosuch')"
        );
    }
}
