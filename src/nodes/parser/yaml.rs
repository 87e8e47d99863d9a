//! `yaml`: YAML text to a value, and a value to YAML text (Node-RED's yaml node).

use serde::Deserialize;

use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext},
    message::{Message, Value},
    nodes::shared::{property::MessageProperty, yaml},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct YamlConfig {
    property: String,
}

/// A running yaml node.
pub(in crate::nodes) struct Yaml {
    property: MessageProperty,
}

impl Yaml {
    /// Reads where in the message the text or value stands.
    pub(in crate::nodes) fn new(config: YamlConfig, _build: &Build) -> Result<Self, ConfigError> {
        Ok(Self {
            property: MessageProperty::new(config.property),
        })
    }
}

impl Node for Yaml {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let value = match self.property.get(&msg) {
            Ok(value) => value,
            // Thrown in Node-RED: the message is never done with.
            Err(error) => {
                ctx.error(error, Some(&msg));
                return Ok(());
            }
        };
        let converted = match &value {
            Value::Undefined => {
                ctx.send_done(msg);
                return Ok(());
            }
            Value::String(text) => yaml::parse(text),
            Value::Bytes(_) => return ignored("yaml.errors.dropped-object", &msg, ctx),
            value if value.type_of() == "object" => yaml::dump(value)
                .map(Value::from)
                .map_err(|reason| ctx.text("yaml.errors.dropped-error", &[("reason", &reason)])),
            _ => return ignored("yaml.errors.dropped", &msg, ctx),
        };
        let set = match converted {
            Ok(converted) => self.property.set(&mut msg, converted),
            Err(error) => return Err(Failed::with(error, msg)),
        };
        match set {
            Ok(()) => ctx.send_done(msg),
            Err(error) => return Err(Failed::with(error, msg)),
        }
        Ok(())
    }
}

fn ignored(key: &str, msg: &Message, ctx: &NodeContext) -> Result<(), Failed> {
    ctx.warn(ctx.text(key, &[]));
    ctx.completion(msg).done();
    Ok(())
}
