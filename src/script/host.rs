//! The functions that core.js calls: the native half of the node API. Each names its node by number.
//!
//! A closure here holds only the shared table and no JavaScript value: one that did would keep the runtime in a cycle.

use std::{sync::Arc, time::Duration};

use rquickjs::{
    Array, Ctx, Exception, Function, Object as JsObject, Result, Value as JsValue, function::Opt,
};

use super::{
    context_values::Access,
    convert::{Crossing, to_js},
    failure::Failure,
    library,
    machine::Inside,
    outcome::{self, copied},
    realm::Realm,
    results,
    shared::Shared,
};
use crate::{
    engine::{LogLevel, NodeError, Scope, new_id},
    message::{Message, PathPart, PropertyPath, Value},
};

/// The longest wait that a timer keeps; a longer one fires at once, as in Node.js.
const MAX_WAIT: f64 = 2_147_483_647.0;

/// The object that core.js gets as `host`.
pub(super) fn natives<'js>(
    ctx: &Ctx<'js>,
    shared: &Arc<Shared>,
    crossing: &Crossing,
) -> Result<JsObject<'js>> {
    let host = JsObject::new(ctx.clone())?;
    let link = Link {
        shared: shared.clone(),
        crossing: crossing.clone(),
    };
    messages(ctx, &host, &link)?;
    contexts(ctx, &host, &link)?;
    services(ctx, &host, &link)?;
    super::library::natives(ctx, &host)?;
    Ok(host)
}

/// What a native function works with.
#[derive(Clone)]
struct Link {
    shared: Arc<Shared>,
    crossing: Crossing,
}

impl Link {
    fn inside<'a, 'js>(&'a self, ctx: &Ctx<'js>) -> Result<Inside<'a, 'js>> {
        Ok(Inside {
            shared: &self.shared,
            realm: Realm::of(ctx)?,
            crossing: &self.crossing,
            limit: Duration::ZERO,
        })
    }
}

fn messages<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
    let own = link.clone();
    let send =
        move |ctx: Ctx<'js>, index: u32, given: JsValue<'js>, _clone: bool, id: JsValue<'js>| {
            let Some(node) = own.shared.context_of(index) else {
                return Ok(());
            };
            if own.shared.is_closing(index) {
                node.error("Cannot send from close function", None);
                return Ok(());
            }
            let inside = own.inside(&ctx)?;
            let id = copied(&inside, &id)?;
            results::send(&node, &inside.realm, &own.crossing, &given, &id)
        };
    host.set("send", Function::new(ctx.clone(), send)?)?;

    let own = link.clone();
    let done = move |ctx: Ctx<'js>, index: u32, msg: JsObject<'js>| -> Result<()> {
        match own.shared.context_of(index) {
            Some(node) => outcome::done(&own.inside(&ctx)?, &node, &msg),
            None => Ok(()),
        }
    };
    host.set("done", Function::new(ctx.clone(), done)?)?;

    let own = link.clone();
    let settled = move |ctx: Ctx<'js>,
                        index: u32,
                        call: u32,
                        fulfilled: bool,
                        value: JsValue<'js>,
                        msg: JsValue<'js>|
          -> Result<()> {
        let outcome = if fulfilled { Ok(&value) } else { Err(&value) };
        outcome::settled(&own.inside(&ctx)?, index, call, outcome, &msg)
    };
    host.set("settled", Function::new(ctx.clone(), settled)?)?;

    let own = link.clone();
    let error = move |ctx: Ctx<'js>,
                      index: u32,
                      error: JsValue<'js>,
                      msg: Opt<JsValue<'js>>|
          -> Result<()> {
        let Some(node) = own.shared.context_of(index) else {
            return Ok(());
        };
        let inside = own.inside(&ctx)?;
        let error = match Failure::of(&ctx, &own.crossing, &error) {
            Failure::Thrown(Value::String(text)) => NodeError::Text(text),
            Failure::Thrown(Value::Error(error)) => NodeError::Error(error),
            Failure::Thrown(value) => NodeError::Value(value),
            other => other.node_error(Some(&inside.realm), &own.crossing),
        };
        let msg = match msg.0.as_ref().map(|msg| copied(&inside, msg)).transpose()? {
            Some(Value::Object(fields)) => Some(Message::new(fields)),
            _ => None,
        };
        node.error(error, msg.as_ref());
        Ok(())
    };
    host.set("error", Function::new(ctx.clone(), error)?)
}

fn contexts<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
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

fn services<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
    let own = link.clone();
    let log =
        move |ctx: Ctx<'js>, index: u32, level: u32, value: Opt<JsValue<'js>>| -> Result<()> {
            let Some(node) = own.shared.context_of(index) else {
                return Ok(());
            };
            let value = match &value.0 {
                Some(value) => copied(&own.inside(&ctx)?, value)?,
                None => Value::Undefined,
            };
            match level {
                20 => node.error(NodeError::Value(value), None),
                30 => node.log(LogLevel::Warn, value),
                50 => node.log(LogLevel::Debug, value),
                60 => node.log(LogLevel::Trace, value),
                _ => node.log(LogLevel::Info, value),
            }
            Ok(())
        };
    host.set("log", Function::new(ctx.clone(), log)?)?;

    let own = link.clone();
    let status = move |ctx: Ctx<'js>, index: u32, status: Opt<JsValue<'js>>| -> Result<()> {
        let Some(node) = own.shared.context_of(index) else {
            return Ok(());
        };
        let status = match &status.0 {
            Some(status) => copied(&own.inside(&ctx)?, status)?,
            None => Value::Undefined,
        };
        own.shared.shows_status(index);
        node.status_value(status);
        Ok(())
    };
    host.set("status", Function::new(ctx.clone(), status)?)?;

    let own = link.clone();
    let timer = move |index: u32, wait: f64, repeat: bool| -> u32 {
        let wait = if (1.0..=MAX_WAIT).contains(&wait) {
            wait
        } else {
            1.0
        };
        own.shared
            .start_timer(index, Duration::from_micros((wait * 1000.0) as u64), repeat)
    };
    host.set("timer", Function::new(ctx.clone(), timer)?)?;

    let own = link.clone();
    let clear = move |index: u32, id: f64| own.shared.stop_timer(index, id as u32);
    host.set("clear", Function::new(ctx.clone(), clear)?)?;

    let own = link.clone();
    let text = move |index: u32, key: String| -> String {
        own.shared
            .context_of(index)
            .map_or_else(|| key.clone(), |node| node.text(&key, &[]))
    };
    host.set("text", Function::new(ctx.clone(), text)?)?;

    let own = link.clone();
    let now = move || own.shared.now();
    host.set("now", Function::new(ctx.clone(), now)?)?;

    host.set("id", Function::new(ctx.clone(), new_id)?)?;
    host.set("load", Function::new(ctx.clone(), load)?)?;
    host.set("path", Function::new(ctx.clone(), path)?)
}

/// The factory of a library.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn load<'js>(ctx: Ctx<'js>, name: String) -> Result<Function<'js>> {
    match library::source(&name) {
        Some(source) => library::compile(&ctx, source, &name),
        None => Err(Exception::throw_message(
            &ctx,
            &format!("There is no library {name}"),
        )),
    }
}

/// The parts of a property expression: texts and numbers, and an array for a reference to the message.
#[expect(clippy::needless_pass_by_value, reason = "rquickjs hands over values")]
fn path<'js>(ctx: Ctx<'js>, text: String) -> Result<Array<'js>> {
    fn parts<'js>(ctx: &Ctx<'js>, path: &PropertyPath) -> Result<Array<'js>> {
        let array = Array::new(ctx.clone())?;
        for (index, part) in path.parts().iter().enumerate() {
            match part {
                PathPart::Key(key) => array.set(index, &**key)?,
                PathPart::Index(number) => array.set(index, *number as f64)?,
                PathPart::Reference(inner) => array.set(index, parts(ctx, inner)?)?,
            }
        }
        Ok(array)
    }
    let parsed = PropertyPath::parse(&text).map_err(|error| {
        match Exception::from_message(ctx.clone(), &error.to_string()) {
            Ok(exception) => {
                if let Err(error) = exception.as_object().set("code", "INVALID_EXPR") {
                    return error;
                }
                exception.throw()
            }
            Err(error) => error,
        }
    })?;
    parts(&ctx, &parsed)
}
