//! The parser of property expressions (`RED.util.normalisePropertyExpression`), with all that it lets pass.

use super::{MAX_DEPTH, PathError, PathPart, PropertyPath, invalid, invalid_reference};

/// References within references beyond this are refused.
const MOST_DEPTH: usize = 32;

/// Reads one expression.
pub(super) struct Parser<'a> {
    text: &'a [char],
    at: usize,
    /// Where the part begins that is being read.
    start: usize,
    in_brackets: bool,
    parts: Vec<PathPart>,
}

impl<'a> Parser<'a> {
    /// Parses a whole text.
    pub(super) fn parse(text: &str) -> Result<PropertyPath, PathError> {
        let characters: Vec<char> = text.chars().collect();
        Parser::path(&characters, 0)
    }

    fn path(text: &'a [char], depth: usize) -> Result<PropertyPath, PathError> {
        if text.is_empty() {
            return invalid("zero-length");
        }
        if depth > MOST_DEPTH {
            return invalid("too many references within references");
        }
        let mut parser = Self {
            text,
            at: 0,
            start: 0,
            in_brackets: false,
            parts: Vec::new(),
        };
        while let Some(&next) = text.get(parser.at) {
            match next {
                '"' | '\'' => parser.quoted(next)?,
                '.' => parser.dot()?,
                '[' => parser.open(depth)?,
                ']' => parser.close()?,
                ' ' => return invalid(format!("unexpected ' ' at position {}", parser.at)),
                _ => {}
            }
            parser.at += 1;
        }
        if parser.in_brackets {
            return invalid("unterminated expression");
        }
        if parser.start < text.len() {
            // The last part is a name, even if it is a number.
            let name = parser.name(text.len());
            parser.parts.push(name);
        }
        if parser.parts.len() > MAX_DEPTH {
            return invalid(format!("more than {MAX_DEPTH} names"));
        }
        Ok(PropertyPath {
            parts: parser.parts,
        })
    }

    /// `"…"`, alone or in brackets.
    fn quoted(&mut self, quote: char) -> Result<(), PathError> {
        if self.at != self.start {
            return self.unexpected(self.at);
        }
        self.start += 1;
        self.at = match self.text[self.start..].iter().position(|c| *c == quote) {
            None => return invalid("unterminated expression"),
            Some(0) => return invalid(format!("zero-length string at position {}", self.start)),
            Some(length) => self.start + length,
        };
        let name = self.name(self.at);
        self.parts.push(name);
        match self.text.get(self.at + 1) {
            Some(']') if self.in_brackets => {}
            None | Some('[' | '.') if !self.in_brackets => {}
            _ if self.in_brackets => {
                let start = self.start;
                return invalid(format!("unexpected array expression at position {start}"));
            }
            Some(next) => {
                let at = self.at + 1;
                return invalid(format!("unexpected {next} expression at position {at}"));
            }
            None => return self.unexpected(self.at + 1),
        }
        self.start = self.at + 1;
        Ok(())
    }

    fn dot(&mut self) -> Result<(), PathError> {
        if self.at == 0 {
            return self.unexpected(0);
        }
        if self.start != self.at {
            let part = match self.number(self.at) {
                Some(index) => index?,
                None => self.name(self.at),
            };
            self.parts.push(part);
        }
        match self.text.get(self.at + 1) {
            Some(first) if first.is_ascii_alphanumeric() || *first == '$' || *first == '_' => {}
            _ => return self.unexpected(self.at + 1),
        }
        self.start = self.at + 1;
        Ok(())
    }

    fn open(&mut self, depth: usize) -> Result<(), PathError> {
        if self.at == 0 {
            return self.unexpected(0);
        }
        if self.start != self.at {
            let name = self.name(self.at);
            self.parts.push(name);
        }
        let rest = &self.text[self.at + 1..];
        match rest {
            ['m', 's', 'g', '.' | '[', ..] => {
                let Some(length) = closing(rest) else {
                    return invalid(format!("unmatched '[' at position {}", self.at));
                };
                let position = self.at + 1;
                // Without the dot it is the property `msg` of the message.
                let inner = match &rest[..length] {
                    ['m', 's', 'g', '.', inner @ ..] => inner,
                    inner => inner,
                };
                let reference = Parser::path(inner, depth + 1);
                let reference = reference.map_err(|_| invalid_reference(position))?;
                self.parts.push(PathPart::Reference(reference, position));
                self.in_brackets = false;
                self.at += length + 1;
            }
            ['"' | '\'' | '0'..='9', ..] => self.in_brackets = true,
            _ => return self.unexpected(self.at + 1),
        }
        self.start = self.at + 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), PathError> {
        if !self.in_brackets {
            return self.unexpected(self.at);
        }
        if self.start != self.at {
            let index = self.number(self.at);
            self.parts.push(index.unwrap_or_else(|| {
                invalid(format!(
                    "unexpected array expression at position {}",
                    self.start
                ))
            })?);
        }
        self.start = self.at + 1;
        self.in_brackets = false;
        Ok(())
    }

    fn name(&self, end: usize) -> PathPart {
        let name: String = self.text[self.start..end].iter().collect();
        PathPart::Key(name.into())
    }

    /// The part that ends here as an index, if it is one.
    fn number(&self, end: usize) -> Option<Result<PathPart, PathError>> {
        let digits = &self.text[self.start..end];
        if !digits.iter().all(char::is_ascii_digit) {
            return None;
        }
        let digits: String = digits.iter().collect();
        let index = digits.parse().map(PathPart::Index);
        Some(index.or_else(|_| invalid("the index is too large")))
    }

    fn unexpected<T>(&self, at: usize) -> Result<T, PathError> {
        match self.text.get(at) {
            Some(c) => invalid(format!("unexpected {c} at position {at}")),
            None => invalid("unterminated expression"),
        }
    }
}

/// Where the bracket closes that was opened before this text.
fn closing(text: &[char]) -> Option<usize> {
    let mut depth = 1;
    text.iter().position(|c| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}
