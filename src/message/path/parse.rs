//! The parser of property expressions (`RED.util.normalisePropertyExpression`).

use std::sync::Arc;

use super::{PathError, PathPart, PropertyPath, invalid};

/// Reads one expression.
pub(super) struct Parser<'a> {
    text: &'a [char],
    at: usize,
}

impl Parser<'_> {
    /// Parses a whole text.
    pub(super) fn parse(text: &str) -> Result<PropertyPath, PathError> {
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return invalid("zero-length");
        }
        let mut parser = Parser {
            text: &characters,
            at: 0,
        };
        let path = parser.path(0)?;
        if parser.at < characters.len() {
            return invalid(format!(
                "unexpected {} at position {}",
                characters[parser.at], parser.at
            ));
        }
        Ok(path)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Parses up to the end, or, within brackets, up to the `]` that closes them.
    fn path(&mut self, depth: usize) -> Result<PropertyPath, PathError> {
        if depth > 32 {
            return invalid("too many references within references");
        }
        let mut parts = vec![PathPart::Key(self.identifier()?)];
        loop {
            match self.peek() {
                Some('.') => {
                    self.at += 1;
                    let name = self.identifier()?;
                    parts.push(name.parse().map_or(PathPart::Key(name), PathPart::Index));
                }
                Some('[') => {
                    self.at += 1;
                    parts.push(self.bracket(depth)?);
                    if self.peek() != Some(']') {
                        return self.unexpected();
                    }
                    self.at += 1;
                    if !matches!(self.peek(), None | Some('.' | '[' | ']')) {
                        return self.unexpected();
                    }
                }
                None => return Ok(PropertyPath { parts }),
                Some(']') if depth > 0 => return Ok(PropertyPath { parts }),
                Some(_) => return self.unexpected(),
            }
        }
    }

    fn bracket(&mut self, depth: usize) -> Result<PathPart, PathError> {
        match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let from = self.at;
                while self.peek().is_some_and(|c| c != quote) {
                    self.at += 1;
                }
                if self.peek().is_none() {
                    return invalid("unterminated string");
                }
                let name: String = self.text[from..self.at].iter().collect();
                self.at += 1;
                if name.is_empty() {
                    return invalid("empty string in brackets");
                }
                Ok(PathPart::Key(name.into()))
            }
            Some(digit) if digit.is_ascii_digit() => {
                let from = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                let digits: String = self.text[from..self.at].iter().collect();
                digits
                    .parse()
                    .map(PathPart::Index)
                    .or_else(|_| invalid("the index is too large"))
            }
            Some('m') if self.text[self.at..].starts_with(&['m', 's', 'g']) => {
                self.at += 3;
                match self.peek() {
                    Some('.') => self.at += 1,
                    Some('[') => {}
                    _ => return self.unexpected(),
                }
                if self.peek() == Some('[') {
                    self.at += 1;
                    let first = self.bracket(depth + 1)?;
                    if self.peek() != Some(']') {
                        return self.unexpected();
                    }
                    self.at += 1;
                    let mut parts = vec![first];
                    if let Some('.') = self.peek() {
                        self.at += 1;
                        parts.extend(self.path(depth + 1)?.parts);
                    }
                    return Ok(PathPart::Reference(PropertyPath { parts }));
                }
                Ok(PathPart::Reference(self.path(depth + 1)?))
            }
            _ => self.unexpected(),
        }
    }

    fn identifier(&mut self) -> Result<Arc<str>, PathError> {
        match self.peek() {
            Some(first) if first.is_alphanumeric() || first == '$' || first == '_' => {}
            _ => return self.unexpected(),
        }
        let from = self.at;
        while let Some(next) = self.peek() {
            match next {
                '.' | '[' | ']' => break,
                ' ' | '\t' | '\n' | '\r' | '"' | '\'' => return self.unexpected(),
                _ => self.at += 1,
            }
        }
        Ok(self.text[from..self.at].iter().collect::<String>().into())
    }

    fn unexpected<T>(&self) -> Result<T, PathError> {
        match self.peek() {
            Some(c) => invalid(format!("unexpected {c} at position {}", self.at)),
            None => invalid("unterminated expression"),
        }
    }
}
