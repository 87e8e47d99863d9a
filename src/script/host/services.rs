//! Logs, status, timers and texts.

use std::time::Duration;

use rquickjs::{
    Ctx, Exception, Function, Object as JsObject, Result, Value as JsValue,
    function::{Opt, Rest},
};

use super::{
    super::{library, outcome::copied},
    Link,
};
use crate::{
    engine::{LogLevel, new_id},
    message::Value,
};

/// The longest wait that a timer keeps; a longer one fires at once, as in Node.js.
const MAX_WAIT: f64 = 2_147_483_647.0;

pub(super) fn natives<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
    let own = link.clone();
    let log =
        move |ctx: Ctx<'js>, index: u32, level: u32, args: Rest<JsValue<'js>>| -> Result<()> {
            let Some(node) = own.shared.context_of(index) else {
                return Ok(());
            };
            let inside = own.inside(&ctx)?;
            let args = args.iter().map(|arg| copied(&inside, arg));
            let args = args.collect::<Result<Vec<Value>>>()?;
            match level {
                20 => node.error_called(args),
                30 => node.log_called(LogLevel::Warn, args),
                50 => node.log_called(LogLevel::Debug, args),
                60 => node.log_called(LogLevel::Trace, args),
                _ => node.log_called(LogLevel::Info, args),
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
    host.set("load", Function::new(ctx.clone(), load)?)
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
