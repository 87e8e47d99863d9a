//! `link in`, `link out` and `link call`: wires without lines, and calls that come back (Node-RED's link nodes).

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, Failed, LinkReturn, Node, NodeContext, Timer, new_id,
    },
    message::{ErrorValue, Message, Object, Value},
};

/// Where a message came from that is to be returned: a stack, for calls nest.
const SOURCES: &str = "_linkSource";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of `link in`; `flow::wire` reads them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct LinkIn {
    #[serde(rename = "links")]
    _links: Json,
}

/// Settings of `link out`. Its wires are worked out by `flow::wire`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct LinkOutConfig {
    mode: String,
    #[serde(rename = "links")]
    _links: Json,
}

/// A running link out.
pub(in crate::nodes) struct LinkOut {
    mode: Mode,
    event: Value,
}

enum Mode {
    Link,
    Return,
    /// Any other text: the message ends here.
    None,
}

impl LinkOut {
    /// Cannot fail.
    pub(in crate::nodes) fn new(config: LinkOutConfig, build: &Build) -> Result<Self, ConfigError> {
        let LinkOutConfig { mode, .. } = config;
        Ok(Self {
            mode: match mode.as_str() {
                "link" | "" => Mode::Link,
                "return" => Mode::Return,
                _ => Mode::None,
            },
            event: format!("node:{}", build.info.id).into(),
        })
    }
}

impl Node for LinkOut {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        msg.set("_event", self.event.clone());
        match self.mode {
            Mode::Link => ctx.send_done(msg),
            Mode::Return => {
                let caller = take_source(&mut msg);
                let completion = ctx.completion(&msg);
                if !caller.is_some_and(|(node, call)| give_back(&node, &call, msg, ctx)) {
                    ctx.warn(ctx.text("link.errors.missingReturn", &[]));
                }
                completion.done();
            }
            Mode::None => {}
        }
        Ok(())
    }
}

/// Takes the last source off a message: the calling node, and its number for the call. None when nobody called.
fn take_source(msg: &mut Message) -> Option<(String, String)> {
    let mut sources = msg.get(SOURCES).as_array()?.to_vec();
    let source = sources.pop()?;
    msg.set(SOURCES, sources);
    let source = source.as_object()?;
    let text = |key: &str| source.get(key).map(Value::to_text).unwrap_or_default();
    Some((text("node"), text("id")))
}

/// Hands a message to the node that called. False when it is gone.
fn give_back(node: &str, call: &str, mut msg: Message, ctx: &NodeContext) -> bool {
    let caller = ctx
        .peer(node)
        .filter(|caller| matches!(&*caller.info().type_name, "link call" | "function"));
    let Some(caller) = caller else {
        return false;
    };
    if msg.get(SOURCES).as_array().is_some_and(<[Value]>::is_empty) {
        msg.remove(SOURCES);
    }
    let call = call.into();
    caller.post(Box::new(LinkReturn { call, msg }));
    true
}

/// The number of a call: 28 hex digits, as Node-RED's.
fn call_id() -> String {
    let mut id = new_id() + &new_id();
    id.truncate(28);
    id
}

/// Settings of `link call`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct LinkCallConfig {
    links: Json,
    link_type: String,
    timeout: Option<f64>,
}

/// A running link call.
pub(in crate::nodes) struct LinkCall {
    /// The id of the link in; none when each message names its own in `msg.target`.
    target: Option<String>,
    timeout: Duration,
    waiting: HashMap<Arc<str>, Call>,
}

/// A call that has not come back.
struct Call {
    /// The message as it was handed in, for the error when nothing comes back.
    msg: Message,
    _timer: Timer,
}

struct TimedOut(Arc<str>);

impl LinkCall {
    /// Cannot fail: what is wrong with the target is told when a message comes.
    pub(in crate::nodes) fn new(
        config: LinkCallConfig,
        _build: &Build,
    ) -> Result<Self, ConfigError> {
        let first = match config.links {
            Json::Array(links) => links.into_iter().next().unwrap_or_default(),
            other => other,
        };
        Ok(Self {
            target: (config.link_type != "dynamic")
                .then(|| first.as_str().unwrap_or_default().to_owned()),
            timeout: config
                .timeout
                .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
                .unwrap_or(DEFAULT_TIMEOUT),
            waiting: HashMap::new(),
        })
    }
}

impl Node for LinkCall {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let found = match &self.target {
            Some(id) => ctx.link_in(id, false),
            None => match msg.get("target") {
                Value::Undefined | Value::Null => ctx.link_in("", true),
                target => ctx.link_in(&target.to_text(), true),
            },
        };
        let target = match found {
            Ok(target) => target,
            Err(text) => {
                let error = ErrorValue {
                    name: "Error".into(),
                    message: text.into(),
                    stack: None,
                    properties: Object::new(),
                };
                ctx.error(error, Some(&msg));
                return Ok(());
            }
        };
        let mut sources = match msg.get(SOURCES) {
            Value::Array(sources) => sources.to_vec(),
            _ => Vec::new(),
        };
        msg.set(SOURCES, sources.clone());
        let before = msg.clone();
        let call: Arc<str> = call_id().into();
        let mut source = Object::new();
        source.insert("id", call.clone().into());
        source.insert("node", ctx.info().id.clone().into());
        sources.push(source.into());
        msg.set(SOURCES, sources);
        let waiting = Call {
            msg: before,
            _timer: ctx.after(self.timeout, TimedOut(call.clone())),
        };
        self.waiting.insert(call, waiting);
        target.receive(msg);
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        let event = match event.downcast::<LinkReturn>() {
            Ok(returned) => {
                let call = self.waiting.remove(&returned.call);
                // Complete nodes get the message as it came back: in Node-RED it is the same object.
                let completion = call.map(|_| ctx.completion(&returned.msg));
                // What comes back too late is sent all the same.
                ctx.send(returned.msg);
                if let Some(completion) = completion {
                    completion.done();
                }
                return;
            }
            Err(event) => event,
        };
        if let Ok(late) = event.downcast::<TimedOut>()
            && let Some(call) = self.waiting.remove(&late.0)
        {
            ctx.error("timeout", Some(&call.msg));
        }
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        self.waiting.clear();
        Closing::Done
    }
}
