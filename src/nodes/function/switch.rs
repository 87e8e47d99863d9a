//! `switch`: sends a message through the outputs whose rules it meets (Node-RED's switch node).

use serde::Deserialize;

use super::{
    switch_repair::{Groups, Sequence, number_parts},
    switch_rules::{Operand, Rule, RuleConfig, View},
};
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, NodeError, new_id},
    message::{Message, Object, TypedInput, Value},
    nodes::shared::parts::set_parts,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct SwitchConfig {
    property: String,
    property_type: String,
    rules: Vec<RuleConfig>,
    checkall: String,
    repair: bool,
}

/// A running switch node.
pub(in crate::nodes) struct Switch {
    property: Operand,
    rules: Vec<Rule>,
    first_only: bool,
    repair: bool,
    /// The rules as the node shows them.
    shown: Vec<Value>,
    /// Sequences that are not whole yet, when rules or repair need to know how long they are.
    groups: Option<Groups>,
    /// The property of the message before, when a rule asks for it.
    previous: Option<Value>,
    /// A rule can't be read: the node handles no message.
    dead: bool,
    /// The outputs of the message in hand.
    outputs: Vec<usize>,
}

/// Why a message goes nowhere.
enum Trouble {
    /// The property can't be worked out: a warning.
    Property(String),
    Rule(NodeError),
}

impl Switch {
    /// Reads the rules. What is wrong with one is told at the start or, for a regular expression, for each message, as
    /// in Node-RED.
    pub(in crate::nodes) fn new(config: SwitchConfig, _build: &Build) -> Result<Self, ConfigError> {
        let read = |rule: RuleConfig| (Rule::new(&rule), Value::from(rule.shown()));
        let (rules, shown): (Vec<Rule>, _) = config.rules.into_iter().map(read).unzip();
        let counts = config.repair || rules.iter().any(Rule::needs_count);
        let asks_previous = rules.iter().any(Rule::asks_previous);
        Ok(Self {
            property: Operand::property(&config.property, &config.property_type),
            shown,
            first_only: config.checkall == "false",
            repair: config.repair,
            groups: counts.then(Groups::default),
            previous: asks_previous.then_some(Value::Null),
            dead: false,
            outputs: Vec::with_capacity(rules.len()),
            rules,
        })
    }

    /// Finds the outputs of a message.
    fn route(&mut self, msg: &Message, ctx: &NodeContext) -> Result<(), Trouble> {
        self.outputs.clear();
        let property = match self.property.read(&View {
            msg,
            ctx,
            previous: None,
        }) {
            Ok(property) => property,
            Err(error) => return Err(Trouble::Property(invalid_expression(&error, ctx))),
        };
        let view = View {
            msg,
            ctx,
            previous: self.previous.as_ref(),
        };
        let mut nothing_matched = true;
        for (output, rule) in self.rules.iter_mut().enumerate() {
            let matches = if rule.is_else() {
                std::mem::replace(&mut nothing_matched, true)
            } else {
                rule.matches(&property, &view).map_err(Trouble::Rule)?
            };
            if matches {
                self.outputs.push(output);
                nothing_matched = false;
                if self.first_only {
                    break;
                }
            }
        }
        if let Some(previous) = &mut self.previous {
            *previous = self.property.remembered(property);
        }
        Ok(())
    }

    fn send(&self, mut msg: Message, ctx: &NodeContext) {
        let Some((last, others)) = self.outputs.split_last() else {
            return;
        };
        if !others.is_empty() && msg.get("_msgid").is_undefined() {
            msg.set("_msgid", new_id());
        }
        for output in others {
            ctx.send_to(*output, msg.clone());
        }
        ctx.send_to(*last, msg);
    }

    /// A whole sequence: its messages one by one, in the order in which they came.
    fn drain(&mut self, sequence: Sequence, ctx: &NodeContext) {
        let mut routed = Vec::new();
        for mut msg in sequence.messages {
            set_parts(&mut msg, [("count", sequence.count.clone())]);
            match self.route(&msg, ctx) {
                Ok(()) if self.repair => routed.push((msg, self.outputs.clone())),
                Ok(()) => self.send(msg, ctx),
                Err(trouble) => tell(trouble, &msg, ctx),
            }
        }
        for (output, msg) in number_parts(routed, self.rules.len()) {
            ctx.send_to(output, msg);
        }
    }
}

/// Tells what is wrong: a property that can't be worked out is only a warning.
fn tell(trouble: Trouble, msg: &Message, ctx: &NodeContext) {
    match trouble {
        Trouble::Property(text) => ctx.warn(text),
        Trouble::Rule(error) => ctx.error(error, Some(msg)),
    }
}

pub(super) fn invalid_expression(error: &str, ctx: &NodeContext) -> String {
    ctx.text("switch.errors.invalid-expr", &[("error", error)])
}

impl Node for Switch {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        let rules = self.rules.iter().flat_map(Rule::operands);
        let operands = std::iter::once(&self.property).chain(rules);
        let expressions = operands.filter_map(|operand| match operand {
            Operand::Read(TypedInput::Jsonata(expression)) => Some(expression),
            _ => None,
        });
        for expression in expressions {
            if let Err(error) = ctx.check_expression(expression) {
                self.dead = true;
                ctx.error(invalid_expression(&error.to_string(), ctx), None);
            }
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.dead {
            return Ok(());
        }
        if let Some(groups) = &mut self.groups
            && let Some(id) = Groups::id_of(&msg)
        {
            match groups.add(id, msg, ctx) {
                Ok(Some(sequence)) => self.drain(sequence, ctx),
                Ok(None) => {}
                Err(msg) => ctx.error(ctx.text("switch.errors.too-many", &[]), Some(&msg)),
            }
            return Ok(());
        }
        match self.route(&msg, ctx) {
            Ok(()) => self.send(msg, ctx),
            Err(trouble) => tell(trouble, &msg, ctx),
        }
        Ok(())
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        props.insert("rules", self.shown.clone().into());
        props
    }
}
