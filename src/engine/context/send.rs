//! How messages leave a node, and how they come to it from outside.

use std::sync::Arc;

use super::{NodeContext, new_id};
use crate::{
    engine::{
        events::{Event, Interest},
        queue::Pushed,
        routes::Target,
    },
    message::{Message, Value},
};

impl NodeContext {
    /// Sends a message through the first output.
    pub fn send(&self, msg: Message) {
        self.send_to(0, msg);
    }

    /// Sends a message through an output, counted from 0. Without a wire there nothing happens.
    pub fn send_to(&self, port: usize, mut msg: Message) {
        let routes = self.0.routes.load();
        let Some((last, others)) = routes
            .outputs
            .get(port)
            .and_then(|targets| targets.split_last())
        else {
            return;
        };
        ensure_id(&mut msg);
        for target in others {
            self.leave(port, target, msg.clone());
        }
        self.leave(port, last, msg);
    }

    /// Sends several messages through several outputs (index = output) as one call: those without an id get the first
    /// id found in the call, or a new one; for each output, for each wire, each message of that output.
    pub fn send_all(&self, outputs: Vec<Vec<Message>>) {
        let routes = self.0.routes.load();
        if routes.outputs.is_empty() {
            return;
        }
        let mut id = outputs
            .iter()
            .flatten()
            .find_map(|msg| msg.fields().get("_msgid").cloned());
        for (port, mut messages) in outputs.into_iter().enumerate() {
            let Some(targets) = routes.outputs.get(port) else {
                break;
            };
            for msg in messages
                .iter_mut()
                .filter(|msg| msg.get("_msgid").is_undefined())
            {
                msg.set("_msgid", id.get_or_insert_with(|| new_id().into()).clone());
            }
            for target in targets {
                for msg in &messages {
                    self.leave(port, target, msg.clone());
                }
            }
        }
    }

    /// As `node.send(value)` of Node-RED: a message, or an array with a message, an array of messages or null for each
    /// output. What is no message is an error, and the rest is sent.
    pub fn send_value(&self, value: Value) {
        if self.0.routes.load().outputs.is_empty() {
            return;
        }
        let outputs = match value {
            Value::Array(outputs) => outputs.iter().map(|output| self.messages(output)).collect(),
            other => vec![self.messages(&other)],
        };
        self.send_all(outputs);
    }

    fn messages(&self, output: &Value) -> Vec<Message> {
        match output {
            Value::Undefined | Value::Null => Vec::new(),
            value if value.type_of() == "object" && !matches!(value, Value::Array(_)) => {
                Message::from_value(value.clone()).into_iter().collect()
            }
            Value::Array(messages) => messages
                .iter()
                .flat_map(|message| self.messages(message))
                .collect(),
            other => {
                let english = format!(
                    "The node tried to send a {} instead of a message",
                    other.type_of()
                );
                self.error(
                    self.runtime_text("nodes.flow.non-message-returned", &english),
                    None,
                );
                Vec::new()
            }
        }
    }

    /// Whether the node has any wire.
    pub fn is_wired(&self) -> bool {
        self.0
            .routes
            .load()
            .outputs
            .iter()
            .any(|targets| !targets.is_empty())
    }

    fn leave(&self, port: usize, target: &Target, msg: Message) {
        let hub = &self.0.shared.hub;
        if hub.wants(Interest::SEND) {
            let node = self.0.info.id.clone();
            hub.publish(Event::Send {
                node,
                port,
                to: target.id.clone(),
                msg: msg.clone(),
            });
        }
        self.deliver(target, msg);
    }

    pub(super) fn deliver(&self, target: &Target, msg: Message) {
        if target.flow.deliver(target.key, msg) == Pushed::Full {
            self.overflow();
        }
    }

    fn overflow(&self) {
        self.error(
            "Too many messages wait in this flow, so new ones are dropped: look for a loop of wires, or slow the source down",
            None,
        );
    }

    /// Puts a message into this node's own queue, as if it came over a wire.
    pub fn receive(&self, mut msg: Message) {
        ensure_id(&mut msg);
        self.receive_raw(msg);
    }

    /// As [`NodeContext::receive`], without giving the message an id.
    pub fn receive_raw(&self, msg: Message) {
        if self.0.flow.deliver(self.0.key, msg) == Pushed::Full {
            self.overflow();
        }
    }

    /// As [`NodeContext::receive_raw`] for several nodes of one flow: nothing comes between the messages.
    pub(in crate::engine) fn receive_batch(batch: Vec<(&NodeContext, Message)>) {
        let Some((first, _)) = batch.first() else {
            return;
        };
        let (flow, reporter) = (first.0.flow.clone(), (*first).clone());
        if flow.deliver_all(batch.into_iter().map(|(ctx, msg)| (ctx.0.key, msg))) == Pushed::Full {
            reporter.overflow();
        }
    }

    /// Whether another node is served from the same queue.
    pub(in crate::engine) fn same_flow(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.flow, &other.0.flow)
    }

    /// Sends a message through the first output and is done with it.
    pub fn send_done(&self, msg: Message) {
        let completion = self.completion(&msg);
        self.send(msg);
        completion.done();
    }
}

/// Gives the message an id if it has none.
pub(super) fn ensure_id(msg: &mut Message) {
    if msg.get("_msgid").is_undefined() {
        msg.set("_msgid", new_id());
    }
}
