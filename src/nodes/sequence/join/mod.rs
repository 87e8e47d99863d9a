//! `join`: makes one message of a sequence (Node-RED's join node).

mod collected;
mod group;
mod member;
mod reduce;

use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use self::{
    collected::Kind,
    group::{Group, TimeOver, has},
    member::Member,
    reduce::Reduce,
};
use crate::{
    engine::{AnyEvent, Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Key, Message, Object, Value, parse_number},
    nodes::shared::{
        held,
        property::MessageProperty,
        separator::{byte_list, unescape},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct JoinConfig {
    mode: String,
    build: String,
    property: String,
    property_type: String,
    key: String,
    joiner: String,
    joiner_type: String,
    useparts: bool,
    accumulate: bool,
    timeout: Option<f64>,
    count: Option<String>,
    reduce_right: bool,
    reduce_exp: Option<String>,
    reduce_init: Option<String>,
    reduce_init_type: Option<String>,
    reduce_fixup: Option<String>,
}

/// How messages become one.
enum Mode {
    /// As their parts say.
    Auto,
    /// As the settings say.
    Custom,
    Reduce(Box<Reduce>),
}

/// A running join node.
pub(in crate::nodes) struct Join {
    mode: Mode,
    kind: Kind,
    /// The property that is joined, and where the result goes.
    property: MessageProperty,
    property_name: String,
    /// Whole messages are joined.
    full: bool,
    key: MessageProperty,
    key_name: String,
    joiner: Value,
    use_parts: bool,
    accumulate: bool,
    time: Option<Duration>,
    time_ms: f64,
    count: f64,
    /// The setting was left empty: sequences say themselves how long they are.
    count_of_parts: bool,
    groups: FxHashMap<Key, Group>,
    /// How many groups there were so far.
    begun: u64,
    /// Values in all groups.
    held: usize,
    timers: u64,
}

impl Join {
    /// Reads the settings.
    ///
    /// # Errors
    /// When the joiner is no list of bytes.
    pub(in crate::nodes) fn new(config: JoinConfig, _build: &Build) -> Result<Self, ConfigError> {
        let mode = match config.mode.as_str() {
            "auto" | "" => Mode::Auto,
            "reduce" => Mode::Reduce(Box::new(Reduce::new(
                config.reduce_exp,
                config.reduce_fixup,
                config.reduce_init.as_deref(),
                config.reduce_init_type.as_deref(),
                config.reduce_right,
            ))),
            _ => Mode::Custom,
        };
        let full = config.property_type == "full";
        let property_name = match config.property {
            name if full || name.is_empty() => "payload".to_owned(),
            name => name,
        };
        let key_name = match config.key {
            name if name.is_empty() => "topic".to_owned(),
            name => name,
        };
        let time_ms = match mode {
            Mode::Auto => 0.0,
            _ => config.timeout.unwrap_or(0.0) * 1000.0,
        };
        let joiner = match config.joiner_type.as_str() {
            "str" => unescape(&config.joiner).into(),
            "bin" if config.joiner.is_empty() => Value::Bytes(Default::default()),
            "bin" => byte_list(&config.joiner)?.0.into(),
            _ => config.joiner.into(),
        };
        Ok(Self {
            mode,
            kind: Kind::from_name(if config.build.is_empty() {
                "array"
            } else {
                &config.build
            }),
            property: MessageProperty::new(property_name.clone()),
            property_name,
            full,
            key: MessageProperty::new(key_name.clone()),
            key_name,
            joiner,
            use_parts: config.useparts,
            accumulate: config.accumulate,
            // A timer runs for a millisecond at least.
            time: (time_ms > 0.0).then(|| {
                Duration::try_from_secs_f64(time_ms.max(1.0) / 1000.0).unwrap_or(Duration::MAX)
            }),
            time_ms,
            count: config.count.as_deref().map_or(0.0, parse_number),
            count_of_parts: config.count.as_deref() == Some(""),
            groups: FxHashMap::default(),
            begun: 0,
            held: 0,
            timers: 0,
        })
    }

    /// The value to join; none when there is no way to it, which is all that happens then.
    fn value(&self, msg: &Message, ctx: &NodeContext) -> Option<Value> {
        match self.property.get(msg) {
            _ if self.full => Some(Value::Undefined),
            Ok(value) => Some(value),
            Err(_) => {
                ctx.warn(format!("Message property {} not found", self.property_name));
                ctx.completion(msg).done();
                None
            }
        }
    }

    /// Takes a message into its group, in the modes that have groups.
    fn take(&mut self, msg: Message, value: Value, ctx: &NodeContext) -> Result<(), Failed> {
        let read = match self.mode {
            Mode::Auto => self.by_parts(msg, ctx),
            _ => self.by_settings(msg, value),
        };
        let Some((id, mut member)) = read? else {
            return Ok(());
        };
        if has(&member.msg, "restartTimeout") {
            self.start_timer(&id, ctx);
        }
        if has(&member.msg, "reset") {
            if let Some(group) = self.remove(&id) {
                group.done();
            }
            ctx.completion(&member.msg).done();
            return Ok(());
        }
        if member.kind == Kind::Object && is_no_name(&member.key) {
            return self.without_name(&id, member.msg, ctx);
        }
        if self.full && !matches!(self.mode, Mode::Auto) {
            member.value = member.msg.to_value();
        }
        self.add(&id, member, ctx)
    }

    fn add(&mut self, id: &Key, member: Member, ctx: &NodeContext) -> Result<(), Failed> {
        if !self.groups.contains_key(id) {
            self.begun += 1;
            self.groups
                .insert(id.clone(), Group::begin(&member, self.begun));
            self.start_timer(id, ctx);
        }
        let Some(group) = self.groups.get_mut(id) else {
            return Ok(());
        };
        let before = group.len();
        let added = group.add(&member, ctx);
        self.held = self.held + group.len() - before;
        match added {
            Ok(true) => self
                .send(id, ctx)
                .map_err(|error| Failed::with(error, member.msg)),
            Ok(false) => {
                if held::far_too_many(self.held) {
                    self.drop_oldest(ctx);
                }
                Ok(())
            }
            Err(error) => Err(Failed::with(error, member.msg)),
        }
    }

    /// Sends a group; it goes unless it is to be kept.
    fn send(&mut self, id: &Key, ctx: &NodeContext) -> Result<(), NodeError> {
        let stays = self.accumulate && !matches!(self.mode, Mode::Auto);
        match self.groups.get_mut(id) {
            Some(group) if stays && !has(&group.msg, "complete") => group.send(ctx),
            _ => self.remove(id).map_or(Ok(()), |mut group| group.send(ctx)),
        }
    }

    /// A message of an object that has no name for its value. It can still say that the object is complete.
    fn without_name(&mut self, id: &Key, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if matches!(self.mode, Mode::Auto) {
            ctx.warn("Message missing 'msg.parts.key' property - cannot add to object");
        } else if let Some(complete) = msg.fields().get("complete") {
            if let Some(group) = self.groups.get_mut(id) {
                group.msg.set("complete", complete.clone());
                if let Err(error) = self.send(id, ctx) {
                    return Err(Failed::with(error, msg));
                }
            }
        } else {
            ctx.warn(format!(
                "Message missing key property 'msg.{}' - cannot add to object",
                self.key_name
            ));
        }
        ctx.completion(&msg).done();
        Ok(())
    }

    fn start_timer(&mut self, id: &Key, ctx: &NodeContext) {
        if let (Some(time), Some(group)) = (self.time, self.groups.get_mut(id)) {
            self.timers += 1;
            group.start_timer(id, self.timers, time, ctx);
        }
    }

    fn remove(&mut self, id: &Key) -> Option<Group> {
        let group = self.groups.remove(id)?;
        self.held -= group.len();
        Some(group)
    }

    /// Groups that never become whole must not fill the memory: the older half goes.
    fn drop_oldest(&mut self, ctx: &NodeContext) {
        let half = self.groups.len() / 2;
        for id in self.by_age().into_iter().take(half.max(1)) {
            if let Some(group) = self.remove(&id) {
                ctx.failed(ctx.text("join.too-many", &[]), group.msg);
            }
        }
    }

    /// The groups, the oldest first.
    fn by_age(&self) -> Vec<Key> {
        let mut groups: Vec<(u64, &Key)> = self
            .groups
            .iter()
            .map(|(id, group)| (group.number, id))
            .collect();
        groups.sort_unstable_by_key(|(number, _)| *number);
        groups.into_iter().map(|(_, id)| id.clone()).collect()
    }
}

fn is_no_name(key: &Value) -> bool {
    key.is_nullish() || key.as_str() == Some("")
}

impl Node for Join {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        match &mut self.mode {
            Mode::Reduce(reduce) => reduce.check(ctx),
            _ => Ok(()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if let Mode::Reduce(reduce) = &self.mode
            && reduce.is_broken()
        {
            return Ok(());
        }
        let Some(value) = self.value(&msg, ctx) else {
            return Ok(());
        };
        if let Mode::Reduce(reduce) = &mut self.mode {
            reduce.take(msg, ctx);
            return Ok(());
        }
        self.take(msg, value, ctx)
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        let Ok(over) = event.downcast::<TimeOver>() else {
            return;
        };
        let Some(group) = self
            .groups
            .get(&over.group)
            .filter(|group| group.is_over(over.run))
        else {
            return;
        };
        let msg = group.msg.clone();
        if let Err(error) = self.send(&over.group, ctx) {
            ctx.failed(error, msg);
        }
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        // What a reduction holds is never done with, as in Node-RED.
        for id in self.by_age() {
            if let Some(group) = self.remove(&id) {
                group.done();
            }
        }
        Closing::Done
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("property", self.property_name.as_str().into());
        props.insert("key", self.key_name.as_str().into());
        props.insert("timer", self.time_ms.into());
        props.insert("count", self.count.into());
        props.insert("joiner", self.joiner.clone());
        // What is not true is a text there.
        let accumulate = match self.accumulate {
            true => Value::Bool(true),
            false => "false".into(),
        };
        props.insert("accumulate", accumulate);
        props
    }
}
