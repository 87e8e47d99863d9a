//! The reader of the RFC mode: RFC 4180 with any separator and line end, strict for columns and tolerant for data.

use super::columns::Template;
use crate::message::ErrorValue;

/// A row: a cell with nothing in it is none, one with only quotes is empty.
pub(super) type Row = Vec<Option<String>>;

/// Rows as they stand in a text.
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// Where the reader stopped, in bytes.
    pub(super) end: usize,
}

/// How to read a text.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) separator: Option<char>,
    /// Quotes where none may be are an error, not text.
    pub(super) strict: bool,
    /// Stops after the first line.
    pub(super) one_line: bool,
}

/// The columns that a text names; none when it is not one line of them.
///
/// # Errors
/// Where a quote is wrong.
pub(super) fn columns(text: &str) -> Result<Option<Template>, ErrorValue> {
    let reading = Reading {
        separator: Some(','),
        strict: true,
        one_line: false,
    };
    let mut rows = read(text, 0, reading)?.rows;
    Ok(if rows.len() == 1 { rows.pop() } else { None })
}

/// As [`columns`] for the template in the settings: one empty column when there is none.
///
/// # Errors
/// As [`columns`].
pub(super) fn template(text: &str) -> Result<Template, ErrorValue> {
    Ok(columns(text)?.unwrap_or_else(no_columns))
}

/// What stands for no columns at all.
pub(super) fn no_columns() -> Template {
    vec![Some(String::new())]
}

/// Whether there are columns, and not just an empty one.
pub(super) fn has_columns(template: &[Option<String>]) -> bool {
    match template {
        [] => false,
        [Some(name)] => !name.is_empty(),
        _ => true,
    }
}

/// The columns with a name in one line, as `msg.columns` has them.
pub(super) fn columns_line(template: &[Option<String>]) -> String {
    let names: Vec<String> = template
        .iter()
        .flatten()
        .filter(|name| !name.is_empty())
        .map(|name| quoted(name, ","))
        .collect();
    names.join(",")
}

/// A cell's text, in quotes where it needs them.
pub(super) fn quoted(cell: &str, separator: &str) -> String {
    let has_quote = cell.contains('"');
    if has_quote || cell.contains(separator) || cell.contains(['\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Reads a text from a byte on.
///
/// # Errors
/// Only when it is to be strict.
pub(super) fn read(text: &str, from: usize, reading: Reading) -> Result<Table, ErrorValue> {
    let mut rows = Vec::new();
    let end = read_each(text, from, reading, |row| rows.push(row))?;
    Ok(Table { rows, end })
}

/// As [`read`], handing over each row as soon as it is there, and returning where the reader stopped: the cells of a long
/// text are many times its size.
///
/// # Errors
/// As [`read`].
pub(super) fn read_each(
    text: &str,
    from: usize,
    reading: Reading,
    take: impl FnMut(Row),
) -> Result<usize, ErrorValue> {
    let mut reader = Reader {
        text,
        at: from,
        reading,
        cell: String::new(),
        is_new: true,
        row: Row::new(),
        take,
    };
    reader.run()?;
    Ok(reader.at)
}

struct Reader<'a, T> {
    text: &'a str,
    at: usize,
    reading: Reading,
    cell: String,
    /// Nothing of the cell has been seen.
    is_new: bool,
    row: Row,
    take: T,
}

impl<T: FnMut(Row)> Reader<'_, T> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn run(&mut self) -> Result<(), ErrorValue> {
        let (mut in_quotes, mut closed) = (false, false);
        while let Some(character) = self.peek() {
            if in_quotes {
                closed = false;
                self.is_new = false;
                self.at += character.len_utf8();
                if character != '"' {
                    self.cell.push(character);
                } else if self.peek() == Some('"') {
                    self.cell.push('"');
                    self.at += 1;
                } else {
                    in_quotes = false;
                    closed = true;
                }
            } else if Some(character) == self.reading.separator {
                self.end_cell();
                self.at += character.len_utf8();
                self.is_new = true;
                closed = false;
            } else if character == '"' && self.is_new {
                in_quotes = true;
                self.at += 1;
                self.is_new = false;
                closed = false;
            } else if character == '"' {
                self.stray_quote()?;
            } else if matches!(character, '\n' | '\r') {
                self.end_row();
                self.at += 1;
                if self.peek() == Some('\n') {
                    self.at += 1;
                }
                self.is_new = true;
                closed = false;
                if self.reading.one_line {
                    break;
                }
            } else if closed {
                if self.reading.strict {
                    return Err(self.error("DataAfterCloseError", "Data found after closing quote"));
                }
                // The closing quote was none: it is read again, as a part of the text.
                self.at -= 1;
                closed = false;
            } else {
                self.cell.push(character);
                self.is_new = false;
                self.at += character.len_utf8();
            }
        }
        if self.reading.strict && in_quotes {
            return Err(self.error("ParseError", "Missing quote, unclosed cell"));
        }
        self.end_row();
        Ok(())
    }

    /// A quote in the middle of a cell without quotes stays, unless the cell ends there; two are one.
    fn stray_quote(&mut self) -> Result<(), ErrorValue> {
        if self.reading.strict {
            return Err(self.error(
                "UnquotedQuoteError",
                "Quote found in the middle of an unquoted field",
            ));
        }
        self.at += 1;
        if let Some(next) = self.peek()
            && !matches!(next, '\n' | '\r')
            && Some(next) != self.reading.separator
        {
            self.cell.push('"');
            if next == '"' {
                self.at += 1;
            }
        }
        Ok(())
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        let is_null = cell.is_empty() && self.is_new;
        self.row.push((!is_null).then_some(cell));
    }

    /// An empty cell at a row's end does not count.
    fn end_row(&mut self) {
        if !self.cell.is_empty() {
            self.end_cell();
        }
        if !self.row.is_empty() {
            (self.take)(std::mem::take(&mut self.row));
        }
    }

    fn error(&self, name: &str, message: &str) -> ErrorValue {
        let mut error = super::js_error(name, message);
        let cursor = self.text[..self.at].encode_utf16().count();
        error.properties.insert("cursor", cursor.into());
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        let reading = Reading {
            separator: Some(','),
            strict: false,
            one_line: false,
        };
        read(text, 0, reading).unwrap().rows
    }

    #[test]
    fn data_may_be_sloppy() {
        let row = |cells: &[Option<&str>]| -> Row {
            cells.iter().map(|cell| cell.map(str::to_owned)).collect()
        };
        for (text, expected) in [
            (
                "a,b\r\nc,d",
                vec![row(&[Some("a"), Some("b")]), row(&[Some("c"), Some("d")])],
            ),
            (
                "\"a\r\nb\",\"c\"\"d\"",
                vec![row(&[Some("a\r\nb"), Some("c\"d")])],
            ),
            (
                "a,,\"\",d",
                vec![row(&[Some("a"), None, Some(""), Some("d")])],
            ),
            ("a,\"\"", vec![row(&[Some("a")])]),
            ("a\n\n\nb", vec![row(&[Some("a")]), row(&[Some("b")])]),
            ("\"a\"b,c", vec![row(&[Some("a\"b"), Some("c")])]),
            ("a\"b\",c", vec![row(&[Some("a\"b"), Some("c")])]),
            ("\"open,\nit", vec![row(&[Some("open,\nit")])]),
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    #[test]
    fn columns_may_not() {
        assert!(
            columns("a\"b")
                .unwrap_err()
                .text()
                .starts_with("UnquotedQuoteError")
        );
        assert!(
            columns("\"a\"b")
                .unwrap_err()
                .text()
                .starts_with("DataAfterCloseError")
        );
        assert!(columns("\"a").unwrap_err().text().starts_with("ParseError"));
        assert_eq!(columns("a\nb").unwrap(), None);
        assert_eq!(columns("").unwrap(), None);
        let names = columns("a,,\"b,c\"").unwrap().unwrap();
        assert_eq!(columns_line(&names), "a,\"b,c\"");
    }
}
