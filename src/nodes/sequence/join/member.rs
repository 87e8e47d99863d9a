//! What a message brings to its group, as its parts or the settings say.

use super::{
    Join,
    collected::{Kind, type_error},
    group::has,
};
use crate::{
    engine::{Failed, NodeContext},
    message::{Key, Message, Object, Value},
    nodes::shared::{parts::Parts, property::MessageProperty},
};

/// A message, with what its group needs to know of it.
pub(super) struct Member {
    pub(super) msg: Message,
    pub(super) value: Value,
    pub(super) kind: Kind,
    /// How many make the group whole; 0 or what is no number: nobody knows.
    pub(super) target: Value,
    pub(super) joiner: Value,
    /// The name of its value, in an object.
    pub(super) key: Value,
    /// Its place in the sequence.
    pub(super) index: Value,
    /// `parts.len`
    pub(super) part_length: Value,
    /// Where the result goes.
    pub(super) goes_to: Value,
}

impl Join {
    /// What `msg.parts` says of the message; none when that is all there is to do.
    pub(super) fn by_parts(
        &mut self,
        msg: Message,
        ctx: &NodeContext,
    ) -> Result<Option<(Key, Member)>, Failed> {
        if let Some(given) = msg.fields().get("parts").filter(|given| given.is_nullish()) {
            let error = type_error(given, "hasOwnProperty");
            return Err(Failed::with(error, msg));
        }
        let Some((parts, id)) = Parts::of(&msg).and_then(|parts| Some((parts, parts.id()?))) else {
            if has(&msg, "reset") {
                self.groups.clear();
                self.held = 0;
            } else {
                ctx.warn("Message missing msg.parts property - cannot join in 'auto' mode");
            }
            ctx.completion(&msg).done();
            return Ok(None);
        };
        let goes_to = parts.get("property").clone();
        let property = match &goes_to {
            Value::String(path) => MessageProperty::new(path.to_string()),
            _ => MessageProperty::new(String::new()),
        };
        let value = match property.get(&msg) {
            Ok(value) => value,
            Err(error) => return Err(Failed::with(error, msg)),
        };
        let member = Member {
            value,
            kind: Kind::from_name(parts.get("type").as_str().unwrap_or_default()),
            target: parts.get("count").clone(),
            joiner: parts.get("ch").clone(),
            key: parts.get("key").clone(),
            index: parts.get("index").clone(),
            part_length: parts.get("len").clone(),
            goes_to,
            msg: msg.clone(),
        };
        Ok(Some((id, member)))
    }

    /// What the settings say of the message.
    pub(super) fn by_settings(
        &self,
        mut msg: Message,
        value: Value,
    ) -> Result<Option<(Key, Member)>, Failed> {
        let given = msg.fields().get("parts");
        if let Some(given) = given.filter(|given| given.is_nullish()) {
            if !self.use_parts || self.count_of_parts {
                let name = if self.use_parts {
                    "count"
                } else {
                    "hasOwnProperty"
                };
                let error = type_error(given, name);
                return Err(Failed::with(error, msg));
            }
        } else if given.is_some() && !self.use_parts {
            let outer = Parts::of(&msg).and_then(|parts| parts.outer()).cloned();
            match outer {
                Some(outer) => {
                    let parts: Object = [("parts", outer)].into_iter().collect();
                    msg.set("parts", parts);
                }
                None => {
                    msg.remove("parts");
                }
            }
        }
        let mut id = Key::from("_");
        let mut target = Value::Number(self.count);
        if self.count_of_parts && has(&msg, "parts") {
            let parts = Parts::of(&msg);
            target = parts.and_then(Parts::count).cloned().unwrap_or_default();
            id = parts.and_then(Parts::id).unwrap_or(id);
        }
        let key = if self.kind == Kind::Object {
            match self.key.get(&msg) {
                Ok(key) => key,
                Err(error) => return Err(Failed::with(error, msg)),
            }
        } else {
            Value::Undefined
        };
        let member = Member {
            value,
            kind: self.kind,
            target,
            joiner: self.joiner.clone(),
            key,
            index: Value::Undefined,
            part_length: Value::Undefined,
            goes_to: self.property_name.as_str().into(),
            msg,
        };
        Ok(Some((id, member)))
    }
}
