//! How deep values are nested.

use super::{Object, Value};

/// Values that are looked at; what is beyond them counts as flat.
const MAX_VISITED: usize = 100_000;

/// Whether something in an object lies deeper than `limit` levels. Does not recurse.
pub(super) fn exceeds(object: &Object, limit: usize) -> bool {
    let values = object.values().filter(is_container);
    any_below(values.map(|value| (value, 1)).collect(), limit)
}

/// Whether something in a value lies deeper than `limit` levels below it. Does not recurse.
pub(super) fn lies_below(value: &Value, limit: usize) -> bool {
    is_container(&value) && any_below(vec![(value, 1)], limit)
}

fn any_below(mut waiting: Vec<(&Value, usize)>, limit: usize) -> bool {
    let mut visited = 0;
    while let Some((value, depth)) = waiting.pop() {
        if depth > limit {
            return true;
        }
        visited += 1;
        if visited > MAX_VISITED {
            return false;
        }
        let next = depth + 1;
        match value {
            Value::Object(object) => {
                waiting.extend(
                    object
                        .values()
                        .filter(is_container)
                        .map(|value| (value, next)),
                );
            }
            Value::Array(values) | Value::Set(values) => {
                waiting.extend(
                    values
                        .iter()
                        .filter(is_container)
                        .map(|value| (value, next)),
                );
            }
            Value::Map(pairs) => {
                let values = pairs.iter().flat_map(|(key, value)| [key, value]);
                waiting.extend(values.filter(is_container).map(|value| (value, next)));
            }
            Value::Error(error) => {
                let values = error.properties.values().filter(is_container);
                waiting.extend(values.map(|value| (value, next)));
            }
            _ => {}
        }
    }
    false
}

fn is_container(value: &&Value) -> bool {
    matches!(
        value,
        Value::Object(_) | Value::Array(_) | Value::Set(_) | Value::Map(_) | Value::Error(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    #[test]
    fn depth_is_seen_wherever_it_is() {
        let mut value = Value::from(1.0);
        for level in 0..600 {
            let mut wrap = Object::new();
            wrap.insert("inner", value);
            value = if level % 2 == 0 {
                wrap.into()
            } else {
                vec![Value::Object(wrap)].into()
            };
            let msg = Message::with_payload(value.clone());
            if level == 100 || level == 599 {
                assert_eq!(msg.is_too_deep(), level == 599);
            }
        }
    }
}
