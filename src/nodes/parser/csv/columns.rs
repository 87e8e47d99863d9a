//! The names of columns: a template in the settings, a header line, or `msg.columns`.

use crate::message::{Message, Value, trim};

use super::js_error;
use crate::message::ErrorValue;

/// Columns of the RFC mode: an empty one is none.
pub(super) type Template = Vec<Option<String>>;

/// Columns of the legacy mode. They outlive a message, as does the separator they were last split at.
pub(super) struct Legacy {
    pub(super) names: Vec<String>,
    /// Whether there are names; else they are made up: col1, col2…
    pub(super) good: bool,
    /// The settings name no columns.
    pub(super) no_template: bool,
    separator: String,
}

impl Legacy {
    pub(super) fn new(template: &str) -> Self {
        let mut columns = Self {
            names: Vec::new(),
            good: true,
            no_template: false,
            separator: ",".into(),
        };
        columns.read(template);
        columns.no_template = columns.are_empty();
        columns
    }

    /// Takes the names from a text, split at the separator that was last in use.
    pub(super) fn read(&mut self, text: &str) {
        self.names = split(trim(text), &self.separator)
            .into_iter()
            .map(|name| trim(&name.replace('"', "")).to_owned())
            .collect();
        self.good = !self.are_empty();
    }

    /// As [`Legacy::read`], split at this separator from now on.
    pub(super) fn read_with(&mut self, text: &str, separator: &str) {
        separator.clone_into(&mut self.separator);
        self.read(text);
    }

    /// As [`Legacy::read_with`] for `msg.columns`.
    ///
    /// # Errors
    /// JavaScript's when it is no text.
    pub(super) fn read_message(&mut self, msg: &Message) -> Result<(), ErrorValue> {
        match msg.get("columns") {
            Value::String(text) => self.read_with(text, ","),
            value if !value.is_truthy() => self.read_with("", ","),
            _ => return Err(js_error("TypeError", "col.trim is not a function")),
        }
        Ok(())
    }

    /// No names: one empty text.
    pub(super) fn are_empty(&self) -> bool {
        matches!(self.names.as_slice(), [name] if name.is_empty())
    }

    /// The name of a column, made up if need be; none for a column to leave out.
    pub(super) fn name(&mut self, index: usize) -> Option<&str> {
        if !self.good {
            let made_up = format!("col{}", index + 1);
            match self.names.get_mut(index) {
                Some(name) => *name = made_up,
                None => self.names.push(made_up),
            }
        }
        self.names
            .get(index)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    /// The names in one line; `all` with the empty ones.
    pub(super) fn line(&self, separator: &str, all: bool) -> String {
        let quoted = |name: &String| {
            if name.contains(separator) {
                format!("\"{name}\"")
            } else {
                name.clone()
            }
        };
        let names: Vec<String> = self
            .names
            .iter()
            .filter(|name| all || !name.is_empty())
            .map(quoted)
            .collect();
        names.join(separator)
    }
}

/// Splits at separators outside of quotes: those with an even number of quotes behind them.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut quotes_left = text.matches('"').count();
    let (mut parts, mut from, mut counted) = (Vec::new(), 0, 0);
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(separator)) {
        let start = at + found;
        let end = start + separator.len();
        quotes_left -= text[counted..end].matches('"').count();
        counted = end;
        if quotes_left.is_multiple_of(2) {
            parts.push(&text[from..start]);
            from = end;
            at = end;
        } else {
            // The next one may begin within this one.
            let first = separator.chars().next().map_or(1, char::len_utf8);
            at = start + first;
            if separator.len() > first {
                counted = at;
                quotes_left += text[at..end].matches('"').count();
            }
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_lose_their_quotes() {
        for (text, names) in [
            ("a,b,c", vec!["a", "b", "c"]),
            (" a , \"b,c\" ,d\"e\"", vec!["a", "b,c", "de"]),
            ("a,,c", vec!["a", "", "c"]),
            ("a,\"b", vec!["a,b"]),
            ("", vec![""]),
        ] {
            assert_eq!(Legacy::new(text).names, names, "{text}");
        }
        let mut columns = Legacy::new("");
        columns.read_with("a::b::\"c::d\"", "::");
        assert_eq!(columns.names, ["a", "b", "c::d"]);
        assert_eq!(columns.line(",", true), "a,b,c::d");
    }
}
