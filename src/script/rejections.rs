//! Promises that were rejected and that nobody awaits: usually a forgotten `await`.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use parking_lot::Mutex;
use rquickjs::{Value as JsValue, runtime::RejectionTracker};
use rustc_hash::FxHasher;

/// Rejections that are kept while a script runs.
const MAX_KEPT: usize = 20;

/// The rejections of one run, until it is over.
#[derive(Clone, Default)]
pub(super) struct Rejections(Arc<Mutex<Vec<(u64, String)>>>);

impl Rejections {
    /// What the engine tells: a promise is rejected, or somebody has begun to await a rejected one after all.
    pub(super) fn tracker(&self) -> RejectionTracker {
        let own = self.clone();
        Box::new(move |_ctx, promise, reason, is_handled| {
            let which = which(&promise);
            let mut kept = own.0.lock();
            kept.retain(|(promise, _)| *promise != which);
            if !is_handled && kept.len() < MAX_KEPT {
                kept.push((which, text(&reason)));
            }
        })
    }

    /// The rejections that nobody has heard of.
    pub(super) fn take(&self) -> Vec<String> {
        let taken = std::mem::take(&mut *self.0.lock());
        taken.into_iter().map(|(_, text)| text).collect()
    }
}

/// Tells promises apart: a value hashes by its address.
fn which(promise: &JsValue) -> u64 {
    let mut hasher = FxHasher::default();
    promise.hash(&mut hasher);
    hasher.finish()
}

fn text(reason: &JsValue) -> String {
    if let Some(error) = reason.as_exception() {
        return error.message().unwrap_or_default();
    }
    let text = reason.as_string().and_then(|text| text.to_string().ok());
    text.unwrap_or_else(|| reason.type_name().to_owned())
}
