//! What expressions can ask for: contexts, the environment, and the parts of their input.

use rquickjs::{Ctx, Exception, Function, Object as JsObject, Result, function::Opt};

use super::{
    super::{
        convert::{Crossing, part_to_js, to_js},
        realm::Realm,
    },
    source,
    surroundings::Current,
};
use crate::engine::Scope;

/// The object that jsonata.js gets as `host`.
pub(super) fn natives<'js>(
    ctx: &Ctx<'js>,
    current: &Current,
    crossing: &Crossing,
) -> Result<JsObject<'js>> {
    let host = JsObject::new(ctx.clone())?;
    let (own, across) = (current.clone(), crossing.clone());
    let get = move |ctx: Ctx<'js>, scope: u32, key: String, store: Opt<String>| {
        let scope = if scope == 1 {
            Scope::Flow
        } else {
            Scope::Global
        };
        let around = own.lock().around.clone();
        let value = around
            .map(|around| around.context(scope, &key, store.0.as_deref()))
            .transpose()
            .map_err(|text| Exception::throw_message(&ctx, &text))?;
        to_js(&Realm::of(&ctx)?, &across, &value.unwrap_or_default())
    };
    host.set("get", Function::new(ctx.clone(), get)?)?;

    let (own, across) = (current.clone(), crossing.clone());
    let env = move |ctx: Ctx<'js>, name: String| {
        let around = own.lock().around.clone();
        let value = around
            .and_then(|around| around.env(&name))
            .filter(|value| !value.is_undefined())
            .unwrap_or_else(|| "".into());
        to_js(&Realm::of(&ctx)?, &across, &value)
    };
    host.set("env", Function::new(ctx.clone(), env)?)?;

    let (own, across) = (current.clone(), crossing.clone());
    let part = move |ctx: Ctx<'js>, evaluation: u32, key: String, object: JsObject<'js>| {
        let value = {
            let current = own.lock();
            let value = current.input.get(&key).cloned();
            value.filter(|_| current.number == evaluation)
        };
        let (made, refers) = part_to_js(
            &Realm::of(&ctx)?,
            &across,
            &value.unwrap_or_default(),
            object,
        )?;
        if refers {
            own.lock().referring.push(key);
        }
        Ok::<_, rquickjs::Error>(made)
    };
    host.set("part", Function::new(ctx.clone(), part)?)?;

    host.set("library", Function::new(ctx.clone(), source::library)?)?;
    Ok(host)
}
