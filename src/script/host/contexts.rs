//! `context`, `flow`, `global` and `env` of a function.

use rquickjs::{Ctx, Function, Object as JsObject, Result, Value as JsValue, function::Opt};

use super::{
    super::{context_values::Access, convert::to_js, realm::Realm},
    Link,
};
use crate::engine::Scope;

pub(super) fn natives<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
    let own = link.clone();
    let get =
        move |ctx: Ctx<'js>, index: u32, scope: u32, key: String, store: Opt<JsValue<'js>>| {
            let realm = Realm::of(&ctx)?;
            own.access(&realm, index, scope, key, store.0.as_ref())
                .get()
        };
    host.set("get", Function::new(ctx.clone(), get)?)?;

    let own = link.clone();
    let set = move |ctx: Ctx<'js>,
                    index: u32,
                    scope: u32,
                    key: String,
                    store: JsValue<'js>,
                    value: Opt<JsValue<'js>>|
          -> Result<()> {
        let realm = Realm::of(&ctx)?;
        let value = value
            .0
            .unwrap_or_else(|| JsValue::new_undefined(ctx.clone()));
        own.access(&realm, index, scope, key, Some(&store))
            .set(&value)
    };
    host.set("set", Function::new(ctx.clone(), set)?)?;

    let own = link.clone();
    let keys = move |index: u32, scope: u32, store: Opt<JsValue<'js>>| -> Vec<String> {
        own.shared.context_of(index).map_or_else(Vec::new, |node| {
            node.store(scope_of(scope))
                .keys(store_name(store.0.as_ref()).as_deref())
        })
    };
    host.set("keys", Function::new(ctx.clone(), keys)?)?;

    let own = link.clone();
    let env = move |ctx: Ctx<'js>, index: u32, name: String| {
        let value = own
            .shared
            .context_of(index)
            .and_then(|node| node.env(&name));
        to_js(&Realm::of(&ctx)?, &own.crossing, &value.unwrap_or_default())
    };
    host.set("env", Function::new(ctx.clone(), env)?)
}

impl Link {
    fn access<'a, 'js>(
        &'a self,
        realm: &'a Realm<'js>,
        node: u32,
        scope: u32,
        key: String,
        store: Option<&JsValue<'js>>,
    ) -> Access<'a, 'js> {
        Access {
            shared: &self.shared,
            realm,
            crossing: &self.crossing,
            node,
            scope: scope_of(scope),
            key,
            store: store_name(store),
        }
    }
}

fn scope_of(number: u32) -> Scope {
    match number {
        0 => Scope::Node,
        1 => Scope::Flow,
        _ => Scope::Global,
    }
}

fn store_name(store: Option<&JsValue>) -> Option<String> {
    store?.as_string()?.to_string().ok()
}
