//! RFC mode, text to objects.

use super::{
    Work, cells,
    columns::Template,
    rfc::{self, Reading, Row},
    rows::{Incoming, Rows, line_breaks},
};
use crate::{
    engine::{Failed, Status},
    message::{ErrorValue, Keys, Message, Object, Value},
};

impl Work<'_> {
    pub(super) fn rfc_read(
        &mut self,
        text: &str,
        template: &mut Template,
        msg: Message,
    ) -> Result<(), Failed> {
        let read = Incoming::new(&msg)
            .and_then(|incoming| Ok((incoming, self.rfc_rows(text, template, incoming)?)));
        match read {
            Ok((incoming, Some(rows))) => self.send_rows(rows, incoming, msg),
            // All of it is skipped, and Node-RED does not call the message done.
            Ok((_, None)) => Ok(()),
            Err(error) => Err(Failed::with(error, msg)),
        }
    }

    fn rfc_rows(
        &self,
        text: &str,
        template: &mut Template,
        incoming: Incoming,
    ) -> Result<Option<Rows>, ErrorValue> {
        let settings = self.settings;
        let line = if incoming.has_parts {
            incoming.index
        } else {
            0.0
        };
        let mut first = !(incoming.has_parts && incoming.index > settings.skip);
        let mut from = 0;
        if settings.skip > 0.0 && line < settings.skip {
            match after_lines(text, line, incoming, settings.skip, first) {
                Some(end) => from = end,
                None => return Ok(None),
            }
        }
        let line_breaks = line_breaks(&text[from..]);
        if incoming.has_parts && settings.multi == "mult" && line_breaks > 1 {
            first = true;
        }
        let mut reading = Reading {
            separator: settings.separator_character(),
            strict: true,
            one_line: true,
        };
        if first && settings.header_in {
            let header = rfc::read(text, from, reading).inspect_err(|_| {
                let text = self.ctx.text("csv.errors.bad_template", &[]);
                self.ctx.status(Status::new("red", "dot", text));
            })?;
            *template = header.rows.into_iter().next().unwrap_or_default();
            from = header.end;
        }
        reading.strict = false;
        reading.one_line = false;
        // Without columns they are made up, as many as the first row has.
        let named = rfc::has_columns(template).then_some(&*template);
        let mut made_up: Option<Template> = None;
        let (mut rows, mut keys) = (Vec::new(), Keys::default());
        rfc::read_each(text, from, reading, |row| {
            let columns = named.unwrap_or_else(|| {
                made_up.get_or_insert_with(|| {
                    let names = (1..=row.len()).map(|at| Some(format!("col{at}")));
                    names.collect()
                })
            });
            let object = self.rfc_object(row, columns, &mut keys);
            if !object.is_empty() {
                rows.push(Value::Object(object));
            }
        })?;
        rows.shrink_to_fit();
        let columns = named.unwrap_or(made_up.get_or_insert_default());
        let keeps = settings.together() && incoming.has_parts && line_breaks <= 1;
        Ok(Some(Rows {
            to_store: if keeps { rows.clone() } else { Vec::new() },
            rows,
            columns: rfc::columns_line(columns),
            line_breaks,
        }))
    }

    fn rfc_object(&self, row: Row, columns: &[Option<String>], keys: &mut Keys) -> Object {
        let settings = self.settings;
        let mut object = Object::with_capacity(columns.len());
        let mut cells = row.into_iter();
        for name in columns {
            let cell = cells.next().flatten();
            let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else {
                continue;
            };
            let value = match cell {
                None if settings.keep_null => Value::Null,
                None => continue,
                Some(cell) if cell.is_empty() && !settings.keep_empty => continue,
                Some(cell) if cell.is_empty() => "".into(),
                Some(cell) => match cells::rfc_number(&cell) {
                    Some(number) if settings.parse_numbers => Value::Number(number),
                    _ => cell.into(),
                },
            };
            object.insert(keys.get(name), value);
        }
        object.shrink_to_fit();
        object
    }
}

/// Where the text goes on after so many line breaks; none when it ends before. Each of \r and \n counts, as in Node-RED.
fn after_lines(
    text: &str,
    mut line: f64,
    incoming: Incoming,
    skip: f64,
    first: bool,
) -> Option<usize> {
    for (at, byte) in text.bytes().enumerate() {
        if !(first && line < skip) {
            return Some(at);
        }
        if matches!(byte, b'\r' | b'\n') {
            line = incoming.line_after(line);
        }
    }
    None
}
