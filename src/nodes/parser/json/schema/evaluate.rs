//! A value against a schema: every keyword in Ajv's order (those for all values, for numbers, texts, lists, objects).

use super::{
    Schema, is_of_type,
    mistake::{Mistake, pointer_step},
};
use crate::message::{Object, Value, number_text};

/// Schemas within schemas that are followed, so that one that refers to itself ends.
const MAX_NESTED: usize = 600;
/// Schemas that are applied in all, so that one that branches without end does.
const MAX_APPLIED: usize = 5_000_000;
/// Mistakes that are told of one value.
const MAX_MISTAKES: usize = 1000;

/// All that is wrong with the value.
pub(super) fn evaluate(schema: &Schema, value: &Value) -> Result<Vec<Mistake>, String> {
    let mut evaluation = Evaluation {
        schema,
        mistakes: Vec::new(),
        nested: 0,
        applied: 0,
        name: None,
    };
    let place = Place {
        instance: String::new(),
        schema: "#".into(),
    };
    evaluation.apply(&schema.root, value, &place)?;
    Ok(evaluation.mistakes)
}

/// Where in the value and in the schema.
#[derive(Clone)]
pub(super) struct Place {
    instance: String,
    schema: String,
}

impl Place {
    pub(super) fn keyword(&self, keyword: &str) -> Self {
        Self {
            instance: self.instance.clone(),
            schema: format!("{}/{keyword}", self.schema),
        }
    }

    pub(super) fn entry(&self, step: &str) -> Self {
        Self {
            instance: format!("{}/{}", self.instance, pointer_step(step)),
            schema: self.schema.clone(),
        }
    }
}

pub(super) struct Evaluation<'a> {
    pub(super) schema: &'a Schema,
    pub(super) mistakes: Vec<Mistake>,
    nested: usize,
    applied: usize,
    /// The property's name, while names are looked at.
    pub(super) name: Option<String>,
}

/// Whether the value is right, or why nothing can be said.
pub(super) type Verdict = Result<bool, String>;

impl Evaluation<'_> {
    pub(super) fn mistake(
        &mut self,
        place: &Place,
        keyword: &'static str,
        params: &[(&str, Value)],
        message: String,
    ) {
        if self.mistakes.len() >= MAX_MISTAKES {
            return;
        }
        self.mistakes.push(Mistake {
            instance_path: place.instance.clone(),
            schema_path: format!("{}/{keyword}", place.schema),
            keyword,
            params: params
                .iter()
                .map(|(key, value)| (*key, value.clone()))
                .collect(),
            message,
            property_name: self.name.clone(),
        });
    }

    pub(super) fn apply(&mut self, schema: &Value, value: &Value, place: &Place) -> Verdict {
        let schema = match schema {
            Value::Object(schema) => schema.clone(),
            Value::Bool(false) => {
                let message = "boolean schema is false".into();
                self.mistake(place, "false schema", &[], message);
                return Ok(false);
            }
            _ => return Ok(true),
        };
        if self.nested >= MAX_NESTED || self.applied >= MAX_APPLIED {
            return Err("Maximum call stack size exceeded".into());
        }
        self.nested += 1;
        self.applied += 1;
        let verdict = self.keywords(&schema, value, place);
        self.nested -= 1;
        verdict
    }

    /// As [`Evaluation::apply`], without telling mistakes.
    fn quietly(&mut self, schema: &Value, value: &Value, place: &Place) -> Verdict {
        let before = self.mistakes.len();
        let verdict = self.apply(schema, value, place);
        self.mistakes.truncate(before);
        verdict
    }

    fn keywords(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let types = Types::of(schema);
        // A single type with keywords of its own is looked at together with those.
        let group = types.only().filter(|name| has_group(schema, name));
        let mut right = true;
        if group.is_none() {
            right &= self.types(schema, &types, value, place);
        }
        right &= self.general(schema, value, place)?;
        for name in ["number", "string", "array", "object"] {
            if is_of_type(value, name) {
                right &= match name {
                    "number" => self.number(schema, value, place),
                    "string" => self.text(schema, value, place),
                    "array" => self.list(schema, value, place)?,
                    _ => self.object(schema, value, place)?,
                };
            } else if group == Some(name) {
                right &= self.types(schema, &types, value, place);
            }
        }
        Ok(right)
    }

    fn types(&mut self, schema: &Object, types: &Types, value: &Value, place: &Place) -> bool {
        if types.allow(value) {
            return true;
        }
        let given = get(schema, "type").cloned().unwrap_or_default();
        let message = format!("must be {}", given.to_text());
        self.mistake(place, "type", &[("type", given)], message);
        false
    }

    /// Keywords for values of every type.
    fn general(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let mut right = true;
        if let Some(reference) = get(schema, "$ref").and_then(Value::as_str) {
            let target = self.schema.references.get(&self.schema.root, reference);
            let there = Place {
                instance: place.instance.clone(),
                schema: reference.trim_end_matches('#').to_owned(),
            };
            let there = if there.schema.is_empty() {
                Place {
                    schema: "#".into(),
                    ..there
                }
            } else {
                there
            };
            right &= self.apply(&target.unwrap_or_default(), value, &there)?;
        }
        if let Some(constant) = get(schema, "const")
            && constant != value
        {
            let params = [("allowedValue", constant.clone())];
            self.mistake(place, "const", &params, "must be equal to constant".into());
            right = false;
        }
        if let Some(allowed) = get(schema, "enum")
            && !allowed
                .as_array()
                .is_some_and(|allowed| allowed.contains(value))
        {
            let params = [("allowedValues", allowed.clone())];
            let message = "must be equal to one of the allowed values".into();
            self.mistake(place, "enum", &params, message);
            right = false;
        }
        if let Some(not) = get(schema, "not")
            && self.quietly(not, value, &place.keyword("not"))?
        {
            self.mistake(place, "not", &[], "must NOT be valid".into());
            right = false;
        }
        right &= self.any_of(schema, value, place)?;
        right &= self.one_of(schema, value, place)?;
        for (index, part) in parts(schema, "allOf").iter().enumerate() {
            let at = place.keyword("allOf").keyword(&index.to_string());
            right &= self.apply(part, value, &at)?;
        }
        if let Some(condition) = get(schema, "if") {
            let holds = self.quietly(condition, value, &place.keyword("if"))?;
            let keyword = if holds { "then" } else { "else" };
            if let Some(branch) = get(schema, keyword)
                && !self.apply(branch, value, &place.keyword(keyword))?
            {
                let message = format!("must match \"{keyword}\" schema");
                self.mistake(place, "if", &[("failingKeyword", keyword.into())], message);
                right = false;
            }
        }
        Ok(right)
    }

    fn any_of(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let branches = parts(schema, "anyOf");
        let before = self.mistakes.len();
        for (index, branch) in branches.iter().enumerate() {
            let at = place.keyword("anyOf").keyword(&index.to_string());
            if self.apply(branch, value, &at)? {
                self.mistakes.truncate(before);
                return Ok(true);
            }
        }
        if !branches.is_empty() {
            self.mistake(place, "anyOf", &[], "must match a schema in anyOf".into());
        }
        Ok(branches.is_empty())
    }

    fn one_of(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let branches = parts(schema, "oneOf");
        if branches.is_empty() {
            return Ok(true);
        }
        let before = self.mistakes.len();
        let mut passing = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let at = place.keyword("oneOf").keyword(&index.to_string());
            if self.apply(branch, value, &at)? {
                passing.push(Value::from(index));
            }
            if passing.len() == 2 {
                break;
            }
        }
        if passing.len() == 1 {
            self.mistakes.truncate(before);
            return Ok(true);
        }
        let passing = if passing.is_empty() {
            Value::Null
        } else {
            passing.into()
        };
        let message = "must match exactly one schema in oneOf".into();
        self.mistake(place, "oneOf", &[("passingSchemas", passing)], message);
        Ok(false)
    }

    pub(super) fn count(
        &mut self,
        schema: &Object,
        [most, least]: [&'static str; 2],
        what: &str,
        count: usize,
        place: &Place,
    ) -> bool {
        let mut right = true;
        for (keyword, word) in [(most, "more"), (least, "fewer")] {
            let Some(limit) = limit(schema, keyword) else {
                continue;
            };
            let wrong = if word == "more" {
                count as f64 > limit
            } else {
                (count as f64) < limit
            };
            if wrong {
                let message = format!("must NOT have {word} than {} {what}", number_text(limit));
                self.mistake(place, keyword, &[("limit", limit.into())], message);
                right = false;
            }
        }
        right
    }
}

/// The types that `type` and `nullable` allow; none at all is every type.
pub(super) struct Types<'a>(pub(super) Vec<&'a str>);

impl<'a> Types<'a> {
    pub(super) fn of(schema: &'a Object) -> Self {
        let mut types: Vec<&str> = match get(schema, "type") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(name)) => vec![name],
            _ => Vec::new(),
        };
        if matches!(get(schema, "nullable"), Some(Value::Bool(true))) && !types.contains(&"null") {
            types.push("null");
        }
        Self(types)
    }

    fn only(&self) -> Option<&'a str> {
        match self.0.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    pub(super) fn allow(&self, value: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| is_of_type(value, name))
    }
}

/// Whether the schema has a keyword for values of this type.
fn has_group(schema: &Object, name: &str) -> bool {
    let keywords: &[&str] = match name {
        "number" => &[
            "maximum",
            "minimum",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "multipleOf",
        ],
        "string" => &["maxLength", "minLength", "pattern"],
        "array" => &[
            "maxItems",
            "minItems",
            "uniqueItems",
            "additionalItems",
            "items",
            "contains",
        ],
        "object" => &[
            "maxProperties",
            "minProperties",
            "required",
            "propertyNames",
            "additionalProperties",
            "dependencies",
            "properties",
            "patternProperties",
        ],
        _ => &[],
    };
    keywords
        .iter()
        .any(|keyword| get(schema, keyword).is_some())
}

pub(super) fn get<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_undefined())
}

pub(super) fn limit(schema: &Object, keyword: &str) -> Option<f64> {
    get(schema, keyword).and_then(Value::as_number)
}

/// The entries of a keyword whose value is a list.
pub(super) fn parts<'a>(schema: &'a Object, keyword: &str) -> &'a [Value] {
    get(schema, keyword)
        .and_then(Value::as_array)
        .unwrap_or_default()
}

/// The entries of a keyword whose value is an object.
pub(super) fn named<'a>(
    schema: &'a Object,
    keyword: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    get(schema, keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|object| object.iter().map(|(key, value)| (key.as_str(), value)))
}
