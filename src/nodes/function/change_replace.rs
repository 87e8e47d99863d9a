//! What a change rule searches for, and what it makes of a value.

use std::sync::Arc;

use super::change_rules::Source;
use crate::message::{Pattern, PatternError, Replacement, Value, parse_number};

/// Where the rule's `from` comes from.
pub(super) enum Search {
    Fixed(Needle),
    /// Out of the message or the context, anew for each message.
    Read(Source),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SearchKind {
    Number,
    Bool,
    Text,
    Regexp,
    /// Searched for as text, but never as a whole.
    Other,
}

/// Something to search for.
pub(super) struct Needle {
    kind: SearchKind,
    /// A text that is just this one is replaced as a whole, by a value of any type.
    whole: Option<Arc<str>>,
    number: f64,
    pattern: Option<Pattern>,
}

/// What takes the place of a text that was found.
pub(super) struct Replace(Replacement);

impl Replace {
    pub(super) fn new(value: &Value, pattern: &Pattern) -> Self {
        Self(Replacement::parse(&value.text(), pattern))
    }
}

impl Search {
    /// The expression, when it is known beforehand.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Fixed(fixed) => fixed.pattern.as_ref(),
            Self::Read(_) => None,
        }
    }
}

impl Needle {
    /// A `from` that stands in the rule.
    pub(super) fn new(text: &str, kind: SearchKind) -> Result<Self, PatternError> {
        Ok(Self {
            kind,
            whole: (!matches!(kind, SearchKind::Regexp | SearchKind::Other)).then(|| text.into()),
            number: parse_number(text),
            pattern: Some(match kind {
                SearchKind::Regexp => Pattern::new(text, "g")?,
                _ => Pattern::literal(text),
            }),
        })
    }

    /// A `from` out of a message or the context.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let of = |kind, number, pattern| Self {
            kind,
            whole: None,
            number,
            pattern,
        };
        Ok(match value {
            Value::Number(number) => of(SearchKind::Number, *number, None),
            Value::Bool(_) => of(SearchKind::Bool, f64::NAN, None),
            Value::Regexp(regexp) => {
                let pattern = Pattern::from_regexp(regexp).map_err(|error| error.to_string())?;
                of(SearchKind::Regexp, f64::NAN, Some(pattern))
            }
            Value::String(text) => Self {
                whole: Some(text.clone()),
                ..of(SearchKind::Text, f64::NAN, Some(Pattern::literal(text)))
            },
            other => return Err(format!("unsupported type: {}", other.type_of())),
        })
    }

    /// What becomes of a value; none when it stays as it is. `makes_bool`: a text that is then the text of the new
    /// value becomes the new value.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub(super) fn change(
        &self,
        current: &Value,
        to: &Value,
        replace: Option<&Replace>,
        makes_bool: bool,
    ) -> Result<Option<Value>, PatternError> {
        Ok(match (current, self.kind) {
            (Value::String(text), _) if self.whole.as_ref() == Some(text) => Some(to.clone()),
            (Value::String(text), _) => {
                let replaced = match (&self.pattern, replace) {
                    (Some(pattern), Some(replace)) => pattern.replace(text, &replace.0)?,
                    (Some(pattern), None) => pattern.replace(text, &Replace::new(to, pattern).0)?,
                    (None, _) => None,
                };
                if makes_bool && replaced.as_deref().unwrap_or(text) == to.text() {
                    return Ok(Some(to.clone()));
                }
                replaced.map(Value::from)
            }
            (Value::Number(number), SearchKind::Number) if *number == self.number => {
                Some(to.clone())
            }
            (Value::Bool(bool), SearchKind::Bool) => {
                let text = if *bool { "true" } else { "false" };
                (self.whole.as_deref() == Some(text)).then(|| to.clone())
            }
            _ => None,
        })
    }
}
