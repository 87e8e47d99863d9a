//! The functions that core.js calls: the native half of the node API. Each names its node by number.
//!
//! A closure here holds only the shared table and no JavaScript value: one that did would keep the runtime in a cycle.

mod contexts;
mod expressions;
mod services;

use std::{sync::Arc, time::Duration};

use rquickjs::{Ctx, Function, Object as JsObject, Result, Value as JsValue, function::Rest};

use super::{
    convert::Crossing,
    failure::Failure,
    machine::Inside,
    outcome::{self, copied},
    realm::Realm,
    results,
    shared::Shared,
};
use crate::{
    engine::NodeError,
    message::{Message, Value},
};

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
    contexts::natives(ctx, &host, &link)?;
    services::natives(ctx, &host, &link)?;
    expressions::natives(ctx, &host, &link)?;
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
        move |ctx: Ctx<'js>, index: u32, given: JsValue<'js>, clone: bool, id: JsValue<'js>| {
            let Some(node) = own.shared.context_of(index) else {
                return Ok(());
            };
            if own.shared.is_closing(index) {
                node.error("Cannot send from close function", None);
                return Ok(());
            }
            results::send(&own.inside(&ctx)?, &node, &given, &id, !clone)
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
    let fail =
        move |ctx: Ctx<'js>, index: u32, error: JsValue<'js>, msg: JsObject<'js>| -> Result<()> {
            let Some(node) = own.shared.context_of(index) else {
                return Ok(());
            };
            let inside = own.inside(&ctx)?;
            if let Value::Object(fields) = copied(&inside, msg.as_value())? {
                node.failed(
                    NodeError::from_value(given_error(&ctx, &own.crossing, &error)),
                    Message::new(fields),
                );
            }
            Ok(())
        };
    host.set("fail", Function::new(ctx.clone(), fail)?)?;

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
    let error = move |ctx: Ctx<'js>, index: u32, given: Rest<JsValue<'js>>| -> Result<()> {
        let Some(node) = own.shared.context_of(index) else {
            return Ok(());
        };
        let inside = own.inside(&ctx)?;
        let mut args = Vec::with_capacity(given.len());
        for (place, arg) in given.iter().enumerate() {
            args.push(match place {
                0 => given_error(&ctx, &own.crossing, arg),
                _ => copied(&inside, arg)?,
            });
        }
        node.error_called(args);
        Ok(())
    };
    host.set("error", Function::new(ctx.clone(), error)?)
}

/// What code gives as an error, to `node.error` or `node.done`: text and errors as they are, and any other value.
fn given_error<'js>(ctx: &Ctx<'js>, crossing: &Crossing, error: &JsValue<'js>) -> Value {
    match Failure::of(ctx, crossing, error) {
        Failure::Thrown(value) => value,
        other => other.node_error(None, crossing).to_value(),
    }
}
