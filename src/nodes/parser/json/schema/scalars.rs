//! Numbers and texts against a schema.

use super::evaluate::{Evaluation, Place, get, limit};
use crate::message::{Object, Value, number_text};

/// Limits of numbers, and how they compare.
const LIMITS: [(&str, &str); 4] = [
    ("maximum", "<="),
    ("minimum", ">="),
    ("exclusiveMaximum", "<"),
    ("exclusiveMinimum", ">"),
];

impl Evaluation<'_> {
    pub(super) fn number(&mut self, schema: &Object, value: &Value, place: &Place) -> bool {
        let number = value.as_number().unwrap_or(f64::NAN);
        let mut right = true;
        for (keyword, comparison) in LIMITS {
            let Some(limit) = limit(schema, keyword) else {
                continue;
            };
            let holds = match comparison {
                "<=" => number <= limit,
                ">=" => number >= limit,
                "<" => number < limit,
                _ => number > limit,
            };
            if !holds {
                let params = [("comparison", comparison.into()), ("limit", limit.into())];
                let message = format!("must be {comparison} {}", number_text(limit));
                self.mistake(place, keyword, &params, message);
                right = false;
            }
        }
        if let Some(step) = limit(schema, "multipleOf") {
            let count = number / step;
            if count.fract() != 0.0 || count.abs() >= 1e21 {
                let message = format!("must be multiple of {}", number_text(step));
                self.mistake(place, "multipleOf", &[("multipleOf", step.into())], message);
                right = false;
            }
        }
        right
    }

    pub(super) fn text(&mut self, schema: &Object, value: &Value, place: &Place) -> bool {
        let text = value.as_str().unwrap_or_default();
        let mut right = true;
        if limit(schema, "maxLength").is_some() || limit(schema, "minLength").is_some() {
            let length = text.chars().count();
            right &= self.count(
                schema,
                ["maxLength", "minLength"],
                "characters",
                length,
                place,
            );
        }
        if let Some(pattern) = get(schema, "pattern").and_then(Value::as_str) {
            let compiled = self.schema.patterns.get(pattern);
            if !compiled.is_some_and(|regex| regex.is_match(text).unwrap_or(false)) {
                let message = format!("must match pattern \"{pattern}\"");
                self.mistake(place, "pattern", &[("pattern", pattern.into())], message);
                right = false;
            }
        }
        right
    }
}
