//! `rbe`, called filter in the palette: lets a message pass only when its value has changed (Node-RED's filter node).

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;

use super::rbe_band::Band;
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext},
    message::{Message, Object, PropertyPath, Value, parse_float, same_content, strictly_equal},
};

/// Values are kept for so many topics; beyond, the topic that came first is forgotten.
const MOST_TOPICS: usize = 100_000;

/// The name under which all values stand that have no topic.
const NO_TOPIC: &str = "_no_topic";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct RbeConfig {
    func: String,
    gap: String,
    start: String,
    inout: String,
    septopics: bool,
    property: String,
    topi: String,
}

/// When a message passes.
enum Mode {
    /// When the value differs from the last one; `silent`: the first one of a topic does not.
    Change {
        silent: bool,
    },
    Band(Band),
    /// Never: the mode is none. Values that are no numbers are told, as in Node-RED.
    Never,
}

/// A running filter node.
pub(in crate::nodes) struct Rbe {
    mode: Mode,
    by_topic: bool,
    property: Option<PropertyPath>,
    topic: Option<PropertyPath>,
    last: IndexMap<String, Value, FxBuildHasher>,
    start: String,
}

impl Rbe {
    /// Reads the mode and its numbers. A property expression that can't be read finds nothing, as in Node-RED.
    pub(in crate::nodes) fn new(config: RbeConfig, _build: &Build) -> Result<Self, ConfigError> {
        let or = |text: String, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text
            }
        };
        let path =
            |text: String, default: &str| PropertyPath::parse_message(&or(text, default)).ok();
        let mode = match Band::read(
            &config.func,
            &or(config.gap, "0"),
            &config.start,
            &config.inout,
        ) {
            Some(band) => Mode::Band(band),
            None if matches!(config.func.as_str(), "" | "rbe" | "rbei") => Mode::Change {
                silent: config.func == "rbei",
            },
            None => Mode::Never,
        };
        Ok(Self {
            mode,
            by_topic: config.septopics,
            property: path(config.property, "payload"),
            topic: path(config.topi, "topic"),
            last: IndexMap::default(),
            start: config.start,
        })
    }

    fn reset(&mut self, topic: &Value, msg: &Message) {
        let named = matches!(topic, Value::String(topic) if !topic.is_empty());
        if self.by_topic && named {
            self.last.swap_remove(&*msg.get("topic").text());
        } else {
            self.last.clear();
        }
    }

    /// Whether a message with this value passes; remembers the value.
    fn passes(&mut self, topic: &Value, value: &Value, ctx: &NodeContext) -> bool {
        let name = match topic {
            topic if self.by_topic && topic.is_truthy() => topic.text(),
            _ => NO_TOPIC.into(),
        };
        let last = self.last.get_mut(&*name);
        let known = last.is_some();
        let (passes, remembered) = match &self.mode {
            Mode::Change { silent } => match news(value, last.as_deref()) {
                News::None => return false,
                News::Empty => (false, Some(Value::Object(Object::new()))),
                News::Other => (known || !silent, Some(kept(value))),
            },
            mode => {
                let number = parse_float(&value.text());
                if number.is_nan() {
                    ctx.warn(ctx.text("rbe.warn.nonumber", &[]));
                    return false;
                }
                let Mode::Band(band) = mode else {
                    return false;
                };
                let (passes, remembered) =
                    band.judge(number, last.as_deref().map(Value::to_number));
                (passes, remembered.map(Value::Number))
            }
        };
        match (last, remembered) {
            (Some(last), Some(value)) => *last = value,
            (None, Some(value)) => {
                if self.last.len() >= MOST_TOPICS {
                    self.last.swap_remove_index(0);
                }
                self.last.insert(name.into_owned(), value);
            }
            _ => {}
        }
        passes
    }
}

/// A value as it is remembered. Node-RED's copy of an error holds nothing, so an error with properties is always news.
fn kept(value: &Value) -> Value {
    match value {
        Value::Error(_) => Object::new().into(),
        other => other.clone(),
    }
}

/// What a value has that the last one had not.
enum News {
    None,
    /// The first object of all has nothing in it. It is remembered, but counts as no change.
    Empty,
    Other,
}

/// Compares a value with the last one; objects by what they hold.
fn news(value: &Value, last: Option<&Value>) -> News {
    let is_object = value.type_of() == "object";
    let (same, empty) = match last {
        Some(last) if is_object && last.type_of() == "object" => (same_content(value, last), false),
        _ if is_object => (same_content(value, &Value::Object(Object::new())), true),
        Some(last) => (strictly_equal(value, last), false),
        None => (false, false),
    };
    match (same, empty) {
        (false, _) => News::Other,
        (true, true) => News::Empty,
        (true, false) => News::None,
    }
}

impl Node for Rbe {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let read = |path: &Option<PropertyPath>| {
            let path = path.as_ref()?;
            path.get(msg.fields(), msg.fields()).ok()
        };
        let topic = read(&self.topic).unwrap_or_default();
        let value = read(&self.property).unwrap_or_default();
        if msg.fields().contains_key("reset") {
            self.reset(&topic, &msg);
        }
        if !value.is_undefined() && self.passes(&topic, &value, ctx) {
            ctx.send(msg);
        }
        Ok(())
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        if let Mode::Band(band) = &self.mode
            && let Some(percent) = band.percent()
        {
            props.insert("gap", percent.into());
        }
        props.insert("start", self.start.as_str().into());
        props
    }
}
