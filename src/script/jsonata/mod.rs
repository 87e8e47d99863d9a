//! JSONata expressions.

use std::sync::Arc;

use crate::{
    engine::{ExpressionError, Expressions, NodeContext},
    message::Value,
};

/// JSONata for the engine.
#[derive(Default)]
pub struct Jsonata;

const NOT_YET: &str = "JSONata expressions do not run yet: use a function node";

impl Expressions for Jsonata {
    fn check(&self, _source: &str, _ctx: &NodeContext) -> Result<(), ExpressionError> {
        Err(NOT_YET.into())
    }

    fn evaluate(
        &self,
        _source: &Arc<str>,
        _input: &Value,
        _bindings: &[(&str, Value)],
        _ctx: &NodeContext,
    ) -> Result<Value, ExpressionError> {
        Err(NOT_YET.into())
    }

    fn format_date(
        &self,
        _unix_ms: f64,
        format: &str,
        _ctx: &NodeContext,
    ) -> Result<String, ExpressionError> {
        Err(ExpressionError {
            message: format!(
                "The date format \"{format}\" does not run yet: use iso, object or nothing"
            ),
            code: None,
        })
    }
}
