//! What a group has collected, and what is built of it.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::{
    engine::{NodeContext, NodeError},
    message::{ErrorValue, Key, Object, Value},
};

/// Places of a list that nothing came for. One odd index must not fill the memory.
const MOST_GAPS: usize = 1 << 20;

/// What is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Array,
    Buffer,
    /// A property for each message.
    Object,
    /// One object of all properties.
    Merged,
    /// A kind of sequence that is not known: its parts as an array.
    Other,
}

impl Kind {
    /// The kind that the settings or `msg.parts.type` name.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "string" => Self::Text,
            "array" => Self::Array,
            "buffer" => Self::Buffer,
            "object" => Self::Object,
            "merged" => Self::Merged,
            _ => Self::Other,
        }
    }
}

/// The values of a group.
pub(super) enum Collected {
    List(BTreeMap<usize, Value>),
    Object(Object),
}

impl Collected {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Object | Kind::Merged => Self::Object(Object::new()),
            _ => Self::List(BTreeMap::new()),
        }
    }

    /// How many values are held.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::List(values) => values.len(),
            Self::Object(object) => object.len(),
        }
    }

    /// Puts a value at the end.
    pub(super) fn push(&mut self, value: Value) {
        if let Self::List(values) = self {
            let next = values.last_key_value().map_or(0, |(last, _)| last + 1);
            values.insert(next, value);
        }
    }

    /// Puts a value into its place; false when there is something else already.
    pub(super) fn place(&mut self, index: f64, value: Value) -> bool {
        let Self::List(values) = self else {
            return true;
        };
        // What is no index of an array would be a property beside its elements.
        if index < 0.0 || index.fract() != 0.0 || index >= f64::from(u32::MAX) {
            return true;
        }
        values
            .insert(index as usize, value)
            .is_none_or(|before| before.is_nullish())
    }

    /// Sets a property.
    pub(super) fn set(&mut self, key: Key, value: Value) {
        if let Self::Object(object) = self {
            object.insert(key, value);
        }
    }

    /// What is built of it all. `joiner` stands between texts and buffers; arrays whose parts were arrays of more than
    /// one element (`part_length`) are made one again.
    ///
    /// # Errors
    /// When a part can't go into a buffer, or there is nothing to put between texts.
    pub(super) fn build(
        &self,
        kind: Kind,
        joiner: &Value,
        part_length: &Value,
        ctx: &NodeContext,
    ) -> Result<Value, NodeError> {
        let values = match self {
            Self::Object(object) => return Ok(object.clone().into()),
            Self::List(values) => values,
        };
        match kind {
            Kind::Text => text(values, joiner, ctx),
            Kind::Buffer => buffer(values, joiner),
            Kind::Array if part_length.to_number() > 1.0 => Ok(flat(values)),
            _ => list(values, ctx),
        }
    }
}

fn gaps(values: &BTreeMap<usize, Value>) -> usize {
    let length = values.last_key_value().map_or(0, |(last, _)| last + 1);
    length - values.len()
}

/// The values in their places, with undefined where nothing came.
fn each(values: &BTreeMap<usize, Value>) -> impl Iterator<Item = &Value> {
    let mut next = 0;
    values.iter().flat_map(move |(&place, value)| {
        let missing = place - next;
        next = place + 1;
        std::iter::repeat_n(&Value::Undefined, missing).chain(std::iter::once(value))
    })
}

fn list(values: &BTreeMap<usize, Value>, ctx: &NodeContext) -> Result<Value, NodeError> {
    if gaps(values) > MOST_GAPS {
        return Err(ctx.text("join.errors.gaps", &[]).into());
    }
    Ok(each(values).cloned().collect::<Vec<_>>().into())
}

fn flat(values: &BTreeMap<usize, Value>) -> Value {
    let mut all = Vec::new();
    for value in values.values() {
        match value {
            Value::Array(elements) => all.extend(elements.iter().cloned()),
            other => all.push(other.clone()),
        }
    }
    all.into()
}

fn text(
    values: &BTreeMap<usize, Value>,
    joiner: &Value,
    ctx: &NodeContext,
) -> Result<Value, NodeError> {
    if joiner.is_nullish() {
        return Err(type_error(joiner, "toString"));
    }
    if gaps(values) > MOST_GAPS {
        return Err(ctx.text("join.errors.gaps", &[]).into());
    }
    let joiner = joiner.to_text();
    let mut all = String::new();
    for (place, value) in each(values).enumerate() {
        if place > 0 {
            all.push_str(&joiner);
        }
        match value {
            Value::String(text) => all.push_str(text),
            Value::Undefined | Value::Null => {}
            other => all.push_str(&other.to_text()),
        }
    }
    Ok(all.into())
}

fn buffer(values: &BTreeMap<usize, Value>, joiner: &Value) -> Result<Value, NodeError> {
    let between = match joiner {
        Value::Undefined => Bytes::new(),
        joiner => bytes(joiner)?,
    };
    let mut all = BytesMut::new();
    for (place, value) in each(values).enumerate() {
        if place > 0 {
            all.extend_from_slice(&between);
        }
        if joiner.is_undefined() && !matches!(value, Value::Bytes(_)) {
            return Err(no_buffer(place, value));
        }
        all.extend_from_slice(&bytes(value)?);
    }
    Ok(all.freeze().into())
}

/// What Node.js says of a list of buffers in which something else stands.
fn no_buffer(place: usize, value: &Value) -> NodeError {
    wrong_type(
        &format!("The \"list[{place}]\" argument must be an instance of Buffer or Uint8Array."),
        value,
    )
}

/// An error of Node.js that names what was given instead.
fn wrong_type(wanted: &str, value: &Value) -> NodeError {
    let received = match value {
        Value::String(text) => {
            let shown: String = text.chars().take(25).collect();
            let more = if text.chars().count() > 28 { "..." } else { "" };
            let shown = if more.is_empty() { &**text } else { &shown };
            format!("type string ('{shown}{more}')")
        }
        Value::Array(_) => "an instance of Array".to_owned(),
        Value::Undefined | Value::Null => value.to_text(),
        Value::Object(_) => "an instance of Object".to_owned(),
        other => format!("type {} ({})", other.type_of(), other.to_text()),
    };
    ErrorValue {
        name: "TypeError".into(),
        message: format!("{wanted} Received {received}").into(),
        properties: [("code", "ERR_INVALID_ARG_TYPE".into())]
            .into_iter()
            .collect(),
        ..ErrorValue::default()
    }
    .into()
}

/// `Buffer.from(value)`
fn bytes(value: &Value) -> Result<Bytes, NodeError> {
    match value {
        Value::Bytes(bytes) => Ok(Bytes::clone(bytes)),
        Value::String(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Value::Array(values) => Ok(values.iter().map(Value::to_byte).collect()),
        other => Err(wrong_type(
            "The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.",
            other,
        )),
    }
}

/// What can't become a part of a buffer.
pub(super) fn invalid(value: &Value, ctx: &NodeContext) -> NodeError {
    ctx.text("join.errors.invalid-type", &[("error", value.type_of())])
        .into()
}

/// What JavaScript says when a property of nothing is read.
pub(super) fn type_error(value: &Value, property: &str) -> NodeError {
    ErrorValue {
        name: "TypeError".into(),
        message: format!(
            "Cannot read properties of {} (reading '{property}')",
            value.to_text()
        )
        .into(),
        ..ErrorValue::default()
    }
    .into()
}
