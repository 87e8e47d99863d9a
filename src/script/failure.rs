//! What went wrong in a script, as its author should read it.

use std::{borrow::Cow, sync::Arc};

use rquickjs::{Ctx, Value as JsValue};

use super::{
    convert::{Crossing, from_js},
    own,
    realm::{Realm, Tool},
};
use crate::{
    engine::NodeError,
    message::{ErrorValue, Object, Value},
};

/// Lines that stand before the author's first line in what is compiled.
pub(super) const LINES_BEFORE: u32 = 1;

/// A piece of a function node's code; its text is the file name in stack traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Handles messages.
    Body,
    /// Runs when the node starts.
    Setup,
    /// Runs when the node stops.
    Cleanup,
    /// The whole file of a node type of the user's own.
    Own,
}

impl Section {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Setup => "setup",
            Self::Cleanup => "cleanup",
            Self::Own => own::FILE,
        }
    }
}

/// A failure of a script.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// It threw this.
    Thrown(Value),
    /// It ran longer than these milliseconds.
    TimedOut(u128),
    OutOfMemory,
}

impl Failure {
    /// Takes the pending exception. `timed_out` when the interpreter was stopped; `throws_null` when a script may mean it.
    pub(super) fn catch(
        ctx: &Ctx,
        crossing: &Crossing,
        timed_out: Option<u128>,
        throws_null: bool,
    ) -> Self {
        let thrown = ctx.catch();
        if let Some(limit) = timed_out {
            return Self::TimedOut(limit);
        }
        // The interpreter throws null when not even an error object fits into the memory.
        if thrown.is_null() && !throws_null {
            return Self::OutOfMemory;
        }
        Self::of(ctx, crossing, &thrown)
    }

    /// What a script threw or a promise was rejected with.
    pub(super) fn of<'js>(ctx: &Ctx<'js>, crossing: &Crossing, thrown: &JsValue<'js>) -> Self {
        let taken = Realm::of(ctx).and_then(|realm| from_js(&realm, crossing, thrown));
        match taken {
            Ok(Value::Error(error)) if &*error.message == "out of memory" => Self::OutOfMemory,
            Ok(Value::Error(error)) => Self::Thrown(Value::Error(Arc::new(readable(&error)))),
            Ok(value) => Self::Thrown(value),
            // What was thrown can't be read: a getter throws, it is too deep.
            Err(_) => {
                let second = ctx.catch();
                let text = second
                    .as_exception()
                    .and_then(rquickjs::Exception::message)
                    .unwrap_or_else(|| "The function failed".into());
                if text == "out of memory" || second.is_null() {
                    Self::OutOfMemory
                } else {
                    Self::Thrown(text.into())
                }
            }
        }
    }

    /// The error object, if it is one.
    pub(super) fn error_value(&self) -> Option<Arc<ErrorValue>> {
        match self {
            Self::Thrown(Value::Error(error)) => Some(error.clone()),
            Self::Thrown(_) => None,
            Self::TimedOut(limit) => {
                let mut properties = Object::new();
                properties.insert("code", "ERR_SCRIPT_EXECUTION_TIMEOUT".into());
                Some(plain(
                    format!("Script execution timed out after {limit}ms"),
                    properties,
                ))
            }
            Self::OutOfMemory => Some(plain("out of memory".into(), Object::new())),
        }
    }

    /// As it is told when the code fails on a message.
    pub(super) fn on_message(&self) -> Cow<'_, Self> {
        match self {
            Self::Thrown(Value::Error(error)) => match placed(error) {
                Some(error) => Cow::Owned(Self::Thrown(Value::Error(Arc::new(error)))),
                None => Cow::Borrowed(self),
            },
            _ => Cow::Borrowed(self),
        }
    }

    /// As a node reports it: an error as it is, text as it is, any other value as JSON text.
    pub(super) fn node_error(&self, realm: Option<&Realm>, crossing: &Crossing) -> NodeError {
        if let Some(error) = self.error_value() {
            return NodeError::Error(error);
        }
        match self {
            Self::Thrown(Value::String(text)) => NodeError::Text(text.clone()),
            Self::Thrown(value) => {
                let text = realm.and_then(|realm| {
                    let value = super::convert::to_js(realm, crossing, value).ok()?;
                    realm
                        .tool(Tool::AsText)
                        .and_then(|tool| tool.call::<_, String>((value,)))
                        .ok()
                });
                NodeError::Text(text.unwrap_or_else(|| value.to_text()).into())
            }
            _ => NodeError::Text("The function failed".into()),
        }
    }
}

fn plain(message: String, properties: Object) -> Arc<ErrorValue> {
    Arc::new(ErrorValue {
        name: "Error".into(),
        message: message.into(),
        stack: None,
        properties,
    })
}

/// A name that is not known, with its place in the text: as Node-RED tells it where the code fails on a message.
fn placed(error: &ErrorValue) -> Option<ErrorValue> {
    if &*error.name != "ReferenceError" || error.message.starts_with("ReferenceError: ") {
        return None;
    }
    let mut frames = error.stack.as_deref()?.lines().skip(1);
    let (_, place) = frames.next()?.trim_end_matches(')').rsplit_once('(')?;
    let mut parts = place.rsplitn(3, ':');
    let (column, line) = (parts.next()?, parts.next()?);
    let mut error = error.clone();
    error.message = format!(
        "ReferenceError: {} (line {line}, col {column})",
        error.message
    )
    .into();
    Some(error)
}

/// The error with the author's line numbers. Its text is that of Node.js already: errors.js sees to it.
fn readable(error: &ErrorValue) -> ErrorValue {
    let mut error = error.clone();
    let frames: Vec<Frame> = error
        .stack
        .as_deref()
        .unwrap_or_default()
        .lines()
        .filter_map(|line| Frame::parse(line, LINES_BEFORE))
        .collect();
    if error.stack.is_some() {
        let mut stack = error.text();
        for frame in &frames {
            stack.push_str(&format!(
                "\n    at {} ({}:{}:{})",
                frame.function, frame.section, frame.line, frame.column
            ));
        }
        error.stack = Some(stack.into());
    }
    error
}

/// The error with the line at the end of its text, as for code that does not compile.
pub(super) fn syntax_error(error: &ErrorValue, section: Section) -> ErrorValue {
    let mut error = error.clone();
    let line = error.stack.as_deref().and_then(|stack| {
        stack
            .lines()
            // The lines are the author's already.
            .find_map(|line| Frame::parse(line, 0))
            .map(|frame| frame.line)
    });
    if let Some(line) = line {
        error.message = format!("{} ({}:line {line})", error.message, section.name()).into();
    }
    error
}

/// A line of a stack trace that is the author's.
struct Frame<'a> {
    function: &'a str,
    section: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Frame<'a> {
    /// `    at name (body:3:5)`, or without a name; `before` lines do not count.
    fn parse(text: &'a str, before: u32) -> Option<Self> {
        let text = text.trim().strip_prefix("at ")?;
        let (function, place) = match text.split_once(" (") {
            Some((function, place)) => (function, place.strip_suffix(')')?),
            None => ("<anonymous>", text),
        };
        let mut parts = place.split(':');
        let section = parts.next()?;
        let line: u32 = parts.next()?.parse().ok()?;
        let column = parts.next().and_then(|text| text.parse().ok()).unwrap_or(1);
        (matches!(section, "body" | "setup" | "cleanup" | own::FILE) && line > before).then(|| {
            Self {
                function,
                section,
                line: line - before,
                column,
            }
        })
    }
}
