//! JSONata expressions, in the library that Node-RED uses (npm's jsonata) and with the functions that it adds.
//!
//! A tab has one runtime for its expressions, made at the first one and apart from that of its function nodes. It keeps
//! what it has compiled. Evaluating is synchronous: nothing that an expression can call answers later.

mod cache;
mod natives;
mod runtime;
mod source;

use std::sync::Arc;

use self::runtime::Runtime;
use crate::{
    engine::{ExpressionError, Expressions, NodeContext},
    message::Value,
};

/// JSONata for the engine.
#[derive(Default)]
pub struct Jsonata;

impl Expressions for Jsonata {
    fn check(&self, source: &str, ctx: &NodeContext) -> Result<(), ExpressionError> {
        Runtime::of(ctx).check(source, ctx)
    }

    fn evaluate(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
        ctx: &NodeContext,
    ) -> Result<Value, ExpressionError> {
        Runtime::of(ctx).evaluate(source, input, bindings, ctx)
    }

    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        ctx: &NodeContext,
    ) -> Result<String, ExpressionError> {
        Runtime::of(ctx).format_date(unix_ms, format, ctx)
    }
}
