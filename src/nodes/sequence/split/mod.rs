//! `split`: makes a sequence of messages of one (Node-RED's split node).

mod pieces;
mod rules;
mod sequence;

use std::collections::VecDeque;

use serde::Deserialize;

use self::{
    pieces::{Cut, Piece, Pieces, Place, Source},
    rules::Rules,
    sequence::{Left, Sequence},
};
use crate::{
    engine::{AnyEvent, Build, Completion, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{ErrorValue, Message, Object, Value},
    nodes::shared::{
        outbox::{GoOn, IN_ONE_GO},
        parts::new_sequence,
        property::MessageProperty,
    },
};

/// Messages that may wait here for the end of a long sequence.
const MOST_WAITING: usize = 100_000;
/// Bytes of a text or buffer without a separator that are kept for the next message.
const MOST_LEFT: usize = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct SplitConfig {
    splt: String,
    splt_type: String,
    array_splt: Option<f64>,
    /// Only the editor needs it.
    #[serde(rename = "arraySpltType")]
    _array_splt_type: String,
    stream: bool,
    addname: String,
    property: String,
}

/// A running split node.
pub(in crate::nodes) struct Split {
    /// The rules, or what is wrong with the settings.
    rules: Result<Rules, String>,
    property: MessageProperty,
    property_name: String,
    name_goes_to: Option<MessageProperty>,
    /// Texts and buffers go on over messages.
    stream: bool,
    /// `parts.index` of the next piece of a text or buffer.
    index: usize,
    text_left: Left,
    bytes_left: Left,
    /// Messages of which a piece is still here.
    unfinished: Vec<Completion>,
    /// The sequence that is being sent, and the messages that came meanwhile.
    sequence: Option<Sequence>,
    waiting: VecDeque<Message>,
}

impl Split {
    /// Reads the settings. What is wrong with them is told at the start, and no message is handled.
    pub(in crate::nodes) fn new(config: SplitConfig, _build: &Build) -> Result<Self, ConfigError> {
        let property_name = match config.property {
            name if name.is_empty() => "payload".to_owned(),
            name => name,
        };
        Ok(Self {
            rules: Rules::read(&config.splt, &config.splt_type, config.array_splt),
            property: MessageProperty::new(property_name.clone()),
            property_name,
            name_goes_to: (!config.addname.is_empty())
                .then(|| MessageProperty::new(config.addname)),
            stream: config.stream,
            index: 0,
            text_left: Left::default(),
            bytes_left: Left::default(),
            unfinished: Vec::new(),
            sequence: None,
            waiting: VecDeque::new(),
        })
    }

    /// Looks at a message and makes it the sequence that is being sent, if it has something to split.
    fn begin(&mut self, mut msg: Message, ctx: &NodeContext) {
        let (value, array_length) = match (self.property.get(&msg), &self.rules) {
            (Ok(value), Ok(rules)) => (value, rules.array_length),
            // What is thrown is an error of the message, and the message is never done with.
            (Err(error), _) => return ctx.error(error, Some(&msg)),
            (_, Err(_)) => return,
        };
        if value.is_undefined() {
            return;
        }
        // Node-RED takes the id away, so that every piece gets one of its own.
        msg.remove("_msgid");
        let mut parts = new_sequence(&msg);
        if self.property_name != "payload" {
            parts.insert("property", self.property_name.as_str().into());
        }
        let pieces = match value {
            Value::Null => {
                msg.set("parts", parts);
                return ctx.error(no_object(), Some(&msg));
            }
            Value::String(text) => return self.cut(Source::text(text), msg, parts, ctx),
            Value::Bytes(bytes) => {
                return self.cut(
                    Source::new(std::sync::Arc::unwrap_or_clone(bytes), false),
                    msg,
                    parts,
                    ctx,
                );
            }
            Value::Array(values) => {
                let pieces = Pieces::Array {
                    values,
                    length: array_length,
                    at: 0,
                };
                parts.insert("type", "array".into());
                parts.insert("count", pieces.total().into());
                parts.insert("len", array_length.into());
                pieces
            }
            other if other.type_of() == "object" => {
                let object = match other {
                    Value::Object(object) => object,
                    Value::Error(error) => error.properties.clone(),
                    Value::TypedArray(array) => {
                        let numbered = array.elements().enumerate();
                        numbered
                            .map(|(at, element)| (at.to_string(), element))
                            .collect()
                    }
                    // Others, such as dates, have no properties of their own.
                    _ => Object::new(),
                };
                parts.insert("type", "object".into());
                Pieces::Object { object, at: 0 }
            }
            // Numbers, booleans and functions have no parts.
            _ => {
                msg.set("parts", parts);
                return ctx.completion(&msg).done();
            }
        };
        self.sequence = Some(Sequence::new(msg, parts, pieces));
    }

    /// Begins to cut a text or buffer, together with what is left of the one before.
    fn cut(&mut self, source: Source, msg: Message, mut parts: Object, ctx: &NodeContext) {
        let Ok(rules) = &self.rules else { return };
        let is_text = source.is_text();
        let (kind, cut, left) = if is_text {
            ("string", rules.text.clone(), &mut self.text_left)
        } else {
            ("buffer", rules.buffer.clone(), &mut self.bytes_left)
        };
        parts.insert("type", kind.into());
        let length = match cut {
            Cut::At(_) => None,
            Cut::After(length) => Some(length),
        };
        if is_text || length.is_none() {
            parts.insert("ch", rules.ch.clone());
        }
        if let Some(length) = length.filter(|_| is_text) {
            parts.insert("len", length.into());
        }
        let Some((source, clean)) = left.join(source, &cut) else {
            let sequence = Sequence::new(msg, parts, Pieces::none());
            return self.keep(&sequence, is_text, ctx);
        };
        let pieces = Pieces::cut(source, cut, clean);
        let mut count = (!self.stream).then(|| pieces.total());
        if !is_text || pieces.is_by_length() {
            if !self.stream {
                self.index = 0;
            }
            if let Some(count) = count.take() {
                parts.insert("count", count.into());
            }
        }
        if let Some(length) = length {
            parts.insert("len", length.into());
        }
        let mut sequence = Sequence::new(msg, parts, pieces);
        sequence.count = count;
        self.sequence = Some(sequence);
    }

    /// Sends what is to be sent, up to what goes in one go.
    fn go_on(&mut self, ctx: &NodeContext) {
        let mut left = IN_ONE_GO;
        loop {
            while let Some(mut sequence) = self.sequence.take() {
                if left == 0 {
                    self.sequence = Some(sequence);
                    return ctx.post(Box::new(GoOn));
                }
                left -= 1;
                match sequence.next_piece() {
                    // The end of an array or object; a text or buffer ends with its rest.
                    None => sequence.completion(ctx).done(),
                    Some(Piece {
                        value,
                        place: Place::Rest { empty, full },
                    }) => self.finish(sequence, value, empty, full, ctx),
                    Some(piece) => {
                        if self.send(&mut sequence, piece, ctx) {
                            self.sequence = Some(sequence);
                        }
                    }
                }
            }
            match self.waiting.pop_front() {
                Some(msg) => self.begin(msg, ctx),
                None => return,
            }
        }
    }

    /// Sends a piece; false when the message failed.
    fn send(&mut self, sequence: &mut Sequence, piece: Piece, ctx: &NodeContext) -> bool {
        let index = if sequence.is_cut() {
            self.index += 1;
            self.index - 1
        } else {
            sequence.sent
        };
        let names = self.name_goes_to.as_ref();
        if let Err(error) = sequence.fill(piece, index, &self.property, names) {
            ctx.error(error, Some(&sequence.message()));
            return false;
        }
        ctx.send(sequence.last.clone());
        true
    }

    /// The last piece of a text or buffer: sent, or kept for the next message.
    fn finish(
        &mut self,
        mut sequence: Sequence,
        value: Value,
        empty: bool,
        full: bool,
        ctx: &NodeContext,
    ) {
        let is_text = matches!(value, Value::String(_));
        let by_length = self.by_length();
        let at_once = is_text && !by_length;
        if sequence.sent > 0 && !at_once {
            self.finish_earlier();
        }
        let sends = match self.stream {
            true => by_length && full,
            // An empty end of a buffer is not sent, although it counts, as in Node-RED.
            false => by_length || is_text || !empty,
        };
        if sends {
            let piece = Piece {
                value,
                place: Place::Some,
            };
            if !self.send(&mut sequence, piece, ctx) {
                return;
            }
            if !at_once {
                self.finish_earlier();
            }
            if !by_length {
                // After the end of a buffer Node-RED counts one place more, and a text goes on from there.
                self.index = if is_text { 0 } else { self.index + 1 };
            }
            return sequence.completion(ctx).done();
        }
        if self.stream {
            self.left(is_text).set(&value);
            if by_length || !empty {
                return self.keep(&sequence, is_text, ctx);
            }
        }
        sequence.completion(ctx).done();
    }

    fn left(&mut self, is_text: bool) -> &mut Left {
        if is_text {
            &mut self.text_left
        } else {
            &mut self.bytes_left
        }
    }

    /// A piece of the message stays here until the next one: it is done with when that piece leaves. Node-RED does not
    /// wait so long for a text that is cut at a separator.
    fn keep(&mut self, sequence: &Sequence, is_text: bool, ctx: &NodeContext) {
        let left = self.left(is_text);
        if left.len() > MOST_LEFT {
            left.clear();
            return ctx.failed(ctx.text("split.errors.too-long", &[]), sequence.message());
        }
        let completion = sequence.completion(ctx);
        if is_text && !self.by_length() {
            completion.done();
        } else {
            self.unfinished.push(completion);
        }
    }

    fn finish_earlier(&mut self) {
        for completion in self.unfinished.drain(..) {
            completion.done();
        }
    }

    fn by_length(&self) -> bool {
        self.rules
            .as_ref()
            .is_ok_and(|rules| matches!(rules.text, Cut::After(_)))
    }
}

/// What JavaScript says of `Object.keys(null)`.
fn no_object() -> NodeError {
    ErrorValue {
        name: "TypeError".into(),
        message: "Cannot convert undefined or null to object".into(),
        ..ErrorValue::default()
    }
    .into()
}

impl Node for Split {
    fn on_start(&mut self, _ctx: &NodeContext) -> Result<(), NodeError> {
        match &self.rules {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("Invalid split property: {error}").into()),
        }
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.rules.is_err() {
            return Ok(());
        }
        if self.sequence.is_none() {
            self.begin(msg, ctx);
            self.go_on(ctx);
        } else if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(msg);
        } else {
            return Err(Failed::with(ctx.text("split.errors.too-many", &[]), msg));
        }
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if event.is::<GoOn>() {
            self.go_on(ctx);
        }
    }

    fn props(&self) -> Object {
        let mut props = Object::new();
        if let Ok(rules) = &self.rules {
            props.insert("splt", rules.shown.clone());
            props.insert("arraySplt", rules.array_length.into());
        }
        props.insert("property", self.property_name.as_str().into());
        if self.name_goes_to.is_none() {
            props.insert("addname", "".into());
        }
        props
    }
}
