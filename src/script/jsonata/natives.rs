//! What expressions can ask for: contexts and the environment, as the node sees them that evaluates.

use std::sync::Arc;

use rquickjs::{Ctx, Exception, Function, Object as JsObject, Result, function::Opt};

use super::{
    super::{
        convert::{Crossing, to_js},
        realm::Realm,
        shared::Shared,
    },
    source,
};
use crate::engine::Scope;

/// The number of the node that evaluates, while it does.
pub(super) const EVALUATING: u32 = 0;

/// The object that jsonata.js gets as `host`.
pub(super) fn natives<'js>(
    ctx: &Ctx<'js>,
    shared: &Arc<Shared>,
    crossing: &Crossing,
) -> Result<JsObject<'js>> {
    let host = JsObject::new(ctx.clone())?;
    let (own, across) = (shared.clone(), crossing.clone());
    let get = move |ctx: Ctx<'js>, scope: u32, key: String, store: Opt<String>| {
        let realm = Realm::of(&ctx)?;
        let value = match own.context_of(EVALUATING) {
            Some(node) => node
                .store(if scope == 1 {
                    Scope::Flow
                } else {
                    Scope::Global
                })
                .get(&key, store.0.as_deref())
                .map_err(|text| Exception::throw_message(&ctx, &text))?,
            None => Default::default(),
        };
        to_js(&realm, &across, &value)
    };
    host.set("get", Function::new(ctx.clone(), get)?)?;

    let (own, across) = (shared.clone(), crossing.clone());
    let env = move |ctx: Ctx<'js>, name: String| {
        let value = own
            .context_of(EVALUATING)
            .and_then(|node| node.env(&name))
            .filter(|value| !value.is_undefined());
        to_js(
            &Realm::of(&ctx)?,
            &across,
            &value.unwrap_or_else(|| "".into()),
        )
    };
    host.set("env", Function::new(ctx.clone(), env)?)?;

    host.set("library", Function::new(ctx.clone(), source::library)?)?;
    Ok(host)
}
