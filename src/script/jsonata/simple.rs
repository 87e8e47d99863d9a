//! Expressions that need no JavaScript: `payload.temperature`, `topic = "hall"`, `msg.payload.count > 5`.
//!
//! They are what most flows have. Whatever is not perfectly plain, in the text or in the message, is left to jsonata.

use std::{cmp::Ordering, sync::Arc};

use crate::message::{Object, Value};

/// Names that mean something else at the beginning of an expression or between two values.
const WORDS: [&str; 7] = ["and", "or", "in", "true", "false", "null", "function"];
/// Names that jsonata does not look up, and those by which it knows its own functions.
const SPECIAL: [&str; 2] = ["constructor", "prototype"];

/// A path, or the comparison of one with a literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Simple {
    path: Vec<Arc<str>>,
    compared: Option<(Operator, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Simple {
    /// The expression, if it is one of these.
    pub(super) fn parse(source: &str) -> Option<Self> {
        let mut rest = source.trim_start_matches(is_blank);
        let mut path = Vec::new();
        loop {
            let length = rest
                .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(length);
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && !WORDS.contains(&name)
                && !SPECIAL.contains(&name);
            if !is_name {
                return None;
            }
            path.push(name.into());
            rest = after.trim_start_matches(is_blank);
            match rest.strip_prefix('.') {
                Some(next) => rest = next.trim_start_matches(is_blank),
                None => break,
            }
        }
        let compared = if rest.is_empty() {
            None
        } else {
            Some(comparison(rest)?)
        };
        // Elsewhere `msg` may mean the old style, too; which one is for jsonata to say.
        let elsewhere = path
            .first()
            .is_some_and(|first: &Arc<str>| &**first != "msg")
            && source.contains("msg");
        (!elsewhere).then_some(Self { path, compared })
    }

    /// The value for a message; none when jsonata has to look at it.
    pub(super) fn evaluate(&self, input: &Value) -> Option<Value> {
        let root = plain(input)?;
        // The old style: the message is called `msg`.
        let (first, path) = self.path.split_first()?;
        let mut value = match &**first {
            "msg" => input.clone(),
            _ => root.get(first).cloned().unwrap_or_default(),
        };
        for name in path {
            value = match &value {
                Value::Undefined | Value::Null => Value::Undefined,
                value => plain(value)?.get(name).cloned().unwrap_or_default(),
            };
        }
        let Some((operator, literal)) = &self.compared else {
            return stands_alone(&value, 0).then_some(value);
        };
        let ordering = match (&value, literal) {
            (Value::Number(left), Value::Number(right)) => left.partial_cmp(right)?,
            (Value::String(left), Value::String(right)) if left.is_ascii() && right.is_ascii() => {
                left.cmp(right)
            }
            (Value::Bool(left), Value::Bool(right)) if operator.is_equality() => left.cmp(right),
            _ => return None,
        };
        Some(Value::Bool(operator.holds(ordering)))
    }
}

/// An object in which a name means a property and nothing else.
fn plain(value: &Value) -> Option<&Object> {
    let object = value.as_object()?;
    let is_function =
        object.contains_key("_jsonata_function") || object.contains_key("_jsonata_lambda");
    (!is_function).then_some(object)
}

/// Whether nothing in a value refers to what is around it. `depth` is how many containers of its own there are.
fn stands_alone(value: &Value, depth: u32) -> bool {
    match value {
        Value::Ancestor(levels) => *levels < depth,
        Value::Array(values) => values.iter().all(|value| stands_alone(value, depth + 1)),
        Value::Object(object) => object.values().all(|value| stands_alone(value, depth + 1)),
        // The same is possible for these, but they are rare.
        Value::Map(_) | Value::Set(_) | Value::Error(_) | Value::Opaque(_) => false,
        _ => true,
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// An operator and a literal, and nothing after it.
fn comparison(text: &str) -> Option<(Operator, Value)> {
    const OPERATORS: [(&str, Operator); 6] = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let (text, operator) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((text.strip_prefix(sign)?, *operator)))?;
    let literal = text.trim_matches(is_blank);
    let value = match literal {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match literal.chars().next()? {
            quote @ ('"' | '\'') => {
                let inner = literal.strip_prefix(quote)?.strip_suffix(quote)?;
                let is_whole = !inner.contains([quote, '\\']) && literal.len() > 1;
                is_whole.then(|| Value::from(inner))?
            }
            _ => number(literal)?,
        },
    };
    Some((operator, value))
}

/// Digits with at most one point among them.
fn number(text: &str) -> Option<Value> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    (digits(whole) && digits(fraction) && !leading_zero && text.len() < 16)
        .then(|| text.parse().ok().map(Value::Number))?
}

impl Operator {
    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_perfectly_plain_is_read() {
        for source in [
            "payload",
            " payload . a_1 ",
            "msg.payload.count > 5",
            "topic = \"hall\"",
            "a!='x y'",
            "a <= 0.5",
            "a = true",
        ] {
            assert!(Simple::parse(source).is_some(), "{source}");
        }
        for source in [
            "",
            " ",
            ".",
            "a.",
            "a..b",
            "a b",
            "a[0]",
            "$a",
            "a and b",
            "and",
            "true",
            "null = 1",
            "a.constructor",
            "__proto__",
            "a = b",
            "a = 'x' & y",
            "a = 'it\\'s'",
            "a = 'x",
            "a = '",
            "a = -1",
            "a = 1e3",
            "a = 01",
            "a = 1.",
            "a > 5 or b",
            "a ~> f",
            "a := 1",
            "a = null",
            "5",
            "a.5",
            "a /* b */",
            "a = 99999999999999999999",
            "λ",
            "é",
            "a.msg",
            "a = 'the msg'",
        ] {
            assert_eq!(Simple::parse(source), None, "{source}");
        }
    }

    #[test]
    fn what_is_not_plain_in_a_message_is_left_to_jsonata() {
        let input: Value = serde_json::json!({
            "n": 5, "s": "x", "list": [1], "null": null, "deep": {"n": {"v": 1}}, "f": {"_jsonata_function": true, "v": 1},
        })
        .into();
        let evaluate = |source: &str| Simple::parse(source).unwrap().evaluate(&input);
        for (source, value) in [
            ("n", Value::from(5)),
            ("msg.n", 5.into()),
            ("deep.n.v", 1.into()),
            ("none", Value::Undefined),
            ("none.of.these", Value::Undefined),
            ("deep.none.v", Value::Undefined),
            ("n >= 5", true.into()),
            ("s < 'y'", true.into()),
            ("s != 'x'", false.into()),
            ("list", vec![1.into()].into()),
            ("deep.n", Object::from_iter([("v", Value::from(1))]).into()),
        ] {
            assert_eq!(evaluate(source), Some(value), "{source}");
        }
        for source in [
            "list.a", "f.v", "s.length", "n.v", "none = 1", "n = '5'", "n > '5'", "s > 5",
            "list = 1",
        ] {
            assert_eq!(evaluate(source), None, "{source}");
        }
        assert_eq!(Simple::parse("a").unwrap().evaluate(&Value::Null), None);
        let circle = Object::from_iter([(
            "a",
            Value::from(vec![Value::Ancestor(0), Value::Ancestor(1)]),
        )]);
        assert_eq!(Simple::parse("a").unwrap().evaluate(&circle.into()), None);
    }
}
