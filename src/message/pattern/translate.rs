//! From JavaScript's syntax of regular expressions to that of `fancy-regex` (ECMA-262 22.2.1 and its Annex B).

use std::fmt::Write as _;

/// Groups within groups beyond this are refused.
const MOST_DEPTH: usize = 100;

pub(super) const WORD: &str = "A-Za-z0-9_";
pub(super) const NOT_WORD: &str = r"\x{0}-\x{2f}\x{3a}-\x{40}\x{5b}-\x{5e}\x{60}\x{7b}-\x{10ffff}";

/// The flags that matter here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) global: bool,
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
    pub(super) dot_all: bool,
    pub(super) unicode: bool,
}

impl Flags {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut flags = Self::default();
        for flag in text.chars() {
            match flag {
                'g' => flags.global = true,
                'i' => flags.ignore_case = true,
                'm' => flags.multiline = true,
                's' => flags.dot_all = true,
                'u' => flags.unicode = true,
                'd' => {}
                other => return Err(format!("the flag {other} is not supported")),
            }
        }
        Ok(flags)
    }
}

/// What became of an expression.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) text: String,
    /// How many groups capture.
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
}

/// Translates an expression.
pub(super) fn translate(source: &str, flags: &Flags) -> Result<Translated, String> {
    let chars: Vec<char> = source.chars().collect();
    let (groups, names) = groups(&chars)?;
    let mut translator = Translator {
        chars: &chars,
        at: 0,
        flags: *flags,
        out: String::with_capacity(source.len() * 2),
        groups,
        names: &names,
        depth: 0,
    };
    translator.disjunction()?;
    if translator.at < chars.len() {
        return Err("Unmatched ')'".into());
    }
    Ok(Translated {
        text: translator.out,
        groups,
        names,
    })
}

/// Counts the groups that capture, and finds their names: a reference may come before its group.
fn groups(chars: &[char]) -> Result<(usize, Vec<(String, usize)>), String> {
    let mut count = 0;
    let mut names: Vec<(String, usize)> = Vec::new();
    let mut in_class = false;
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && chars.get(at + 1) != Some(&'?') => count += 1,
            '(' if !in_class
                && chars.get(at + 2) == Some(&'<')
                && !matches!(chars.get(at + 3), Some('=' | '!')) =>
            {
                count += 1;
                let name: String = chars[at + 3..].iter().take_while(|c| **c != '>').collect();
                let first = name.chars().next().is_some_and(|c| !c.is_numeric());
                if !first
                    || !name
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == '_' || c == '$')
                {
                    return Err("Invalid capture group name".into());
                }
                if names.iter().any(|(known, _)| *known == name) {
                    return Err("Duplicate capture group name".into());
                }
                names.push((name, count));
            }
            _ => {}
        }
        at += 1;
    }
    Ok((count, names))
}

pub(super) struct Translator<'a> {
    pub(super) chars: &'a [char],
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) out: String,
    pub(super) groups: usize,
    pub(super) names: &'a [(String, usize)],
    depth: usize,
}

/// How often something repeats, and the text of it.
struct Quantifier {
    from: usize,
    text: String,
}

impl Translator<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(ahead, c)| self.peek_at(ahead) == Some(c))
    }

    fn disjunction(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} groups within groups"));
        }
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                }
                _ => self.term()?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn term(&mut self) -> Result<(), String> {
        let start = self.out.len();
        let Some(c) = self.peek() else { return Ok(()) };
        match c {
            '^' => {
                return self.assertion(
                    1,
                    if self.flags.multiline {
                        r"(?:\A|(?<=[\n\r\x{2028}\x{2029}]))"
                    } else {
                        r"\A"
                    },
                );
            }
            '$' => {
                return self.assertion(
                    1,
                    if self.flags.multiline {
                        r"(?:\z|(?=[\n\r\x{2028}\x{2029}]))"
                    } else {
                        r"\z"
                    },
                );
            }
            '\\' if self.peek_at(1) == Some('b') => {
                let text = format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))");
                return self.assertion(2, &text);
            }
            '\\' if self.peek_at(1) == Some('B') => {
                let text = format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))");
                return self.assertion(2, &text);
            }
            '(' => {
                if let Some(repeatable) = self.group()? {
                    return self.repeated_look(start, repeatable);
                }
            }
            '*' | '+' | '?' => return Err("Nothing to repeat".into()),
            '{' if self.flags.unicode => return Err("Lone quantifier brackets".into()),
            '{' if self.quantifier()?.is_some() => return Err("Nothing to repeat".into()),
            '}' | ']' if self.flags.unicode => return Err("Lone quantifier brackets".into()),
            '.' => {
                self.at += 1;
                self.out.push_str(if self.flags.dot_all {
                    "(?s:.)"
                } else {
                    r"[^\n\r\x{2028}\x{2029}]"
                });
            }
            '[' => self.class()?,
            '\\' => self.atom_escape()?,
            literal => {
                self.at += 1;
                push_literal(&mut self.out, literal);
            }
        }
        if let Some(quantifier) = self.quantifier()? {
            self.out.push_str(&quantifier.text);
        }
        Ok(())
    }

    fn assertion(&mut self, length: usize, text: &str) -> Result<(), String> {
        self.at += length;
        self.out.push_str(text);
        if self.quantifier()?.is_some() {
            return Err("Nothing to repeat".into());
        }
        Ok(())
    }

    /// A group and what is in it. For a look-around: whether it may be repeated.
    fn group(&mut self) -> Result<Option<bool>, String> {
        let outer = self.flags;
        let mut look = None;
        if !self.starts_with("(?") {
            self.at += 1;
            self.out.push('(');
        } else if let Some(opening) = ["(?:", "(?=", "(?!", "(?<=", "(?<!"]
            .into_iter()
            .find(|opening| self.starts_with(opening))
        {
            self.at += opening.len();
            self.out.push_str(opening);
            look = match opening {
                "(?:" => None,
                "(?=" | "(?!" => Some(!self.flags.unicode),
                _ => Some(false),
            };
        } else if self.starts_with("(?<") {
            self.at += self.chars[self.at..]
                .iter()
                .take_while(|c| **c != '>')
                .count()
                + 1;
            self.out.push('(');
        } else {
            self.modifiers()?;
        }
        self.disjunction()?;
        if self.peek() != Some(')') {
            return Err("Unterminated group".into());
        }
        self.at += 1;
        self.out.push(')');
        self.flags = outer;
        Ok(look)
    }

    /// `(?i-ms:`: flags that hold within the group.
    fn modifiers(&mut self) -> Result<(), String> {
        self.at += 2;
        let mut on = true;
        loop {
            match self.peek() {
                Some('-') if on => on = false,
                Some('i') => self.flags.ignore_case = on,
                Some('m') => self.flags.multiline = on,
                Some('s') => self.flags.dot_all = on,
                Some(':') => break,
                _ => return Err("Invalid group".into()),
            }
            self.at += 1;
        }
        self.at += 1;
        self.out.push_str(if self.flags.ignore_case {
            "(?i:"
        } else {
            "(?-i:"
        });
        Ok(())
    }

    /// A look-around cannot be repeated in the syntax we translate to. At least once is the same as once; where it may be
    /// left out JavaScript always leaves it out, but its groups still count.
    fn repeated_look(&mut self, start: usize, repeatable: bool) -> Result<(), String> {
        match self.quantifier()? {
            None => {}
            Some(_) if !repeatable => return Err("Invalid quantifier".into()),
            Some(quantifier) if quantifier.from == 0 => {
                let look = self.out.split_off(start);
                // Writing into a String cannot fail.
                let _ = write!(self.out, "(?:(?!){look}|)");
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The quantifier that stands here, if one does.
    fn quantifier(&mut self) -> Result<Option<Quantifier>, String> {
        let start = self.at;
        let (from, mut text) = match self.peek() {
            Some('*') => (0, "*".to_owned()),
            Some('+') => (1, "+".to_owned()),
            Some('?') => (0, "?".to_owned()),
            Some('{') => {
                self.at += 1;
                let from = self.decimal();
                let to = if from.is_some() && self.peek() == Some(',') {
                    self.at += 1;
                    self.decimal()
                } else {
                    from
                };
                let open = self.chars[self.at - 1] == ',';
                let (Some(from), Some('}')) = (from, self.peek()) else {
                    self.at = start;
                    if self.flags.unicode {
                        return Err("Incomplete quantifier".into());
                    }
                    return Ok(None);
                };
                if to.is_some_and(|to| to < from) {
                    return Err("numbers out of order in {} quantifier".into());
                }
                let to = to.map_or_else(String::new, |to| to.to_string());
                let text = if open {
                    format!("{{{from},}}")
                } else {
                    format!("{{{from},{to}}}")
                };
                (from, text)
            }
            _ => return Ok(None),
        };
        self.at += 1;
        if self.peek() == Some('?') {
            self.at += 1;
            text.push('?');
        }
        Ok(Some(Quantifier { from, text }))
    }

    pub(super) fn decimal(&mut self) -> Option<usize> {
        let from = self.at;
        let mut number: usize = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit as usize);
            self.at += 1;
        }
        (self.at > from).then_some(number)
    }
}

/// A character that stands for itself.
pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric()
        || " _/:;,'\"=!@%`".contains(c)
        || (!c.is_ascii() && c.is_alphanumeric())
    {
        out.push(c);
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, r"\x{{{:x}}}", u32::from(c));
    }
}
