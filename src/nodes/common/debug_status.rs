//! The status line of a debug node: the last value, or a count.

use std::time::Duration;

use super::debug::Shown;
use crate::{
    engine::{NodeContext, Status, Timer},
    message::{Message, Object, Value, inspect, truncate},
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
    last: Option<Status>,
}

impl DebugStatus {
    pub(super) fn new(kind: StatusKind) -> Self {
        Self {
            kind,
            count: 0,
            last_count_ms: f64::NEG_INFINITY,
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
    pub(super) fn start(&mut self, ctx: &NodeContext) {
        ctx.status(Status {
            fill: Some("grey".into()),
            shape: Some("ring".into()),
            text: None,
        });
        match self.kind {
            StatusKind::Counter => ctx.status_value(count(0)),
            StatusKind::Auto(_) | StatusKind::Value(_) => ctx.status(Status::new("", "", "")),
        }
    }

    /// A message came.
    ///
    /// # Errors
    /// The text for an expression that fails.
    pub(super) fn show(&mut self, msg: &Message, ctx: &NodeContext) -> Result<(), String> {
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
        let status = of_value(&shown.of(msg, ctx)?, carried, longest);
        if self.last.as_ref() != Some(&status) {
            ctx.status(status.clone());
            self.last = Some(status);
        }
        Ok(())
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
    let mut status = Object::new();
    status.insert("fill", "blue".into());
    status.insert("shape", "ring".into());
    status.insert("text", (count as f64).into());
    status.into()
}

/// The value as it is, unless `msg` carries an error or a status, or the value is one.
fn of_value(value: &Value, msg: &Message, longest: usize) -> Status {
    let part = |object: Option<&Object>, key: &str| {
        object
            .and_then(|object| object.get(key))
            .filter(|value| value.is_truthy())
            .map(Value::to_text)
    };
    let own = value.as_object().filter(|object| {
        ["fill", "shape", "text"]
            .iter()
            .all(|key| object.get(key).is_some_and(Value::is_truthy))
    });
    let (mut fill, mut shape, mut text) = ("grey".to_owned(), "dot".to_owned(), String::new());
    if let Some(own) = own {
        (fill, shape) = (
            part(Some(own), "fill").unwrap_or(fill),
            part(Some(own), "shape").unwrap_or(shape),
        );
        text = part(Some(own), "text").unwrap_or_default();
    } else {
        text.push_str(&match value {
            Value::String(text) => text.to_string(),
            other => inspect(other, 2),
        });
    }
    if let Some(error) = msg.get("error").as_object() {
        fill = "red".into();
        text = part(Some(error), "message").unwrap_or_default();
    }
    if let Some(status) = msg.get("status").as_object() {
        fill = part(Some(status), "fill").unwrap_or_else(|| "grey".into());
        shape = part(Some(status), "shape").unwrap_or_else(|| "ring".into());
        text = part(Some(status), "text").unwrap_or_default();
    }
    let (start, cut) = truncate(&text, longest);
    Status::new(
        &fill,
        &shape,
        if cut { format!("{start}...") } else { text },
    )
}
