//! Texts as numbers, the way JavaScript reads them.

/// What JavaScript takes for a blank: its white space and its line ends.
pub(super) fn is_blank(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// `text.trim()` of JavaScript.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// `Number(text)` of JavaScript: blanks around are ignored, empty is 0, what is no number is NaN.
pub fn parse_number(text: &str) -> f64 {
    let text = trim(text);
    if text.is_empty() {
        return 0.0;
    }
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return decimal(text),
    };
    let digits = &text[2..];
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return f64::NAN;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(number) => number as f64,
        // Too long for an integer: the sum of its digits, which is off by a few last bits at most.
        Err(_) => digits.chars().fold(0.0, |sum, digit| {
            digit
                .to_digit(radix)
                .map_or(f64::NAN, |digit| sum * f64::from(radix) + f64::from(digit))
        }),
    }
}

/// `parseFloat(text)` of JavaScript: the number at the beginning of the text, NaN where there is none ("70F" is 70).
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_blank);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.len() - unsigned.len();
    if unsigned.starts_with("Infinity") {
        return decimal(&text[..sign + "Infinity".len()]);
    }
    let digits = |from: usize| {
        let rest = &unsigned.as_bytes()[from..];
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut end = digits(0);
    if unsigned[end..].starts_with('.') {
        end = digits(end + 1);
    }
    let mantissa = end;
    if unsigned[end..].starts_with(['e', 'E']) {
        let signed = usize::from(unsigned[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + signed);
        if exponent > end + 1 + signed {
            end = exponent;
        }
    }
    // A dot alone is no number, with or without an exponent after it.
    if !unsigned[..mantissa]
        .bytes()
        .any(|byte| byte.is_ascii_digit())
    {
        return f64::NAN;
    }
    decimal(&text[..sign + end])
}

fn decimal(text: &str) -> f64 {
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust also reads "inf" and "nan", which JavaScript does not.
        _ if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) =>
        {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// `Math.round(number)` of JavaScript: halves go up.
pub fn round(number: f64) -> f64 {
    let floor = number.floor();
    let rounded = if number - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    };
    if rounded == 0.0 {
        rounded.copysign(number)
    } else {
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers_as_in_javascript() {
        for (text, number) in [
            ("", 0.0),
            (" 12 ", 12.0),
            ("\u{feff}\n7\u{a0}", 7.0),
            ("0x1f", 31.0),
            ("0b101", 5.0),
            ("0x1fffffffffffffffff", 5.902_958_103_587_057e20),
            ("1e3", 1000.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("1e999", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse_number(text), number, "{text:?}");
        }
        for text in [
            "inf",
            "nan",
            "12px",
            "1_000",
            "0x",
            "0x-1",
            "0xfffffffffffffffffg",
            "+-1",
            "é",
            "\u{85}1",
            ".",
            "1 2",
            "-0x10",
        ] {
            assert!(parse_number(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn numbers_at_the_beginning_of_a_text() {
        for (text, number) in [
            ("70F", 70.0),
            ("  -3.5e2x", -350.0),
            ("+.5.5", 0.5),
            ("5.", 5.0),
            ("1e", 1.0),
            ("1e+", 1.0),
            ("0x1f", 0.0),
            ("-Infinityx", f64::NEG_INFINITY),
            ("12é", 12.0),
        ] {
            assert_eq!(parse_float(text), number, "{text:?}");
        }
        for text in ["", "F70", ".", "-", "+e5", ".e5", "Inf", "é1"] {
            assert!(parse_float(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        for (number, rounded) in [
            (2.5, 3.0),
            (-2.5, -2.0),
            (0.499_999_999_999_999_94, 0.0),
            (4_503_599_627_370_497.5, 4_503_599_627_370_498.0),
            (-2.6, -3.0),
            (f64::NEG_INFINITY, f64::NEG_INFINITY),
        ] {
            assert_eq!(round(number), rounded, "{number}");
        }
        assert!(round(-0.2).is_sign_negative() && round(f64::NAN).is_nan());
    }
}
