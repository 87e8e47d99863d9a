//! Whether a schema is one: by the meta-schema of draft 7, and by Ajv's strict mode, which refuses what it would ignore.

use super::{Schema, is_of_type};
use crate::message::{Object, Pattern, Value};

/// Meta-schemas that a schema may name.
const DRAFTS: [&str; 2] = [
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];
/// Keywords that say nothing about a value.
const NOTES: [&str; 16] = [
    "$schema",
    "$id",
    "$defs",
    "$vocabulary",
    "$comment",
    "definitions",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "contentMediaType",
    "contentEncoding",
    "contentSchema",
];
/// Keywords whose value is a schema.
const ONE: [&str; 8] = [
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "additionalProperties",
    "additionalItems",
    "contains",
];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 3] = ["anyOf", "oneOf", "allOf"];
/// Keywords whose value holds schemas by name.
const NAMED: [&str; 2] = ["properties", "patternProperties"];
const COUNTS: [&str; 6] = [
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "maxProperties",
    "minProperties",
];
const NUMBERS: [&str; 5] = [
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
];
const TYPES: [&str; 7] = [
    "null", "boolean", "string", "array", "number", "integer", "object",
];

/// Checks the whole schema and makes its patterns ready.
pub(super) fn check(schema: &mut Schema) -> Result<(), String> {
    let root = schema.root.clone();
    if let Some(named) = root.as_object().and_then(|root| root.get("$schema")) {
        let named = named.as_str().ok_or("$schema must be a string")?;
        if !DRAFTS.contains(&named.trim_end_matches('#')) {
            return Err(format!("no schema with key or ref \"{named}\""));
        }
    }
    let mut checker = Checker {
        schema,
        followed: Vec::new(),
    };
    checker.part(&root, true)
}

struct Checker<'a> {
    schema: &'a mut Schema,
    /// References that were looked at.
    followed: Vec<String>,
}

impl Checker<'_> {
    /// Checks a part; `strict` when it takes part in the validation, and not only stands in the definitions.
    fn part(&mut self, part: &Value, strict: bool) -> Result<(), String> {
        let object = match part {
            Value::Bool(_) => return Ok(()),
            Value::Object(object) => object,
            _ => return Err("schema must be object or boolean".into()),
        };
        for (key, value) in object {
            if value.is_undefined() {
                continue;
            }
            self.keyword(key, value, object, strict)?;
        }
        if strict {
            self.combinations(object)?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        key: &str,
        value: &Value,
        object: &Object,
        strict: bool,
    ) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("schema is invalid: {key} must be {what}"));
        match key {
            "$defs" | "definitions" => {
                let Some(parts) = value.as_object() else {
                    return wrong("object");
                };
                parts.values().try_for_each(|part| self.part(part, false))
            }
            "$ref" => self.reference(value, strict),
            "$id" | "$comment" | "title" | "description" | "contentMediaType"
            | "contentEncoding" => match value {
                Value::String(_) => Ok(()),
                _ => wrong("string"),
            },
            "examples" if value.as_array().is_none() => wrong("array"),
            "readOnly" | "nullable" | "uniqueItems" if !matches!(value, Value::Bool(_)) => {
                wrong("boolean")
            }
            "nullable" if object.get("type").is_none_or(Value::is_undefined) => {
                Err("\"nullable\" cannot be used without \"type\"".into())
            }
            "nullable" if matches!(value, Value::Bool(false)) && names_null(object.get("type")) => {
                Err("\"null\" type conflicts with nullable: false".into())
            }
            "uniqueItems" | "nullable" | "const" => Ok(()),
            key if NOTES.contains(&key) => Ok(()),
            key if ONE.contains(&key) => self.part(value, strict),
            key if LISTS.contains(&key) => self.list(key, value, strict),
            "items" if value.as_array().is_some() => self.list(key, value, strict),
            "items" => self.part(value, strict),
            key if NAMED.contains(&key) => {
                let Some(parts) = value.as_object() else {
                    return wrong("object");
                };
                if key == "patternProperties" {
                    parts.keys().try_for_each(|key| self.pattern(key))?;
                }
                parts.values().try_for_each(|part| self.part(part, strict))
            }
            "dependencies" => {
                let Some(parts) = value.as_object() else {
                    return wrong("object");
                };
                parts.values().try_for_each(|part| match part {
                    Value::Array(names) => self.names(key, names),
                    part => self.part(part, strict),
                })
            }
            "required" => match value.as_array() {
                Some(names) => self.names(key, names),
                None => wrong("array"),
            },
            key if COUNTS.contains(&key) => match value.as_number() {
                Some(number) if number >= 0.0 && number.fract() == 0.0 => Ok(()),
                _ => wrong("a non-negative integer"),
            },
            "multipleOf" if value.as_number().is_some_and(|number| number <= 0.0) => wrong("> 0"),
            key if NUMBERS.contains(&key) => match is_of_type(value, "number") {
                true => Ok(()),
                false => wrong("number"),
            },
            "pattern" => match value.as_str() {
                Some(pattern) => self.pattern(pattern),
                None => wrong("string"),
            },
            "enum" => match value.as_array() {
                Some([]) => Err("enum must have non-empty array".into()),
                Some(_) => Ok(()),
                None => wrong("array"),
            },
            "type" => types(value),
            "format" if strict => Err(format!(
                "unknown format \"{}\" ignored in schema",
                value.to_text()
            )),
            "format" => Ok(()),
            "id" if strict => {
                Err("NOT SUPPORTED: keyword \"id\", use \"$id\" for schema ID".into())
            }
            _ if strict => Err(format!("strict mode: unknown keyword: \"{key}\"")),
            _ => Ok(()),
        }
    }

    /// What Ajv would have to ignore.
    fn combinations(&self, object: &Object) -> Result<(), String> {
        let has = |key: &str| object.get(key).is_some_and(|value| !value.is_undefined());
        if has("if") && !has("then") && !has("else") {
            return Err("strict mode: \"if\" without \"then\" and \"else\" is ignored".into());
        }
        for key in ["then", "else"] {
            if has(key) && !has("if") {
                return Err(format!("strict mode: \"{key}\" without \"if\" is ignored"));
            }
        }
        let is_tuple = object
            .get("items")
            .is_some_and(|items| items.as_array().is_some());
        if has("additionalItems") && !is_tuple {
            return Err(
                "strict mode: \"additionalItems\" is ignored when \"items\" is not an array of schemas"
                    .into(),
            );
        }
        Ok(())
    }

    fn list(&mut self, key: &str, value: &Value, strict: bool) -> Result<(), String> {
        match value.as_array() {
            Some([]) => Err(format!(
                "schema is invalid: {key} must NOT have fewer than 1 items"
            )),
            Some(parts) => parts.iter().try_for_each(|part| self.part(part, strict)),
            None => Err(format!("schema is invalid: {key} must be array")),
        }
    }

    fn names(&self, key: &str, names: &[Value]) -> Result<(), String> {
        for (index, name) in names.iter().enumerate() {
            if name.as_str().is_none() {
                return Err(format!(
                    "schema is invalid: {key} must be a list of strings"
                ));
            }
            if names[..index].contains(name) {
                return Err(format!(
                    "schema is invalid: {key} must NOT have duplicate items"
                ));
            }
        }
        Ok(())
    }

    fn pattern(&mut self, text: &str) -> Result<(), String> {
        if !self.schema.patterns.contains_key(text) {
            let compiled = Pattern::new(text, "u").map_err(|error| error.to_string())?;
            self.schema.patterns.insert(text.to_owned(), compiled);
        }
        Ok(())
    }

    fn reference(&mut self, value: &Value, strict: bool) -> Result<(), String> {
        let reference = value
            .as_str()
            .ok_or("schema is invalid: $ref must be string")?;
        if !strict || self.followed.iter().any(|followed| followed == reference) {
            return Ok(());
        }
        self.followed.push(reference.to_owned());
        let Some(part) = self.schema.references.get(&self.schema.root, reference) else {
            return Err(format!("can't resolve reference {reference}"));
        };
        self.part(&part, true)
    }
}

/// Whether `type` allows null.
fn names_null(types: Option<&Value>) -> bool {
    let is_null = |name: &Value| name.as_str() == Some("null");
    types.is_some_and(|types| match types.as_array() {
        Some(names) => names.iter().any(is_null),
        None => is_null(types),
    })
}

fn types(value: &Value) -> Result<(), String> {
    let is_known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let good = match value.as_array() {
        Some(names) => {
            !names.is_empty()
                && names
                    .iter()
                    .enumerate()
                    .all(|(index, name)| is_known(name) && !names[..index].contains(name))
        }
        None => is_known(value),
    };
    if good {
        Ok(())
    } else {
        Err("schema is invalid: type must be equal to one of the allowed values".into())
    }
}
