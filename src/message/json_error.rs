//! What is wrong with a JSON text, in the words of V8, which flows know from `JSON.parse`.

#[cfg(test)]
mod tests;

use super::ErrorValue;

/// Characters of the text that are shown on each side of the mistake.
const CONTEXT: usize = 10;

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

impl From<JsonError> for ErrorValue {
    fn from(error: JsonError) -> Self {
        Self::named("SyntaxError", error.0)
    }
}

impl JsonError {
    /// An error of our own, such as a limit that V8 does not have.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The first mistake in a text; none when there is none.
    pub(super) fn find(text: &str) -> Option<Self> {
        let mut scanner = Scanner {
            text,
            bytes: text.as_bytes(),
            at: 0,
        };
        match scanner.document() {
            Ok(()) => None,
            Err(mistake) => Some(Self(scanner.sentence(&mistake))),
        }
    }
}

/// What the scanner stumbles over; it stands at it.
enum Mistake {
    /// Something that can't stand here.
    Token,
    /// With V8's words for this place.
    Place(&'static str),
}

type Found = Result<(), Mistake>;

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Found {
        self.skip_blanks();
        if self.peek() != Some(byte) {
            return Err(Mistake::Place(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    /// The whole text. Containers are kept in a list, so that deep ones need no stack.
    fn document(&mut self) -> Found {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() != Some(b'}') {
                        open.push(b'}');
                        self.key("Expected property name or '}' in JSON")?;
                        continue;
                    }
                    self.at += 1;
                }
                Some(b'[') => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() != Some(b']') {
                        open.push(b']');
                        continue;
                    }
                    self.at += 1;
                }
                _ => self.scalar()?,
            }
            if !self.after_value(&mut open)? {
                return Ok(());
            }
        }
    }

    /// What follows a value; false at the end of the text.
    fn after_value(&mut self, open: &mut Vec<u8>) -> Result<bool, Mistake> {
        loop {
            self.skip_blanks();
            let Some(close) = open.last().copied() else {
                return match self.peek() {
                    None => Ok(false),
                    Some(_) => Err(Mistake::Place(
                        "Unexpected non-whitespace character after JSON",
                    )),
                };
            };
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if close == b'}' {
                        self.key("Expected double-quoted property name in JSON")?;
                    }
                    return Ok(true);
                }
                Some(byte) if byte == close => {
                    self.at += 1;
                    open.pop();
                }
                _ if close == b'}' => {
                    return Err(Mistake::Place(
                        "Expected ',' or '}' after property value in JSON",
                    ));
                }
                _ => {
                    return Err(Mistake::Place(
                        "Expected ',' or ']' after array element in JSON",
                    ));
                }
            }
        }
    }

    fn key(&mut self, otherwise: &'static str) -> Found {
        self.expect(b'"', otherwise)?;
        self.string()?;
        self.expect(b':', "Expected ':' after property name in JSON")
    }

    fn scalar(&mut self) -> Found {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string()
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(Mistake::Token),
        }
    }

    fn literal(&mut self, literal: &str) -> Found {
        for byte in literal.bytes() {
            if self.peek() != Some(byte) {
                return Err(Mistake::Token);
            }
            self.at += 1;
        }
        Ok(())
    }

    fn digits(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > from
    }

    fn number(&mut self) -> Found {
        if self.peek() == Some(b'-') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(Mistake::Place("No number after minus sign in JSON"));
            }
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(Mistake::Place("Unexpected number in JSON"));
            }
        } else {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.digits() {
                return Err(Mistake::Place("Unterminated fractional number in JSON"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.digits() {
                return Err(Mistake::Place("Exponent part is missing a number in JSON"));
            }
        }
        Ok(())
    }

    /// The rest of a string.
    fn string(&mut self) -> Found {
        loop {
            match self.peek() {
                None => return Err(Mistake::Place("Unterminated string in JSON")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(0..0x20) => {
                    return Err(Mistake::Place(
                        "Bad control character in string literal in JSON",
                    ));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Found {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(Mistake::Place("Bad Unicode escape in JSON"));
                    }
                    self.at += 1;
                }
            }
            None => return Err(Mistake::Token),
            Some(_) => return Err(Mistake::Place("Bad escaped character in JSON")),
        }
        Ok(())
    }

    fn sentence(&self, mistake: &Mistake) -> String {
        match mistake {
            Mistake::Place(words) => self.placed(words),
            Mistake::Token => match self.peek() {
                None => "Unexpected end of JSON input".into(),
                Some(b'"') => self.placed("Unexpected string in JSON"),
                Some(b'-' | b'0'..=b'9') => self.placed("Unexpected number in JSON"),
                Some(_) => self.unexpected(),
            },
        }
    }

    /// Positions count from 0 in UTF-16 units, lines and columns from 1.
    fn placed(&self, words: &str) -> String {
        let before = &self.text[..self.at];
        let position = before.encode_utf16().count();
        let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let lines = before.replace("\r\n", "\n");
        let line = 1 + lines.matches(['\n', '\r']).count();
        let column = 1 + before[line_start..].encode_utf16().count();
        format!("{words} at position {position} (line {line} column {column})")
    }

    fn unexpected(&self) -> String {
        if matches!(
            self.text,
            "NaN" | "Infinity" | "undefined" | "[object Object]"
        ) {
            return format!("\"{}\" is not valid JSON", self.text);
        }
        let token = self.text[self.at..].chars().next().unwrap_or_default();
        let before = &self.text[..self.at];
        let after = &self.text[self.at..];
        let is_short = self.text.encode_utf16().take(2 * CONTEXT + 1).count() <= 2 * CONTEXT;
        if is_short {
            return format!(
                "Unexpected token '{token}', \"{}\" is not valid JSON",
                self.text
            );
        }
        let far_from_start = before.encode_utf16().take(CONTEXT).count() == CONTEXT;
        let far_from_end = after.encode_utf16().take(CONTEXT + 1).count() > CONTEXT;
        let (head, start) = if far_from_start {
            ("...", before.len() - last_units(before, CONTEXT))
        } else {
            ("", 0)
        };
        let (end, tail) = if !far_from_start || far_from_end {
            (self.at + first_units(after, CONTEXT), "...")
        } else {
            (self.text.len(), "")
        };
        let context = &self.text[start..end];
        format!("Unexpected token '{token}', {head}\"{context}\"{tail} is not valid JSON")
    }
}

/// The bytes of the first UTF-16 units.
fn first_units(text: &str, units: usize) -> usize {
    bytes_of(text.chars(), units)
}

/// The bytes of the last UTF-16 units.
fn last_units(text: &str, units: usize) -> usize {
    bytes_of(text.chars().rev(), units)
}

fn bytes_of(characters: impl Iterator<Item = char>, units: usize) -> usize {
    let (mut counted, mut bytes) = (0, 0);
    for character in characters {
        counted += character.len_utf16();
        if counted > units {
            break;
        }
        bytes += character.len_utf8();
    }
    bytes
}
