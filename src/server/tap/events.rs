//! Events as `/tap` writes them, and which of them a client wants.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value as Json, json};

use crate::{
    engine::{Event, Interest, Record, Stamped},
    flow::Id,
    message::{Message, Value, to_wire},
};

/// The kinds of events that there are on `/tap`.
const KINDS: [(&str, Interest); 6] = [
    ("flows", Interest::FLOWS),
    ("input", Interest::INPUT),
    ("send", Interest::SEND),
    ("done", Interest::DONE),
    ("call", Interest::CALL),
    ("log", Interest::LOG),
];

/// What a client wants to see.
#[derive(Clone, Default)]
pub(super) struct Watched {
    kinds: Option<HashSet<String>>,
    /// Only events of these nodes; those that are about no node at all come anyway.
    nodes: Option<HashSet<Id>>,
}

impl Watched {
    /// Everything.
    pub(super) fn all() -> Self {
        Self::default()
    }

    /// The request `watch`.
    pub(super) fn from_request(request: &Map<String, Json>) -> Result<Self, String> {
        Ok(Self {
            kinds: names(request, "events")?,
            nodes: names(request, "nodes")?
                .map(|ids| ids.into_iter().map(|id| id.as_str().into()).collect()),
        })
    }

    /// What the engine has to tell.
    pub(super) fn interest(&self) -> Interest {
        let wanted = KINDS.iter().filter(|(name, _)| match &self.kinds {
            None => true,
            Some(kinds) => kinds.contains(*name),
        });
        wanted.fold(Interest::default(), |all, (_, interest)| all.and(*interest))
    }

    fn wants(&self, kind: &str, node: Option<&str>) -> bool {
        let kind_wanted = self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
        let node_wanted = match (&self.nodes, node) {
            (Some(nodes), Some(node)) => nodes.contains(node),
            _ => true,
        };
        kind_wanted && node_wanted
    }
}

fn names(request: &Map<String, Json>, member: &str) -> Result<Option<HashSet<String>>, String> {
    match request.get(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(list)) => Ok(Some(
            list.iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
        )),
        Some(_) => Err(format!("\"{member}\" is a list or null")),
    }
}

/// What is wanted, by the place in the stream from which on it holds: events that were already on their way when a
/// client changed its mind are still judged by what it wanted then.
#[derive(Default)]
pub(super) struct Filters {
    now: Watched,
    later: VecDeque<(u64, Watched)>,
}

impl Filters {
    /// Wants this of the events after `seq`.
    pub(super) fn change(&mut self, seq: u64, watched: Watched) {
        self.later.push_back((seq, watched));
    }

    /// The event as text; none when it is not wanted.
    pub(super) fn encode(&mut self, stamped: &Stamped) -> Option<String> {
        while let Some((seq, _)) = self.later.front()
            && *seq < stamped.seq
        {
            if let Some((_, watched)) = self.later.pop_front() {
                self.now = watched;
            }
        }
        let (kind, node) = kind(&stamped.event)?;
        if !self.now.wants(kind, node) {
            return None;
        }
        let mut event = json!({ "ev": kind, "seq": stamped.seq });
        if let (Json::Object(event), Json::Object(fields)) = (&mut event, fields(&stamped.event)) {
            event.extend(fields);
        }
        Some(event.to_string())
    }
}

/// The name of an event and the node that it is about.
fn kind(event: &Event) -> Option<(&'static str, Option<&str>)> {
    match event {
        Event::Input { node, .. } => Some(("input", Some(node))),
        Event::Send { node, .. } => Some(("send", Some(node))),
        Event::Done { node, .. } => Some(("done", Some(node))),
        Event::Call { node, .. } => Some(("call", Some(node))),
        Event::Log(record) => Some(("log", record.node.as_ref().map(|node| &*node.id))),
        Event::Flows { .. } => Some(("flows", None)),
        Event::Debug(_) | Event::Status { .. } | Event::Notification { .. } => None,
    }
}

fn message(msg: &Message) -> Json {
    to_wire(&msg.to_value())
}

fn fields(event: &Event) -> Json {
    match event {
        Event::Input { node, msg } => json!({ "node": &**node, "msg": message(msg) }),
        Event::Send {
            node,
            port,
            to,
            msg,
        } => json!({ "node": &**node, "port": port, "to": &**to, "msg": message(msg) }),
        Event::Done { node, msgid, error } => {
            let mut done = json!({ "node": &**node });
            if let Some(msgid) = msgid {
                done["msgid"] = (&**msgid).into();
            }
            if let Some(error) = error {
                done["error"] = to_wire(error);
            }
            done
        }
        Event::Call { node, method, args } => {
            let args: Vec<Json> = args.iter().map(to_wire).collect();
            json!({ "node": &**node, "method": method, "args": args })
        }
        Event::Log(record) => json!({ "rec": log_record(record) }),
        Event::Flows {
            rev,
            missing,
            error,
        } => match error {
            Some(error) => {
                json!({ "state": "failed", "rev": rev, "error": error, "detail": error })
            }
            None => json!({ "state": "started", "rev": rev, "missing": missing }),
        },
        Event::Debug(_) | Event::Status { .. } | Event::Notification { .. } => Json::Null,
    }
}

fn log_record(record: &Record) -> Json {
    let mut rec = json!({ "level": record.level as u8 });
    if let Some(node) = &record.node {
        rec["id"] = (*node.id).into();
        rec["type"] = (*node.type_name).into();
        for (member, value) in [("name", node.shown_name()), ("z", node.z.as_ref())] {
            if let Some(value) = value {
                rec[member] = (**value).into();
            }
        }
        if let Some(alias) = node.alias() {
            rec["_alias"] = alias.into();
        }
        if let Some(path) = node.flow_path() {
            rec["path"] = path.into();
        }
    }
    rec["msg"] = to_wire(&record.msg);
    rec["timestamp"] = to_wire(&Value::Number(record.time));
    rec
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn input(seq: u64, node: &str) -> Stamped {
        let event = Event::Input {
            node: node.into(),
            msg: Message::with_payload(1),
        };
        Stamped {
            seq,
            event: Arc::new(event),
        }
    }

    #[test]
    fn a_change_holds_from_its_place_in_the_stream() {
        let watch = |request: Json| Watched::from_request(request.as_object().unwrap()).unwrap();
        let mut filters = Filters::default();
        filters.change(2, watch(json!({"events": ["log"]})));
        filters.change(3, watch(json!({"events": ["input"], "nodes": ["b"]})));
        let seen: Vec<bool> = [(1, "a"), (2, "a"), (3, "a"), (4, "a"), (5, "b")]
            .into_iter()
            .map(|(seq, node)| filters.encode(&input(seq, node)).is_some())
            .collect();
        assert_eq!(seen, [true, true, false, false, true]);
        assert_eq!(watch(json!({"events": ["log"]})).interest(), Interest::LOG);
        assert!(Watched::from_request(json!({"nodes": 1}).as_object().unwrap()).is_err());
    }
}
