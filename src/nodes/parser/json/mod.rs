//! `json`: JSON text to a value, and a value to JSON text, checked against a schema if the message brings one
//! (Node-RED's json node).

mod schema;

use serde::Deserialize;

use self::schema::Schema;
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Message, Object, Value, parse_json, stringify, stringify_pretty},
    nodes::shared::property::MessageProperty,
};

/// Blanks a level of pretty text.
const INDENT: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct JsonConfig {
    property: String,
    action: String,
    pretty: bool,
}

/// What the node makes of its property.
#[derive(Clone, Copy, PartialEq)]
enum Action {
    /// The other of the two.
    Toggle,
    ToText,
    ToValue,
    /// An action that Node-RED does not know: everything passes.
    None,
}

/// A running json node.
pub(in crate::nodes) struct Json {
    property: MessageProperty,
    /// The property's name: a schema is compared with the message's own property of that name, as in Node-RED.
    name: String,
    action: Action,
    pretty: bool,
    /// The schema that came last, ready to use.
    schema: Option<Schema>,
}

/// How a message ends when it does not go its way: a failure, or a warning that it is left out.
enum Stop {
    Failed(NodeError),
    /// As an exception in Node-RED: an error of the message, which is never done with.
    Thrown(NodeError),
    Ignored(&'static str),
}

impl<E: Into<NodeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Json {
    /// Reads what is to become what.
    pub(in crate::nodes) fn new(config: JsonConfig, _build: &Build) -> Result<Self, ConfigError> {
        let name = if config.property.is_empty() {
            "payload".into()
        } else {
            config.property
        };
        Ok(Self {
            property: MessageProperty::new(name.clone()),
            name,
            action: match config.action.as_str() {
                "" => Action::Toggle,
                "str" => Action::ToText,
                "obj" => Action::ToValue,
                _ => Action::None,
            },
            pretty: config.pretty,
            schema: None,
        })
    }

    fn convert(&mut self, msg: &mut Message, ctx: &NodeContext) -> Result<(), Stop> {
        let checked = msg.get("schema").is_truthy();
        if checked {
            self.compile(msg.get("schema"), ctx)?;
        }
        let value = self.property.get(msg).map_err(Stop::Thrown)?;
        match &value {
            Value::Undefined => return Ok(()),
            Value::String(_) | Value::Bytes(_)
                if matches!(self.action, Action::Toggle | Action::ToValue) =>
            {
                let parsed = parse_json(&value.text()).map_err(|error| error.to_string())?;
                self.property.set(msg, parsed)?;
                if checked {
                    let subject = msg.get(&self.name).clone();
                    self.check(&subject, msg, ctx)?;
                }
            }
            Value::String(_) | Value::Bytes(_) => {
                if checked {
                    let text = msg.get(&self.name).text();
                    let subject = parse_json(&text).map_err(|error| error.to_string())?;
                    self.check(&subject, msg, ctx)?;
                }
            }
            value if matches!(value.type_of(), "object" | "boolean" | "number") => {
                if checked {
                    self.check(value, msg, ctx)?;
                }
                if matches!(self.action, Action::Toggle | Action::ToText) {
                    let text = self.text(value).map_err(|reason| {
                        ctx.text("json.errors.dropped-error", &[("reason", &reason)])
                    })?;
                    self.property.set(msg, text)?;
                }
            }
            _ => return Err(Stop::Ignored("json.errors.dropped")),
        }
        if checked {
            msg.remove("schema");
        }
        Ok(())
    }

    fn text(&self, value: &Value) -> Result<Value, String> {
        let text = if self.pretty {
            stringify_pretty(value, INDENT)
        } else {
            stringify(value)
        };
        Ok(text?.map_or(Value::Undefined, Value::from))
    }

    fn compile(&mut self, given: &Value, ctx: &NodeContext) -> Result<(), Stop> {
        if self.schema.as_ref().is_some_and(|schema| schema.is(given)) {
            return Ok(());
        }
        self.schema = None;
        match Schema::compile(given.clone()) {
            Ok(schema) => {
                self.schema = Some(schema);
                Ok(())
            }
            Err(reason) => {
                Err(ctx.text("json.errors.schema-error-compile", &[("reason", &reason)]))?
            }
        }
    }

    /// Compares a value with the schema; what is wrong with it stands in `msg.schemaError` then.
    fn check(&self, value: &Value, msg: &mut Message, ctx: &NodeContext) -> Result<(), Stop> {
        let Some(schema) = &self.schema else {
            return Ok(());
        };
        let mistakes = schema.validate(value)?;
        if mistakes.is_empty() {
            return Ok(());
        }
        let text = ctx.text("json.errors.schema-error", &[]);
        let list: Vec<String> = mistakes.iter().map(schema::Mistake::text).collect();
        let values: Vec<Value> = mistakes.iter().map(schema::Mistake::to_value).collect();
        msg.set("schemaError", values);
        Err(format!("{text}: {}", list.join(", ")))?
    }
}

impl Node for Json {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        match self.convert(&mut msg, ctx) {
            Ok(()) => ctx.send_done(msg),
            Err(Stop::Ignored(key)) => {
                ctx.warn(ctx.text(key, &[]));
                ctx.completion(&msg).done();
            }
            Err(Stop::Thrown(error)) => ctx.error(error, Some(&msg)),
            Err(Stop::Failed(error)) => return Err(Failed::with(error, msg)),
        }
        Ok(())
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("property", self.name.as_str().into());
        let indent = if self.pretty { INDENT } else { 0 };
        props.insert("indent", indent.into());
        if matches!(self.action, Action::Toggle) {
            props.insert("action", "".into());
        }
        props
    }
}
