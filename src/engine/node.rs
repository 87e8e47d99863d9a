//! What a node type implements.

use std::{any::Any, fmt, pin::Pin, sync::Arc};

use super::NodeContext;
use crate::message::{ErrorValue, Message, Object, Value};

/// Something that comes back to a node later: a timer, the result of spawned work.
pub type AnyEvent = Box<dyn Any + Send>;

/// The event that enables or disables a node while it runs (a debug node's button).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetActive(pub bool);

/// A running node. Every call comes from the task of its flow, one at a time; none may block or wait.
pub trait Node: Send + 'static {
    /// Called once, when all nodes of the deploy are built and wired.
    ///
    /// # Errors
    /// Reported on the node, which then stays as it is and still gets messages.
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        let _ = ctx;
        Ok(())
    }

    /// A message. `Ok` does not mean done with it: `ctx.completion(&msg).done()` does.
    ///
    /// # Errors
    /// Goes to the catch nodes with the message that caused it, else to the log.
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed>;

    /// A message in a form that this node may be able to use as it is. The flow's counts and order are those of messages.
    ///
    /// # Errors
    /// As for [`Node::on_input`].
    fn on_parcel(&mut self, parcel: Box<dyn Parcel>, ctx: &NodeContext) -> Result<(), Failed> {
        match parcel.unpack() {
            Some(msg) => self.on_input(msg, ctx),
            None => Ok(()),
        }
    }

    /// Own timers and spawned work come back here.
    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        let _ = (event, ctx);
    }

    /// The node stops; `removed` when it is gone from the new flows.
    fn on_close(&mut self, removed: bool, ctx: &NodeContext) -> Closing {
        let _ = (removed, ctx);
        Closing::Done
    }

    /// What of its effective configuration differs from the strict one of its manifest, under Node-RED's names.
    fn props(&self) -> Object {
        Object::new()
    }
}

/// A message that is not taken out of where it lives, such as the JavaScript engine of its flow, before somebody needs it.
/// It stays within its flow, and is unpacked by the flow's task only.
pub trait Parcel: Send + 'static {
    /// The message; none when what held it is gone, which has been reported.
    fn unpack(self: Box<Self>) -> Option<Message>;

    /// For the node that knows what it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// How a node closes.
pub enum Closing {
    Done,
    /// Closed when this is over; given up after `close_timeout`.
    Later(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// What went wrong in a node: a text, or an error object as scripts throw them.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeError {
    Text(Arc<str>),
    Error(Arc<ErrorValue>),
    /// A script's `node.error({…})`: any other value.
    Value(Value),
}

impl NodeError {
    /// From what a script or a tool gives as an error. Nothing, null and 0 are an empty text, as in Node-RED.
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Undefined | Value::Null => "".into(),
            Value::Number(number) if number == 0.0 || number.is_nan() => "".into(),
            Value::Error(error) => Self::Error(error),
            other => Self::Value(other),
        }
    }

    /// As logs and API calls give it.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Error(error) => Value::Error(error.clone()),
            Self::Value(value) => value.clone(),
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Error(error) => out.write_str(&error.text()),
            Self::Value(value) => out.write_str(&value.to_text()),
        }
    }
}

impl From<&str> for NodeError {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for NodeError {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<ErrorValue> for NodeError {
    fn from(error: ErrorValue) -> Self {
        Self::Error(error.into())
    }
}

/// An error and the message that it is about.
#[derive(Debug)]
pub struct Failed {
    pub error: NodeError,
    /// None: the error is only logged, as `node.error(text)` without a message is.
    pub msg: Option<Message>,
}

impl Failed {
    /// An error that catch nodes hear of.
    pub fn with(error: impl Into<NodeError>, msg: Message) -> Self {
        Self {
            error: error.into(),
            msg: Some(msg),
        }
    }

    /// An error that is only logged.
    pub fn logged(error: impl Into<NodeError>) -> Self {
        Self {
            error: error.into(),
            msg: None,
        }
    }
}
