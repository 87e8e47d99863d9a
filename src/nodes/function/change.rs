//! `change`: sets, changes, deletes and moves properties of messages and context (Node-RED's change node).

use std::sync::Arc;

use super::{
    change_replace::{Needle, Replace, Search},
    change_rules::{Action, ChangeConfig, Fault, RuleConfig, Source, Step, Target, steps},
};
use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, NodeError, Scope, context_key},
    message::{ErrorValue, Message, Object, PathError, TypedInput, Value},
};

/// A running change node.
pub(in crate::nodes) struct Change {
    rules: Vec<RuleConfig>,
    steps: Vec<Step>,
    faults: Vec<Fault>,
    /// A rule can't be read: the node handles no message.
    dead: bool,
}

/// Why the steps of a message ended before the last one.
enum Stopped {
    /// The step can't be taken; the next one is.
    Skipped,
    Failed(NodeError),
}

impl Change {
    /// Reads the rules. What is wrong with one is told at the start, as in Node-RED.
    pub(in crate::nodes) fn new(config: ChangeConfig, _build: &Build) -> Result<Self, ConfigError> {
        let rules = config.rules();
        let mut faults = Vec::new();
        let steps = rules
            .iter()
            .flat_map(|rule| steps(rule, &mut faults))
            .collect();
        Ok(Self {
            rules,
            steps,
            faults,
            dead: false,
        })
    }
}

impl Node for Change {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        for rule in &mut self.rules {
            if rule.tot() == "env" {
                let input = TypedInput::Env(rule.to().into());
                rule.resolved = ctx.evaluate(&input, &Message::default()).ok();
            }
        }
        for step in &mut self.steps {
            if let Some(fault) = step.prepare(ctx) {
                self.faults.push(fault);
            }
        }
        self.dead = !self.faults.is_empty();
        for fault in &self.faults {
            ctx.error(ctx.text(fault.key, &[("error", &fault.detail)]), None);
        }
        Ok(())
    }

    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.dead {
            return Ok(());
        }
        for step in &self.steps {
            match step.apply(&mut msg, ctx) {
                Ok(()) | Err(Stopped::Skipped) => {}
                // As in Node-RED, the node is never done with such a message.
                Err(Stopped::Failed(error)) => {
                    ctx.error(error, Some(&msg));
                    return Ok(());
                }
            }
        }
        ctx.send_done(msg);
        Ok(())
    }

    fn props(&self) -> Object {
        let rules: Vec<Value> = self.rules.iter().map(|rule| rule.shown().into()).collect();
        let mut props = Object::new();
        props.insert("rules", rules.into());
        props
    }
}

impl Step {
    /// What only the running node can find out: variables, and whether an expression is one.
    fn prepare(&mut self, ctx: &NodeContext) -> Option<Fault> {
        let source = match &mut self.action {
            Action::Set { value } | Action::Change { value, .. } => value,
            Action::Delete | Action::Nothing => return None,
        };
        match source {
            Source::Input(input @ TypedInput::Env(_)) => {
                let value = ctx.evaluate(input, &Message::default());
                *source = Source::Constant(value.unwrap_or_default());
            }
            Source::Input(TypedInput::Jsonata(expression)) => {
                if let Err(error) = ctx.check_expression(expression) {
                    return Some(Fault::new("change.errors.invalid-expr", error.to_string()));
                }
            }
            _ => {}
        }
        if let Action::Change {
            from,
            value: Source::Constant(value),
            replace,
        } = &mut self.action
        {
            *replace = from.pattern().map(|pattern| Replace::new(value, pattern));
        }
        None
    }

    fn apply(&self, msg: &mut Message, ctx: &NodeContext) -> Result<(), Stopped> {
        match &self.action {
            Action::Set { value } => {
                let value = value.get(msg, ctx)?;
                self.set(msg, value, true, ctx)
            }
            Action::Delete => self.set(msg, Value::Undefined, false, ctx),
            Action::Change {
                from,
                value,
                replace,
            } => {
                let value = value.get(msg, ctx)?;
                let read;
                let from = match from {
                    Search::Fixed(fixed) => fixed,
                    Search::Read(source) => {
                        match Needle::from_value(&source.get(msg, ctx)?) {
                            Ok(needle) => read = needle,
                            // As in Node-RED it is told, and the message goes on without this rule.
                            Err(detail) => {
                                ctx.error(invalid_from(&detail, ctx), Some(msg));
                                return Err(Stopped::Skipped);
                            }
                        }
                        &read
                    }
                };
                let current = self.current(msg, ctx)?;
                let changed = from
                    .change(&current, &value, replace.as_ref(), self.makes_bool)
                    .map_err(|error| Stopped::Failed(error.to_error().into()))?;
                match changed {
                    Some(changed) => self.set(msg, changed, false, ctx),
                    None => Ok(()),
                }
            }
            Action::Nothing => Ok(()),
        }
    }

    fn current(&self, msg: &Message, ctx: &NodeContext) -> Result<Value, Stopped> {
        match &self.target {
            Target::Message(path) => path
                .get(msg.fields(), msg.fields())
                .map_err(|_| Stopped::Skipped),
            Target::Context(scope, key) => read_context(*scope, key, msg, ctx),
            Target::Nowhere => Err(Stopped::Skipped),
        }
    }

    /// Sets the target; undefined deletes it. `tell`: warn where nothing can be set.
    fn set(
        &self,
        msg: &mut Message,
        value: Value,
        tell: bool,
        ctx: &NodeContext,
    ) -> Result<(), Stopped> {
        match &self.target {
            Target::Message(path) => {
                let set = path
                    .set_in_message(msg, value)
                    .map_err(|_| Stopped::Skipped)?;
                if !set && tell {
                    let text =
                        ctx.text("change.errors.no-override", &[("property", &self.property)]);
                    ctx.warn(text);
                }
                Ok(())
            }
            Target::Context(scope, key) => {
                let key = context_key(key, msg).map_err(|_| Stopped::Skipped)?;
                let stored = ctx.store(*scope).set(&key, value, None);
                stored.map_err(|error| Stopped::Failed(PathError::error_of(&error).into()))
            }
            Target::Nowhere => Err(Stopped::Skipped),
        }
    }
}

impl Source {
    fn get(&self, msg: &Message, ctx: &NodeContext) -> Result<Value, Stopped> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Message(path) => path
                .get(msg.fields(), msg.fields())
                .map_err(|_| Stopped::Skipped),
            Self::Context(scope, key) => read_context(*scope, key, msg, ctx),
            Self::Input(TypedInput::Jsonata(expression)) => {
                ctx.evaluate_for(expression, msg, &[]).map_err(|error| {
                    let error = error.to_string();
                    Stopped::Failed(
                        ctx.text("change.errors.invalid-expr", &[("error", &error)])
                            .into(),
                    )
                })
            }
            Self::Input(input) => ctx.evaluate(input, msg).map_err(|_| Stopped::Skipped),
            Self::Unreadable => Err(Stopped::Skipped),
        }
    }
}

/// A value of the context; undefined for a key that is none.
fn read_context(
    scope: Scope,
    key: &Arc<str>,
    msg: &Message,
    ctx: &NodeContext,
) -> Result<Value, Stopped> {
    let key = context_key(key, msg).map_err(|_| Stopped::Skipped)?;
    Ok(ctx.store(scope).get(&key, None).unwrap_or_default())
}

/// A value that can't be searched for.
fn invalid_from(detail: &str, ctx: &NodeContext) -> ErrorValue {
    let message = ctx.text("change.errors.invalid-from", &[("error", detail)]);
    ErrorValue {
        name: "Error".into(),
        message: message.into(),
        ..ErrorValue::default()
    }
}
