//! Messages into nodes, and calls that nodes are made to do.

use serde_json::Value as Json;

use super::{
    frame::Request,
    ops::{Outcome, done, text},
};
use crate::{
    engine::{LogLevel, NodeContext, new_id},
    message::{Message, Value, from_wire},
    server::ServerState,
};

/// A message and the node that gets it.
pub(super) struct Delivery {
    pub(super) node: String,
    msg: Message,
}

/// The running node that a request names.
pub(super) fn node(state: &ServerState, request: &Request) -> Result<NodeContext, String> {
    let id = text(request, "node")?;
    let node = state.runtime.engine().node(id);
    node.ok_or_else(|| format!("No node {id} runs"))
}

/// The request `receive`, understood but not carried out.
pub(super) fn read_receive(state: &ServerState, request: &Request) -> Result<Delivery, String> {
    node(state, request)?;
    let mut msg = match request.get("msg").map(from_wire).transpose()? {
        None | Some(Value::Undefined | Value::Null) => Message::default(),
        Some(value) => Message::from_value(value).ok_or("\"msg\" is an object")?,
    };
    let raw = request.get("raw").and_then(Json::as_bool).unwrap_or(false);
    if !raw && msg.get("_msgid").is_undefined() {
        msg.set("_msgid", new_id());
    }
    Ok(Delivery {
        node: text(request, "node")?.to_owned(),
        msg,
    })
}

/// Hands messages over; nothing comes between those for one flow.
pub(super) fn deliver(state: &ServerState, deliveries: Vec<Delivery>) {
    if deliveries.is_empty() {
        return;
    }
    let (nodes, messages): (Vec<String>, Vec<Message>) = deliveries
        .into_iter()
        .map(|delivery| (delivery.node, delivery.msg))
        .unzip();
    let batch = nodes.iter().map(String::as_str).zip(messages).collect();
    // A node that was stopped since takes nothing, as with a message on a wire.
    let _ = state.runtime.engine().receive(batch);
}

/// The request `call`, but for `close`.
pub(super) fn call(state: &ServerState, request: &Request) -> Outcome {
    let node = node(state, request)?;
    let args = arguments(request)?;
    let first = || args.first().cloned().unwrap_or_default();
    match text(request, "method")? {
        "send" => node.send_value(first()),
        "status" => node.status_value(first()),
        "error" => node.error_called(args),
        "warn" => node.log_called(LogLevel::Warn, args),
        "log" => node.log_called(LogLevel::Info, args),
        "debug" => node.log_called(LogLevel::Debug, args),
        "trace" => node.log_called(LogLevel::Trace, args),
        other => return Err(format!("A node has no method {other} that can be called")),
    }
    done()
}

/// The request `call` for `close`; returns when the node is closed.
pub(super) async fn close(state: &ServerState, request: &Request) -> Outcome {
    let node = node(state, request)?;
    state.runtime.engine().close_node(&node.info().id).await;
    done()
}

fn arguments(request: &Request) -> Result<Vec<Value>, String> {
    match request.get("args") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(args)) => args.iter().map(from_wire).collect(),
        Some(_) => Err("\"args\" is a list".into()),
    }
}
