//! What a node tells about itself: errors and who catches them, statuses, logs, completion.

use std::sync::{Arc, atomic::Ordering};

use super::{NodeContext, send::ensure_id};
use crate::engine::{
    events::{Event, Interest, LogLevel, Record, Status},
    node::NodeError,
    routes::Target,
};
use crate::message::{Message, Object, Value};

/// The promise to say when a message is done with. It holds the message only if somebody waits for it.
#[must_use]
pub struct Completion(Option<(NodeContext, Message)>);

impl Completion {
    /// The node is done with the message: complete nodes hear of it.
    pub fn done(self) {
        let Some((ctx, msg)) = self.0 else { return };
        let hub = &ctx.0.shared.hub;
        if hub.wants(Interest::DONE) {
            hub.publish(Event::Done {
                node: ctx.0.info.id.clone(),
                msgid: msg.id().map(Arc::from),
                error: None,
            });
        }
        for target in &ctx.0.routes.load().complete {
            let mut copy = msg.clone();
            let mut complete = Object::new();
            complete.insert("source", ctx.source(None).into());
            copy.set("complete", complete);
            ctx.tell(target, copy);
        }
    }
}

impl NodeContext {
    /// The promise to say when this message is done with.
    pub fn completion(&self, msg: &Message) -> Completion {
        Completion(
            self.completion_watched()
                .then(|| (self.clone(), msg.clone())),
        )
    }

    /// Whether anybody would hear of a completion: a script's message is copied only then.
    pub fn completion_watched(&self) -> bool {
        self.0.shared.hub.wants(Interest::DONE) || !self.0.routes.load().complete.is_empty()
    }

    /// An error. With a message it goes to the catch nodes that hear this node, and into the log only if none takes it.
    pub fn error(&self, error: impl Into<NodeError>, msg: Option<&Message>) {
        self.fail(&error.into(), msg.cloned());
    }

    /// As `node.error(…)` of Node-RED with these arguments: the error, and the message if there is one.
    pub fn error_called(&self, args: Vec<Value>) {
        if self.0.shared.hub.wants(Interest::CALL) {
            self.call("error", args.clone());
        }
        let mut args = args.into_iter();
        let error = NodeError::from_value(args.next().unwrap_or_default());
        self.catch_or_record(&error, args.next().and_then(Message::from_value));
    }

    /// The node failed on a message: as `done(error)` of Node-RED, which is an error and ends the message.
    pub fn failed(&self, error: impl Into<NodeError>, msg: Message) {
        let error = error.into();
        let hub = &self.0.shared.hub;
        if hub.wants(Interest::DONE) {
            let msgid = msg.id().map(Arc::from);
            hub.publish(Event::Done {
                node: self.0.info.id.clone(),
                msgid,
                error: Some(error.to_value()),
            });
        }
        self.fail(&error, Some(msg));
    }

    fn fail(&self, error: &NodeError, msg: Option<Message>) {
        if self.0.shared.hub.wants(Interest::CALL) {
            let mut args = vec![error.to_value()];
            args.extend(msg.as_ref().map(Message::to_value));
            self.call("error", args);
        }
        self.catch_or_record(error, msg);
    }

    fn catch_or_record(&self, error: &NodeError, msg: Option<Message>) {
        let caught = msg.is_some_and(|msg| self.hand_to_catch(error, msg));
        if !caught {
            self.record(LogLevel::Error, error.to_value());
        }
    }

    fn hand_to_catch(&self, error: &NodeError, mut caught: Message) -> bool {
        let routes = self.0.routes.load();
        if routes.catch.is_empty() || self.starts_with_flow() {
            return false;
        }
        let source = caught
            .get("error")
            .as_object()
            .and_then(|error| error.get("source")?.as_object());
        let same = source.is_some_and(|source| {
            source.get("id").and_then(Value::as_str) == Some(&*self.0.info.id)
        });
        let before = source
            .and_then(|source| source.get("count")?.as_number())
            .filter(|_| same);
        let count = before.unwrap_or(0.0) + 1.0;
        if count == 10.0 {
            self.warn(self.runtime_text(
                "nodes.flow.error-loop",
                "This message failed here ten times in a row, so its error is not caught again",
            ));
            return false;
        }
        if let Some(earlier) = caught.remove("error") {
            caught.set("_error", earlier);
        }
        let mut details = Object::new();
        details.insert("message", error.to_string().into());
        details.insert("source", self.source(Some(count)).into());
        let properties = match error {
            NodeError::Error(error) => Some(&error.properties),
            NodeError::Value(value) => value.as_object(),
            NodeError::Text(_) => None,
        };
        let stack = match error {
            // Every error has one in JavaScript.
            NodeError::Error(error) => Some(
                error
                    .stack
                    .clone()
                    .unwrap_or_else(|| error.text().into())
                    .into(),
            ),
            _ => properties.and_then(|all| all.get("stack")).cloned(),
        };
        for (key, value) in [
            ("code", properties.and_then(|all| all.get("code")).cloned()),
            ("stack", stack),
            (
                "cause",
                properties.and_then(|all| all.get("cause")).cloned(),
            ),
        ] {
            if let Some(value) = value {
                details.insert(key, value);
            }
        }
        caught.set("error", details);
        let mut handled = false;
        let mut by_uncaught = false;
        for (target, uncaught) in &routes.catch {
            if *uncaught && handled && !by_uncaught {
                continue;
            }
            by_uncaught |= *uncaught;
            handled = true;
            let mut copy = caught.clone();
            ensure_id(&mut copy);
            self.tell(target, copy);
        }
        handled
    }

    /// Hands a message to a catch, status or complete node. It sends it on at once, as in Node-RED, and not when its turn
    /// in the queue comes: what it makes known goes before what the reporting node sends next.
    fn tell(&self, listener: &Target, mut msg: Message) {
        ensure_id(&mut msg);
        // Complete nodes may hear each other; the queue bounds such a circle.
        let is_listener = matches!(&*self.0.info.type_name, "catch" | "status" | "complete");
        let found = self
            .peer(&listener.id)
            .filter(|found| !is_listener && found.key() == listener.key);
        let Some(listening) = found else {
            return self.deliver(listener, msg);
        };
        let hub = &self.0.shared.hub;
        if hub.wants(Interest::INPUT) {
            hub.publish(Event::Input {
                node: listener.id.clone(),
                msg: msg.clone(),
            });
        }
        listening.send_done(msg);
    }

    fn starts_with_flow(&self) -> bool {
        self.0.starts_with_flow.load(Ordering::Relaxed)
    }

    /// What the node says until this is called again with false is heard by no catch and no status node. In Node-RED they
    /// listen as soon as all nodes of their flow are there.
    pub(in crate::engine) fn start_with_flow(&self, starting: bool) {
        self.0.starts_with_flow.store(starting, Ordering::Relaxed);
    }

    fn source(&self, count: Option<f64>) -> Object {
        let mut source = Object::new();
        source.insert("id", self.0.info.id.clone().into());
        source.insert("type", self.0.info.type_name.clone().into());
        source.insert(
            "name",
            self.0
                .info
                .name
                .clone()
                .map_or(Value::Undefined, Value::from),
        );
        if let Some(count) = count {
            source.insert("count", count.into());
        }
        source
    }

    /// Shows a status under the node. An empty one clears it.
    pub fn status(&self, status: Status) {
        let value = status.to_value();
        self.show(status, value);
    }

    /// As `node.status(value)` of Node-RED: text, number or bool is the text; an object has fill, shape and text.
    pub fn status_value(&self, value: Value) {
        self.show(Status::from_value(&value), value);
    }

    fn show(&self, status: Status, given: Value) {
        let hub = &self.0.shared.hub;
        if hub.wants(Interest::CALL) {
            self.call("status", vec![given.clone()]);
        }
        hub.publish(Event::Status {
            node: self.0.info.id.clone(),
            status: status.clone(),
        });
        let routes = self.0.routes.load();
        if routes.status.is_empty() || self.starts_with_flow() {
            return;
        }
        let mut details = match given {
            Value::Object(given) => given,
            _ => Object::new(),
        };
        if let Some(text) = status.text {
            details.insert("text", text.into());
        }
        details.insert("source", self.source(None).into());
        for target in &routes.status {
            let mut msg = Message::default();
            msg.set("status", details.clone());
            self.tell(target, msg);
        }
    }

    /// A warning in the log and the debug panel.
    pub fn warn(&self, text: impl Into<Value>) {
        self.log(LogLevel::Warn, text);
    }

    /// A log record of this node. Errors go through [`NodeContext::error`].
    pub fn log(&self, level: LogLevel, text: impl Into<Value>) {
        self.log_called(level, vec![text.into()]);
    }

    /// As `node.warn(…)` of Node-RED and its like with these arguments, of which the first is the text.
    pub fn log_called(&self, level: LogLevel, args: Vec<Value>) {
        let text = args.first().cloned().unwrap_or_default();
        if self.0.shared.hub.wants(Interest::CALL) {
            let method = match level {
                LogLevel::Error => "error",
                LogLevel::Warn => "warn",
                LogLevel::Info => "log",
                LogLevel::Debug => "debug",
                LogLevel::Trace => "trace",
            };
            self.call(method, args);
        }
        self.record(level, text);
    }

    fn call(&self, method: &'static str, args: Vec<Value>) {
        self.0.shared.hub.publish(Event::Call {
            node: self.0.info.id.clone(),
            method,
            args,
        });
    }

    pub(in crate::engine) fn record(&self, level: LogLevel, msg: Value) {
        let time = self.now();
        self.0.shared.log(Record {
            level,
            msg,
            node: Some(self.0.info.clone()),
            time,
        });
    }
}

impl Status {
    /// As `node.status(value)` reads it.
    pub fn from_value(value: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::Undefined | Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_text().into()),
        };
        match value {
            Value::Object(object) => {
                let part = |key| object.get(key).and_then(text);
                Self {
                    fill: part("fill"),
                    shape: part("shape"),
                    text: part("text"),
                }
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Self {
                text: text(value),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    /// As an object with the parts that there are.
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        for (key, part) in [
            ("fill", &self.fill),
            ("shape", &self.shape),
            ("text", &self.text),
        ] {
            if let Some(part) = part {
                object.insert(key, part.clone().into());
            }
        }
        object.into()
    }
}
