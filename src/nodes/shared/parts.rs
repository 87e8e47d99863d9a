//! `msg.parts`: which sequence a message belongs to, and its place in it.

use crate::{
    engine::new_id,
    message::{Key, Message, Object, Value},
};

/// What `msg.parts` of a message says. A property counts as there when the message has it, even as undefined.
#[derive(Clone, Copy)]
pub(in crate::nodes) struct Parts<'a>(&'a Object);

impl<'a> Parts<'a> {
    /// The parts of a message; none when it has none, or something that is no object.
    pub(in crate::nodes) fn of(msg: &'a Message) -> Option<Self> {
        msg.get("parts").as_object().map(Self)
    }

    /// What names the sequence. Ids of other types than text are compared by their text, as keys are in JavaScript.
    pub(in crate::nodes) fn id(self) -> Option<Key> {
        self.0.get("id").map(|id| match id {
            Value::String(id) => Key::from(id.clone()),
            other => Key::from(other.to_text()),
        })
    }

    /// The place in the sequence, counted from 0.
    pub(in crate::nodes) fn index(self) -> Option<&'a Value> {
        self.0.get("index")
    }

    /// How many messages the sequence has, where that is known.
    pub(in crate::nodes) fn count(self) -> Option<&'a Value> {
        self.0.get("count")
    }

    /// The parts that the message had before it was split again.
    pub(in crate::nodes) fn outer(self) -> Option<&'a Value> {
        self.0.get("parts")
    }

    /// Any other property, such as `type`, `ch` or `len`; undefined when it is missing.
    pub(in crate::nodes) fn get(self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Undefined)
    }
}

/// The parts of a new sequence that is made of `msg`: a new id, and the parts that the message has already below
/// `parts`, where [`end_sequence`] finds them.
pub(in crate::nodes) fn new_sequence(msg: &Message) -> Object {
    let mut parts = Object::new();
    if let Some(outer) = msg.fields().get("parts") {
        parts.insert("parts", outer.clone());
    }
    parts.insert("id", new_id().into());
    parts
}

/// The message leaves its sequence: it gets back the parts that it had before, or none.
pub(in crate::nodes) fn end_sequence(msg: &mut Message) {
    match Parts::of(msg).and_then(Parts::outer).cloned() {
        Some(outer) => msg.set("parts", outer),
        None => {
            msg.remove("parts");
        }
    }
}

/// Sets properties of `msg.parts`, beside those that it has.
pub(in crate::nodes) fn set_parts<const N: usize>(
    msg: &mut Message,
    properties: [(&'static str, Value); N],
) {
    // Taken out meanwhile, so that parts which nobody shares are changed in place.
    let mut parts = match msg.fields_mut().get_mut("parts").map(std::mem::take) {
        Some(Value::Object(parts)) => parts,
        _ => Object::new(),
    };
    for (name, value) in properties {
        parts.insert(name, value);
    }
    msg.set("parts", parts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::from_wire;

    fn message(json: &serde_json::Value) -> Message {
        Message::from_value(from_wire(json).unwrap()).unwrap()
    }

    #[test]
    fn sequences_nest() {
        let mut msg = message(&json!({"parts": {"id": 7, "index": 2}, "payload": 1}));
        let mut inner = new_sequence(&msg);
        inner.insert("index", 0.into());
        msg.set("parts", inner);
        let id = Parts::of(&msg).and_then(Parts::id).unwrap();
        assert_eq!(id.len(), 16);
        end_sequence(&mut msg);
        let parts = Parts::of(&msg).unwrap();
        assert_eq!(parts.id().unwrap().as_str(), "7");
        assert_eq!(parts.index(), Some(&Value::Number(2.0)));
        assert!(parts.count().is_none() && parts.get("ch").is_undefined());
        end_sequence(&mut msg);
        assert!(Parts::of(&msg).is_none() && !msg.fields().contains_key("parts"));
    }

    #[test]
    fn parts_are_set_beside_those_that_are_there() {
        for (before, after) in [
            (json!({}), json!({"parts": {"index": 1}})),
            (json!({"parts": 5}), json!({"parts": {"index": 1}})),
            (
                json!({"parts": {"id": "a", "index": 0}}),
                json!({"parts": {"id": "a", "index": 1}}),
            ),
        ] {
            let mut msg = message(&before);
            set_parts(&mut msg, [("index", 1.into())]);
            assert_eq!(msg, message(&after));
        }
    }
}
