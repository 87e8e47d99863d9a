//! `String.prototype.replace` with an expression and a text.

use super::{Matcher, Pattern, PatternError};

/// The text that takes a match's place, read once: `$&`, `$1`, `` $` ``, `$'`, `$<name>` and `$$` stand for something.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Match,
    Before,
    After,
    Group(usize),
}

impl Replacement {
    /// Reads the text for use with `pattern`: `$1` stands for a group only where there is one.
    pub fn parse(text: &str, pattern: &Pattern) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            plain.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            match special(rest, pattern) {
                Some((part, length)) => {
                    rest = &rest[length..];
                    match part {
                        Part::Text(text) => plain.push_str(&text),
                        part => {
                            if !plain.is_empty() {
                                parts.push(Part::Text(std::mem::take(&mut plain)));
                            }
                            parts.push(part);
                        }
                    }
                }
                None => {
                    plain.push('$');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self(parts)
    }
}

/// What stands at the beginning of a text that begins with `$`, and its length.
fn special(text: &str, pattern: &Pattern) -> Option<(Part, usize)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        bytes
            .get(at)
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| usize::from(byte - b'0'))
    };
    match bytes.get(1)? {
        b'$' => Some((Part::Text("$".into()), 2)),
        b'&' => Some((Part::Match, 2)),
        b'`' => Some((Part::Before, 2)),
        b'\'' => Some((Part::After, 2)),
        b'<' if !pattern.names.is_empty() => {
            let name = text[2..].split_once('>')?.0;
            let known = pattern.names.iter().find(|(known, _)| known == name);
            let part = known.map_or(Part::Text(String::new()), |(_, number)| {
                Part::Group(*number)
            });
            Some((part, name.len() + 3))
        }
        _ => {
            let first = digit(1)?;
            let exists = |number: usize| (1..=pattern.groups).contains(&number);
            match digit(2).map(|second| first * 10 + second) {
                Some(number) if exists(number) => Some((Part::Group(number), 3)),
                _ if exists(first) => Some((Part::Group(first), 2)),
                _ => None,
            }
        }
    }
}

impl Pattern {
    /// The text with its matches replaced (only the first one, unless the expression is global); none when nothing matched.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub fn replace(&self, text: &str, with: &Replacement) -> Result<Option<String>, PatternError> {
        match &self.matcher {
            Matcher::Literal(literal) => Ok(replace_literal(text, literal, with)),
            Matcher::Regex(regex) => replace_regex(text, regex, self.global, with),
        }
    }
}

fn replace_literal(text: &str, literal: &str, with: &Replacement) -> Option<String> {
    let mut matches = text.match_indices(literal).peekable();
    matches.peek()?;
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, found) in matches {
        out.push_str(&text[copied..start]);
        copied = start + found.len();
        with.write(&mut out, text, (start, copied), |_| None);
    }
    out.push_str(&text[copied..]);
    Some(out)
}

fn replace_regex(
    text: &str,
    regex: &fancy_regex::Regex,
    global: bool,
    with: &Replacement,
) -> Result<Option<String>, PatternError> {
    let mut out = String::new();
    let (mut copied, mut from, mut found) = (0, 0, false);
    while from <= text.len() {
        let captures = regex
            .captures_from_pos(text, from)
            .map_err(|_| PatternError::too_long())?;
        let Some((captures, whole)) = captures.and_then(|captures| {
            let whole = captures.get(0)?;
            Some((captures, whole))
        }) else {
            break;
        };
        found = true;
        out.push_str(&text[copied..whole.start()]);
        let group = |number: usize| captures.get(number).map(|group| group.as_str());
        with.write(&mut out, text, (whole.start(), whole.end()), group);
        copied = whole.end();
        if !global {
            break;
        }
        // An empty match would be found for ever: the next search begins one character later.
        from = copied;
        if whole.start() == whole.end() {
            from += text[copied..].chars().next().map_or(1, char::len_utf8);
        }
    }
    if !found {
        return Ok(None);
    }
    out.push_str(&text[copied..]);
    Ok(Some(out))
}

impl Replacement {
    fn write<'t>(
        &self,
        out: &mut String,
        text: &str,
        (start, end): (usize, usize),
        group: impl Fn(usize) -> Option<&'t str>,
    ) {
        for part in &self.0 {
            out.push_str(match part {
                Part::Text(text) => text,
                Part::Match => &text[start..end],
                Part::Before => &text[..start],
                Part::After => &text[end..],
                Part::Group(number) => group(*number).unwrap_or_default(),
            });
        }
    }
}
