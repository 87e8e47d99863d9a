//! What becomes of a call: its messages go out, it is done, or it failed.

use rquickjs::{Object as JsObject, Result, Value as JsValue, atom::PredefinedAtom};

use super::{
    ScriptEvent,
    convert::{from_js, message_from_js},
    failure::Failure,
    machine::Inside,
    results,
    shared::{Pending, report},
};
use crate::{
    engine::NodeContext,
    message::{Message, Value},
};

/// The property that names a message.
pub(super) const MSGID: &str = "_msgid";

/// A promise has been settled: `Tool::Settle` brings its outcome here.
pub(super) fn settled<'js>(
    inside: &Inside<'_, 'js>,
    node: u32,
    call: u32,
    outcome: std::result::Result<&JsValue<'js>, &JsValue<'js>>,
    msg: &JsValue<'js>,
) -> Result<()> {
    let Some(what) = inside.shared.take_pending(node, call) else {
        return Ok(());
    };
    let Some(ctx) = inside.shared.context_of(node) else {
        return Ok(());
    };
    let calls_done = inside.shared.calls_done(node);
    let failure = match (outcome, &what) {
        (Ok(_), Pending::Setup) => {
            ctx.post(Box::new(ScriptEvent::Ready(true)));
            return Ok(());
        }
        (Ok(_), Pending::Timer) => return Ok(()),
        (Ok(answer), Pending::Message(_)) => {
            let id = match msg.as_object() {
                Some(object) => object.get(MSGID)?,
                None => JsValue::new_undefined(inside.realm.ctx.clone()),
            };
            let sent = results::send(inside, &ctx, answer, &id, true);
            match (sent, msg.as_object()) {
                (Ok(()), Some(object)) if !calls_done => return done(inside, &ctx, object),
                (Ok(()), _) => return Ok(()),
                (Err(_), _) => inside.caught(),
            }
        }
        (Err(reason), _) => Failure::of(&inside.realm.ctx, inside.crossing, reason),
    };
    inside.shared.note(&failure);
    match &what {
        Pending::Message(came) => {
            let left = msg.as_object().and_then(|object| left(inside, object));
            fail(inside, &ctx, &failure, left.or_else(|| Some(came.clone())));
        }
        _ => report(
            &ctx,
            failure.node_error(Some(&inside.realm), inside.crossing),
            what,
        ),
    }
    Ok(())
}

/// The message is done with, as the code has left it.
pub(super) fn done<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    object: &JsObject<'js>,
) -> Result<()> {
    if ctx.completion_watched() {
        let msg = message_from_js(&inside.realm, inside.crossing, object)?;
        ctx.completion(&msg).done();
    }
    Ok(())
}

/// A message as the code has left it; none when it can't be copied.
pub(super) fn left<'js>(inside: &Inside<'_, 'js>, object: &JsObject<'js>) -> Option<Message> {
    match message_from_js(&inside.realm, inside.crossing, object) {
        Ok(msg) => Some(msg),
        Err(_) => {
            inside.realm.ctx.catch();
            None
        }
    }
}

/// The code failed on a message. Catch nodes get it as the code has left it, with the error in `msg.error` if it is one.
pub(super) fn fail(inside: &Inside, ctx: &NodeContext, failure: &Failure, left: Option<Message>) {
    let mut msg = left.unwrap_or_default();
    let failure = &*failure.on_message();
    // A run that was stopped has not thrown anything.
    if let Failure::Thrown(Value::Error(error)) = failure {
        msg.set("error", Value::Error(error.clone()));
    }
    ctx.failed(
        failure.node_error(Some(&inside.realm), inside.crossing),
        msg,
    );
}

/// Whether a value is to be awaited. A getter named `then` that throws is left to whoever reads the value next.
pub(super) fn is_thenable(value: &JsValue) -> bool {
    value.is_promise()
        || value.as_object().is_some_and(|object| {
            match object.get::<_, JsValue>(PredefinedAtom::Then) {
                Ok(then) => then.is_function(),
                Err(_) => {
                    object.ctx().catch();
                    false
                }
            }
        })
}

/// A copy of a value of a script.
pub(super) fn copied<'js>(inside: &Inside<'_, 'js>, value: &JsValue<'js>) -> Result<Value> {
    from_js(&inside.realm, inside.crossing, value)
}
