//! JavaScript's comparisons: `==`, `===`, `<` and Node-RED's deep comparison.

use std::{borrow::Cow, cmp::Ordering};

use super::{Value, parse_number};

/// A value that is no object.
enum Primitive<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    /// Its digits.
    BigInt(&'a str),
}

/// `a === b`. Containers are equal when they are the very same one; copies that nobody changed still are.
pub fn strictly_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::String(a), Value::String(b)) | (Value::BigInt(a), Value::BigInt(b)) => a == b,
        _ => same(a, b),
    }
}

/// `a == b`.
pub fn loosely_equal(a: &Value, b: &Value) -> bool {
    if is_object(a) && is_object(b) {
        return same(a, b);
    }
    use Primitive::{BigInt, Bool, Null, Text, Undefined};
    match (primitive(a, false), primitive(b, false)) {
        // What was an object before is neither null nor undefined.
        (Undefined | Null, Undefined | Null) => true,
        (Undefined | Null, _) | (_, Undefined | Null) => false,
        (Text(a), Text(b)) => a == b,
        (Bool(a), Bool(b)) => a == b,
        (BigInt(a), BigInt(b)) => a == b,
        (BigInt(digits), other) | (other, BigInt(digits)) => {
            compare_big(digits, &other) == Some(Ordering::Equal)
        }
        (a, b) => number(&a) == number(&b),
    }
}

/// How `a` and `b` stand to each other under `<`, `<=`, `>` and `>=`; none where all four are false (NaN).
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    use Primitive::{BigInt, Text};
    match (primitive(a, true), primitive(b, true)) {
        (Text(a), Text(b)) => Some(compare_texts(&a, &b)),
        (BigInt(a), BigInt(b)) => match (a.parse::<i128>(), b.parse::<i128>()) {
            (Ok(a), Ok(b)) => Some(a.cmp(&b)),
            _ => parse_number(a).partial_cmp(&parse_number(b)),
        },
        (BigInt(a), b) => compare_big(a, &b),
        (a, BigInt(b)) => compare_big(b, &a).map(Ordering::reverse),
        (a, b) => number(&a).partial_cmp(&number(&b)),
    }
}

/// By UTF-16 units, as JavaScript does; that differs from the order of the characters beyond U+FFFF.
fn compare_texts(a: &str, b: &str) -> Ordering {
    if a.is_ascii() || b.is_ascii() {
        return a.cmp(b);
    }
    a.encode_utf16().cmp(b.encode_utf16())
}

/// A BigInt with a number or a text. One of more than 38 digits is compared as the double next to it.
fn compare_big(digits: &str, other: &Primitive) -> Option<Ordering> {
    let other = number(other);
    match digits.parse::<i128>() {
        Ok(big) if other.fract() == 0.0 && other.abs() < 1e38 => Some(big.cmp(&(other as i128))),
        _ => parse_number(digits).partial_cmp(&other),
    }
}

fn is_object(value: &Value) -> bool {
    matches!(value.type_of(), "object" | "function") && !matches!(value, Value::Null)
}

/// JavaScript's ToPrimitive: all objects become texts, but a date becomes its number where one is asked for.
fn primitive(value: &Value, as_number: bool) -> Primitive<'_> {
    match value {
        Value::Undefined => Primitive::Undefined,
        Value::Null => Primitive::Null,
        Value::Bool(bool) => Primitive::Bool(*bool),
        Value::Number(number) => Primitive::Number(*number),
        Value::Date(time) if as_number => Primitive::Number(*time),
        Value::BigInt(digits) => Primitive::BigInt(digits),
        other => Primitive::Text(other.text()),
    }
}

fn number(value: &Primitive) -> f64 {
    match value {
        Primitive::Undefined => f64::NAN,
        Primitive::Null => 0.0,
        Primitive::Bool(bool) => f64::from(u8::from(*bool)),
        Primitive::Number(number) => *number,
        Primitive::Text(text) => parse_number(text),
        Primitive::BigInt(digits) => parse_number(digits),
    }
}

/// Whether both are one object in memory. Dates have no identity here: the same time counts as the same date.
fn same(a: &Value, b: &Value) -> bool {
    use std::sync::Arc;
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => a.same(b),
        (Value::Array(a), Value::Array(b)) | (Value::Set(a), Value::Set(b)) => Arc::ptr_eq(a, b),
        (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
        (Value::Bytes(a), Value::Bytes(b)) => a.as_ptr() == b.as_ptr() && a.len() == b.len(),
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Regexp(a), Value::Regexp(b)) => Arc::ptr_eq(a, b),
        (Value::Error(a), Value::Error(b)) => Arc::ptr_eq(a, b),
        (Value::TypedArray(a), Value::TypedArray(b)) => Arc::ptr_eq(a, b),
        (Value::Opaque(a), Value::Opaque(b)) => Arc::ptr_eq(&a.0, &b.0),
        _ => false,
    }
}

/// Whether two values hold the same, however deep: `RED.util.compareObjects`. Objects without own properties, such as
/// two dates, count as the same; NaN is the same as nothing.
pub fn same_content(a: &Value, b: &Value) -> bool {
    if strictly_equal(a, b) {
        return true;
    }
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_content(a, b))
        }
        (Value::Array(_), _) | (_, Value::Array(_)) => false,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Bytes(_), _) | (_, Value::Bytes(_)) => false,
        (Value::TypedArray(a), Value::TypedArray(b)) => a.bytes == b.bytes,
        (Value::TypedArray(array), other) | (other, Value::TypedArray(array)) => {
            is_object(other)
                && array.length().unwrap_or(0) == 0
                && own(other).is_none_or(super::Object::is_empty)
        }
        (a, b) if is_object(a) && is_object(b) => {
            let empty = super::Object::new();
            let (a, b) = (own(a).unwrap_or(&empty), own(b).unwrap_or(&empty));
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    same_content(value, b.get(key).unwrap_or(&Value::Undefined))
                })
        }
        _ => false,
    }
}

fn own(value: &Value) -> Option<&super::Object> {
    match value {
        Value::Object(object) => Some(object),
        Value::Error(error) => Some(&error.properties),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::message::from_wire;

    fn value(json: &Json) -> Value {
        from_wire(json).unwrap()
    }

    fn big(digits: &str) -> Json {
        json!({"$t": "bigint", "v": digits})
    }

    #[test]
    fn loose_equality_is_javascripts() {
        let buffer = json!({"$t": "buffer", "v": "YWJj"});
        let undefined = json!({"$t": "undefined"});
        let nan = json!({"$t": "number", "v": "NaN"});
        for (a, b, equal) in [
            (json!(1), json!("1"), true),
            (json!("1"), json!("1.0"), false),
            (json!(1), json!("0x1"), true),
            (json!(""), json!(0), true),
            (json!(" "), json!(false), true),
            (json!(true), json!("1"), true),
            (json!(true), json!("true"), false),
            (json!(null), undefined.clone(), true),
            (json!(null), json!(0), false),
            (undefined, json!([]), false),
            (nan.clone(), nan, false),
            (json!([]), json!(""), true),
            (json!([]), json!(false), true),
            (json!([1]), json!(1), true),
            (json!([1, [2, null]]), json!("1,2,"), true),
            (json!([1]), json!([1]), false),
            (json!({}), json!("[object Object]"), true),
            (buffer, json!("abc"), true),
            (
                big("9007199254740993"),
                json!(9_007_199_254_740_992_i64),
                false,
            ),
            (big("10"), json!("10"), true),
            (big("1"), json!(true), true),
            (json!({"$t": "date", "v": 0}), json!(0), false),
        ] {
            assert_eq!(loosely_equal(&value(&a), &value(&b)), equal, "{a} == {b}");
            assert_eq!(loosely_equal(&value(&b), &value(&a)), equal, "{b} == {a}");
        }
        let object = value(&json!({"a": [1]}));
        assert!(loosely_equal(&object, &object.clone()));
    }

    #[test]
    fn order_is_javascripts() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            (json!("10"), json!("9"), Some(Less)),
            (json!("10"), json!(9), Some(Greater)),
            (json!("a"), json!(1), None),
            (json!(null), json!(0), Some(Equal)),
            (json!({"$t": "undefined"}), json!(0), None),
            (json!([2]), json!(10), Some(Less)),
            (json!([2]), json!("10"), Some(Greater)),
            (json!({}), json!({}), Some(Equal)),
            (json!({"$t": "date", "v": 5}), json!(4), Some(Greater)),
            // By UTF-16 units an emoji comes before a private character.
            (json!("😀"), json!("\u{e000}"), Some(Less)),
            (big("-3"), json!(-2.5), Some(Less)),
            (json!("4"), big("3"), Some(Greater)),
            (
                big("12345678901234567890"),
                big("12345678901234567891"),
                Some(Less),
            ),
        ] {
            assert_eq!(compare(&value(&a), &value(&b)), order, "{a} and {b}");
            assert_eq!(
                compare(&value(&b), &value(&a)),
                order.map(Ordering::reverse),
                "{b} and {a}"
            );
        }
    }

    #[test]
    fn content_is_compared_as_node_red_does() {
        for (a, b, same) in [
            (
                json!({"a": [1, {"b": 2}]}),
                json!({"a": [1, {"b": 2}]}),
                true,
            ),
            (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true),
            (json!({"a": 1}), json!({"a": "1"}), false),
            (json!({}), json!([]), false),
            (json!({}), json!(null), false),
            (
                json!({"a": {"$t": "undefined"}}),
                json!({"b": {"$t": "undefined"}}),
                true,
            ),
            (
                json!({"$t": "date", "v": 1}),
                json!({"$t": "date", "v": 2}),
                true,
            ),
            (
                json!({"$t": "buffer", "v": "AQ=="}),
                json!({"$t": "buffer", "v": "AQ=="}),
                true,
            ),
            (
                json!({"$t": "buffer", "v": "AQ=="}),
                json!({"$t": "buffer", "v": "Ag=="}),
                false,
            ),
            (
                json!([{"$t": "number", "v": "NaN"}]),
                json!([{"$t": "number", "v": "NaN"}]),
                false,
            ),
        ] {
            assert_eq!(same_content(&value(&a), &value(&b)), same, "{a} and {b}");
        }
    }
}
