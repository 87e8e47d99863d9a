//! RFC mode, objects and lists to text.

use super::{
    Header, Work, cannot_read, cells,
    columns::Template,
    js_error,
    legacy_write::{first_keys, is_later_part},
    rfc,
};
use crate::{
    engine::Failed,
    message::{ErrorValue, Message, Value},
};

impl Work<'_> {
    pub(super) fn rfc_write(
        &mut self,
        payload: Value,
        template: &mut Template,
        mut msg: Message,
    ) -> Result<(), Failed> {
        match self.rfc_text(payload, template, &msg) {
            Ok(text) => {
                msg.set("payload", text);
                msg.set("columns", rfc::columns_line(template));
                self.ctx.send_done(msg);
                Ok(())
            }
            Err(error) => Err(Failed::with(error, msg)),
        }
    }

    fn rfc_text(
        &mut self,
        payload: Value,
        template: &mut Template,
        msg: &Message,
    ) -> Result<String, ErrorValue> {
        let settings = self.settings;
        let separator = settings.separator.as_str();
        let (rows, are_lists) = match payload {
            Value::Array(rows) => match rows.first() {
                Some(Value::Array(_)) => (rows.to_vec(), true),
                Some(first) if first.type_of() != "object" => (vec![Value::Array(rows)], true),
                _ => (rows.to_vec(), false),
            },
            one => (vec![one], false),
        };
        let no_template = !rfc::has_columns(&rfc::template(&settings.template)?);
        if !(no_template && is_later_part(msg)?) {
            *template = rfc::template(&settings.template)?;
        }
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if settings.header_out != Header::Never && !self.state.header_sent {
            if !rfc::has_columns(template) {
                *template = match message_columns(msg)? {
                    Some(columns) => columns.unwrap_or_else(rfc::no_columns),
                    None => first_keys(&rows)?.into_iter().map(Some).collect(),
                };
            }
            let names: Vec<String> = template
                .iter()
                .map(|name| rfc::quoted(name.as_deref().unwrap_or_default(), separator))
                .collect();
            lines.push(names.join(separator));
            self.state.header_sent = settings.header_out == Header::Once;
        }
        for row in &rows {
            if are_lists {
                lines.push(self.list(row, template)?);
                continue;
            }
            if !rfc::has_columns(template)
                && let Some(columns) = message_columns(msg)?
            {
                *template = columns.unwrap_or_default();
            }
            if rfc::has_columns(template) {
                lines.push(self.object(row, template)?);
            } else {
                lines.push(self.untitled(row, &rows[0], template)?);
            }
        }
        Ok(lines.join(&settings.line_end) + &settings.line_end)
    }

    fn list(&self, row: &Value, template: &Template) -> Result<String, ErrorValue> {
        let has_columns = rfc::has_columns(template);
        if row.is_nullish() {
            let read = if has_columns { "0" } else { "length" };
            return Err(cannot_read(row, read));
        }
        let count = if has_columns {
            template.len()
        } else {
            match row {
                Value::Array(_) | Value::Bytes(_) | Value::String(_) => {
                    cells::keys(row).unwrap_or_default().len()
                }
                _ => 0,
            }
        };
        let mut line = Vec::with_capacity(count);
        for at in 0..count {
            let name = template.get(at).and_then(Option::as_ref);
            let is_left_out = has_columns && name.is_none_or(String::is_empty);
            line.push(if is_left_out {
                String::new()
            } else {
                self.cell(cells::property(row, &at.to_string()))?
            });
        }
        Ok(line.join(&self.settings.separator))
    }

    /// The first row when nothing says which columns there are: its plain values. Its keys are the columns from then on.
    fn untitled(
        &mut self,
        row: &Value,
        first: &Value,
        template: &mut Template,
    ) -> Result<String, ErrorValue> {
        if !self.state.warned {
            self.state.warned = true;
            self.ctx.warn(self.ctx.text("csv.errors.obj_csv", &[]));
        }
        *template = first_keys(std::slice::from_ref(row))?
            .into_iter()
            .map(Some)
            .collect();
        let mut line = Vec::new();
        for key in cells::keys(first).unwrap_or_default() {
            match cells::property(row, &key) {
                Some(value) if value.type_of() != "object" => line.push(self.cell(Some(value))?),
                _ => {}
            }
        }
        Ok(line.join(&self.settings.separator))
    }

    fn object(&self, row: &Value, template: &Template) -> Result<String, ErrorValue> {
        let mut line = Vec::with_capacity(template.len());
        for name in template {
            let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else {
                line.push(String::new());
                continue;
            };
            if row.is_nullish() {
                return Err(cannot_read(row, name));
            }
            line.push(self.cell(cells::property(row, name))?);
        }
        Ok(line.join(&self.settings.separator))
    }

    fn cell(&self, value: Option<Value>) -> Result<String, ErrorValue> {
        match value {
            None | Some(Value::Undefined) => Ok(String::new()),
            Some(value) => {
                let text = cells::to_cell(&value).map_err(|error| js_error("TypeError", &error))?;
                Ok(rfc::quoted(&text, &self.settings.separator))
            }
        }
    }
}

/// The columns that `msg.columns` names, if it has any: none within when they are not one line.
fn message_columns(msg: &Message) -> Result<Option<Option<Template>>, ErrorValue> {
    if !msg.fields().contains_key("columns") {
        return Ok(None);
    }
    match msg.get("columns") {
        Value::String(text) => rfc::columns(text).map(Some),
        // The reader takes the entries for characters.
        Value::Array(entries) => {
            let text: String = entries.iter().map(cell_text).collect();
            rfc::columns(&text).map(Some)
        }
        // Anything else has no characters to read.
        _ => Ok(Some(None)),
    }
}

/// An entry as `join` writes it.
fn cell_text(entry: &Value) -> String {
    if entry.is_nullish() {
        String::new()
    } else {
        entry.to_text()
    }
}
