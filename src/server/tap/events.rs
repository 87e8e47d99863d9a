//! Events as `/tap` sends them, and which of them a client wants.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use crate::{
    engine::{Event, Interest, Record, Stamped},
    message::to_wire,
};

const KINDS: [(&str, Interest); 6] = [
    ("flows", Interest::FLOWS),
    ("input", Interest::INPUT),
    ("send", Interest::SEND),
    ("done", Interest::DONE),
    ("call", Interest::CALL),
    ("log", Interest::LOG),
];

/// What a client wants to hear; everything unless it says otherwise.
#[derive(Default)]
pub(super) struct Filter {
    kinds: Option<HashSet<String>>,
    nodes: Option<HashSet<String>>,
}

impl Filter {
    /// Reads the operation `watch`: null is all.
    pub(super) fn watch(&mut self, request: &Json) -> Result<(), String> {
        self.kinds = names(request, "events")?;
        self.nodes = names(request, "nodes")?;
        Ok(())
    }

    pub(super) fn interest(&self) -> Interest {
        let wanted = |name: &str| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(name));
        KINDS
            .iter()
            .filter(|(name, _)| wanted(name))
            .fold(Interest::default(), |all, (_, kind)| all.and(*kind))
    }

    /// The frame for an event; none when it is not wanted.
    pub(super) fn frame(&self, stamped: &Stamped) -> Option<Json> {
        let of = |node: &str| self.nodes.as_ref().is_none_or(|nodes| nodes.contains(node));
        let mut frame = match &*stamped.event {
            Event::Input { node, msg } if of(node) => {
                json!({ "ev": "input", "node": &**node, "msg": to_wire(&msg.to_value()) })
            }
            Event::Send {
                node,
                port,
                to,
                msg,
            } if of(node) => {
                json!({ "ev": "send", "node": &**node, "port": port, "to": &**to, "msg": to_wire(&msg.to_value()) })
            }
            Event::Done { node, msgid, error } if of(node) => {
                let mut frame = json!({ "ev": "done", "node": &**node, "msgid": msgid.as_deref() });
                if let Some(error) = error {
                    frame["error"] = to_wire(error);
                }
                frame
            }
            Event::Call { node, method, args } if of(node) => {
                let args: Vec<Json> = args.iter().map(to_wire).collect();
                json!({ "ev": "call", "node": &**node, "method": method, "args": args })
            }
            Event::Log(record) if record.node.as_ref().is_none_or(|node| of(&node.id)) => {
                log(record)
            }
            Event::Flows {
                rev,
                missing,
                error,
            } => match error {
                None => {
                    let missing: Vec<&str> = missing.iter().map(|name| &**name).collect();
                    json!({ "ev": "flows", "state": "started", "rev": rev, "missing": missing })
                }
                Some(error) => {
                    json!({ "ev": "flows", "state": "failed", "rev": rev, "error": error, "detail": error })
                }
            },
            _ => return None,
        };
        frame["seq"] = stamped.seq.into();
        Some(frame)
    }
}

fn names(request: &Json, key: &str) -> Result<Option<HashSet<String>>, String> {
    match request.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(list)) => Ok(Some(
            list.iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
        )),
        Some(_) => Err(format!("\"{key}\" is a list of names, or null")),
    }
}

fn log(record: &Record) -> Json {
    let mut rec = json!({ "level": record.level as u8, "msg": to_wire(&record.msg), "timestamp": record.time });
    if let Some(node) = &record.node {
        rec["id"] = (*node.id).into();
        rec["type"] = (*node.type_name).into();
        rec["path"] = (*node.flow).into();
        for (key, value) in [("name", &node.name), ("z", &node.z)] {
            if let Some(value) = value {
                rec[key] = (**value).into();
            }
        }
    }
    json!({ "ev": "log", "rec": rec })
}
