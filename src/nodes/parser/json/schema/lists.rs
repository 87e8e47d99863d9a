//! Keywords for lists.

use super::evaluate::{Evaluation, Place, Types, Verdict, get};
use crate::message::{Object, Value};

/// Items that are compared each with each.
const MOST_COMPARED: usize = 10_000;

impl Evaluation<'_> {
    pub(super) fn list(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let entries = value.as_array().unwrap_or_default();
        let mut right = self.count(
            schema,
            ["maxItems", "minItems"],
            "items",
            entries.len(),
            place,
        );
        if matches!(get(schema, "uniqueItems"), Some(Value::Bool(true)))
            && let Some((one, other)) = duplicates(schema, entries)?
        {
            let params = [("i", one.into()), ("j", other.into())];
            let message =
                format!("must NOT have duplicate items (items ## {other} and {one} are identical)");
            self.mistake(place, "uniqueItems", &params, message);
            right = false;
        }
        right &= self.items(schema, entries, place)?;
        if let Some(wanted) = get(schema, "contains") {
            let before = self.mistakes.len();
            let mut found = false;
            for (index, entry) in entries.iter().enumerate() {
                let at = place.keyword("contains").entry(&index.to_string());
                if self.apply(wanted, entry, &at)? {
                    found = true;
                    break;
                }
            }
            if found {
                self.mistakes.truncate(before);
            } else {
                let message = "must contain at least 1 valid item(s)".into();
                self.mistake(place, "contains", &[("minContains", 1.into())], message);
                right = false;
            }
        }
        Ok(right)
    }

    fn items(&mut self, schema: &Object, entries: &[Value], place: &Place) -> Verdict {
        let mut right = true;
        let Some(items) = get(schema, "items") else {
            return Ok(right);
        };
        let at = place.keyword("items");
        let Some(tuple) = items.as_array() else {
            for (index, entry) in entries.iter().enumerate() {
                right &= self.apply(items, entry, &at.entry(&index.to_string()))?;
            }
            return Ok(right);
        };
        match get(schema, "additionalItems") {
            Some(Value::Bool(false)) if entries.len() > tuple.len() => {
                let limit = Value::from(tuple.len());
                let message = format!("must NOT have more than {} items", tuple.len());
                self.mistake(place, "additionalItems", &[("limit", limit)], message);
                right = false;
            }
            Some(additional @ Value::Object(_)) => {
                let at = place.keyword("additionalItems");
                for (index, entry) in entries.iter().enumerate().skip(tuple.len()) {
                    right &= self.apply(additional, entry, &at.entry(&index.to_string()))?;
                }
            }
            _ => {}
        }
        for (index, (part, entry)) in tuple.iter().zip(entries).enumerate() {
            let step = index.to_string();
            right &= self.apply(part, entry, &at.keyword(&step).entry(&step))?;
        }
        Ok(right)
    }
}

/// Two equal entries, as Ajv looks for them: from the end.
fn duplicates(schema: &Object, entries: &[Value]) -> Result<Option<(usize, usize)>, String> {
    let plain = match get(schema, "items") {
        Some(Value::Object(items)) => Types::of(items),
        _ => Types(Vec::new()),
    };
    let is_plain = !plain.0.is_empty()
        && !plain
            .0
            .iter()
            .any(|name| matches!(*name, "object" | "array"));
    if is_plain {
        let mut seen = std::collections::HashMap::new();
        for (index, entry) in entries.iter().enumerate().rev() {
            if plain.allow(entry)
                && let Some(later) = seen.insert(entry.to_text(), index)
            {
                return Ok(Some((index, later)));
            }
        }
        return Ok(None);
    }
    if entries.len() > MOST_COMPARED {
        return Err(format!(
            "uniqueItems of objects is only checked up to {MOST_COMPARED} items"
        ));
    }
    for (index, entry) in entries.iter().enumerate().rev() {
        for (other, earlier) in entries[..index].iter().enumerate().rev() {
            if entry == earlier {
                return Ok(Some((index, other)));
            }
        }
    }
    Ok(None)
}
