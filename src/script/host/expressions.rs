//! What `RED.util` needs of the engine: property expressions, JSONata, typed values; and link calls.

use std::sync::Arc;

use rquickjs::{
    Array, Ctx, Exception, Function, Object as JsObject, Result, Value as JsValue, function::Opt,
};

use super::{
    super::{
        convert::{from_js, object_from_js, to_js},
        realm::Realm,
    },
    Link,
};
use crate::{
    engine::{ExpressionError, new_id},
    message::{Message, Object, PathPart, PropertyPath, TypedInput, Value},
};

pub(super) fn natives<'js>(ctx: &Ctx<'js>, host: &JsObject<'js>, link: &Link) -> Result<()> {
    host.set("path", Function::new(ctx.clone(), path)?)?;

    let own = link.clone();
    let jsonata = move |ctx: Ctx<'js>,
                        index: u32,
                        source: String,
                        input: Opt<JsValue<'js>>,
                        bindings: Opt<JsObject<'js>>| {
        own.jsonata(&ctx, index, source, input.0.as_ref(), bindings.0.as_ref())
    };
    host.set("jsonata", Function::new(ctx.clone(), jsonata)?)?;

    let own = link.clone();
    let typed = move |ctx: Ctx<'js>, index: u32, kind: String, text: String| {
        let input = match kind.as_str() {
            "env" => TypedInput::Env(text.into()),
            _ => TypedInput::Date(text.into()),
        };
        let value = match own.shared.context_of(index) {
            Some(node) => node
                .evaluate(&input, &Message::default())
                .map_err(|error| Exception::throw_message(&ctx, &error.message))?,
            None => Value::Undefined,
        };
        to_js(&Realm::of(&ctx)?, &own.crossing, &value)
    };
    host.set("typed", Function::new(ctx.clone(), typed)?)?;

    let own = link.clone();
    let linkcall = move |ctx: Ctx<'js>, index: u32, target: String, msg: JsObject<'js>| {
        own.linkcall(&ctx, index, &target, &msg)
    };
    host.set("linkcall", Function::new(ctx.clone(), linkcall)?)
}

impl Link {
    /// The value of an expression; without an input only whether it is one.
    fn jsonata<'js>(
        &self,
        ctx: &Ctx<'js>,
        index: u32,
        source: String,
        input: Option<&JsValue<'js>>,
        bindings: Option<&JsObject<'js>>,
    ) -> Result<JsValue<'js>> {
        let realm = Realm::of(ctx)?;
        let Some(node) = self.shared.context_of(index) else {
            return Ok(JsValue::new_undefined(ctx.clone()));
        };
        let refused = |error: ExpressionError| refuse(ctx, &error);
        let Some(input) = input else {
            node.check_expression(&source).map_err(refused)?;
            return Ok(JsValue::new_undefined(ctx.clone()));
        };
        let input = from_js(&realm, &self.crossing, input)?;
        let bound = match bindings {
            Some(bindings) => object_from_js(&realm, &self.crossing, bindings)?,
            None => Object::new(),
        };
        let bindings: Vec<(&str, Value)> = bound
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let source: Arc<str> = source.into();
        let value = node
            .evaluate_expression(&source, &input, &bindings)
            .map_err(refused)?;
        to_js(&realm, &self.crossing, &value)
    }

    /// Sends a copy of the message to a `link in`; answers the number that the returned message will name.
    fn linkcall<'js>(
        &self,
        ctx: &Ctx<'js>,
        index: u32,
        target: &str,
        msg: &JsObject<'js>,
    ) -> Result<String> {
        let Some(node) = self.shared.context_of(index) else {
            return Ok(String::new());
        };
        let target = node
            .link_in(target, true)
            .map_err(|text| Exception::throw_message(ctx, &text))?;
        let fields = object_from_js(&Realm::of(ctx)?, &self.crossing, msg)?;
        let mut msg = Message::new(fields);
        let mut sources = match msg.get("_linkSource") {
            Value::Array(sources) => sources.to_vec(),
            _ => Vec::new(),
        };
        let call = new_id();
        let mut source = Object::new();
        source.insert("id", call.as_str().into());
        source.insert("node", node.info().id.clone().into());
        sources.push(source.into());
        msg.set("_linkSource", sources);
        target.receive(msg);
        Ok(call)
    }
}

/// Throws what JSONata says, with its code.
fn refuse(ctx: &Ctx, error: &ExpressionError) -> rquickjs::Error {
    thrown(ctx, &error.message, error.code.as_deref())
}

fn thrown(ctx: &Ctx, text: &str, code: Option<&str>) -> rquickjs::Error {
    match Exception::from_message(ctx.clone(), text) {
        Ok(exception) => {
            if let Some(code) = code
                && let Err(error) = exception.as_object().set("code", code)
            {
                return error;
            }
            exception.throw()
        }
        Err(error) => error,
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
                PathPart::Reference(inner, _) => array.set(index, parts(ctx, inner)?)?,
            }
        }
        Ok(array)
    }
    let parsed = PropertyPath::parse(&text)
        .map_err(|error| thrown(&ctx, &error.to_string(), Some("INVALID_EXPR")))?;
    parts(&ctx, &parsed)
}
