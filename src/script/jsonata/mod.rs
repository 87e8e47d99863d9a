//! JSONata expressions, in the library that Node-RED uses (npm's jsonata) and with the functions that it adds.
//!
//! A tab has one runtime for its expressions, made at the first one and apart from that of its function nodes. It keeps
//! what it has compiled. Evaluating is synchronous: nothing that an expression can call answers later.

mod cache;
mod input;
mod natives;
mod runtime;
mod source;
mod surroundings;
mod variables;

use std::{sync::Arc, time::Duration};

use self::{runtime::Runtime, surroundings::Surroundings};
use crate::{
    engine::{ExpressionError, Expressions, NodeContext},
    message::Value,
};

pub use self::variables::Variables;

/// JSONata for the engine.
#[derive(Default)]
pub struct Jsonata;

/// The expressions of a tab.
struct OfTab(Runtime);

/// What a node evaluates with: its tab's runtime, itself, and the limit of functions.
fn within(ctx: &NodeContext) -> (Arc<OfTab>, Surroundings, Duration) {
    let runtime = ctx.tab_local(|| OfTab(Runtime::new(ctx.has_virtual_clock())));
    let limit = ctx.settings().function_timeout;
    (runtime, Surroundings::Node(ctx.clone()), limit)
}

impl Expressions for Jsonata {
    fn check(&self, source: &str, ctx: &NodeContext) -> Result<(), ExpressionError> {
        let (tab, around, limit) = within(ctx);
        tab.0.check(source, around, limit)
    }

    fn evaluate(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
        ctx: &NodeContext,
    ) -> Result<Value, ExpressionError> {
        let (tab, around, limit) = within(ctx);
        tab.0.evaluate(source, input, bindings, around, limit)
    }

    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        ctx: &NodeContext,
    ) -> Result<String, ExpressionError> {
        let (tab, around, limit) = within(ctx);
        tab.0.format_date(unix_ms, format, around, limit)
    }
}
