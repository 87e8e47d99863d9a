//! `xml`: XML text to an object, and an object to XML text, as xml2js does it (Node-RED's xml node).
//!
//! The reader follows sax-js, whose sentences about mistakes flows may know; quick-xml reads other things as mistakes and
//! says other things about them.

mod build;
mod declaration;
mod entities;
mod names;
mod namespaces;
mod options;
mod parse;
mod piece;
mod sax;
mod write;

use serde::Deserialize;

use self::options::Options;
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext},
    message::{ErrorValue, Message, Object, Value},
    nodes::shared::property::MessageProperty,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct XmlConfig {
    property: String,
    attr: String,
    chr: String,
}

/// A running xml node.
pub(in crate::nodes) struct Xml {
    property: MessageProperty,
    attribute_key: String,
    text_key: String,
}

impl Xml {
    /// Reads where the text or object stands, and under which keys attributes and text go.
    pub(in crate::nodes) fn new(config: XmlConfig, _build: &Build) -> Result<Self, ConfigError> {
        Ok(Self {
            property: MessageProperty::new(config.property),
            attribute_key: config.attr,
            text_key: config.chr,
        })
    }

    fn read(&self, text: &str, msg: &mut Message) -> Result<Value, ErrorValue> {
        let key = |own: &str, name: &str, otherwise: &str| -> Value {
            let given = msg
                .get("options")
                .as_object()
                .and_then(|given| given.get(name));
            match given {
                _ if !own.is_empty() => own.into(),
                Some(given) if given.is_truthy() => given.clone(),
                _ => otherwise.into(),
            }
        };
        let attribute_key = key(&self.attribute_key, "attrkey", "$");
        let text_key = key(&self.text_key, "charkey", "_");
        // Node-RED writes what it adds into the message's own options.
        let mut given = match msg.get("options") {
            Value::Object(given) => given.clone(),
            _ => Object::new(),
        };
        given.insert("async", true.into());
        given.insert("attrkey", attribute_key);
        given.insert("charkey", text_key);
        let options = Options::new(&given)?;
        if msg.get("options").as_object().is_some() {
            msg.set("options", given);
        }
        parse::parse(text, &options)
    }

    fn write(&self, value: &Value, msg: &mut Message) -> Result<Value, ErrorValue> {
        let given = match msg.get("options") {
            Value::Object(given) => {
                let mut given = given.clone();
                given.insert("async", false.into());
                msg.set("options", given.clone());
                given
            }
            _ => {
                let pretty: Object = [("pretty", Value::Bool(false))].into_iter().collect();
                [("renderOpts", Value::Object(pretty))]
                    .into_iter()
                    .collect()
            }
        };
        Ok(build::build(value, &Options::new(&given)?)?.into())
    }
}

impl Node for Xml {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let value = match self.property.get(&msg) {
            Ok(value) => value,
            // Thrown in Node-RED: the message is never done with.
            Err(error) => {
                ctx.error(error, Some(&msg));
                return Ok(());
            }
        };
        let is_text = matches!(value, Value::String(_));
        let converted = match &value {
            Value::Undefined => {
                ctx.send_done(msg);
                return Ok(());
            }
            value
                if matches!(msg.get("options"), Value::Null)
                    && matches!(value.type_of(), "string" | "object") =>
            {
                ctx.error(no_options(), Some(&msg));
                return Ok(());
            }
            Value::String(text) => self.read(text, &mut msg),
            value if value.type_of() == "object" => self.write(value, &mut msg),
            _ => {
                ctx.warn(ctx.text("xml.errors.xml_js", &[]));
                ctx.completion(&msg).done();
                return Ok(());
            }
        };
        let set = match converted {
            Ok(converted) => self.property.set(&mut msg, converted),
            // What the builder throws is never done with.
            Err(error) if !is_text => {
                ctx.error(error, Some(&msg));
                return Ok(());
            }
            Err(error) => return Err(Failed::with(error, msg)),
        };
        match set {
            Ok(()) => ctx.send_done(msg),
            Err(error) => return Err(Failed::with(error, msg)),
        }
        Ok(())
    }
}

/// What JavaScript says when the options are null.
fn no_options() -> ErrorValue {
    ErrorValue {
        name: "TypeError".into(),
        ..error("Cannot set properties of null (setting 'async')")
    }
}

fn error(message: impl AsRef<str>) -> ErrorValue {
    ErrorValue {
        name: "Error".into(),
        message: message.as_ref().into(),
        ..ErrorValue::default()
    }
}
