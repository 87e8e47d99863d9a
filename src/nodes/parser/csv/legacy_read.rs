//! Legacy mode, text to objects.

use super::{
    Work, cannot_read, cells,
    columns::Legacy,
    rows::{Incoming, Rows, line_breaks},
};
use crate::{
    engine::Failed,
    message::{ErrorValue, Key, Keys, Message, Object, Value},
};

impl Work<'_> {
    pub(super) fn legacy_read(
        &mut self,
        text: &str,
        columns: &mut Legacy,
        msg: Message,
    ) -> Result<(), Failed> {
        let read = Incoming::new(&msg).and_then(|incoming| {
            let rows = Reader::new(self, columns, incoming).read(text)?;
            Ok((incoming, rows))
        });
        match read {
            Ok((incoming, rows)) => self.send_rows(rows, incoming, msg),
            Err(error) => Err(Failed::with(error, msg)),
        }
    }
}

/// Goes through the text character by character.
struct Reader<'a, 'b> {
    work: &'a Work<'b>,
    columns: &'a mut Legacy,
    separator: Option<char>,
    incoming: Incoming,
    rows: Vec<Value>,
    keys: Keys,
    row: Vec<(Key, Value)>,
    /// The column that is being read, and what is in it so far; none is null.
    column: usize,
    cell: Option<String>,
    in_quotes: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(work: &'a Work<'b>, columns: &'a mut Legacy, incoming: Incoming) -> Self {
        Self {
            separator: work.settings.separator_character(),
            work,
            columns,
            incoming,
            rows: Vec::new(),
            keys: Keys::default(),
            row: Vec::new(),
            column: 0,
            cell: Some(String::new()),
            in_quotes: false,
        }
    }

    fn read(mut self, text: &str) -> Result<Rows, ErrorValue> {
        let settings = self.work.settings;
        let line_breaks = line_breaks(text);
        let mut line = if self.incoming.has_parts {
            self.incoming.index
        } else {
            0.0
        };
        // Whether the first line, with the header, is still to come.
        let mut first = !(self.incoming.has_parts && self.incoming.index > settings.skip);
        if self.incoming.has_parts && settings.multi == "mult" && line_breaks > 1 {
            first = true;
        }
        let mut header = String::new();
        let mut before = None;
        for (at, character) in text.char_indices() {
            let is_end = at + character.len_utf8() == text.len();
            if first && line < settings.skip {
                if character == '\n' {
                    line = self.incoming.line_after(line);
                }
            } else if settings.header_in && first {
                let ends = matches!(character, '\n' | '\r');
                if !ends || is_end {
                    header.push(character);
                }
                if ends || is_end {
                    self.columns.read_with(&header, &settings.separator);
                    first = false;
                }
            } else {
                self.take(character, before, is_end)?;
            }
            before = Some(character);
        }
        if self.in_quotes {
            let ctx = self.work.ctx;
            ctx.warn(ctx.text("csv.errors.bad_csv", &[]));
        }
        self.end_cell();
        let before = self.rows.len();
        self.end_row();
        self.rows.shrink_to_fit();
        let to_store = self.rows[before..].to_vec();
        Ok(Rows {
            rows: self.rows,
            to_store,
            columns: self.columns.line(",", false),
            line_breaks,
        })
    }

    fn take(
        &mut self,
        character: char,
        before: Option<char>,
        is_end: bool,
    ) -> Result<(), ErrorValue> {
        let after_separator = before.is_some() && before == self.separator;
        match character {
            '"' => {
                self.in_quotes = !self.in_quotes;
                // The second of two quotes is a quote.
                if before == Some('"') && self.in_quotes {
                    self.push('"');
                }
            }
            c if Some(c) == self.separator && !self.in_quotes => {
                if self.columns.name(self.column).is_some() {
                    // Node-RED looks at the character before without asking whether there is one.
                    let before =
                        before.ok_or_else(|| cannot_read(&Value::Undefined, "includes"))?;
                    if after_separator || before == '\n' {
                        self.cell = None;
                    }
                }
                self.end_cell();
                self.column += 1;
                self.cell = (!is_end).then(String::new);
            }
            '\n' | '\r' if !self.in_quotes => {
                if after_separator && self.columns.name(self.column).is_some() {
                    self.cell = None;
                }
                self.end_cell();
                self.end_row();
                self.column = 0;
                self.cell = Some(String::new());
            }
            c => self.push(c),
        }
        Ok(())
    }

    fn push(&mut self, character: char) {
        self.cell.get_or_insert_default().push(character);
    }

    /// Puts the cell into the row, if it has a column and is to be kept.
    fn end_cell(&mut self) {
        let cell = self.cell.take();
        let settings = self.work.settings;
        let Some(name) = self.columns.name(self.column) else {
            return;
        };
        let value = match cell {
            None if settings.keep_null => Value::Null,
            Some(cell) if cell.is_empty() && settings.keep_empty => "".into(),
            Some(cell) if !cell.is_empty() => cells::legacy_value(cell, settings.parse_numbers),
            _ => return,
        };
        self.row.push((self.keys.get(name), value));
    }

    /// Makes an object of the row, if it has cells.
    fn end_row(&mut self) {
        if !self.row.is_empty() {
            self.rows
                .push(self.row.drain(..).collect::<Object>().into());
        }
    }
}
