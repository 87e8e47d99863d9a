//! `[…]`.

use std::fmt::Write as _;

use super::{escape::Escaped, translate::Translator};

impl Translator<'_> {
    /// A class, from its opening bracket to its closing one.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.at += 1;
        let negated = self.peek() == Some('^');
        if negated {
            self.at += 1;
        }
        let mut inside = String::new();
        loop {
            match self.peek() {
                None => return Err("Unterminated character class".into()),
                Some(']') => break,
                Some(_) => self.class_range(&mut inside)?,
            }
        }
        self.at += 1;
        match (negated, inside.is_empty()) {
            (false, true) => self.out.push_str("(?!)"),
            (true, true) => self.out.push_str("(?s:.)"),
            // Writing into a String cannot fail.
            (false, false) => drop(write!(self.out, "[{inside}]")),
            (true, false) => drop(write!(self.out, "[^{inside}]")),
        }
        Ok(())
    }

    /// One character, set, or range of characters.
    fn class_range(&mut self, inside: &mut String) -> Result<(), String> {
        let first = self.class_atom()?;
        let is_range = self.peek() == Some('-')
            && self.chars.get(self.at + 1).is_some_and(|next| *next != ']');
        if !is_range {
            push(inside, &first);
            return Ok(());
        }
        self.at += 1;
        let last = self.class_atom()?;
        match (&first, &last) {
            (Escaped::Char(first), Escaped::Char(last)) if first > last => {
                return Err("Range out of order in character class".into());
            }
            (Escaped::Char(_), Escaped::Char(_)) => {
                push(inside, &first);
                inside.push('-');
            }
            _ if self.flags.unicode => return Err("Invalid character class".into()),
            // With a set at either end there is no range: the hyphen stands for itself.
            _ => {
                push(inside, &first);
                push(inside, &Escaped::Char('-'));
            }
        }
        push(inside, &last);
        Ok(())
    }

    fn class_atom(&mut self) -> Result<Escaped, String> {
        match self.peek() {
            None => Err("Unterminated character class".into()),
            Some('\\') => {
                self.at += 1;
                self.escaped(true)
            }
            Some(c) => {
                self.at += 1;
                Ok(Escaped::Char(c))
            }
        }
    }
}

fn push(inside: &mut String, atom: &Escaped) {
    match atom {
        Escaped::Set(set) => inside.push_str(set),
        Escaped::Char(c) => {
            // Writing into a String cannot fail.
            let _ = write!(inside, r"\x{{{:x}}}", u32::from(*c));
        }
        Escaped::Group(_) => {}
    }
}
