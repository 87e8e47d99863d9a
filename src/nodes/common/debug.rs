//! `debug`: shows messages in the editor's sidebar, in the log, or as the node's status (Node-RED's debug node).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::debug_status::{DebugStatus, StatusKind};
use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, Failed, LogLevel, Node, NodeContext, NodeError,
        SetActive, Status,
    },
    message::{Message, PropertyPath, Value, debug_encode, inspect},
};

/// Levels of a value that the log shows.
const CONSOLE_DEPTH: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct DebugConfig {
    active: bool,
    tosidebar: bool,
    console: bool,
    tostatus: bool,
    complete: String,
    target_type: String,
    status_type: String,
    status_val: String,
}

/// What of a message is shown.
#[derive(Clone)]
pub(super) enum Shown {
    Whole,
    /// The property as it was written, and its path if that can be read.
    Property(String, Option<PropertyPath>),
    Expression(Arc<str>),
}

impl Shown {
    /// What a text and its type name; "true" is the whole message, "false" or nothing the payload.
    fn read(text: String, kind: &str) -> Self {
        match text.as_str() {
            "" | "false" => Self::property("payload"),
            source if kind == "jsonata" => Self::Expression(source.into()),
            "true" => Self::Whole,
            _ => Self::property(text),
        }
    }

    fn property(name: impl Into<String>) -> Self {
        let name = name.into();
        let path = PropertyPath::parse_message(&name).ok();
        Self::Property(name, path)
    }

    /// The value; a property that can't be read counts as undefined.
    ///
    /// # Errors
    /// The text for an expression that fails.
    pub(super) fn of(&self, msg: &Message, ctx: &NodeContext) -> Result<Value, String> {
        match self {
            Self::Whole => Ok(msg.to_value()),
            Self::Property(_, path) => Ok(path
                .as_ref()
                .and_then(|path| path.get(msg.fields(), msg.fields()).ok())
                .unwrap_or_default()),
            Self::Expression(source) => ctx
                .evaluate_for(source, msg, &[])
                .map_err(|_| invalid(source, ctx)),
        }
    }

    /// Whether it can be shown at all.
    ///
    /// # Errors
    /// The text for an expression that does not parse.
    fn check(&self, ctx: &NodeContext) -> Result<(), String> {
        match self {
            Self::Expression(source) => ctx
                .check_expression(source)
                .map_err(|_| invalid(source, ctx)),
            _ => Ok(()),
        }
    }
}

fn invalid(expression: &str, ctx: &NodeContext) -> String {
    ctx.text("debug.invalid-exp", &[("error", expression)])
}

/// A running debug node.
pub(in crate::nodes) struct Debug {
    shown: Shown,
    active: bool,
    to_sidebar: bool,
    to_console: bool,
    status: Option<DebugStatus>,
    /// An expression does not parse: messages are not handled at all.
    dead: bool,
}

impl Debug {
    /// Reads what is shown and where.
    pub(in crate::nodes) fn new(config: DebugConfig, _build: &Build) -> Result<Self, ConfigError> {
        let shown = Shown::read(config.complete, &config.target_type);
        let status = config.tostatus.then(|| {
            let own = match config.status_val {
                text if text.is_empty() => shown.clone(),
                text => Shown::read(text, &config.status_type),
            };
            DebugStatus::new(match (config.status_type.as_str(), own, &shown) {
                ("counter", ..) => StatusKind::Counter,
                ("auto", _, Shown::Whole) => StatusKind::Auto(Shown::property("payload")),
                ("auto", _, shown) => StatusKind::Auto(shown.clone()),
                // Node-RED looks for a property of this name.
                (_, Shown::Whole, _) => StatusKind::Value(Shown::property("true")),
                (_, own, _) => StatusKind::Value(own),
            })
        });
        Ok(Self {
            shown,
            active: config.active,
            to_sidebar: config.tosidebar,
            to_console: config.console,
            status,
            dead: false,
        })
    }

    fn to_log(&self, value: &Value, ctx: &NodeContext) {
        let text = match value {
            Value::String(text) if text.contains('\n') => format!("\n{text}"),
            Value::String(text) => text.to_string(),
            other if other.type_of() == "object" => {
                format!("\n{}", inspect(other, CONSOLE_DEPTH))
            }
            other => inspect(other, CONSOLE_DEPTH),
        };
        ctx.log(LogLevel::Info, text);
    }

    fn to_sidebar(&self, value: &Value, msg: &Message, ctx: &NodeContext) {
        ctx.publish_debug(|| {
            let info = ctx.info();
            let (text, format) = debug_encode(value, ctx.settings().debug_max_length);
            let mut data = json!({
                "id": &*info.id,
                "z": info.z.as_deref(),
                "path": &*info.flow,
                "name": info.name.as_deref(),
                "topic": msg.get("topic").as_str(),
                "msg": text,
                "format": format,
                "timestamp": ctx.now(),
            });
            if let Shown::Property(name, _) = &self.shown {
                data["property"] = name.as_str().into();
            }
            if let Some(object) = data.as_object_mut() {
                object.retain(|_, value| !value.is_null());
            }
            data
        });
    }
}

impl Node for Debug {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if let Some(status) = &mut self.status {
            status.start(ctx);
        }
        let status = self.status.as_ref().and_then(DebugStatus::shown);
        for shown in [Some(&self.shown), status].into_iter().flatten() {
            if let Err(error) = shown.check(ctx) {
                self.dead = true;
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.dead {
            return Ok(());
        }
        let completion = ctx.completion(&msg);
        if is_own_status(&msg, ctx) {
            completion.done();
            return Ok(());
        }
        if let Some(status) = &mut self.status
            && let Err(error) = status.show(&msg, ctx)
        {
            ctx.error(error, None);
        }
        match self.shown.of(&msg, ctx) {
            Ok(value) => {
                if self.to_console {
                    self.to_log(&value, ctx);
                }
                if self.active && self.to_sidebar {
                    self.to_sidebar(&value, &msg, ctx);
                }
                completion.done();
            }
            Err(error) => ctx.error(error, None),
        }
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        match event.downcast::<SetActive>() {
            Ok(active) => self.active = active.0,
            Err(_) => {
                if let Some(status) = &mut self.status {
                    status.catch_up(ctx);
                }
            }
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        if self.status.take().is_some() {
            ctx.status(Status::default());
        }
        Closing::Done
    }
}

/// Whether a status node hands the node its own status, which it would answer with another one for ever.
fn is_own_status(msg: &Message, ctx: &NodeContext) -> bool {
    let source = msg
        .get("status")
        .as_object()
        .and_then(|status| status.get("source")?.as_object());
    source.and_then(|source| source.get("id")?.as_str()) == Some(&ctx.info().id)
}
