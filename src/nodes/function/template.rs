//! `template`: a text with values of the message in it (Node-RED's template node).

use serde::Deserialize;

use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, NodeError, Scope},
    message::{Message, Object, PathError, PropertyPath, TypedInput, Value, parse_json},
    nodes::shared::{
        mustache::{Template as Mustache, View},
        yaml,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct TemplateConfig {
    field: String,
    field_type: String,
    syntax: String,
    template: String,
    output: String,
    /// Only the editor needs it.
    #[serde(rename = "format")]
    _format: String,
}

/// What becomes of the text.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    Text,
    Json,
    Yaml,
}

/// Where the result goes.
enum Field {
    Message(Result<PropertyPath, String>),
    Context(Scope, String),
    /// A place that is none: nothing is sent, as in Node-RED.
    Nowhere,
}

/// The template of the node itself.
enum Source {
    /// There is none: the message brings it.
    FromMessage,
    Plain(String),
    Mustache(Result<Mustache, String>),
}

/// A running template node.
pub(in crate::nodes) struct Template {
    field: Field,
    mustache: bool,
    source: Source,
    output: Output,
    output_name: String,
}

impl Template {
    /// Reads the template. One that can't be read is told for each message, as in Node-RED.
    pub(in crate::nodes) fn new(
        config: TemplateConfig,
        _build: &Build,
    ) -> Result<Self, ConfigError> {
        let field = if config.field.is_empty() {
            "payload"
        } else {
            &config.field
        };
        let mustache = config.syntax.is_empty() || config.syntax == "mustache";
        Ok(Self {
            field: match config.field_type.as_str() {
                "msg" | "" => Field::Message(
                    PropertyPath::parse_message(field).map_err(|error| error.to_string()),
                ),
                "flow" => Field::Context(Scope::Flow, field.to_owned()),
                "global" => Field::Context(Scope::Global, field.to_owned()),
                _ => Field::Nowhere,
            },
            source: match config.template {
                template if template.is_empty() => Source::FromMessage,
                template if mustache => Source::Mustache(Mustache::parse(&template)),
                template => Source::Plain(template),
            },
            mustache,
            output: match config.output.as_str() {
                "json" => Output::Json,
                "yaml" => Output::Yaml,
                _ => Output::Text,
            },
            output_name: config.output,
        })
    }

    fn value(&self, msg: &Message, ctx: &NodeContext) -> Result<Value, String> {
        let filled = match &self.source {
            Source::Plain(text) => text.as_str().into(),
            Source::Mustache(Ok(template)) => self.fill(template, msg, ctx)?,
            Source::Mustache(Err(error)) => return Err(error.clone()),
            Source::FromMessage => match msg.fields().get("template") {
                None => "".into(),
                Some(value) if !self.mustache => value.clone(),
                Some(Value::String(text)) => self.fill(&Mustache::parse(text)?, msg, ctx)?,
                Some(other) => {
                    let kind = [("type", other.type_of())];
                    return Err(ctx.text("template.errors.no-text", &kind));
                }
            },
        };
        match self.output {
            Output::Text => Ok(filled),
            Output::Json => parse_json(&filled.to_text()).map_err(|error| error.to_string()),
            Output::Yaml => yaml::parse(&filled.to_text()),
        }
    }

    fn fill(&self, template: &Mustache, msg: &Message, ctx: &NodeContext) -> Result<Value, String> {
        let outside = Outside {
            ctx,
            json: self.output == Output::Json,
        };
        template.render(msg, &outside).map(Value::from)
    }

    /// Puts the value where it belongs. Returns whether the message goes on.
    fn store(&self, value: Value, msg: &mut Message, ctx: &NodeContext) -> Result<bool, NodeError> {
        match &self.field {
            Field::Message(path) => {
                let before = msg.fields().clone();
                path.as_ref()
                    .map_err(Clone::clone)?
                    .set(msg.fields_mut(), &before, value, true)
                    .map_err(|error| error.to_string())?;
            }
            Field::Context(scope, key) => {
                let stored = ctx.store(*scope).set(key, value, None);
                stored.map_err(|error| PathError::error_of(&error))?;
            }
            Field::Nowhere => return Ok(false),
        }
        Ok(true)
    }
}

impl Node for Template {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let stored = match self.value(&msg, ctx) {
            Ok(value) => self.store(value, &mut msg, ctx),
            Err(error) => Err(error.into()),
        };
        match stored {
            Ok(true) => ctx.send_done(msg),
            Ok(false) => {}
            Err(error) => return Err(Failed::with(error, msg)),
        }
        Ok(())
    }

    fn props(&self) -> Object {
        Object::from_iter([("outputFormat", self.output_name.as_str().into())])
    }
}

/// What a template sees besides the message: environment and context.
struct Outside<'a> {
    ctx: &'a NodeContext,
    /// Texts are written into JSON.
    json: bool,
}

impl View for Outside<'_> {
    fn outer(&self, name: &str) -> Result<Value, String> {
        if let Some(variable) = name.strip_prefix("env.").filter(|name| !name.is_empty()) {
            let variable = TypedInput::Env(variable.into());
            return Ok(self
                .ctx
                .evaluate(&variable, &Message::default())
                .unwrap_or_default());
        }
        match context_name(name) {
            Some((scope, store, key)) => self.ctx.store(scope).get(key, store),
            None => Ok(Value::Undefined),
        }
    }

    fn text(&self, text: &str) -> Option<String> {
        self.json.then(|| json_escape(text))
    }
}

/// `flow.key`, `global[store].key` → scope, store and key.
fn context_name(name: &str) -> Option<(Scope, Option<&str>, &str)> {
    let (scope, rest) = match (name.strip_prefix("flow"), name.strip_prefix("global")) {
        (Some(rest), _) => (Scope::Flow, rest),
        (_, Some(rest)) => (Scope::Global, rest),
        _ => return None,
    };
    let (store, rest) = match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((store, rest))) => (Some(store), rest),
        Some(None) => return None,
        None => (None, rest),
    };
    let is_word = |store: &str| {
        !store.is_empty() && store.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if store.is_some_and(|store| !is_word(store)) {
        return None;
    }
    let key = rest.strip_prefix('.').filter(|key| !key.is_empty())?;
    Some((scope, store, key))
}

/// So that a text fits between the quotes of a JSON string. Quotes are left alone, as in Node-RED.
fn json_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_named_as_in_node_red() {
        for (name, expected) in [
            ("flow.a.b", Some((Scope::Flow, None, "a.b"))),
            ("global[disk].a", Some((Scope::Global, Some("disk"), "a"))),
            ("flow[disk]a", None),
            ("flow[di sk].a", None),
            ("flow[].a", None),
            ("flow.", None),
            ("flower.a", None),
            ("flow", None),
        ] {
            assert_eq!(context_name(name), expected, "{name}");
        }
    }
}
