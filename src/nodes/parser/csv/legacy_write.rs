//! Legacy mode, objects and lists to text.

use super::{Header, Work, cannot_read, cells, columns::Legacy, js_error};
use crate::{
    engine::Failed,
    message::{ErrorValue, Message, Value},
};

impl Work<'_> {
    pub(super) fn legacy_write(
        &mut self,
        payload: Value,
        columns: &mut Legacy,
        mut msg: Message,
    ) -> Result<(), Failed> {
        let goes_on = if columns.no_template {
            is_later_part(&msg)
        } else {
            Ok(false)
        };
        match goes_on {
            Ok(true) => {}
            Ok(false) => columns.read(&self.settings.template),
            Err(error) => return Err(Failed::with(error, msg)),
        }
        let mut rows = match payload {
            Value::Array(rows) => rows.to_vec(),
            one => vec![one],
        };
        let mut begun = 0;
        match self.legacy_text(&mut rows, &mut begun, columns, &msg) {
            Ok(text) => {
                msg.set("payload", text);
                msg.set("columns", columns.line(",", true));
                self.ctx.send_done(msg);
                Ok(())
            }
            Err(error) => {
                self.quote(&mut rows[..begun]);
                msg.set("payload", rows);
                Err(Failed::with(error, msg))
            }
        }
    }

    /// What Node-RED has done to the lists of a payload when it fails at the last of them: it quotes the cells in place.
    fn quote(&self, rows: &mut [Value]) {
        for row in rows {
            let Value::Array(cells) = row else { continue };
            let quoted = |cell: &Value| match cell {
                Value::Undefined => Value::from(""),
                cell => {
                    let text = cell.to_text();
                    let breaks = text.contains('\n');
                    let quoted = self.quoted(text.clone(), breaks);
                    if quoted == text {
                        cell.clone()
                    } else {
                        quoted.into()
                    }
                }
            };
            let done = cells.iter().take_while(|cell| !matches!(cell, Value::Null));
            let mut list: Vec<Value> = done.map(quoted).collect();
            list.extend_from_slice(&cells[list.len()..]);
            *row = list.into();
        }
    }

    fn legacy_text(
        &mut self,
        rows: &mut Vec<Value>,
        begun: &mut usize,
        columns: &mut Legacy,
        msg: &Message,
    ) -> Result<String, ErrorValue> {
        let settings = self.settings;
        let has_columns = msg.fields().contains_key("columns");
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if settings.header_out != Header::Never && !self.state.header_sent {
            if columns.are_empty() {
                if has_columns {
                    columns.read_message(msg)?;
                } else {
                    columns.names = first_keys(rows)?;
                }
            }
            lines.push(columns.line(&settings.separator, true));
            self.state.header_sent = settings.header_out == Header::Once;
        }
        while *begun < rows.len() {
            let at = *begun;
            *begun += 1;
            if rows[at].type_of() != "object" {
                // A list of plain values is one row; Node-RED finds none after it.
                if at > 0 {
                    self.quote(&mut rows[..at]);
                    *begun = 0;
                }
                *rows = vec![std::mem::take(rows).into()];
            }
            match rows.get(at) {
                Some(Value::Array(cells)) => lines.push(self.list_line(cells)?),
                Some(row) => {
                    if columns.are_empty() && has_columns {
                        columns.read_message(msg)?;
                    }
                    lines.push(if columns.are_empty() {
                        self.untitled_line(row, &rows[0])?
                    } else {
                        self.object_line(row, &columns.names)?
                    });
                }
                None => return Err(cannot_read(&Value::Undefined, "length")),
            }
        }
        Ok(lines.join(&settings.line_end) + &settings.line_end)
    }

    fn list_line(&self, list: &[Value]) -> Result<String, ErrorValue> {
        let mut line = Vec::with_capacity(list.len());
        for cell in list {
            if matches!(cell, Value::Null) {
                return Err(cannot_read(cell, "toString"));
            }
            let text = if cell.is_undefined() {
                String::new()
            } else {
                cell.to_text()
            };
            let breaks = text.contains('\n');
            line.push(self.quoted(text, breaks));
        }
        Ok(line.join(&self.settings.separator))
    }

    /// A row when nothing says which columns there are: the plain values under the first row's keys.
    fn untitled_line(&mut self, row: &Value, first: &Value) -> Result<String, ErrorValue> {
        if !self.state.warned {
            self.state.warned = true;
            self.ctx.warn(self.ctx.text("csv.errors.obj_csv", &[]));
        }
        if let (Value::Bytes(first), Value::Bytes(row)) = (first, row) {
            return Ok(self.numbers_line(&row[..row.len().min(first.len())]));
        }
        let mut line = Vec::new();
        for key in cells::keys(first).unwrap_or_default() {
            if row.is_nullish() {
                return Err(cannot_read(row, "hasOwnProperty"));
            }
            let Some(value) =
                cells::property(row, &key).filter(|value| value.type_of() != "object")
            else {
                continue;
            };
            let text = if value.is_undefined() {
                String::new()
            } else {
                value.to_text()
            };
            // Node-RED looks for the line break in the key.
            line.push(self.quoted(text, key.contains('\n')));
        }
        Ok(line.join(&self.settings.separator))
    }

    /// A buffer's bytes, without a text for each.
    fn numbers_line(&self, bytes: &[u8]) -> String {
        let mut line = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 {
                line.push_str(&self.settings.separator);
            }
            line.push_str(&self.quoted(byte.to_string(), false));
        }
        line
    }

    fn object_line(&self, row: &Value, names: &[String]) -> Result<String, ErrorValue> {
        let mut line = Vec::with_capacity(names.len());
        for name in names {
            if name.is_empty() {
                line.push(String::new());
                continue;
            }
            if name.contains('"') && name.contains('\'') {
                return Err(js_error(
                    "Error",
                    "Invalid property expression: a column has both kinds of quotes",
                ));
            }
            if row.is_nullish() {
                return Err(cannot_read(row, name));
            }
            let value = cells::property(row, name).unwrap_or_default();
            let text = match &value {
                Value::Undefined => String::new(),
                value => cells::to_cell(value).map_err(|error| js_error("TypeError", &error))?,
            };
            let breaks = text.contains('\n');
            line.push(self.quoted(text, breaks));
        }
        Ok(line.join(&self.settings.separator))
    }

    /// A cell's text, in quotes where it needs them; `breaks` when a line break asks for them.
    fn quoted(&self, text: String, breaks: bool) -> String {
        if text.contains('"') {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else if breaks || text.contains(&self.settings.separator) {
            format!("\"{text}\"")
        } else {
            text
        }
    }
}

/// Whether the message is a later one of a sequence, for which the columns were found already.
pub(super) fn is_later_part(msg: &Message) -> Result<bool, ErrorValue> {
    let parts = msg.get("parts");
    if msg.fields().contains_key("parts") && parts.is_nullish() {
        return Err(cannot_read(parts, "hasOwnProperty"));
    }
    let index = parts.as_object().and_then(|parts| parts.get("index"));
    Ok(index.is_some_and(|index| index.to_number() > 0.0))
}

/// `Object.keys` of the first row.
pub(super) fn first_keys(rows: &[Value]) -> Result<Vec<String>, ErrorValue> {
    rows.first()
        .and_then(cells::keys)
        .ok_or_else(|| js_error("TypeError", "Cannot convert undefined or null to object"))
}
