//! Keywords for objects.

use super::{
    evaluate::{Evaluation, Place, Verdict, get, named, parts},
    mistake::schema_step,
};
use crate::message::{Object, Value};

impl Evaluation<'_> {
    pub(super) fn object(&mut self, schema: &Object, value: &Value, place: &Place) -> Verdict {
        let empty = Object::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut right = self.count(
            schema,
            ["maxProperties", "minProperties"],
            "properties",
            object.len(),
            place,
        );
        for name in parts(schema, "required").iter().filter_map(Value::as_str) {
            if get(object, name).is_none() {
                let message = format!("must have required property '{name}'");
                let params = [("missingProperty", name.into())];
                self.mistake(place, "required", &params, message);
                right = false;
            }
        }
        right &= self.names(schema, object, place)?;
        right &= self.additional(schema, object, place)?;
        right &= self.dependencies(schema, object, value, place)?;
        for (name, part) in named(schema, "properties") {
            if let Some(value) = get(object, name) {
                let at = place.keyword("properties").keyword(&schema_step(name));
                right &= self.apply(part, value, &at.entry(name))?;
            }
        }
        for (pattern, part) in named(schema, "patternProperties") {
            let at = place
                .keyword("patternProperties")
                .keyword(&schema_step(pattern));
            for (name, value) in object {
                if self.matches(pattern, name) {
                    right &= self.apply(part, value, &at.entry(name))?;
                }
            }
        }
        Ok(right)
    }

    fn matches(&self, pattern: &str, name: &str) -> bool {
        let compiled = self.schema.patterns.get(pattern);
        compiled.is_some_and(|regex| regex.is_match(name).unwrap_or(false))
    }

    fn names(&mut self, schema: &Object, object: &Object, place: &Place) -> Verdict {
        let mut right = true;
        let Some(wanted) = get(schema, "propertyNames") else {
            return Ok(right);
        };
        for name in object.keys() {
            let around = self.name.replace(name.to_string());
            let at = place.keyword("propertyNames");
            let verdict = self.apply(wanted, &Value::String(name.shared()), &at);
            self.name = around;
            if !verdict? {
                let params = [("propertyName", Value::String(name.shared()))];
                let message = "property name must be valid".into();
                self.mistake(place, "propertyNames", &params, message);
                right = false;
            }
        }
        Ok(right)
    }

    fn additional(&mut self, schema: &Object, object: &Object, place: &Place) -> Verdict {
        let mut right = true;
        let Some(wanted) = get(schema, "additionalProperties") else {
            return Ok(right);
        };
        let known = get(schema, "properties").and_then(Value::as_object);
        for (name, value) in object {
            let is_known = known.is_some_and(|known| get(known, name).is_some())
                || named(schema, "patternProperties")
                    .any(|(pattern, _)| self.matches(pattern, name));
            if is_known {
                continue;
            }
            if matches!(wanted, Value::Bool(false)) {
                let params = [("additionalProperty", Value::String(name.shared()))];
                let message = "must NOT have additional properties".into();
                self.mistake(place, "additionalProperties", &params, message);
                right = false;
            } else {
                let at = place.keyword("additionalProperties").entry(name);
                right &= self.apply(wanted, value, &at)?;
            }
        }
        Ok(right)
    }

    fn dependencies(
        &mut self,
        schema: &Object,
        object: &Object,
        value: &Value,
        place: &Place,
    ) -> Verdict {
        let mut right = true;
        let present = |name: &str| get(object, name).is_some();
        for (name, wanted) in named(schema, "dependencies") {
            let names: Vec<&str> = wanted
                .as_array()
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let missing = names
                .iter()
                .filter(|_| present(name))
                .filter(|name| !present(name));
            let list = names.join(", ");
            let noun = if names.len() == 1 {
                "property"
            } else {
                "properties"
            };
            for missing in missing {
                let params = [
                    ("property", name.into()),
                    ("missingProperty", (*missing).into()),
                    ("depsCount", names.len().into()),
                    ("deps", list.as_str().into()),
                ];
                let message = format!("must have {noun} {list} when property {name} is present");
                self.mistake(place, "dependencies", &params, message);
                right = false;
            }
        }
        for (name, wanted) in named(schema, "dependencies") {
            if present(name) && wanted.as_array().is_none() {
                let at = place.keyword("dependencies").keyword(&schema_step(name));
                right &= self.apply(wanted, value, &at)?;
            }
        }
        Ok(right)
    }
}
