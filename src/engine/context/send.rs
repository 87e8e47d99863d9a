//! How messages leave a node, and how they come to it from outside.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{NodeContext, new_id};
use crate::{
    engine::{
        events::{Event, Interest},
        node::Parcel,
        queue::{NOBODY, Pushed},
        routes::{NodeRoutes, Target},
    },
    message::{Message, Value},
};

impl NodeContext {
    /// Sends a message through the first output.
    pub fn send(&self, msg: Message) {
        self.send_to(0, msg);
    }

    /// Sends a message through an output, counted from 0. Without a wire there nothing happens.
    pub fn send_to(&self, port: usize, msg: Message) {
        self.send_along(&self.0.routes.load(), port, msg);
    }

    fn send_along(&self, routes: &NodeRoutes, port: usize, mut msg: Message) {
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

    /// Sends several messages through several outputs (index = output) as one call: for each output, for each wire, each
    /// message of that output. Those without an id get the first id found in the call, or a new one.
    pub fn send_all(&self, outputs: Vec<Vec<Message>>) {
        let routes = self.0.routes.load();
        let mut leaving = Vec::new();
        for (port, (targets, messages)) in routes.outputs.iter().zip(outputs).enumerate() {
            for target in targets {
                leaving.extend(messages.iter().map(|msg| (port, target, msg.clone())));
            }
        }
        self.leave_together(leaving);
    }

    /// As `node.send(value)` of Node-RED: a message, or an array with a message, an array of messages or null for each
    /// output. What is no message is an error for each wire that it would take, and the rest is sent; outputs without a wire
    /// are not looked at.
    pub fn send_value(&self, value: Value) {
        let routes = self.0.routes.load();
        if routes.outputs.is_empty() || value.is_nullish() {
            return;
        }
        let outputs = match value {
            Value::Array(outputs) => outputs,
            single if Message::from_value(single.clone()).is_none() => {
                return self.refuse(single.type_of());
            }
            single => Arc::new(vec![single]),
        };
        let mut leaving = Vec::new();
        for (port, (targets, output)) in routes.outputs.iter().zip(outputs.iter()).enumerate() {
            for target in targets {
                let messages = self.messages(output).into_iter();
                leaving.extend(messages.map(|msg| (port, target, msg)));
            }
        }
        self.leave_together(leaving);
    }

    fn messages(&self, output: &Value) -> Vec<Message> {
        match output {
            Value::Undefined | Value::Null => Vec::new(),
            Value::Array(messages) => messages
                .iter()
                .flat_map(|message| self.messages(message))
                .collect(),
            value => {
                let msg = Message::from_value(value.clone());
                if msg.is_none() {
                    self.refuse(value.type_of());
                }
                msg.into_iter().collect()
            }
        }
    }

    /// Says, once for each wire of an output, that what should have left there is no message.
    pub fn refuse_at(&self, port: usize, kind: &str) {
        let wires = self.0.routes.load().outputs.get(port).map_or(0, Vec::len);
        (0..wires).for_each(|_| self.refuse(kind));
    }

    fn refuse(&self, kind: &str) {
        let english = format!("The node tried to send a {kind} instead of a message");
        self.error(
            self.runtime_text("nodes.flow.non-message-returned", &english),
            None,
        );
    }

    /// The deliveries of one call, in order.
    fn leave_together(&self, leaving: Vec<(usize, &Target, Message)>) {
        let mut id = leaving
            .iter()
            .map(|(_, _, msg)| msg.get("_msgid"))
            .find(|id| id.is_truthy())
            .cloned();
        for (port, target, mut msg) in leaving {
            if !msg.get("_msgid").is_truthy() {
                msg.set("_msgid", id.get_or_insert_with(|| new_id().into()).clone());
            }
            self.leave(port, target, msg);
        }
    }

    /// The run that alone gets what leaves through the first output, if it is served from the same queue and nobody watches
    /// messages.
    pub fn only_neighbour(&self) -> Option<u64> {
        if self.0.shared.hub.wants(Interest::SEND.and(Interest::INPUT)) {
            return None;
        }
        match self.0.routes.load().outputs.first()?.as_slice() {
            [only] if Arc::ptr_eq(&only.flow, &self.0.flow) => Some(only.key),
            _ => None,
        }
    }

    /// Sends a message in another form to a neighbour.
    pub fn hand_over(&self, neighbour: u64, parcel: Box<dyn Parcel>) {
        if self.0.flow.deliver_parcel(neighbour, parcel) == Pushed::Full {
            self.overflow();
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

    /// Ends when the node's flow has handled all that waits in its queue now.
    pub(in crate::engine) fn caught_up(&self) -> oneshot::Receiver<()> {
        let (mark, reached) = oneshot::channel();
        // An event for no node: it is dropped when its turn comes, and the receiver hears of that.
        self.0.flow.post(NOBODY, Box::new(mark));
        reached
    }

    /// Whether another node is served from the same queue.
    pub(in crate::engine) fn same_flow(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.flow, &other.0.flow)
    }

    /// Sends a message through the first output and is done with it.
    pub fn send_done(&self, mut msg: Message) {
        let routes = self.0.routes.load();
        if routes.complete.is_empty() && !self.0.shared.hub.wants(Interest::DONE) {
            return self.send_along(&routes, 0, msg);
        }
        // Whoever hears that it is done knows it by the id with which it left.
        if !routes.outputs.is_empty() {
            ensure_id(&mut msg);
        }
        let completion = self.completion(&msg);
        self.send_along(&routes, 0, msg);
        completion.done();
    }
}

/// Gives the message an id if it has none.
pub(super) fn ensure_id(msg: &mut Message) {
    if !msg.get("_msgid").is_truthy() {
        msg.set("_msgid", new_id());
    }
}
