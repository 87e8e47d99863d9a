//! A single word of YAML: what it is without a tag, and what a tag makes of it.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regex_lite::{Captures, Regex};

use super::core_tag;
use crate::message::Value;

static FLOAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)$")
        .ok()
});

static TIMESTAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})",
        r"(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?",
        r"(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?$",
    ))
    .ok()
});

/// A plain scalar: null, a boolean, a number, a time, else text.
pub(super) fn implicit(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    if let Some(bool) = boolean(text) {
        return bool.into();
    }
    if let Some(number) = integer(text).or_else(|| float(text)) {
        return number.into();
    }
    timestamp(text).map_or_else(|| text.into(), Value::Date)
}

/// A scalar with a tag.
///
/// # Errors
/// When the tag is not known or does not fit the text.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Value, String> {
    let value = match core_tag(tag) {
        "str" => Some(text.into()),
        "null" => (text.is_empty() || is_null(text)).then_some(Value::Null),
        "bool" => boolean(text).map(Value::from),
        "int" => integer(text).map(Value::from),
        "float" => float(text).map(Value::from),
        "timestamp" => timestamp(text).map(Value::Date),
        "merge" => (text == "<<").then(|| text.into()),
        "binary" => {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            STANDARD
                .decode(digits)
                .ok()
                .map(|bytes| Value::Bytes(bytes.into()))
        }
        // An empty collection with a tag has no content of its own.
        "map" | "set" if text.is_empty() => Some(Value::Object(Default::default())),
        "seq" | "omap" | "pairs" if text.is_empty() => Some(Vec::new().into()),
        other => {
            return Err(format!(
                "the tag {other} does not fit here, or is not known"
            ));
        }
    };
    value.ok_or_else(|| format!("\"{text}\" does not fit its tag {}", core_tag(tag)))
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<f64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let (digits, radix) = match digits.get(..2) {
        Some("0b") => (&digits[2..], 2),
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        _ => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = if radix == 10 {
        digits.parse().ok()?
    } else {
        // Exact up to 2^53, as far as anybody writes such numbers.
        digits
            .chars()
            .filter_map(|c| c.to_digit(radix))
            .fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit))
    };
    Some(sign * number).filter(|number| number.is_finite())
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    if !FLOAT.as_ref()?.is_match(text) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Milliseconds since 1970.
fn timestamp(text: &str) -> Option<f64> {
    let parts = TIMESTAMP.as_ref()?.captures(text)?;
    let hour = number(&parts, 4);
    // A date alone has two digits each.
    if hour.is_none() && text.len() != "2001-01-01".len() {
        return None;
    }
    // As JavaScript's Date.UTC: a 13th month or 32nd day counts on; years below 100 are those of 1900.
    let (year, month) = (number(&parts, 1)?, number(&parts, 2)? - 1);
    let year = if year < 100 { 1900 + year } else { year };
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    let first = chrono::NaiveDate::from_ymd_opt(year as i32, month as u32 + 1, 1)?;
    let days = first
        .signed_duration_since(chrono::NaiveDate::default())
        .num_days()
        + number(&parts, 3)?
        - 1;
    let part = |index| number(&parts, index).unwrap_or(0);
    let fraction = parts.get(7).map_or("", |found| found.as_str());
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let zone = (part(9) * 60 + part(10)) * 60_000;
    let zone = match parts.get(8).map(|sign| sign.as_str()) {
        Some("-") => -zone,
        _ => zone,
    };
    let seconds = ((days * 24 + part(4)) * 60 + part(5)) * 60 + part(6);
    Some((seconds * 1000 + millis - zone) as f64)
}

fn number(parts: &Captures, index: usize) -> Option<i64> {
    parts.get(index)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_what_they_look_like() {
        for (text, expected) in [
            ("~", Value::Null),
            ("NULL", Value::Null),
            ("True", true.into()),
            ("yes", "yes".into()),
            ("0o17", 15.into()),
            ("017", 17.into()),
            ("0x1F", 31.into()),
            ("-0b11", (-3).into()),
            ("+5", 5.into()),
            ("1_000", "1_000".into()),
            ("1.5e3", 1500.into()),
            (".5", Value::Number(0.5)),
            ("-.5", "-.5".into()),
            ("1e999", "1e999".into()),
            ("-.inf", f64::NEG_INFINITY.into()),
            (".nan", f64::NAN.into()),
            ("2001-12-14", Value::Date(1_008_288_000_000.0)),
            (
                "2001-12-14t21:59:43.10-05:00",
                Value::Date(1_008_385_183_100.0),
            ),
            ("2001-12-14 21:59:43.1 -5", Value::Date(1_008_385_183_100.0)),
            ("2001-1-1", "2001-1-1".into()),
            ("12:30", "12:30".into()),
            ("1.2.3", "1.2.3".into()),
        ] {
            assert_eq!(implicit(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_decide() {
        assert_eq!(tagged("tag:yaml.org,2002:str", "5").unwrap(), "5".into());
        assert_eq!(tagged("tag:yaml.org,2002:float", "5").unwrap(), 5.into());
        let bytes = Value::Bytes(vec![1, 2, 3].into());
        assert_eq!(tagged("tag:yaml.org,2002:binary", "AQ\nID").unwrap(), bytes);
        assert!(tagged("tag:yaml.org,2002:binary", "?").is_err());
        assert!(tagged("!mine", "x").is_err());
    }
}
