//! What a function returns or hands to `node.send`, sorted into outputs.

use rquickjs::{Result, Type, Value as JsValue};

use super::{
    convert::{Crossing, PartialObject, from_js, message_from_js},
    kept,
    machine::Inside,
    outcome::MSGID,
    realm::Realm,
};
use crate::{
    engine::{NodeContext, new_id},
    message::{Message, Object, Value},
};

/// Messages by output, and what was among them and is no message: its output and type.
#[derive(Default)]
struct Sorted {
    outputs: Vec<Vec<Message>>,
    wrong: Vec<(usize, &'static str)>,
    /// How many messages there are, also when none is copied.
    count: usize,
}

/// Sends what a function gave: nothing, a message, or an array with an entry for each output, which may itself be an array
/// of messages. All get the id `msgid`; with null they keep their own, and with undefined they get a new one. `itself`: a
/// single message may leave as the object that it is, not as a copy.
///
/// # Errors
/// A pending exception when a value can't be copied.
pub(super) fn send<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    given: &JsValue<'js>,
    msgid: &JsValue<'js>,
    itself: bool,
) -> Result<()> {
    if given.is_null() || given.is_undefined() {
        return Ok(());
    }
    if itself && stays(inside, ctx, given, msgid)? {
        return Ok(());
    }
    let (realm, crossing) = (&inside.realm, inside.crossing);
    let sorter = Sorter {
        realm,
        crossing,
        msgid: match from_js(realm, crossing, msgid)? {
            Value::Undefined => new_id().into(),
            id => id,
        },
        wired: ctx.is_wired(),
        part: None,
    };
    sorter.send(ctx, given)
}

/// As [`send`] for what the code has made of `part`, which stands for `whole`.
///
/// # Errors
/// As there.
pub(super) fn send_part<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    given: &JsValue<'js>,
    part: &PartialObject<'_, 'js>,
    whole: &Message,
) -> Result<()> {
    if given.is_null() || given.is_undefined() {
        return Ok(());
    }
    let sorter = Sorter {
        realm: &inside.realm,
        crossing: inside.crossing,
        msgid: match whole.get(MSGID) {
            Value::Undefined => new_id().into(),
            id => id.clone(),
        },
        wired: ctx.is_wired(),
        part: Some((part, whole)),
    };
    sorter.send(ctx, given)
}

/// Sends a message that the code has returned as it got it, with or without changes.
pub(super) fn send_one(ctx: &NodeContext, fields: Object) {
    if !ctx.is_wired() {
        return;
    }
    let mut msg = Message::new(fields);
    if matches!(msg.get(MSGID), Value::Undefined) {
        msg.set(MSGID, new_id());
    }
    ctx.send(msg);
}

impl<'js> Sorter<'_, 'js> {
    fn send(&self, ctx: &NodeContext, given: &JsValue<'js>) -> Result<()> {
        let mut sorted = Sorted::default();
        match given.as_object().filter(|_| given.is_array()) {
            None => self.output(given, &mut sorted)?,
            Some(array) => {
                for port in 0..array.get::<_, f64>("length")? as u32 {
                    self.output(&array.get(port)?, &mut sorted)?;
                }
            }
        }
        for (_, kind) in &sorted.wrong {
            let text = ctx.text("function.error.non-message-returned", &[("type", kind)]);
            ctx.error(text, None);
        }
        if sorted.count > 0 {
            // Node-RED lets sending complain, too.
            let primitives = sorted
                .wrong
                .iter()
                .filter(|(_, kind)| !matches!(*kind, "Array" | "Buffer" | "function"));
            primitives.for_each(|(port, kind)| ctx.refuse_at(*port, kind));
        }
        let single = sorted.outputs.len() == 1 && sorted.outputs[0].len() == 1;
        match sorted.outputs.pop() {
            Some(mut only) if single => {
                if let Some(msg) = only.pop() {
                    ctx.send(msg);
                }
            }
            Some(last) => {
                sorted.outputs.push(last);
                if sorted.outputs.iter().any(|messages| !messages.is_empty()) {
                    ctx.send_all(sorted.outputs);
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// Sends a message as it is to the function that alone gets it. False: it has to be converted.
fn stays<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    given: &JsValue<'js>,
    msgid: &JsValue<'js>,
) -> Result<bool> {
    let Some(object) = given.as_object().filter(|object| {
        !given.is_array() && !given.is_function() && !object.is_typed_array::<u8>()
    }) else {
        return Ok(false);
    };
    let Some(neighbour) = kept::neighbour(inside, ctx) else {
        return Ok(false);
    };
    let own: JsValue = object.get(MSGID)?;
    if !is_truthy(if msgid.is_null() { &own } else { msgid }) {
        object.set(MSGID, new_id())?;
    } else if !msgid.is_null() && own != *msgid {
        object.set(MSGID, msgid.clone())?;
    }
    kept::send(inside, ctx, neighbour, object)
}

struct Sorter<'r, 'js> {
    realm: &'r Realm<'js>,
    crossing: &'r Crossing,
    msgid: Value,
    /// Without a wire nothing has to be copied.
    wired: bool,
    /// An object that stands for a whole message.
    part: Option<(&'r PartialObject<'r, 'js>, &'r Message)>,
}

impl<'js> Sorter<'_, 'js> {
    fn output(&self, given: &JsValue<'js>, sorted: &mut Sorted) -> Result<()> {
        let mut messages = Vec::new();
        match given.as_object().filter(|_| given.is_array()) {
            Some(array) => {
                for index in 0..array.get::<_, f64>("length")? as u32 {
                    let one: JsValue = array.get(index)?;
                    if !one.is_null() && !one.is_undefined() {
                        self.message(&one, &mut messages, sorted)?;
                    }
                }
            }
            // Node-RED skips false, 0 and "" here, and complains about other things that are no messages.
            None if !is_truthy(given) => {}
            None => self.message(given, &mut messages, sorted)?,
        }
        sorted.outputs.push(messages);
        Ok(())
    }

    fn message(
        &self,
        given: &JsValue<'js>,
        messages: &mut Vec<Message>,
        sorted: &mut Sorted,
    ) -> Result<()> {
        let port = sorted.outputs.len();
        let Some(object) = given.as_object() else {
            sorted.wrong.push((port, type_of(given)));
            return Ok(());
        };
        if given.is_array() || given.is_function() {
            let kind = if given.is_array() {
                "Array"
            } else {
                "function"
            };
            sorted.wrong.push((port, kind));
            return Ok(());
        }
        if object.is_typed_array::<u8>()
            && matches!(from_js(self.realm, self.crossing, given)?, Value::Bytes(_))
        {
            sorted.wrong.push((port, "Buffer"));
            return Ok(());
        }
        sorted.count += 1;
        if self.wired {
            let whole = self.part.filter(|(part, _)| part.is(given));
            let mut msg = match whole {
                Some((_, whole)) => whole.clone(),
                None => message_from_js(self.realm, self.crossing, object)?,
            };
            if !matches!(self.msgid, Value::Null) {
                msg.set("_msgid", self.msgid.clone());
            }
            messages.push(msg);
        }
        Ok(())
    }
}

fn is_truthy(value: &JsValue) -> bool {
    match value.type_of() {
        Type::Undefined | Type::Null => false,
        Type::Bool => value.as_bool() == Some(true),
        Type::Int | Type::Float => value
            .as_number()
            .is_some_and(|number| number != 0.0 && !number.is_nan()),
        Type::String => value
            .as_string()
            .and_then(|text| text.to_string().ok())
            .is_none_or(|text| !text.is_empty()),
        _ => true,
    }
}

fn type_of(value: &JsValue) -> &'static str {
    match value.type_of() {
        Type::Bool => "boolean",
        Type::Int | Type::Float => "number",
        Type::String => "string",
        Type::Symbol => "symbol",
        Type::BigInt => "bigint",
        _ => "object",
    }
}
