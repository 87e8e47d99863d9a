//! What `$ref` refers to: a place in the schema, or a part of it with an `$id`.

use std::collections::HashMap;

use crate::message::{MAX_DEPTH, Value};

/// The parts of a schema that have names.
pub(super) struct References {
    by_id: HashMap<String, Value>,
    root_id: String,
}

impl References {
    /// Collects the `$id`s.
    ///
    /// # Errors
    /// When the schema is too deep.
    pub(super) fn find(root: &Value) -> Result<Self, String> {
        let id = root.as_object().and_then(|root| root.get("$id"));
        let mut found = Self {
            by_id: HashMap::new(),
            root_id: id
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim_end_matches('#')
                .to_owned(),
        };
        found.collect(root, 0)?;
        Ok(found)
    }

    fn collect(&mut self, part: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("the schema is nested too deep".into());
        }
        match part {
            Value::Object(object) => {
                if let Some(id) = object.get("$id").and_then(Value::as_str) {
                    let id = id.trim_end_matches('#').to_owned();
                    self.by_id.entry(id).or_insert_with(|| part.clone());
                }
                object
                    .values()
                    .try_for_each(|part| self.collect(part, depth + 1))
            }
            Value::Array(parts) => parts
                .iter()
                .try_for_each(|part| self.collect(part, depth + 1)),
            Value::Ancestor(_) => Err("the schema contains itself".into()),
            _ => Ok(()),
        }
    }

    /// The part that a reference names.
    pub(super) fn get(&self, root: &Value, reference: &str) -> Option<Value> {
        if let Some(part) = self.by_id.get(reference.trim_end_matches('#')) {
            return Some(part.clone());
        }
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let mut part = if document.is_empty() || document == self.root_id {
            root.clone()
        } else {
            self.by_id.get(document)?.clone()
        };
        if fragment.is_empty() {
            return Some(part);
        }
        for step in fragment.strip_prefix('/')?.split('/') {
            let name = decoded(step)?.replace("~1", "/").replace("~0", "~");
            part = match &part {
                Value::Object(object) => object.get(&name)?.clone(),
                Value::Array(parts) => parts.get(name.parse::<usize>().ok()?)?.clone(),
                _ => return None,
            };
        }
        Some(part)
    }
}

/// `decodeURIComponent`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}
