//! `inject`: makes messages by hand, at the start, at intervals or by cron (Node-RED's inject node).

use std::time::Duration;

use serde::Deserialize;

use super::inject_timing::{Repeat, RepeatError, Tick, sleep_towards};
use crate::{
    engine::{AnyEvent, Build, ConfigError, Failed, LogLevel, Node, NodeContext, NodeError, Timer},
    message::{ErrorValue, Kind, Message, Object, PathError, PropertyPath, TypedInput, Value},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct InjectConfig {
    props: Option<Vec<PropConfig>>,
    payload: String,
    payload_type: String,
    topic: String,
    repeat: Option<f64>,
    crontab: String,
    once: bool,
    once_delay: Option<f64>,
}

/// One property of the message: where, and what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PropConfig {
    p: String,
    v: Option<String>,
    vt: Option<String>,
}

/// A property to set. Its value is read once; what is wrong with it is told when the node fires.
struct Prop {
    path: String,
    value: Result<TypedInput, ErrorValue>,
}

/// A running inject node.
pub(in crate::nodes) struct Inject {
    props: Vec<Prop>,
    /// The same, as Node-RED's node holds them.
    shown: Value,
    repeat: Repeat,
    repeat_error: Option<RepeatError>,
    once: Option<Duration>,
    once_delay_ms: f64,
    timer: Option<Timer>,
    crontab: String,
    /// The log knows how it repeats.
    has_told: bool,
}

impl Inject {
    /// Reads the properties and the times; nothing refuses to start, as in Node-RED.
    pub(in crate::nodes) fn new(config: InjectConfig, _build: &Build) -> Result<Self, ConfigError> {
        let once_delay_s = config.once_delay.unwrap_or(0.1).max(0.0);
        let once_delay = Duration::try_from_secs_f64(once_delay_s)
            .map_err(|_| "The delay before the first message is too long")?;
        let (repeat, repeat_error) = Repeat::read(config.repeat, &config.crontab);
        Ok(Self {
            repeat,
            repeat_error,
            once: config.once.then_some(once_delay),
            once_delay_ms: once_delay_s * 1000.0,
            crontab: config.crontab.clone(),
            shown: shown(&config),
            props: props(config),
            timer: None,
            has_told: false,
        })
    }

    fn fire(&self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let own;
        let props = match msg.remove("__user_inject_props__") {
            Some(Value::Array(given)) => {
                own = given
                    .iter()
                    .filter_map(Prop::from_value)
                    .collect::<Vec<_>>();
                &own
            }
            _ => &self.props,
        };
        let mut errors = Vec::new();
        for prop in props.iter().filter(|prop| !prop.path.is_empty()) {
            if let Err(error) = prop.set(&mut msg, ctx) {
                errors.push(error);
            }
        }
        if errors.is_empty() {
            ctx.send_done(msg);
            return Ok(());
        }
        ctx.failed(errors.join("; "), msg);
        Ok(())
    }

    fn begin_repeating(&mut self, ctx: &NodeContext) {
        let repeat = &self.repeat;
        if !std::mem::replace(&mut self.has_told, true) {
            match repeat {
                Repeat::Never => {}
                Repeat::Every(period) => {
                    let ms = period.as_millis().to_string();
                    ctx.log(
                        LogLevel::Debug,
                        ctx.text("inject.repeat", &[("repeat", &ms)]),
                    );
                }
                Repeat::Cron(_) => {
                    let text = ctx.text("inject.crontab", &[("crontab", &self.crontab)]);
                    ctx.log(LogLevel::Debug, text);
                }
            }
        }
        self.timer = repeat.schedule(ctx);
    }
}

/// Node-RED's rules: `props`, or payload and topic of the old form; an entry for either without a value takes that one.
fn props(config: InjectConfig) -> Vec<Prop> {
    let (payload, payload_type, topic) = (config.payload, config.payload_type, config.topic);
    let Some(listed) = config.props else {
        return vec![
            Prop::new("payload".into(), &payload, &payload_type),
            Prop::new("topic".into(), &topic, "str"),
        ];
    };
    let prop = |entry: PropConfig| {
        let kind = entry.vt.as_deref();
        match (entry.p.as_str(), entry.v) {
            ("payload", None) => Prop::new(entry.p, &payload, &payload_type),
            ("topic", None) if kind == Some("str") => Prop::new(entry.p, &topic, "str"),
            (_, value) => {
                let value = value.unwrap_or_default();
                Prop::new(entry.p, &value, kind.unwrap_or("str"))
            }
        }
    };
    listed.into_iter().map(prop).collect()
}

/// The properties as Node-RED's node holds them: completed, and as a list also where the configuration is of the old form.
fn shown(config: &InjectConfig) -> Value {
    let given = |text: &str| match text {
        "" => Value::Undefined,
        text => text.into(),
    };
    let entry = |p: &str, v: Value, vt: Value| {
        let entry: Object = [("p", p.into()), ("v", v), ("vt", vt)]
            .into_iter()
            .collect();
        Value::from(entry)
    };
    let payload = || {
        entry(
            "payload",
            given(&config.payload),
            given(&config.payload_type),
        )
    };
    let topic = || entry("topic", given(&config.topic), "str".into());
    let Some(listed) = &config.props else {
        return vec![payload(), topic()].into();
    };
    let listed = listed.iter().map(|prop| match (prop.p.as_str(), &prop.v) {
        ("payload", None) => payload(),
        ("topic", None) if prop.vt.as_deref() == Some("str") => topic(),
        (path, value) => {
            let text = |text: &Option<String>| text.as_deref().map(Value::from);
            let members = [
                ("p", Some(path.into())),
                ("v", text(value)),
                ("vt", text(&prop.vt)),
            ];
            let members = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            Value::from(members.collect::<Object>())
        }
    });
    listed.collect::<Vec<Value>>().into()
}

impl Prop {
    fn new(path: String, text: &str, kind: &str) -> Self {
        let kind = Kind::from_name(kind);
        Self {
            path,
            value: TypedInput::parse(text, kind),
        }
    }

    /// An entry of `__user_inject_props__`, whose value may be of any type.
    fn from_value(value: &Value) -> Option<Self> {
        let entry = value.as_object()?;
        let given = |key| entry.get(key).filter(|value| !value.is_undefined());
        let kind = given("vt").map_or_else(|| "str".into(), Value::to_text);
        let value = given("v").cloned().unwrap_or_else(|| "".into());
        let path = given("p").filter(|path| path.is_truthy())?.to_text();
        if value.as_str().is_some() {
            return Some(Self::new(path, &value.to_text(), &kind));
        }
        let value = match Kind::from_name(&kind) {
            Kind::Number => Ok(TypedInput::Constant(value.to_number().into())),
            Kind::Other => Ok(TypedInput::Constant(value)),
            Kind::Date | Kind::Jsonata if !value.is_truthy() => {
                return Some(Self::new(path, "", &kind));
            }
            _ => return Some(Self::new(path, &value.to_text(), &kind)),
        };
        Some(Self { path, value })
    }

    fn set(&self, msg: &mut Message, ctx: &NodeContext) -> Result<(), String> {
        let input = self.value.as_ref().map_err(ToString::to_string)?;
        let TypedInput::Jsonata(source) = input else {
            let value = ctx
                .evaluate(input, msg)
                .map_err(|error| error.to_string())?;
            return self
                .put(msg, value)
                .map_err(|error| ErrorValue::from(error).to_string());
        };
        if source.is_empty() {
            return Ok(());
        }
        ctx.check_expression(source)?;
        let value = ctx.evaluate_for(source, msg, &[]);
        let value = value.map_err(|error| invalid(ctx, &error.message))?;
        // Node-RED blames the expression for a path that is none.
        self.put(msg, value)
            .map_err(|error| invalid(ctx, &error.to_string()))
    }

    fn put(&self, msg: &mut Message, value: Value) -> Result<(), PathError> {
        let path = PropertyPath::parse_message(&self.path)?;
        path.set_in_message(msg, value).map(drop)
    }
}

fn invalid(ctx: &NodeContext, error: &str) -> String {
    ctx.text("inject.errors.invalid-expr", &[("error", error)])
}

impl Node for Inject {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        for prop in &self.props {
            if let Ok(TypedInput::Jsonata(source)) = &prop.value
                && let Err(error) = ctx.check_expression(source)
            {
                ctx.error(invalid(ctx, &error.message), None);
            }
        }
        if let Some(delay) = self.once {
            self.timer = Some(ctx.after(delay, Tick::Once));
        } else {
            self.begin_repeating(ctx);
        }
        match &self.repeat_error {
            None => Ok(()),
            Some(RepeatError::TooLong) => Err(ctx.text("inject.errors.toolong", &[]).into()),
            Some(RepeatError::Cron(error)) => Err(ctx
                .text("inject.errors.invalid-cron", &[("error", error)])
                .into()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        self.fire(msg, ctx)
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        let Ok(tick) = event.downcast::<Tick>() else {
            return;
        };
        match *tick {
            Tick::Towards(at) => {
                self.timer = Some(sleep_towards(at, ctx));
                return;
            }
            Tick::Once | Tick::Repeat => self.begin_repeating(ctx),
        }
        // Through the queue, so that whoever watches the node sees its message arrive. It gets its id when it leaves.
        ctx.receive_raw(Message::default());
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("onceDelay", self.once_delay_ms.into());
        props.insert("props", self.shown.clone());
        props
    }
}
