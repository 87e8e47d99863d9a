//! `trigger`: sends something at once and something else after a while, or again and again (Node-RED's trigger node).

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;

use super::{
    trigger_topic::{State, Topic},
    trigger_value::{Sends, Setting},
};
use crate::{
    engine::{AnyEvent, Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::{Message, Object, PathError, PropertyPath, Value},
    nodes::shared::deadlines::{Deadlines, Due, milliseconds, timer_delay},
};

/// What a missing duration is, in the unit of the setting.
const DEFAULT_DURATION: f64 = 250.0;
/// The topic of all messages when they are not told apart, and of those without one.
const NO_TOPIC: &str = "_none";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct TriggerConfig {
    op1: String,
    #[serde(rename = "op1type")]
    op1_type: String,
    op2: String,
    #[serde(rename = "op2type")]
    op2_type: String,
    duration: Option<f64>,
    units: String,
    extend: bool,
    override_delay: bool,
    reset: String,
    bytopic: String,
    topic: String,
    outputs: Option<f64>,
}

/// A running trigger node.
pub(in crate::nodes) struct Trigger {
    settings: [Setting; 2],
    first: Sends,
    second: Sends,
    duration_ms: f64,
    units: String,
    repeat: bool,
    extend: bool,
    override_delay: bool,
    /// A payload of this text ends the wait; empty for none.
    reset: String,
    /// Where the topic stands; none when all messages are one.
    topic: Option<Result<PropertyPath, PathError>>,
    second_output: usize,
    topics: HashMap<Arc<str>, Topic>,
    deadlines: Deadlines<(u64, Arc<str>)>,
    count: u64,
}

impl Trigger {
    /// Reads the settings. What is wrong with a value is told when a message comes, as in Node-RED.
    pub(in crate::nodes) fn new(
        config: TriggerConfig,
        _build: &Build,
    ) -> Result<Self, ConfigError> {
        let first = Setting::read(&config.op1, &config.op1_type, "1");
        let second = Setting::read(&config.op2, &config.op2_type, "0");
        let duration = config.duration.unwrap_or(DEFAULT_DURATION);
        let topic = if config.topic.is_empty() {
            "topic"
        } else {
            &config.topic
        };
        Ok(Self {
            first: first.sends(false),
            second: second.sends(true),
            settings: [first, second],
            duration_ms: duration.abs() * unit_ms(&config.units),
            units: config.units,
            repeat: duration < 0.0,
            extend: config.extend && duration >= 0.0,
            override_delay: config.override_delay,
            reset: config.reset,
            topic: (!matches!(config.bytopic.as_str(), "all" | ""))
                .then(|| PropertyPath::parse_message(topic)),
            second_output: usize::from(config.outputs == Some(2.0)),
            topics: HashMap::new(),
            deadlines: Deadlines::default(),
            count: 0,
        })
    }

    fn topic_of(&self, msg: &Message) -> Result<Arc<str>, PathError> {
        let Some(path) = &self.topic else {
            return Ok(NO_TOPIC.into());
        };
        let path = path.as_ref().map_err(Clone::clone)?;
        let value = path.get(msg.fields(), msg.fields())?;
        Ok(match value {
            Value::String(text) if !text.is_empty() => text,
            value if value.is_truthy() => value.to_text().into(),
            _ => NO_TOPIC.into(),
        })
    }

    fn is_reset(&self, msg: &Message) -> bool {
        if msg.fields().contains_key("reset") {
            return true;
        }
        let payload = msg.payload();
        !self.reset.is_empty() && !payload.is_nullish() && payload.to_text() == self.reset
    }

    fn wait_ms(&self, msg: &Message) -> f64 {
        let asked = milliseconds(msg.fields().get("delay")).filter(|_| self.override_delay);
        asked.unwrap_or(self.duration_ms)
    }

    /// Ends what goes on for a topic.
    fn forget(&mut self, topic: &Arc<str>) -> Option<Topic> {
        let forgotten = self.topics.remove(topic)?;
        if let Some(at) = forgotten.state.due() {
            self.deadlines.remove(at, (forgotten.number, topic.clone()));
        }
        Some(forgotten)
    }

    /// A message that begins something: the first thing is sent, the second is worked out.
    fn begin(
        &mut self,
        mut msg: Message,
        topic: Arc<str>,
        ctx: &NodeContext,
    ) -> Result<(), Failed> {
        let wait_ms = self.wait_ms(&msg);
        let latest = matches!(self.second, Sends::Latest).then(|| msg.clone());
        let second = match &self.second {
            Sends::Payload => Ok(Some(msg.payload().clone())),
            other => other.payload(&msg, ctx),
        };
        let (first, second) = match (second, self.first.payload(&msg, ctx)) {
            (Ok(second), Ok(first)) => (first, second),
            (Err(error), _) | (_, Err(error)) => return Err(Failed::with(error, msg)),
        };
        if let Some(payload) = first {
            msg.set("payload", payload);
        }
        self.forget(&topic);
        self.count += 1;
        let state = if wait_ms == 0.0 || (self.repeat && self.first.is_nothing()) {
            State::Blocked
        } else {
            let key = (self.count, topic.clone());
            let at = self.deadlines.add(timer_delay(wait_ms), key, ctx);
            let msg = msg.clone();
            if self.repeat {
                State::Repeating { at, msg, wait_ms }
            } else {
                State::Waiting {
                    at,
                    msg,
                    extended: false,
                }
            }
        };
        let begun = Topic {
            number: self.count,
            second,
            latest,
            state,
        };
        self.topics.insert(topic, begun);
        ctx.completion(&msg).done();
        self.show(ctx);
        if !self.first.is_nothing() {
            ctx.send(msg);
        }
        Ok(())
    }

    /// A message while its topic waits: it may make the wait longer, and be what is sent then.
    fn join(&mut self, msg: Message, topic: &Arc<str>, ctx: &NodeContext) {
        let wait_ms = self.wait_ms(&msg);
        let completion = ctx.completion(&msg);
        if let Some(waiting) = self.topics.get_mut(topic) {
            if waiting.latest.is_some() {
                waiting.latest = Some(msg.clone());
            }
            if self.extend && wait_ms > 0.0 {
                let key = (waiting.number, topic.clone());
                if let Some(at) = waiting.state.due() {
                    self.deadlines.remove(at, key.clone());
                }
                let at = self.deadlines.add(timer_delay(wait_ms), key, ctx);
                waiting.state = State::Waiting {
                    at,
                    msg,
                    extended: true,
                };
            }
        }
        completion.done();
    }

    /// The time of a topic is over.
    fn due(&mut self, number: u64, topic: &Arc<str>, ctx: &NodeContext) {
        let Some(found) = self.topics.get_mut(topic) else {
            return;
        };
        if found.number != number {
            return;
        }
        if let State::Repeating { at, msg, wait_ms } = &mut found.state {
            if self.first.is_time() {
                msg.set("payload", ctx.now());
            }
            let key = (number, topic.clone());
            *at = self.deadlines.add(timer_delay(*wait_ms), key, ctx);
            ctx.send(msg.clone());
            return;
        }
        let Some(Topic {
            second,
            latest,
            state: State::Waiting { msg, extended, .. },
            ..
        }) = self.topics.remove(topic)
        else {
            return;
        };
        match self.second_message(msg, second, latest, ctx) {
            // What Node-RED does last, after a wait that was made longer, is to send.
            Ok(last) if extended => {
                self.show(ctx);
                last.into_iter()
                    .for_each(|msg| ctx.send_to(self.second_output, msg));
            }
            Ok(last) => {
                last.into_iter()
                    .for_each(|msg| ctx.send_to(self.second_output, msg));
                self.show(ctx);
            }
            Err(error) => {
                ctx.error(error, None);
                self.show(ctx);
            }
        }
    }

    fn second_message(
        &self,
        mut msg: Message,
        worked_out: Option<Value>,
        latest: Option<Message>,
        ctx: &NodeContext,
    ) -> Result<Option<Message>, NodeError> {
        if self.second.is_nothing() {
            return Ok(None);
        }
        if latest.is_some() {
            return Ok(latest);
        }
        let payload = if self.second.is_worked_out_late() {
            self.second.payload(&msg, ctx)?
        } else {
            worked_out
        };
        msg.set("payload", payload.unwrap_or_default());
        Ok(Some(msg))
    }

    fn show(&self, ctx: &NodeContext) {
        let mut status = Object::new();
        if !self.topics.is_empty() {
            status.insert("fill", "blue".into());
            status.insert("shape", "dot".into());
        }
        if self.topics.len() > 1 {
            status.insert("text", self.topics.len().into());
        }
        ctx.status_value(status.into());
    }
}

fn unit_ms(unit: &str) -> f64 {
    match unit {
        "s" => 1000.0,
        "min" => 60_000.0,
        "hr" => 3_600_000.0,
        _ => 1.0,
    }
}

impl Node for Trigger {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let topic = match self.topic_of(&msg) {
            Ok(topic) => topic,
            // As in Node-RED, the node is never done with a message that has no place for the topic.
            Err(error) => {
                ctx.error(error.to_error(), Some(&msg));
                return Ok(());
            }
        };
        if self.is_reset(&msg) {
            self.forget(&topic);
            self.show(ctx);
            ctx.completion(&msg).done();
            return Ok(());
        }
        if !self.repeat && self.topics.contains_key(&topic) {
            self.join(msg, &topic, ctx);
            return Ok(());
        }
        let most = ctx.settings().message_buffer_max_length;
        if most > 0 && self.topics.len() >= most && !self.topics.contains_key(&topic) {
            self.topics.clear();
            self.deadlines.clear();
            self.show(ctx);
            ctx.error(ctx.text("trigger.errors.too-many", &[]), Some(&msg));
            return Ok(());
        }
        self.begin(msg, topic, ctx)
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if event.is::<Due>() {
            while let Some((number, topic)) = self.deadlines.next_due(ctx) {
                self.due(number, &topic, ctx);
            }
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.topics.clear();
        self.deadlines.clear();
        ctx.status(Status::default());
        Closing::Done
    }

    fn props(&self) -> Object {
        let [first, second] = &self.settings;
        let extend = if self.repeat {
            Value::Bool(false)
        } else {
            self.extend.to_string().into()
        };
        let units = if self.units.is_empty() {
            "ms"
        } else {
            &self.units
        };
        [
            ("op1", first.value.clone()),
            ("op1type", first.kind.as_str().into()),
            ("op2", second.value.clone()),
            ("op2type", second.kind.as_str().into()),
            ("duration", self.duration_ms.into()),
            ("units", units.into()),
            ("extend", extend),
            ("loop", self.repeat.into()),
            ("reset", self.reset.as_str().into()),
            ("second", (self.second_output == 1).into()),
        ]
        .into_iter()
        .collect()
    }
}
