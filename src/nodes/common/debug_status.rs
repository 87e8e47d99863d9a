//! The status line of a debug node: the last value, or a count.

use std::time::Duration;

use super::debug::Shown;
use crate::{
    engine::{NodeContext, NodeError, Status, Timer},
    message::{ErrorValue, Message, Object, Value, inspect, truncate},
};

/// Counts that come faster than this are shown together…
const COUNT_PAUSE_MS: f64 = 100.0;
/// …after this time.
const COUNT_DELAY: Duration = Duration::from_millis(200);

/// What the line shows.
pub(super) enum StatusKind {
    Counter,
    /// The value, unless the message carries an error or a status.
    Auto(Shown),
    Value(Shown),
}

/// The count has settled: time to show it.
struct ShowCount;

/// The line, and what it shows at the moment.
pub(super) struct DebugStatus {
    kind: StatusKind,
    count: u64,
    last_count_ms: f64,
    waiting: Option<Timer>,
    last: Option<Value>,
}

impl DebugStatus {
    pub(super) fn new(kind: StatusKind) -> Self {
        Self {
            kind,
            count: 0,
            last_count_ms: 0.0,
            waiting: None,
            last: None,
        }
    }

    /// What of a message it shows.
    pub(super) fn shown(&self) -> Option<&Shown> {
        match &self.kind {
            StatusKind::Counter => None,
            StatusKind::Auto(shown) | StatusKind::Value(shown) => Some(shown),
        }
    }

    /// Before the first message: empty, or a count of nothing.
    pub(super) fn start(&mut self, is_shown: bool, ctx: &NodeContext) {
        self.last_count_ms = ctx.now();
        if is_shown {
            ctx.status(Status {
                fill: Some("grey".into()),
                shape: Some("ring".into()),
                text: None,
            });
        }
        match self.kind {
            StatusKind::Counter => ctx.status_value(count(0)),
            StatusKind::Auto(_) | StatusKind::Value(_) => ctx.status(Status::new("", "", "")),
        }
    }

    /// A message came.
    ///
    /// # Errors
    /// A text for an expression that fails; an error object where Node-RED's node throws one.
    pub(super) fn show(&mut self, msg: &Message, ctx: &NodeContext) -> Result<(), NodeError> {
        let (shown, auto) = match &self.kind {
            StatusKind::Auto(shown) => (shown, true),
            StatusKind::Value(shown) => (shown, false),
            StatusKind::Counter => {
                self.count_one(ctx);
                return Ok(());
            }
        };
        let longest = ctx.settings().debug_status_length;
        let carried = if auto { msg } else { &Message::default() };
        let status = of_value(&shown.of(msg, ctx)?, carried, longest)?;
        if self.last.as_ref() != Some(&status) {
            ctx.status_value(status.clone());
            self.last = Some(status);
        }
        Ok(())
    }

    /// The node stops.
    pub(super) fn stop(&mut self) {
        self.waiting = None;
    }

    fn count_one(&mut self, ctx: &NodeContext) {
        self.count += 1;
        let since = ctx.now() - std::mem::replace(&mut self.last_count_ms, ctx.now());
        if since > COUNT_PAUSE_MS {
            ctx.status_value(count(self.count));
        } else {
            self.waiting = Some(ctx.after(COUNT_DELAY, ShowCount));
        }
    }

    /// The delayed count.
    pub(super) fn catch_up(&mut self, ctx: &NodeContext) {
        self.waiting = None;
        ctx.status_value(count(self.count));
    }
}

/// The text is a number, as Node-RED's nodes give it; everybody who shows it makes text of it.
fn count(count: u64) -> Value {
    status("blue".into(), "ring".into(), (count as f64).into())
}

fn status(fill: Value, shape: Value, text: Value) -> Value {
    let mut status = Object::new();
    status.insert("fill", fill);
    status.insert("shape", shape);
    status.insert("text", text);
    status.into()
}

/// The value as it is, unless `msg` carries an error or a status, or the value is one.
///
/// # Errors
/// JavaScript's, when the error or the status that the message carries is none.
fn of_value(value: &Value, msg: &Message, longest: usize) -> Result<Value, ErrorValue> {
    let own = |object: &Object, key: &str| {
        let found = object.get(key).filter(|value| value.is_truthy());
        found.cloned()
    };
    let parts = value.as_object().and_then(|object| {
        let (fill, shape) = (own(object, "fill")?, own(object, "shape")?);
        Some((fill, shape, own(object, "text")?))
    });
    let (mut fill, mut shape, mut text) = match (parts, value) {
        (Some(parts), _) => parts,
        (None, Value::String(text)) => ("grey".into(), "dot".into(), text.clone().into()),
        (None, other) => ("grey".into(), "dot".into(), inspect(other, 2).into()),
    };
    if let Some(error) = msg.fields().get("error") {
        fill = "red".into();
        text = member(error, "message")?.unwrap_or_default();
    }
    if let Some(carried) = msg.fields().get("status") {
        let given = |key| Ok::<_, ErrorValue>(member(carried, key)?.filter(Value::is_truthy));
        fill = given("fill")?.unwrap_or_else(|| "grey".into());
        shape = given("shape")?.unwrap_or_else(|| "ring".into());
        text = given("text")?.unwrap_or_else(|| "".into());
    }
    if text.is_nullish() {
        return Err(unreadable(&text, "length"));
    }
    if let Value::String(whole) = &text
        && let (start, true) = truncate(whole, longest)
    {
        text = format!("{start}...").into();
    }
    Ok(status(fill, shape, text))
}

/// A property of a value, as JavaScript reads it.
fn member(value: &Value, key: &str) -> Result<Option<Value>, ErrorValue> {
    match value {
        Value::Object(object) => Ok(object.get(key).cloned()),
        Value::Error(error) if key == "message" => Ok(Some(error.message.clone().into())),
        Value::Error(error) => Ok(error.properties.get(key).cloned()),
        Value::Undefined | Value::Null => Err(unreadable(value, key)),
        _ => Ok(None),
    }
}

fn unreadable(value: &Value, key: &str) -> ErrorValue {
    let of = value.to_text();
    ErrorValue {
        name: "TypeError".into(),
        message: format!("Cannot read properties of {of} (reading '{key}')").into(),
        ..ErrorValue::default()
    }
}
