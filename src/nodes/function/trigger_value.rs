//! What a trigger node sends: a value that it works out, or the payload that came.

use crate::{
    engine::{NodeContext, NodeError},
    message::{ErrorValue, Kind, Message, TypedInput, Value},
    nodes::shared::mustache::Template,
};

/// One of the two things that a trigger node sends.
pub(super) enum Sends {
    Nothing,
    /// The payload as it came.
    Payload,
    /// Second only: the message that came last.
    Latest,
    /// A text with values of the message in it.
    Template(Result<Template, NodeError>),
    /// What is wrong with it is told when a message comes.
    Input(Result<TypedInput, NodeError>),
}

/// A text and its type as the node's settings hold them, after Node-RED's rules for old and missing ones.
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) kind: String,
}

impl Setting {
    /// `default` stands for a text that is missing or empty.
    pub(super) fn read(text: &str, kind: &str, default: &str) -> Self {
        let text = if text.is_empty() { default } else { text };
        let setting = |value: Value, kind: &str| Self {
            value,
            kind: kind.to_owned(),
        };
        match kind {
            "" => setting(text.into(), "str"),
            // The time itself: the default text is no format.
            "date" if text == default => setting("".into(), kind),
            "val" => match text {
                "true" | "false" => setting(text.into(), "bool"),
                "null" => setting(Value::Null, "null"),
                _ => setting(text.into(), "str"),
            },
            "num" => match Value::from(text).to_number() {
                number if number.is_nan() => setting(text.into(), kind),
                number => setting(number.into(), kind),
            },
            _ => setting(text.into(), kind),
        }
    }

    /// What is sent, as the first or the second.
    pub(super) fn sends(&self, second: bool) -> Sends {
        let text = self.value.as_str().unwrap_or_default();
        match self.kind.as_str() {
            "nul" => Sends::Nothing,
            "pay" => Sends::Payload,
            "payl" if second => Sends::Latest,
            "str" if text.contains("{{") => Sends::Template(Template::parse(text).map_err(error)),
            _ if self.value.as_str().is_none() => {
                Sends::Input(Ok(TypedInput::Constant(self.value.clone())))
            }
            kind => {
                let input = TypedInput::parse(text, Kind::from_name(kind));
                Sends::Input(input.map_err(NodeError::from))
            }
        }
    }
}

impl Sends {
    /// The payload for a message; none where the message keeps its own, or nothing is sent.
    ///
    /// # Errors
    /// An error object, as JavaScript throws it, when it can't be worked out.
    pub(super) fn payload(
        &self,
        msg: &Message,
        ctx: &NodeContext,
    ) -> Result<Option<Value>, NodeError> {
        match self {
            Self::Nothing | Self::Payload | Self::Latest => Ok(None),
            Self::Template(template) => {
                let template = template.as_ref().map_err(Clone::clone)?;
                let text = template.render(msg, &()).map_err(error)?;
                Ok(Some(text.into()))
            }
            Self::Input(input) => ctx
                .evaluate(input.as_ref().map_err(Clone::clone)?, msg)
                .map(Some)
                .map_err(NodeError::from),
        }
    }

    /// Whether it is worked out when it is sent, not when the wait begins.
    pub(super) fn is_worked_out_late(&self) -> bool {
        matches!(
            self,
            Self::Input(Ok(TypedInput::Flow(_)
                | TypedInput::Global(_)
                | TypedInput::Date(_)))
        )
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether it is the time.
    pub(super) fn is_time(&self) -> bool {
        matches!(self, Self::Input(Ok(TypedInput::Date(_))))
    }
}

fn error(message: String) -> NodeError {
    ErrorValue::named("Error", message).into()
}
