//! Reads XML text piece by piece, strictly, with the rules and sentences of sax-js.

use indexmap::IndexMap;

use super::{
    entities::entity,
    names::{continues_name, is_blank, is_xml, starts_name},
    namespaces::Namespaces,
    piece::Piece,
};

/// Reads a text.
pub(super) struct Sax<'a> {
    pub(super) rest: std::str::Chars<'a>,
    /// The character that was read last.
    current: Option<char>,
    line: usize,
    pub(super) column: usize,
    /// The elements around, outermost first.
    pub(super) open: Vec<String>,
    /// Something other than blanks came.
    begun: bool,
    pub(super) saw_root: bool,
    pub(super) saw_doctype: bool,
    /// The element that was just opened ends at once.
    closes: bool,
    /// Names are written in capitals, as sax-js has them when it is not strict.
    capitals: bool,
    /// What prefixes stand for, where that is asked.
    namespaces: Option<Namespaces>,
}

pub(super) type Read<T> = Result<T, String>;

impl<'a> Sax<'a> {
    pub(super) fn new(text: &'a str, capitals: bool, namespaces: bool) -> Self {
        Self {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text).chars(),
            current: None,
            line: 0,
            column: 0,
            open: Vec::new(),
            begun: false,
            saw_root: false,
            saw_doctype: false,
            closes: false,
            capitals,
            namespaces: namespaces.then(Namespaces::default),
        }
    }

    fn named(&self, name: String) -> String {
        if self.capitals {
            name.to_uppercase()
        } else {
            name
        }
    }

    fn close(&mut self) {
        self.open.pop();
        if let Some(namespaces) = &mut self.namespaces {
            namespaces.close();
        }
    }

    fn next(&mut self) -> Option<char> {
        self.current = self.rest.next();
        match self.current {
            Some('\n') => {
                self.line += 1;
                self.column = 0;
            }
            Some(c) => self.column += c.len_utf16(),
            None => {}
        }
        self.current
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn fail<T>(&self, reason: &str) -> Read<T> {
        let current = self.current.map(String::from).unwrap_or_default();
        Err(format!(
            "{reason}\nLine: {}\nColumn: {}\nChar: {current}",
            self.line, self.column
        ))
    }

    /// The next character, where the text may not end.
    pub(super) fn must(&mut self) -> Read<char> {
        match self.next() {
            Some(c) => Ok(c),
            None => self.ended(),
        }
    }

    fn ended<T>(&self) -> Read<T> {
        if self.saw_root && !self.open.is_empty() {
            self.fail("Unclosed root tag")
        } else {
            self.fail("Unexpected end")
        }
    }

    /// The next piece; none when the root element is closed.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(super) fn piece(&mut self) -> Read<Option<Piece>> {
        if self.closes {
            self.closes = false;
            self.close();
            return Ok(Some(Piece::Close));
        }
        if self.saw_root && self.open.is_empty() {
            return Ok(None);
        }
        loop {
            let Some(c) = self.next() else {
                return if self.saw_root {
                    self.ended()
                } else {
                    // Only blanks, comments and declarations: there is nothing.
                    Ok(None)
                };
            };
            if c != '<' {
                if self.open.is_empty() {
                    if is_blank(c) {
                        continue;
                    }
                    return self.fail(if self.begun {
                        "Text data outside of root node."
                    } else {
                        "Non-whitespace before first tag."
                    });
                }
                return self.text(c).map(Some);
            }
            self.begun = true;
            if let Some(piece) = self.markup()? {
                return Ok(Some(piece));
            }
        }
    }

    /// Text up to the next `<`.
    fn text(&mut self, first: char) -> Read<Piece> {
        let mut text = String::new();
        let mut c = first;
        loop {
            if c == '&' {
                let character = self.entity()?;
                text.push(character);
            } else {
                text.push(c);
            }
            match self.peek() {
                Some('<') | None => return Ok(Piece::Text(text)),
                Some(_) => c = self.must()?,
            }
        }
    }

    /// A character reference or one of XML's own entities, behind the `&`.
    fn entity(&mut self) -> Read<char> {
        let mut name = String::new();
        loop {
            let c = self.must()?;
            match c {
                ';' => break,
                '#' => name.push(c),
                c if name.is_empty() && starts_name(c) => name.push(c),
                c if !name.is_empty() && continues_name(c) => name.push(c),
                _ => return self.fail("Invalid character in entity name"),
            }
        }
        let lower = name.to_lowercase();
        let number = match (lower.strip_prefix("#x"), lower.strip_prefix('#')) {
            (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
            (None, Some(digits)) => digits.parse().ok(),
            (None, None) => None,
        };
        let character =
            entity(&name).or_else(|| number.and_then(char::from_u32).filter(|c| is_xml(*c)));
        match character {
            Some(character) => Ok(character),
            None => self.fail("Invalid character entity"),
        }
    }

    /// What follows a `<`.
    fn markup(&mut self) -> Read<Option<Piece>> {
        let mut c = self.must()?;
        while is_blank(c) {
            c = self.must()?;
        }
        match c {
            '!' => self.declaration(),
            '?' => {
                self.until("?>")?;
                Ok(None)
            }
            '/' => self.closing().map(Some),
            c if starts_name(c) => self.opening(c).map(Some),
            _ => self.fail("Unencoded <"),
        }
    }

    /// Reads on until these characters have come.
    pub(super) fn until(&mut self, end: &str) -> Read<String> {
        let mut text = String::new();
        loop {
            text.push(self.must()?);
            if text.ends_with(end) {
                text.truncate(text.len() - end.len());
                return Ok(text);
            }
        }
    }

    fn opening(&mut self, first: char) -> Read<Piece> {
        let mut name = String::from(first);
        let mut c = self.must()?;
        while continues_name(c) {
            name.push(c);
            c = self.must()?;
        }
        if !is_blank(c) && !matches!(c, '>' | '/') {
            return self.fail("Invalid character in tag name");
        }
        let name = self.named(name);
        let mut attributes: IndexMap<String, String> = IndexMap::new();
        if let Some(namespaces) = &mut self.namespaces {
            namespaces.open();
        }
        loop {
            while is_blank(c) {
                c = self.must()?;
            }
            match c {
                '>' => break,
                '/' => {
                    if self.must()? != '>' {
                        return self.fail("Forward-slash in opening tag not followed by >");
                    }
                    self.closes = true;
                    break;
                }
                c if starts_name(c) => {}
                _ => return self.fail("Invalid attribute name"),
            }
            let (name, value) = self.attribute(c)?;
            if let Some(namespaces) = &mut self.namespaces {
                if let Err(reason) = namespaces.bind(&name, &value) {
                    return self.fail(&reason);
                }
                // With namespaces sax-js does not see that an attribute comes again.
                attributes.insert(name, value);
            } else {
                attributes.entry(name).or_insert(value);
            }
            c = self.must()?;
            match c {
                c if is_blank(c) || matches!(c, '>' | '/') => {}
                c if starts_name(c) => return self.fail("No whitespace between attributes"),
                _ => return self.fail("Invalid attribute name"),
            }
        }
        let names = match &self.namespaces {
            Some(namespaces) => match namespaces.names(&name, &attributes) {
                Ok(names) => Some(names),
                Err(reason) => return self.fail(&reason),
            },
            None => None,
        };
        self.saw_root = true;
        self.open.push(name.clone());
        Ok(Piece::Open {
            name,
            attributes,
            names,
        })
    }

    fn attribute(&mut self, first: char) -> Read<(String, String)> {
        let mut name = String::from(first);
        let mut c = self.must()?;
        while continues_name(c) {
            name.push(c);
            c = self.must()?;
        }
        if c != '=' && c != '>' && !is_blank(c) {
            return self.fail("Invalid attribute name");
        }
        let name = self.named(name);
        while is_blank(c) {
            c = self.must()?;
        }
        if c != '=' {
            return self.fail("Attribute without value");
        }
        let mut quote = self.must()?;
        while is_blank(quote) {
            quote = self.must()?;
        }
        if !matches!(quote, '"' | '\'') {
            return self.fail("Unquoted attribute value");
        }
        let mut value = String::new();
        loop {
            match self.must()? {
                c if c == quote => return Ok((name, value)),
                '&' => value.push(self.entity()?),
                c => value.push(c),
            }
        }
    }

    fn closing(&mut self) -> Read<Piece> {
        let mut name = String::new();
        loop {
            let c = self.must()?;
            match c {
                c if name.is_empty() && is_blank(c) => {}
                c if name.is_empty() && !starts_name(c) => {
                    return self.fail("Invalid tagname in closing tag.");
                }
                '>' => break,
                c if continues_name(c) => name.push(c),
                c if is_blank(c) => {
                    let mut c = c;
                    while is_blank(c) {
                        c = self.must()?;
                    }
                    if c != '>' {
                        return self.fail("Invalid characters in closing tag");
                    }
                    break;
                }
                _ => return self.fail("Invalid tagname in closing tag"),
            }
        }
        let name = self.named(name);
        match self.open.last() {
            Some(open) if *open == name => {
                self.close();
                Ok(Piece::Close)
            }
            Some(_) => self.fail("Unexpected close tag"),
            None => self.fail(&format!("Unmatched closing tag: {name}")),
        }
    }
}
