//! What stands after a backslash.

use std::fmt::Write as _;

use super::translate::{NOT_WORD, Translator, WORD, push_literal};

const SPACE: &str = r"\t\n\x{b}\x{c}\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
const NOT_SPACE: &str = r"\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}";

/// What an escape means.
pub(super) enum Escaped {
    Char(char),
    /// The inside of a class.
    Set(String),
    /// A group's number.
    Group(usize),
}

impl Translator<'_> {
    /// An escape outside a class.
    pub(super) fn atom_escape(&mut self) -> Result<(), String> {
        self.at += 1;
        match self.escaped(false)? {
            Escaped::Char(c) => push_literal(&mut self.out, c),
            // Writing into a String cannot fail.
            Escaped::Set(set) => drop(write!(self.out, "[{set}]")),
            // A group that took no part matches the empty text.
            Escaped::Group(number) => drop(write!(self.out, r"(?({number})\k<{number}>)")),
        }
        Ok(())
    }

    /// What stands at the place after the backslash.
    pub(super) fn escaped(&mut self, in_class: bool) -> Result<Escaped, String> {
        let Some(c) = self.peek() else {
            return Err(r"\ at end of pattern".into());
        };
        self.at += 1;
        let c = match c {
            'd' => return Ok(Escaped::Set("0-9".into())),
            'D' => return Ok(Escaped::Set(r"\x{0}-\x{2f}\x{3a}-\x{10ffff}".into())),
            'w' => return Ok(Escaped::Set(WORD.into())),
            'W' => return Ok(Escaped::Set(NOT_WORD.into())),
            's' => return Ok(Escaped::Set(SPACE.into())),
            'S' => return Ok(Escaped::Set(NOT_SPACE.into())),
            'p' | 'P' if self.flags.unicode => return self.property(c),
            'k' if !in_class && (self.flags.unicode || !self.names.is_empty()) => {
                return self.named_reference();
            }
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'b' if in_class => '\u{8}',
            'c' => self.control(in_class)?,
            'x' => self.hex(2)?.map_or(Ok('x'), char_of)?,
            'u' => self.unicode_escape()?,
            '0'..='9' => return self.digits(in_class),
            other if self.flags.unicode && !is_syntax(other, in_class) => {
                return Err("Invalid escape".into());
            }
            other => other,
        };
        Ok(Escaped::Char(c))
    }

    fn control(&mut self, in_class: bool) -> Result<char, String> {
        match self.peek() {
            Some(letter)
                if letter.is_ascii_alphabetic()
                    || (in_class
                        && !self.flags.unicode
                        && (letter.is_ascii_digit() || letter == '_')) =>
            {
                self.at += 1;
                char_of(u32::from(letter) % 32)
            }
            _ if self.flags.unicode => Err("Invalid unicode escape".into()),
            // The backslash stands for itself, and the c is read again.
            _ => {
                self.at -= 1;
                Ok('\\')
            }
        }
    }

    /// `digits` hexadecimal digits; none, and nothing is read, where they are not there.
    fn hex(&mut self, digits: usize) -> Result<Option<u32>, String> {
        let text: Option<String> = self
            .chars
            .get(self.at..self.at + digits)
            .map(|c| c.iter().collect());
        let number = text
            .filter(|text| text.chars().all(|c| c.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(&text, 16).ok());
        match number {
            Some(_) => self.at += digits,
            None if self.flags.unicode => return Err("Invalid escape".into()),
            None => {}
        }
        Ok(number)
    }

    fn unicode_escape(&mut self) -> Result<char, String> {
        if self.flags.unicode && self.peek() == Some('{') {
            let text: String = self.chars[self.at + 1..]
                .iter()
                .take_while(|c| **c != '}')
                .collect();
            self.at += text.chars().count() + 2;
            let number = u32::from_str_radix(&text, 16).map_err(|_| "Invalid Unicode escape")?;
            if number > u32::from(char::MAX) {
                return Err("Invalid Unicode escape".into());
            }
            return char_of(number);
        }
        let Some(first) = self.hex(4)? else {
            return Ok('u');
        };
        if !(0xd800..0xdc00).contains(&first)
            || self.chars.get(self.at..self.at + 2) != Some(&['\\', 'u'])
        {
            return char_of(first);
        }
        self.at += 2;
        match self.hex(4)? {
            Some(second) if (0xdc00..0xe000).contains(&second) => {
                char_of(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            }
            _ => char_of(first),
        }
    }

    /// `\1`: a reference where there is such a group, else an octal number as in the early days.
    fn digits(&mut self, in_class: bool) -> Result<Escaped, String> {
        self.at -= 1;
        let start = self.at;
        let number = self.decimal().unwrap_or(0);
        let zero = self.chars[start] == '0';
        if !in_class && !zero && number <= self.groups {
            return Ok(Escaped::Group(number));
        }
        if zero && self.at == start + 1 {
            return Ok(Escaped::Char('\0'));
        }
        if self.flags.unicode {
            return Err("Invalid escape".into());
        }
        self.at = start;
        let mut octal = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) {
            if self.at == start + 3 || octal * 8 + digit > 0o377 {
                break;
            }
            octal = octal * 8 + digit;
            self.at += 1;
        }
        if self.at == start {
            // 8 and 9 are no octal digits: they stand for themselves.
            self.at += 1;
            return Ok(Escaped::Char(self.chars[start]));
        }
        Ok(Escaped::Char(char_of(octal)?))
    }

    fn named_reference(&mut self) -> Result<Escaped, String> {
        if self.peek() != Some('<') {
            return Err("Invalid named reference".into());
        }
        let name: String = self.chars[self.at + 1..]
            .iter()
            .take_while(|c| **c != '>')
            .collect();
        self.at += name.chars().count() + 2;
        if self.at > self.chars.len() {
            return Err("Invalid named reference".into());
        }
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, number)) => Ok(Escaped::Group(*number)),
            None => Err("Invalid named capture referenced".into()),
        }
    }

    /// `\p{Script=Greek}`.
    fn property(&mut self, which: char) -> Result<Escaped, String> {
        if self.peek() != Some('{') {
            return Err("Invalid property name".into());
        }
        let name: String = self.chars[self.at + 1..]
            .iter()
            .take_while(|c| **c != '}')
            .collect();
        self.at += name.chars().count() + 2;
        if self.at > self.chars.len()
            || name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '=')
        {
            return Err("Invalid property name".into());
        }
        let set = format!(r"\{which}{{{name}}}");
        if fancy_regex::Regex::new(&set).is_err() {
            return Err("Invalid property name".into());
        }
        Ok(Escaped::Set(set))
    }
}

fn is_syntax(c: char, in_class: bool) -> bool {
    r"^$\.*+?()[]{}|/".contains(c) || (in_class && c == '-')
}

fn char_of(code: u32) -> Result<char, String> {
    char::from_u32(code).ok_or_else(|| {
        "half of a surrogate pair can't be matched here: write the character itself".into()
    })
}
