//! An instance of a subflow as a node: its input, and its status output.

use super::{
    context::NodeContext,
    events::Status,
    node::{Closing, Failed, Node},
};
use crate::{
    flow::{Id, NodeDef, SUBFLOW_STATUS},
    message::{Message, Value, inspect},
};

/// Characters of a status that is made from any value.
const STATUS_LENGTH: usize = 32;

/// The node behind an instance, or behind its status output; none for any other node.
pub(super) fn build(def: &NodeDef) -> Option<Box<dyn Node>> {
    if &*def.type_name == SUBFLOW_STATUS {
        let instance = def.z.clone()?;
        return Some(Box::new(StatusOutput { instance }));
    }
    def.is_of_subflow()
        .then(|| Box::new(SubflowInstance) as Box<dyn Node>)
}

/// Hands messages to the nodes that the subflow's input is wired to. It is never done with one, as in Node-RED.
struct SubflowInstance;

impl Node for SubflowInstance {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        ctx.send(msg);
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        ctx.status(Status::default());
        Closing::Done
    }
}

/// Makes messages the status of the instance.
struct StatusOutput {
    instance: Id,
}

impl Node for StatusOutput {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if let (Some(instance), Some(status)) = (ctx.peer(&self.instance), status(&msg)) {
            instance.status_value(status);
        }
        Ok(())
    }
}

/// The status that a message means: its payload, else its `status`.
fn status(msg: &Message) -> Option<Value> {
    match msg.get("payload") {
        Value::Undefined => match msg.get("status") {
            Value::Undefined => None,
            given => Some(with_catalogue_key(given.clone())),
        },
        Value::String(text) => Some(Value::String(text.clone())),
        Value::Object(payload)
            if payload.is_empty()
                || ["text", "fill", "shape"]
                    .iter()
                    .any(|key| payload.contains_key(key)) =>
        {
            Some(Value::Object(payload.clone()))
        }
        other => {
            let text = inspect(other, 2);
            let cut: String = text.chars().take(STATUS_LENGTH).collect();
            Some(if cut.len() < text.len() {
                format!("{cut}...").into()
            } else {
                text.into()
            })
        }
    }
}

/// A text that is a key of Node-RED's catalogue is named as such.
fn with_catalogue_key(mut status: Value) -> Value {
    if let Value::Object(fields) = &mut status
        && let Some(key) = fields.get("text").and_then(Value::as_str)
        && key.starts_with("common.")
    {
        let key = format!("node-red:{key}");
        fields.insert("text", key.into());
    }
    status
}
