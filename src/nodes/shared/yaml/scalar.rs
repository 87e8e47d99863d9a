//! Which value a scalar is: js-yaml's default schema (YAML 1.2 core, with timestamps, binary data and merge keys).

use std::sync::Arc;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::message::{TypedArray, Value};

/// What a plain scalar without a tag is.
pub(super) enum Plain {
    Value(Value),
    /// `<<`, which as a key merges its value into the mapping.
    Merge,
}

/// The value of a plain scalar without a tag: null, bool, number, time, or text.
pub(super) fn plain(text: &str) -> Plain {
    if text == "<<" {
        return Plain::Merge;
    }
    let found = null(text)
        .or_else(|| bool(text))
        .or_else(|| integer(text))
        .or_else(|| float(text))
        .or_else(|| timestamp(text));
    Plain::Value(found.unwrap_or_else(|| text.into()))
}

/// Whether a plain scalar with this text would be something else than text.
pub(super) fn is_ambiguous(text: &str) -> bool {
    !matches!(plain(text), Plain::Value(Value::String(_)))
}

/// The value of a scalar with a tag of YAML's own; `None` when the text is none of that kind.
/// An unknown name is an error.
pub(super) fn tagged(name: &str, text: &str, empty: bool) -> Result<Option<Value>, ()> {
    Ok(match name {
        "str" => Some(text.into()),
        "null" if empty => Some(Value::Null),
        "null" => null(text),
        "bool" => bool(text),
        "int" => integer(text),
        "float" => float(text),
        "timestamp" => timestamp(text),
        "binary" if !empty => binary(text),
        "merge" if text == "<<" => Some(text.into()),
        "map" | "set" if empty => Some(Value::Object(Default::default())),
        "seq" | "omap" | "pairs" if empty => Some(Vec::new().into()),
        "binary" | "merge" => None,
        _ => return Err(()),
    })
}

fn null(text: &str) -> Option<Value> {
    matches!(text, "~" | "null" | "Null" | "NULL").then_some(Value::Null)
}

fn bool(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Decimal, or 0b, 0o, 0x.
fn integer(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0x") => (16, &digits[2..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = if radix == 10 {
        digits.parse::<f64>().ok()?
    } else {
        digits
            .chars()
            .filter_map(|digit| digit.to_digit(radix))
            .fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit))
    };
    // "-0" is a plain 0 to js-yaml.
    let sign = if digits == "0" { 1.0 } else { sign };
    number.is_finite().then_some(Value::Number(sign * number))
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(Value::Number(sign * f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Value::Number(f64::NAN));
    }
    // [-+]digits[.digits][e[-+]digits], or .digits[e…] without a sign
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let fraction = digits(after);
        if whole == 0 && (fraction == 0 || unsigned.len() != text.len()) {
            return None;
        }
        rest = &after[fraction..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    let number: f64 = unsigned.parse().ok()?;
    number.is_finite().then_some(Value::Number(sign * number))
}

/// `2001-12-14`, or with a time: `2001-12-14t21:59:43.10-05:00`, `2001-12-14 21:59:43 Z`.
fn timestamp(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    if !(8..=60).contains(&bytes.len()) || !bytes[0].is_ascii_digit() || bytes[4] != b'-' {
        return None;
    }
    let mut scan = Scan { rest: text };
    let year = scan.digits(4, 4)?;
    scan.mark("-")?;
    let month = scan.digits(1, 2)?;
    scan.mark("-")?;
    let day = scan.digits(1, 2)?;
    if scan.rest.is_empty() {
        return (text.len() == 10).then(|| Value::Date(utc(year, month, day, [0; 4])));
    }
    if scan.mark("t").or_else(|| scan.mark("T")).is_none() {
        scan.blanks(1)?;
    }
    let hour = scan.digits(1, 2)?;
    scan.mark(":")?;
    let minute = scan.digits(2, 2)?;
    scan.mark(":")?;
    let second = scan.digits(2, 2)?;
    let mut fraction = 0;
    if scan.mark(".").is_some() {
        let digits: String = scan.rest.chars().take_while(char::is_ascii_digit).collect();
        scan.rest = &scan.rest[digits.len()..];
        fraction = format!("{digits:0<3}").get(..3)?.parse().ok()?;
    }
    let time = utc(year, month, day, [hour, minute, second, fraction]);
    if scan.rest.is_empty() {
        return Some(Value::Date(time));
    }
    scan.blanks(0)?;
    let sign = match scan.rest.chars().next()? {
        'Z' if scan.rest.len() == 1 => return Some(Value::Date(time)),
        '-' => -1,
        '+' => 1,
        _ => return None,
    };
    scan.rest = &scan.rest[1..];
    let zone_hour = scan.digits(1, 2)?;
    let zone_minute = if scan.mark(":").is_some() {
        scan.digits(2, 2)?
    } else {
        0
    };
    let offset = sign * (zone_hour * 60 + zone_minute) * 60_000;
    scan.rest
        .is_empty()
        .then_some(Value::Date(time - offset as f64))
}

struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    fn mark(&mut self, mark: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(mark)?;
        Some(())
    }

    fn blanks(&mut self, least: usize) -> Option<()> {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let count = self.rest.len() - rest.len();
        self.rest = rest;
        (count >= least).then_some(())
    }
}

/// `Date.UTC`: months and days beyond their range run over into the next ones.
fn utc(year: i64, month: i64, day: i64, [hour, minute, second, ms]: [i64; 4]) -> f64 {
    // Date.UTC takes the years 0 to 99 for those of the last century.
    let year = if year < 100 { year + 1900 } else { year };
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    // Days since 1970-01-01 of the first of the month (Howard Hinnant's days_from_civil).
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    ((((days + day - 1) * 24 + hour) * 60 + minute) * 60 + second) as f64 * 1000.0 + ms as f64
}

/// `!!binary`: base64 with line breaks.
fn binary(text: &str) -> Option<Value> {
    let clean: String = text
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '='))
        .collect();
    let padded = text.chars().filter(|c| !matches!(c, '\n' | '\r')).count();
    if padded * 6 % 8 != 0 {
        return None;
    }
    let forgiving = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let bytes = forgiving.decode(clean).ok()?.into();
    Some(Value::TypedArray(Arc::new(TypedArray {
        kind: "Uint8Array".into(),
        bytes,
    })))
}
