//! From the text of a template to its parts.

use super::{Part, Template, is_space};

/// Sections within sections; rendering recurses as deep.
const DEEPEST: usize = 200;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// mustache.js' sentence: a tag or section that is not closed, or closed without having been opened. Places count
    /// UTF-16 units, as JavaScript does.
    pub(in crate::nodes) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser::new(text);
        while parser.at < text.len() {
            parser.text_and_tag()?;
        }
        parser.end_of_line();
        if let Some(open) = parser.sections.pop() {
            return Err(format!(
                "Unclosed section \"{open}\" at {}",
                parser.place(parser.at)
            ));
        }
        Ok(Self {
            parts: nest(parser.tokens),
        })
    }
}

#[derive(Debug)]
enum Token<'a> {
    Text(&'a str),
    Value {
        name: &'a str,
        escaped: bool,
    },
    Open {
        name: &'a str,
        inverted: bool,
    },
    Close,
    /// A comment, a partial, a change of the delimiters.
    Nothing,
}

struct Parser<'a> {
    template: &'a str,
    at: usize,
    open: &'a str,
    close: &'a str,
    tokens: Vec<Token<'a>>,
    sections: Vec<&'a str>,
    /// Tokens of the current line that hold nothing but blanks.
    blanks: Vec<usize>,
    has_tag: bool,
    has_text: bool,
}

impl<'a> Parser<'a> {
    fn new(template: &'a str) -> Self {
        Self {
            template,
            at: 0,
            open: "{{",
            close: "}}",
            tokens: Vec::new(),
            sections: Vec::new(),
            blanks: Vec::new(),
            has_tag: false,
            has_text: false,
        }
    }

    fn rest(&self) -> &'a str {
        &self.template[self.at..]
    }

    /// A place as JavaScript counts it.
    fn place(&self, at: usize) -> usize {
        self.template[..at].encode_utf16().count()
    }

    /// A line with tags that show nothing, and blanks besides, leaves nothing behind.
    fn end_of_line(&mut self) {
        if self.has_tag && !self.has_text {
            for blank in self.blanks.drain(..) {
                self.tokens[blank] = Token::Nothing;
            }
        }
        self.blanks.clear();
        self.has_tag = false;
        self.has_text = false;
    }

    fn text_and_tag(&mut self) -> Result<(), String> {
        let text = self.until(self.open);
        for line in text.split_inclusive('\n') {
            if line.chars().all(is_space) {
                self.blanks.push(self.tokens.len());
            } else {
                self.has_text = true;
            }
            self.tokens.push(Token::Text(line));
            if line.ends_with('\n') {
                self.end_of_line();
            }
        }
        if self.rest().is_empty() {
            return Ok(());
        }
        let start = self.at;
        self.at += self.open.len();
        self.has_tag = true;
        self.skip_blanks();
        let kind = self
            .rest()
            .chars()
            .next()
            .filter(|c| "#^/>{&=!".contains(*c));
        self.at += kind.map_or(0, char::len_utf8);
        self.skip_blanks();
        let name = match kind {
            Some('=') => {
                let name = self.until("=");
                self.skip("=");
                self.until(self.close);
                name
            }
            Some('{') => {
                let end = format!("}}{}", self.close);
                let name = self.until(&end);
                self.skip("}");
                self.until(self.close);
                name
            }
            _ => self.until(self.close),
        };
        if !self.skip(self.close) {
            return Err(format!("Unclosed tag at {}", self.place(self.at)));
        }
        self.tag(kind, name.trim_end_matches(is_space), start)
    }

    fn tag(&mut self, kind: Option<char>, name: &'a str, start: usize) -> Result<(), String> {
        let token = match kind {
            Some('#' | '^') => {
                if self.sections.len() >= DEEPEST {
                    return Err(format!(
                        "Sections stand within each other more than {DEEPEST} levels deep at {}",
                        self.place(start)
                    ));
                }
                self.sections.push(name);
                Token::Open {
                    name,
                    inverted: kind == Some('^'),
                }
            }
            Some('/') => {
                let place = self.place(start);
                match self.sections.pop() {
                    Some(open) if open == name => Token::Close,
                    Some(open) => return Err(format!("Unclosed section \"{open}\" at {place}")),
                    None => return Err(format!("Unopened section \"{name}\" at {place}")),
                }
            }
            Some('=') => {
                let mut delimiters = name.split(is_space).filter(|part| !part.is_empty());
                let (Some(open), Some(close)) = (delimiters.next(), delimiters.next()) else {
                    return Err(format!("Invalid tags: {name}"));
                };
                (self.open, self.close) = (open, close);
                Token::Nothing
            }
            Some('!' | '>') => Token::Nothing,
            _ => {
                self.has_text = true;
                Token::Value {
                    name,
                    escaped: kind.is_none(),
                }
            }
        };
        self.tokens.push(token);
        Ok(())
    }

    /// Takes everything before `end`, or all the rest.
    fn until(&mut self, end: &str) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(end).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn skip_blanks(&mut self) {
        self.at = self.template.len() - self.rest().trim_start_matches(is_space).len();
    }

    fn skip(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        self.at += if there { text.len() } else { 0 };
        there
    }
}

/// Puts what stands within a section into it. The parser made sure that each section is closed.
fn nest(tokens: Vec<Token>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut outer = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => match parts.last_mut() {
                Some(Part::Text(before)) => before.push_str(text),
                _ => parts.push(Part::Text(text.to_owned())),
            },
            Token::Value { name, escaped } => parts.push(Part::Value {
                name: name.to_owned(),
                escaped,
            }),
            Token::Open { name, inverted } => {
                outer.push((std::mem::take(&mut parts), name, inverted));
            }
            Token::Close => {
                if let Some((before, name, inverted)) = outer.pop() {
                    let inner = std::mem::replace(&mut parts, before);
                    parts.push(Part::Section {
                        name: name.to_owned(),
                        inverted,
                        parts: inner,
                    });
                }
            }
            Token::Nothing => {}
        }
    }
    parts
}
