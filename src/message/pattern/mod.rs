//! Regular expressions as JavaScript reads them, and its `replace`.
//!
//! An expression is translated once into the syntax of `fancy-regex`. Texts are matched by characters, not by UTF-16 units as
//! JavaScript does without its flag `u`; an expression that names half of a surrogate pair is refused. A group within a
//! repeat keeps what it captured in an earlier round, where JavaScript forgets it.

mod class;
mod escape;
mod replace;
mod translate;

#[cfg(test)]
mod tests;

use super::{ErrorValue, Regexp};

pub use replace::Replacement;

/// Steps back that one search may take. Enough for any sane expression, and over in a fraction of a second for the others.
const BACKTRACK_LIMIT: usize = 2_000_000;

/// An expression, ready to search with.
#[derive(Debug)]
pub struct Pattern {
    matcher: Matcher,
    /// Whether `replace` replaces every match.
    global: bool,
    /// Names of groups and their numbers.
    names: Vec<(String, usize)>,
    groups: usize,
}

#[derive(Debug)]
enum Matcher {
    /// A text to be found as it is.
    Literal(Box<str>),
    Regex(Box<fancy_regex::Regex>),
}

/// Why an expression can't be read or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    message: String,
    /// JavaScript's name of the error.
    name: &'static str,
}

impl PatternError {
    /// As the Error object that JavaScript would throw.
    pub fn to_error(&self) -> ErrorValue {
        ErrorValue::named(self.name, self.message.as_str())
    }

    /// Whether it is no expression for JavaScript either.
    pub fn is_syntax(&self) -> bool {
        self.name == "SyntaxError"
    }

    fn too_long() -> Self {
        Self {
            message: "The regular expression takes too long on this text: avoid repeats within repeats, such as (a+)+"
                .into(),
            name: "Error",
        }
    }
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// In JavaScript's words when it is none; in our own when it asks for something that is not supported.
    pub fn new(source: &str, flags: &str) -> Result<Self, PatternError> {
        let invalid = |reason: &str| PatternError {
            message: format!("Invalid regular expression: /{source}/{flags}: {reason}"),
            name: "SyntaxError",
        };
        let parsed = translate::Flags::parse(flags).map_err(|reason| invalid(&reason))?;
        let translated =
            translate::translate(source, &parsed).map_err(|reason| invalid(&reason))?;
        let regex = fancy_regex::RegexBuilder::new(&translated.text)
            .case_insensitive(parsed.ignore_case)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| PatternError {
                name: "Error",
                ..invalid(&format!("not supported here ({error})"))
            })?;
        Ok(Self {
            matcher: Matcher::Regex(regex.into()),
            global: parsed.global,
            names: translated.names,
            groups: translated.groups,
        })
    }

    /// From a RegExp value.
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub fn from_regexp(regexp: &Regexp) -> Result<Self, PatternError> {
        Self::new(&regexp.source, &regexp.flags)
    }

    /// A text to be found as it is, everywhere.
    pub fn literal(text: &str) -> Self {
        Self {
            matcher: Matcher::Literal(text.into()),
            global: true,
            names: Vec::new(),
            groups: 0,
        }
    }

    /// Whether it matches anywhere in a text.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        match &self.matcher {
            Matcher::Literal(literal) => Ok(text.contains(&**literal)),
            Matcher::Regex(regex) => regex.is_match(text).map_err(|_| PatternError::too_long()),
        }
    }
}
