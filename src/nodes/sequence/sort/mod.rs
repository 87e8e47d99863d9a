//! `sort`: orders an array, or the messages of a sequence (Node-RED's sort node).

mod order;

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use self::order::Rule;
use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, ExpressionError, Failed, LogLevel, Node,
        NodeContext, NodeError,
    },
    message::{Key, Message, Value},
    nodes::shared::{
        held,
        outbox::{GoOn, Outbox},
        parts::{Parts, set_parts},
        property::MessageProperty,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct SortConfig {
    order: String,
    as_num: bool,
    target: String,
    #[serde(rename = "targetType")]
    target_type: Option<String>,
    #[serde(rename = "msgKey")]
    msg_key: String,
    #[serde(rename = "msgKeyType")]
    msg_key_type: String,
    #[serde(rename = "seqKey")]
    seq_key: String,
    #[serde(rename = "seqKeyType")]
    seq_key_type: String,
}

/// What is sorted, and by what.
enum Target {
    /// The elements of an array, by themselves or by an expression.
    Array {
        property: MessageProperty,
        key: Option<Arc<str>>,
    },
    Sequence(SequenceKey),
}

enum SequenceKey {
    Property(MessageProperty),
    Expression(Arc<str>),
}

/// A sequence that is not whole.
struct Group {
    number: u64,
    count: Option<Value>,
    messages: Vec<Message>,
}

/// A running sort node.
pub(in crate::nodes) struct Sort {
    target: Target,
    rule: Rule,
    pending: FxHashMap<Key, Group>,
    /// The sequences by age.
    by_age: BTreeMap<u64, Key>,
    begun: u64,
    held: usize,
    outbox: Outbox,
    /// The expression can't be read, so no message is handled.
    broken: bool,
}

impl Sort {
    /// Reads the settings. What is wrong with them is told at the start, and no message is handled.
    pub(in crate::nodes) fn new(config: SortConfig, _build: &Build) -> Result<Self, ConfigError> {
        let target = if config.target_type.as_deref() == Some("msg") {
            Target::Array {
                property: MessageProperty::new(config.target),
                key: (config.msg_key_type == "jsonata").then(|| config.msg_key.into()),
            }
        } else if config.seq_key_type == "jsonata" {
            Target::Sequence(SequenceKey::Expression(config.seq_key.into()))
        } else {
            Target::Sequence(SequenceKey::Property(MessageProperty::new(config.seq_key)))
        };
        Ok(Self {
            target,
            rule: Rule {
                descending: !matches!(config.order.as_str(), "ascending" | ""),
                as_number: config.as_num,
            },
            pending: FxHashMap::default(),
            by_age: BTreeMap::new(),
            begun: 0,
            held: 0,
            outbox: Outbox::default(),
            broken: false,
        })
    }

    fn expression(&self) -> Option<&Arc<str>> {
        match &self.target {
            Target::Array { key, .. } => key.as_ref(),
            Target::Sequence(SequenceKey::Expression(source)) => Some(source),
            Target::Sequence(SequenceKey::Property(_)) => None,
        }
    }

    /// A message of a sequence.
    fn collect(&mut self, msg: Message, ctx: &NodeContext) {
        let parts = Parts::of(&msg).and_then(|parts| {
            parts.index()?;
            Some((parts.id()?, parts.count().cloned()))
        });
        let Some((id, count)) = parts else {
            return ctx.completion(&msg).done();
        };
        let group = self.pending.entry(id.clone()).or_insert_with(|| {
            self.begun += 1;
            self.by_age.insert(self.begun, id.clone());
            Group {
                number: self.begun,
                count: None,
                messages: Vec::new(),
            }
        });
        group.messages.push(msg);
        group.count = count.or(group.count.take());
        self.held += 1;
        let length = group.messages.len() as f64;
        if group.count.as_ref().and_then(Value::as_number) == Some(length) {
            if let Some(group) = self.remove(&id) {
                self.send(group, ctx);
            }
        } else if held::too_many(self.held, ctx) {
            self.drop_oldest(ctx);
        }
    }

    fn remove(&mut self, id: &Key) -> Option<Group> {
        let group = self.pending.remove(id)?;
        self.by_age.remove(&group.number);
        self.held -= group.messages.len();
        Some(group)
    }

    /// Sends a sequence in order.
    fn send(&mut self, mut group: Group, ctx: &NodeContext) {
        let keys = self.keys(&group.messages, ctx);
        match keys {
            Ok(keys) => {
                for (index, place) in self.rule.order(keys).into_iter().enumerate() {
                    let mut msg = std::mem::take(&mut group.messages[place]);
                    set_parts(&mut msg, [("index", index.into())]);
                    self.outbox.send(msg.clone());
                    self.outbox.done(msg, ctx);
                }
                self.outbox.flush(ctx);
            }
            Err(error) => group.fail(error, ctx),
        }
    }

    /// What each message is sorted by.
    fn keys(&self, messages: &[Message], ctx: &NodeContext) -> Result<Vec<Value>, NodeError> {
        let Target::Sequence(key) = &self.target else {
            return Ok(Vec::new());
        };
        messages
            .iter()
            .map(|msg| match key {
                // One message needs no key.
                SequenceKey::Property(_) if messages.len() < 2 => Ok(Value::Undefined),
                SequenceKey::Property(property) => property.get(msg),
                SequenceKey::Expression(source) => ctx
                    .evaluate_for(source, msg, &[])
                    .map_err(|error| invalid(&error, ctx)),
            })
            .collect()
    }

    /// The message with its array sorted; none when there is nothing to sort in it.
    fn sorted(
        &self,
        msg: &Message,
        property: &MessageProperty,
        key: Option<&Arc<str>>,
        ctx: &NodeContext,
    ) -> Result<Option<Message>, NodeError> {
        let Value::Array(mut elements) = property.get(msg)? else {
            return Ok(None);
        };
        let (keys, undefined) = match key {
            Some(source) => {
                let key = |element| {
                    ctx.evaluate_expression(source, element, &[])
                        .map_err(|error| invalid(&error, ctx))
                };
                let keys = elements.iter().map(key).collect::<Result<Vec<_>, _>>()?;
                (keys, 0)
            }
            // JavaScript puts what is undefined at the end, and compares the rest.
            None => {
                let is_there = |element: &&Value| !element.is_undefined();
                let there: Vec<Value> = elements.iter().filter(is_there).cloned().collect();
                let undefined = elements.len() - there.len();
                if undefined > 0 {
                    elements = Arc::new(there.clone());
                }
                (there, undefined)
            }
        };
        let order = self.rule.order(keys).into_iter();
        let mut sorted: Vec<Value> = order.map(|place| elements[place].clone()).collect();
        sorted.extend(std::iter::repeat_n(Value::Undefined, undefined));
        let mut msg = msg.clone();
        property.set(&mut msg, sorted.into())?;
        Ok(Some(msg))
    }

    fn drop_oldest(&mut self, ctx: &NodeContext) {
        let oldest = self.by_age.first_key_value().map(|(_, id)| id.clone());
        if let Some(group) = oldest.and_then(|id| self.remove(&id)) {
            group.fail(ctx.text("sort.too-many", &[]).into(), ctx);
        }
    }
}

impl Group {
    /// Its newest message fails; the others are done with.
    fn fail(mut self, error: NodeError, ctx: &NodeContext) {
        if let Some(msg) = self.messages.pop() {
            ctx.failed(error, msg);
        }
        for msg in self.messages {
            ctx.completion(&msg).done();
        }
    }
}

fn invalid(error: &ExpressionError, ctx: &NodeContext) -> NodeError {
    ctx.text("sort.invalid-exp", &[("message", &error.message)])
        .into()
}

impl Node for Sort {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        let checked = self
            .expression()
            .map_or(Ok(()), |source| ctx.check_expression(source));
        self.broken = checked.is_err();
        checked.map_err(|error| invalid(&error, ctx))
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.broken {
            return Ok(());
        }
        let Target::Array { property, key } = &self.target else {
            self.collect(msg, ctx);
            return Ok(());
        };
        match self.sorted(&msg, property, key.as_ref(), ctx) {
            Ok(Some(sorted)) => ctx.send_done(sorted),
            Ok(None) => ctx.completion(&msg).done(),
            // A property that can't be read is an error of the message, which is never done with, as in Node-RED.
            Err(error) if key.is_none() => ctx.error(error, Some(&msg)),
            Err(error) => return Err(Failed::with(error, msg)),
        }
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if event.is::<GoOn>() {
            self.outbox.go_on(ctx);
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.outbox.close(ctx);
        let ids: Vec<Key> = self.by_age.values().cloned().collect();
        for group in ids.iter().filter_map(|id| self.pending.remove(id)) {
            ctx.log(LogLevel::Info, ctx.text("sort.clear", &[]));
            for msg in group.messages {
                ctx.completion(&msg).done();
            }
        }
        Closing::Done
    }
}
