//! JSONata expressions, in the library that Node-RED uses (npm's jsonata) and with the functions that it adds.
//!
//! A tab has one runtime for its expressions, made at the first one that is not simple and apart from that of its function nodes. It keeps
//! what it has compiled. Evaluating is synchronous: nothing that an expression can call answers later.

mod cache;
mod input;
mod natives;
mod runtime;
mod simple;
mod source;
mod surroundings;
mod variables;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use self::{runtime::Runtime, simple::Simple, surroundings::Surroundings};
use crate::{
    engine::{ExpressionError, Expressions, NodeContext},
    message::Value,
};

pub use self::variables::Variables;

/// JSONata for the engine.
#[derive(Default)]
pub struct Jsonata;

/// The expressions of a tab.
struct OfTab {
    runtime: Runtime,
    /// Those that need no runtime; none for one that does.
    simple: Mutex<FxHashMap<Arc<str>, Option<Arc<Simple>>>>,
}

/// Expressions that are remembered to be simple or not.
const MAX_KNOWN: usize = 1000;

impl OfTab {
    fn of(ctx: &NodeContext) -> Arc<Self> {
        ctx.tab_local(|| Self {
            runtime: Runtime::new(ctx.has_virtual_clock()),
            simple: Mutex::default(),
        })
    }

    fn simple(&self, source: &str) -> Option<Arc<Simple>> {
        let mut known = self.simple.lock();
        if let Some(simple) = known.get(source) {
            return simple.clone();
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let simple = Simple::parse(source).map(Arc::new);
        known.insert(source.into(), simple.clone());
        simple
    }
}

/// A node as the one that evaluates, and the limit of functions.
fn around(ctx: &NodeContext) -> (Surroundings, Duration) {
    let limit = ctx.settings().function_timeout;
    (Surroundings::Node(ctx.clone()), limit)
}

impl Expressions for Jsonata {
    fn check(&self, source: &str, ctx: &NodeContext) -> Result<(), ExpressionError> {
        let tab = OfTab::of(ctx);
        if tab.simple(source).is_some() {
            return Ok(());
        }
        let (around, limit) = around(ctx);
        tab.runtime.check(source, around, limit)
    }

    fn evaluate(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
        ctx: &NodeContext,
    ) -> Result<Value, ExpressionError> {
        let tab = OfTab::of(ctx);
        let simple = tab.simple(source);
        if let Some(value) = simple.and_then(|simple| simple.evaluate(input)) {
            return Ok(value);
        }
        let (around, limit) = around(ctx);
        tab.runtime.evaluate(source, input, bindings, around, limit)
    }

    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        ctx: &NodeContext,
    ) -> Result<String, ExpressionError> {
        let (around, limit) = around(ctx);
        OfTab::of(ctx)
            .runtime
            .format_date(unix_ms, format, around, limit)
    }
}
