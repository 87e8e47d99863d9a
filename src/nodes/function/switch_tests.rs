//! What a rule of a switch node asks of a value, in JavaScript's terms.

use std::cmp::Ordering;

use serde::{Deserialize as _, de::IgnoredAny};

use super::switch_rules::View;
use crate::{
    engine::NodeError,
    message::{Pattern, PatternError, Value, compare, loosely_equal},
};

/// A rule's question.
pub(super) enum Test {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Between,
    /// The text, when it is known beforehand.
    Contains(Option<Box<str>>),
    Matches(Box<Regex>),
    True,
    False,
    Null,
    NotNull,
    Empty,
    NotEmpty,
    IsType,
    HasKey,
    Head,
    Tail,
    Index,
    Expression,
    Else,
    Unknown(Box<str>),
}

/// A regular expression: the one of the rule, or the last one that a message brought.
pub(super) struct Regex {
    fixed: Option<Result<Pattern, PatternError>>,
    last: Option<(String, Pattern)>,
    ignore_case: bool,
}

impl Test {
    /// The question that `name` stands for. `first` is the rule's value, when it is known beforehand.
    pub(super) fn new(name: &str, first: Option<&Value>, ignore_case: bool) -> Self {
        match name {
            "eq" => Self::Equal,
            "neq" => Self::NotEqual,
            "lt" => Self::Less,
            "lte" => Self::LessOrEqual,
            "gt" => Self::Greater,
            "gte" => Self::GreaterOrEqual,
            "btwn" => Self::Between,
            "cont" => Self::Contains(first.map(|value| value.text().into())),
            "regex" => Self::Matches(
                Regex {
                    fixed: first.map(|value| pattern(&source(value), ignore_case)),
                    last: None,
                    ignore_case,
                }
                .into(),
            ),
            "true" => Self::True,
            "false" => Self::False,
            "null" => Self::Null,
            "nnull" => Self::NotNull,
            "empty" => Self::Empty,
            "nempty" => Self::NotEmpty,
            "istype" => Self::IsType,
            "hask" => Self::HasKey,
            "head" => Self::Head,
            "tail" => Self::Tail,
            "index" => Self::Index,
            "jsonata_exp" => Self::Expression,
            "else" => Self::Else,
            other => Self::Unknown(other.into()),
        }
    }

    /// The answer for a value.
    ///
    /// # Errors
    /// A regular expression that is none or takes too long; a sequence rule for a message without parts.
    pub(super) fn holds(
        &mut self,
        value: &Value,
        first: &Value,
        second: &Value,
        view: &View,
    ) -> Result<bool, NodeError> {
        use Ordering::{Greater, Less};
        let is = |order: Ordering| compare(value, first) == Some(order);
        let not = |order: Ordering| compare(value, first).is_some_and(|found| found != order);
        Ok(match self {
            Self::Equal => loosely_equal(value, first),
            Self::NotEqual => !loosely_equal(value, first),
            Self::Less => is(Less),
            Self::LessOrEqual => not(Greater),
            Self::Greater => is(Greater),
            Self::GreaterOrEqual => not(Less),
            Self::Between => {
                (at_least(value, first) && at_least(second, value))
                    || (at_least(first, value) && at_least(value, second))
            }
            Self::Contains(Some(text)) => value.text().contains(&**text),
            Self::Contains(None) => value.text().contains(&*first.text()),
            Self::Matches(regex) => regex
                .matches(value, first)
                .map_err(|error| error.to_error())?,
            Self::True => matches!(value, Value::Bool(true)),
            Self::False => matches!(value, Value::Bool(false)),
            Self::Null => value.is_nullish(),
            Self::NotNull => !value.is_nullish(),
            Self::Empty => size(value) == Some(0),
            Self::NotEmpty => size(value).is_some_and(|size| size > 0),
            Self::IsType => first.as_str().is_some_and(|name| is_type(value, name)),
            Self::HasKey => first.type_of() != "object" && has_own(value, &first.text()),
            Self::Head => compare(&part(view, "index")?, &number(first)) == Some(Less),
            Self::Tail => {
                let rest = part(view, "count")?.to_number() - first.to_number();
                at_least(&part(view, "index")?, &Value::Number(rest))
            }
            Self::Index => {
                let index = part(view, "index")?;
                at_least(&index, &number(first)) && at_least(&number(second), &index)
            }
            Self::Expression => matches!(first, Value::Bool(true)),
            // The node itself knows whether anything matched.
            Self::Else => false,
            Self::Unknown(name) => {
                let text = view
                    .ctx
                    .text("switch.errors.unknown-rule", &[("rule", name)]);
                return Err(text.into());
            }
        })
    }
}

impl Regex {
    fn matches(&mut self, value: &Value, first: &Value) -> Result<bool, PatternError> {
        if let Some(fixed) = &self.fixed {
            return fixed
                .as_ref()
                .map_err(PatternError::clone)?
                .is_match(&value.text());
        }
        let source = source(first);
        if self.last.as_ref().is_none_or(|(last, _)| *last != source) {
            let pattern = pattern(&source, self.ignore_case)?;
            self.last = Some((source, pattern));
        }
        match &self.last {
            Some((_, pattern)) => pattern.is_match(&value.text()),
            None => Ok(false),
        }
    }
}

fn pattern(source: &str, ignore_case: bool) -> Result<Pattern, PatternError> {
    Pattern::new(source, if ignore_case { "i" } else { "" })
}

/// What `new RegExp(value)` reads.
fn source(value: &Value) -> String {
    match value {
        Value::Undefined => String::new(),
        Value::Regexp(regexp) => regexp.source.to_string(),
        other => other.to_text(),
    }
}

/// `a >= b`.
fn at_least(a: &Value, b: &Value) -> bool {
    matches!(compare(a, b), Some(Ordering::Greater | Ordering::Equal))
}

fn number(value: &Value) -> Value {
    Value::Number(value.to_number())
}

/// A property of `msg.parts`.
fn part(view: &View, name: &str) -> Result<Value, NodeError> {
    match view.msg.get("parts") {
        Value::Undefined | Value::Null => Err(view.ctx.text("switch.errors.no-parts", &[]).into()),
        parts => Ok(parts.property(name).unwrap_or_default()),
    }
}

/// How much is in it; none for what can't be empty.
fn size(value: &Value) -> Option<usize> {
    Some(match value {
        Value::String(text) => text.len(),
        Value::Array(array) => array.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Object(object) => object.len(),
        Value::Error(error) => error.properties.len(),
        Value::TypedArray(array) => array.length().unwrap_or(0),
        // They have no properties of their own, whatever they hold.
        Value::Date(_) | Value::Map(_) | Value::Set(_) | Value::Regexp(_) => 0,
        Value::Opaque(_) if value.type_of() == "object" => 1,
        _ => return None,
    })
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "array" => matches!(value, Value::Array(_)),
        "buffer" => matches!(value, Value::Bytes(_)),
        "json" => is_json(&value.text()),
        "null" => matches!(value, Value::Null),
        "number" => value.as_number().is_some_and(|number| !number.is_nan()),
        name => {
            value.type_of() == name
                && !matches!(value, Value::Array(_) | Value::Bytes(_) | Value::Null)
        }
    }
}

/// Whether `JSON.parse` could read it. Nothing is built, and no depth is too deep.
fn is_json(text: &str) -> bool {
    let mut reader = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// `value.hasOwnProperty(key)`.
fn has_own(value: &Value, key: &str) -> bool {
    let within = |length: usize| {
        key.parse::<usize>()
            .is_ok_and(|index| index < length && index.to_string() == key)
    };
    match value {
        Value::Object(object) => object.contains_key(key),
        Value::Array(array) => key == "length" || within(array.len()),
        Value::String(text) => key == "length" || within(text.encode_utf16().count()),
        Value::Bytes(bytes) => within(bytes.len()),
        Value::TypedArray(array) => within(array.length().unwrap_or(0)),
        Value::Error(error) => {
            key == "message"
                || (key == "stack" && error.stack.is_some())
                || error.properties.contains_key(key)
        }
        Value::Opaque(opaque) => opaque.0.get(key).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_other_text() {
        for text in ["1", " {\"a\":[1,2]} ", "\"\\ud800\"", "null", "1e999"] {
            assert!(is_json(text), "{text}");
        }
        for text in ["", "undefined", "{a:1}", "01", "1 2", "[1,]", "\u{feff}1"] {
            assert!(!is_json(text), "{text}");
        }
        let deep = 100_000;
        assert!(is_json(&("[".repeat(deep) + &"]".repeat(deep))));
        assert!(!is_json(&"[".repeat(deep)));
    }
}
