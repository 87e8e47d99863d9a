//! `debug`: shows messages in the editor's sidebar, in the log, or as the node's status (Node-RED's debug node).

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
pub(super) enum Shown {
    Whole,
    /// The property as it was written, and its path if that can be read.
    Property(String, Option<PropertyPath>),
}

impl Shown {
    /// Node-RED's `complete`: "true" is the whole message, "false" or nothing the payload.
    pub(super) fn read(complete: &str, whole: bool) -> Self {
        match complete {
            _ if whole => Self::Whole,
            "true" => Self::Whole,
            "false" | "" => Self::property("payload"),
            other => Self::property(other),
        }
    }

    fn property(name: &str) -> Self {
        Self::Property(name.to_owned(), PropertyPath::parse_message(name).ok())
    }

    /// The value; a property that can't be read counts as undefined.
    pub(super) fn of(&self, msg: &Message) -> Value {
        match self {
            Self::Whole => msg.to_value(),
            Self::Property(_, path) => path
                .as_ref()
                .and_then(|path| path.get(msg.fields(), msg.fields()).ok())
                .unwrap_or_default(),
        }
    }
}

/// A running debug node.
pub(in crate::nodes) struct Debug {
    shown: Shown,
    active: bool,
    to_sidebar: bool,
    to_console: bool,
    status: Option<DebugStatus>,
    /// An expression that can't be evaluated: nothing is shown at all.
    broken: Option<String>,
}

impl Debug {
    /// Reads what is shown and where.
    pub(in crate::nodes) fn new(config: DebugConfig, _build: &Build) -> Result<Self, ConfigError> {
        let shown = Shown::read(&config.complete, config.target_type == "full");
        let status = config.tostatus.then(|| {
            let kind = match config.status_type.as_str() {
                "counter" => StatusKind::Counter,
                "msg" => StatusKind::Value(Shown::read(&config.status_val, false)),
                // What the sidebar shows; of a whole message its payload.
                _ => StatusKind::Value(match &shown {
                    Shown::Whole => Shown::read("payload", false),
                    Shown::Property(name, _) => Shown::read(name, false),
                }),
            };
            DebugStatus::new(kind)
        });
        Ok(Self {
            shown,
            active: config.active,
            to_sidebar: config.tosidebar,
            to_console: config.console,
            status,
            broken: [
                (config.target_type, config.complete),
                (config.status_type, config.status_val),
            ]
            .into_iter()
            .find(|(kind, _)| kind == "jsonata")
            .map(|(_, expression)| expression),
        })
    }

    fn to_log(&self, value: &Value, ctx: &NodeContext) {
        let text = match value {
            Value::String(text) if text.contains('\n') => format!("\n{text}"),
            Value::String(text) => text.to_string(),
            Value::Object(_) | Value::Array(_) | Value::Map(_) | Value::Set(_) => {
                format!("\n{}", inspect(value, CONSOLE_DEPTH))
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
        match &self.broken {
            Some(expression) => Err(ctx
                .text("debug.invalid-exp", &[("error", expression)])
                .into()),
            None => Ok(()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let completion = ctx.completion(&msg);
        if self.broken.is_none() && !is_own_status(&msg, ctx) {
            let value = self.shown.of(&msg);
            if let Some(status) = &mut self.status {
                status.show(&msg, ctx);
            }
            if self.to_console {
                self.to_log(&value, ctx);
            }
            if self.active && self.to_sidebar {
                self.to_sidebar(&value, &msg, ctx);
            }
        }
        completion.done();
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
