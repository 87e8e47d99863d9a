//! `debug`: shows messages in the editor's sidebar, in the log, or as the node's status (Node-RED's debug node).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::debug_status::{DebugStatus, StatusKind};
use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, Failed, LogLevel, Node, NodeContext, NodeError,
        SetActive, Status,
    },
    message::{Message, Object, PropertyPath, Value, debug_encode, inspect, stringify},
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
    Property(Option<String>, Option<PropertyPath>),
    Expression(Arc<str>),
}

impl Shown {
    /// What a text and its type name; "true" is the whole message, "false" or nothing the payload.
    fn read(text: &str, kind: &str) -> Self {
        match (kind, text) {
            // Node-RED looks for a property without a name.
            ("jsonata", "") => Self::Property(None, None),
            ("jsonata", source) => Self::Expression(source.into()),
            (_, "" | "false") => Self::property("payload"),
            (_, "true") => Self::Whole,
            (_, name) => Self::property(name),
        }
    }

    /// What the status shows, if it is neither the count nor what the panel gets.
    fn of_status(text: &str, kind: &str, shown: &Self) -> Self {
        match (kind, text, shown) {
            ("jsonata", source, _) if !source.is_empty() => Self::Expression(source.into()),
            (_, "", Self::Property(Some(name), _)) => Self::property(name),
            (_, "", Self::Whole) => Self::property("true"),
            (_, "", _) => Self::Property(None, None),
            (_, name, _) => Self::property(name),
        }
    }

    pub(super) fn property(name: &str) -> Self {
        let path = PropertyPath::parse_message(name).ok();
        Self::Property(Some(name.to_owned()), path)
    }

    /// As Node-RED's node names it: the property, "true" for the whole message, null for an expression.
    fn name(&self) -> Value {
        match self {
            Self::Whole => "true".into(),
            Self::Property(Some(name), _) => name.as_str().into(),
            Self::Property(None, _) | Self::Expression(_) => Value::Null,
        }
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
    to_status: bool,
    status: DebugStatus,
    /// What the status shows, as Node-RED's node names it.
    status_name: Value,
    /// An expression does not parse: messages are not handled at all.
    dead: bool,
}

impl Debug {
    /// Reads what is shown and where.
    pub(in crate::nodes) fn new(config: DebugConfig, _build: &Build) -> Result<Self, ConfigError> {
        let DebugConfig {
            active,
            tosidebar: to_sidebar,
            console: to_console,
            tostatus: to_status,
            complete,
            target_type,
            status_type,
            status_val,
        } = config;
        let shown = Shown::read(&complete, &target_type);
        let status_name = match &shown {
            _ if !status_val.is_empty() => status_val.as_str().into(),
            shown => shown.name(),
        };
        let status = DebugStatus::new(match (status_type.as_str(), &shown) {
            ("counter", _) => StatusKind::Counter,
            ("" | "auto", Shown::Whole) => StatusKind::Auto(Shown::property("payload")),
            ("" | "auto", _) => StatusKind::Auto(Shown::read(&complete, &target_type)),
            (kind, shown) => StatusKind::Value(Shown::of_status(&status_val, kind, shown)),
        });
        Ok(Self {
            shown,
            active,
            to_sidebar,
            to_console,
            to_status,
            status,
            status_name,
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
            let (shown, format) = debug_encode(value, ctx.settings().debug_max_length);
            let mut data = json!({ "id": &*info.id });
            let texts = [
                ("z", info.z.as_deref()),
                ("_alias", info.alias()),
                ("path", info.flow_path()),
                ("name", info.name.as_deref()),
            ];
            for (member, text) in texts {
                if let Some(text) = text {
                    data[member] = text.into();
                }
            }
            if let Some(topic) = plain(msg.get("topic")) {
                data["topic"] = topic;
            }
            if let Shown::Property(name, _) = &self.shown {
                data["property"] = name.as_deref().into();
            }
            data["msg"] = shown;
            data["format"] = format.into();
            data
        });
    }
}

/// A value as JSON; none for what JSON lacks.
fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::String(text) => Some((**text).into()),
        other => {
            let text = stringify(other).ok().flatten()?;
            serde_json::from_str(&text).ok()
        }
    }
}

impl Node for Debug {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        self.status.start(self.to_status, ctx);
        for shown in [Some(&self.shown), self.status.shown()]
            .into_iter()
            .flatten()
        {
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
        if self.to_status {
            match self.status.show(&msg, ctx) {
                Ok(()) => {}
                Err(NodeError::Text(text)) => ctx.error(&*text, None),
                Err(thrown) => return Err(Failed::with(thrown, msg)),
            }
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
            Err(_) => self.status.catch_up(ctx),
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.status.stop();
        if self.to_status {
            ctx.status(Status::default());
        }
        Closing::Done
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("complete", self.shown.name());
        props.insert("statusVal", self.status_name.clone());
        props.insert("console", self.to_console.to_string().into());
        props.insert("active", self.active.into());
        props
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
