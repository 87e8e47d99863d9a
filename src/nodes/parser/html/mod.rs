//! `html`: parts of a page, by CSS selector (Node-RED's html node, which reads pages with cheerio).

mod aliases;
mod page;
mod select;
mod write;

use serde::Deserialize;

use self::{
    page::{Page, Part},
    write::Form,
};
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{ErrorValue, Message, Object, Value, trim},
    nodes::shared::property::MessageProperty,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct HtmlConfig {
    property: String,
    outproperty: String,
    tag: String,
    ret: String,
    #[serde(rename = "as")]
    as_: String,
    chr: String,
}

/// What is taken of each part.
#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Html,
    Text,
    Attributes,
    /// Attributes, and the content under a key of its own.
    Complete,
    /// A value that Node-RED does not know: nothing.
    Nothing,
}

/// A running html node.
pub(in crate::nodes) struct Html {
    from: MessageProperty,
    to: MessageProperty,
    selector: String,
    taken: Taken,
    form: String,
    content_key: String,
    /// Where the result goes, as Node-RED's node names it.
    to_name: String,
}

impl Html {
    /// Reads what to look for and what to take.
    pub(in crate::nodes) fn new(config: HtmlConfig, _build: &Build) -> Result<Self, ConfigError> {
        let to = if config.outproperty.is_empty() {
            config.property.clone()
        } else {
            config.outproperty
        };
        Ok(Self {
            to_name: to.clone(),
            from: MessageProperty::new(config.property),
            to: MessageProperty::new(to),
            selector: config.tag,
            taken: match config.ret.as_str() {
                "" | "html" => Taken::Html,
                "text" => Taken::Text,
                "attr" => Taken::Attributes,
                "compl" => Taken::Complete,
                _ => Taken::Nothing,
            },
            form: config.as_,
            content_key: if config.chr.is_empty() {
                "_".into()
            } else {
                config.chr
            },
        })
    }

    fn selector(&self, msg: &Message) -> String {
        if !self.selector.is_empty() {
            return self.selector.clone();
        }
        match msg.get("select") {
            Value::String(selector) => selector.to_string(),
            _ => String::new(),
        }
    }

    /// What is taken of each part that the selector finds.
    fn parts(
        &self,
        value: &Value,
        msg: &Message,
        ctx: &NodeContext,
    ) -> Result<Vec<Value>, NodeError> {
        let text = match value {
            Value::String(_) | Value::Bytes(_) => value.to_text(),
            Value::Null => return Err("cheerio.load() expects a string".into()),
            Value::Number(_) | Value::Bool(_) | Value::BigInt(_) => {
                let (kind, text) = (value.type_of(), value.to_text());
                return Err(format!("Cannot create property 'prev' on {kind} '{text}'").into());
            }
            _ => String::new(),
        };
        let selector = self.selector(msg);
        if trim(&selector).is_empty() {
            return Ok(Vec::new());
        }
        let page = Page::document(&text);
        let parts = select::select(&page, &selector)
            .map_err(|error| ctx.text("html.errors.bad-selector", &[("error", &error)]))?;
        Ok(parts
            .into_iter()
            .map(|part| self.take(&page, part))
            .collect())
    }

    fn take(&self, page: &Page, part: Part) -> Value {
        match self.taken {
            Taken::Html => page.content_as_xml(part).into(),
            Taken::Text => page.text(part).into(),
            Taken::Attributes => page.attributes(part).collect::<Object>().into(),
            Taken::Complete => {
                let content = page.content(part, Form::Html);
                let mut object = Object::new();
                object.insert(self.content_key.as_str(), trim(&content).into());
                for (name, value) in page.attributes(part) {
                    object.insert(name, value);
                }
                object.into()
            }
            Taken::Nothing => Value::Undefined,
        }
    }

    fn send_each(
        &self,
        parts: Vec<Value>,
        msg: &Message,
        ctx: &NodeContext,
    ) -> Result<(), NodeError> {
        let count = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            // An empty text is no part to Node-RED.
            if !part.is_truthy() {
                continue;
            }
            let mut copy = msg.clone();
            self.to.set(&mut copy, part)?;
            let parts = [
                ("id", msg.get("_msgid").clone()),
                ("index", index.into()),
                ("count", count.into()),
                ("type", "string".into()),
                ("ch", "".into()),
            ];
            copy.set("parts", Value::Object(parts.into_iter().collect()));
            ctx.send(copy);
        }
        Ok(())
    }
}

impl Node for Html {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let value = match self.from.get(&msg) {
            Ok(value) => value,
            // Thrown in Node-RED: the message is never done with.
            Err(error) => {
                ctx.error(error, Some(&msg));
                return Ok(());
            }
        };
        if value.is_undefined() {
            ctx.send_done(msg);
            return Ok(());
        }
        let completion = ctx.completion(&msg);
        let sent = self
            .parts(&value, &msg, ctx)
            .and_then(|parts| match self.form.as_str() {
                "multi" => self.send_each(parts, &msg, ctx),
                "" | "single" => {
                    let parts = if self.taken == Taken::Nothing {
                        Vec::new()
                    } else {
                        parts
                    };
                    self.to.set(&mut msg, parts.into())?;
                    ctx.send(msg.clone());
                    Ok(())
                }
                _ => Ok(()),
            });
        match sent {
            Ok(()) => completion.done(),
            Err(error) => return Err(Failed::with(message_of(error), msg)),
        }
        Ok(())
    }

    fn props(&self) -> Object {
        Object::from_iter([("outproperty", self.to_name.as_str().into())])
    }
}

/// Node-RED hands on the error's message only.
fn message_of(error: NodeError) -> NodeError {
    match error {
        NodeError::Error(error) => {
            let ErrorValue { message, .. } = &*error;
            NodeError::Text(message.clone())
        }
        other => other,
    }
}
