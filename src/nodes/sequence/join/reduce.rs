//! `join` that works through a sequence with an expression, as `reduce` of JavaScript does.

use std::{cmp::Ordering, sync::Arc};

use indexmap::IndexMap;

use super::collected::type_error;
use crate::{
    engine::{ExpressionError, NodeContext, NodeError},
    message::{ErrorValue, Key, Kind, Message, Object, TypedInput, Value, compare},
    nodes::shared::{held, parts::Parts, sorted::sorted},
};

/// The rules of a reduction.
pub(super) struct Reduce {
    expression: Arc<str>,
    /// What is made of the last result, if anything.
    fixup: Option<Arc<str>>,
    /// The first result, or why there is none.
    start: Result<TypedInput, ErrorValue>,
    /// From the last message to the first.
    right: bool,
    pending: IndexMap<Key, Pending>,
    held: usize,
    /// An expression can't be read, so no message is handled.
    broken: bool,
}

/// A sequence that is not whole.
#[derive(Default)]
struct Pending {
    count: Option<Value>,
    messages: Vec<Message>,
}

impl Reduce {
    pub(super) fn new(
        expression: Option<String>,
        fixup: Option<String>,
        start: Option<&str>,
        start_type: Option<&str>,
        right: bool,
    ) -> Self {
        let kind = Kind::from_name(start_type.unwrap_or_default());
        let start = match start {
            // JavaScript reads the word that stands for no text.
            None if matches!(kind, Kind::String | Kind::Number | Kind::Bool | Kind::Json) => {
                TypedInput::parse("undefined", kind)
            }
            None if kind == Kind::Jsonata => Err(ErrorValue::named(
                "TypeError",
                "Cannot read properties of undefined (reading 'length')",
            )),
            None => Ok(TypedInput::Constant(Value::Undefined)),
            Some(text) => match TypedInput::parse(text, kind) {
                // A path that is none names nothing.
                Err(_) if kind == Kind::Message => Ok(TypedInput::Constant(Value::Undefined)),
                start => start,
            },
        };
        Self {
            expression: expression.unwrap_or_default().into(),
            fixup: fixup.filter(|fixup| !fixup.is_empty()).map(Arc::from),
            start,
            right,
            pending: IndexMap::new(),
            held: 0,
            broken: false,
        }
    }

    /// Looks at the expressions.
    ///
    /// # Errors
    /// When one of them can't be read; messages are not handled then.
    pub(super) fn check(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        let checked = [Some(&self.expression), self.fixup.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|expression| ctx.check_expression(expression));
        self.broken = checked.is_err();
        checked.map_err(|error| invalid_expression(&error.message, ctx).into())
    }

    /// Whether no message is handled.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Takes a message, and works through its sequence when it is whole.
    pub(super) fn take(&mut self, msg: Message, ctx: &NodeContext) {
        let Some(given) = msg.fields().get("parts") else {
            return ctx.send_done(msg);
        };
        if given.is_nullish() {
            let error = type_error(given, "id");
            return ctx.failed(error, msg);
        }
        let parts = Parts::of(&msg);
        let id = parts
            .and_then(Parts::id)
            .unwrap_or_else(|| Key::from("undefined"));
        let count = parts.and_then(Parts::count).cloned();
        let pending = self.pending.entry(id.clone()).or_default();
        if pending.count.as_ref().is_none_or(Value::is_undefined) {
            pending.count = count;
        }
        pending.messages.push(msg);
        self.held += 1;
        let length = pending.messages.len();
        let is_whole = pending.count.as_ref().and_then(Value::as_number) == Some(length as f64);
        if is_whole && let Some(group) = self.pending.swap_remove(&id) {
            self.held -= length;
            self.send(group, ctx);
        }
        if held::too_many(self.held, ctx) {
            self.drop_all(ctx);
        }
    }

    /// The newest message fails, and what came before is dropped.
    fn drop_all(&mut self, ctx: &NodeContext) {
        self.held = 0;
        let newest = self
            .pending
            .last_mut()
            .and_then(|(_, group)| group.messages.pop());
        for (_, group) in self.pending.drain(..) {
            group.done(ctx);
        }
        if let Some(msg) = newest {
            ctx.failed(ctx.text("join.too-many", &[]), msg);
        }
    }

    fn send(&self, mut group: Pending, ctx: &NodeContext) {
        let start = match self.start(ctx) {
            Ok(start) => start,
            // As in Node-RED the others are never done with.
            Err(error) => {
                if let Some(msg) = group.messages.pop() {
                    ctx.failed(error, msg);
                }
                return;
            }
        };
        match self.reduce(start, &group, ctx) {
            Ok((last, result)) => {
                if let Some(msg) = group.messages.get_mut(last) {
                    msg.set("payload", result);
                    ctx.send(msg.clone());
                }
                group.done(ctx);
            }
            Err(error) => {
                let newest = group.messages.pop();
                group.done(ctx);
                if let Some(msg) = newest {
                    ctx.failed(error, msg);
                }
            }
        }
    }

    /// What comes of a sequence, and which of its messages is the last one.
    fn reduce(
        &self,
        start: Value,
        group: &Pending,
        ctx: &NodeContext,
    ) -> Result<(usize, Value), NodeError> {
        let count = group.count.clone().unwrap_or_default();
        let mut result = start;
        let indices: Vec<Value> = group
            .messages
            .iter()
            .map(|msg| {
                let index = Parts::of(msg).and_then(Parts::index);
                index.cloned().unwrap_or_default()
            })
            .collect();
        let places = sorted(indices.len(), &mut |a, b| {
            let order = compare(&indices[a], &indices[b]).unwrap_or(Ordering::Equal);
            if self.right { order.reverse() } else { order }
        });
        for &place in &places {
            let index = indices[place].clone();
            let bindings = [("I", index), ("N", count.clone()), ("A", result)];
            result = ctx
                .evaluate_for(&self.expression, &group.messages[place], &bindings)
                .map_err(ExpressionError::into_thrown)?;
        }
        if let Some(fixup) = &self.fixup {
            let bindings = [("N", count), ("A", result)];
            result = ctx
                .evaluate_expression(fixup, &Object::new().into(), &bindings)
                .map_err(ExpressionError::into_thrown)?;
        }
        Ok((places.last().copied().unwrap_or_default(), result))
    }

    fn start(&self, ctx: &NodeContext) -> Result<Value, NodeError> {
        let error = match &self.start {
            Err(error) => error.message.to_string(),
            Ok(start) => {
                if let TypedInput::Jsonata(source) = start
                    && let Err(error) = ctx.check_expression(source)
                {
                    error.message
                } else {
                    // What can be read but has no value now counts as undefined.
                    return Ok(ctx.evaluate(start, &Message::default()).unwrap_or_default());
                }
            }
        };
        Err(ErrorValue::named("Error", invalid_expression(&error, ctx)).into())
    }
}

impl Pending {
    fn done(self, ctx: &NodeContext) {
        for msg in self.messages {
            ctx.completion(&msg).done();
        }
    }
}

fn invalid_expression(error: &str, ctx: &NodeContext) -> String {
    ctx.text("join.errors.invalid-expr", &[("error", error)])
}
