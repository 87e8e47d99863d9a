//! The rules of a switch node: read once, then asked for each message.

use serde::Deserialize;

use super::{switch::invalid_expression, switch_tests::Test};
use crate::{
    engine::{NodeContext, NodeError},
    message::{Kind, Message, Object, TypedInput, Value, parse_number},
};

/// A rule as it stands in the flow file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleConfig {
    t: Option<String>,
    v: Option<String>,
    vt: Option<String>,
    v2: Option<String>,
    v2t: Option<String>,
    case: Option<bool>,
}

/// A value that a rule compares with, or the property itself.
pub(super) enum Operand {
    Fixed(Value),
    /// The property of the message before.
    Previous,
    Read(TypedInput),
}

/// What a rule may look at.
pub(super) struct View<'a> {
    pub(super) msg: &'a Message,
    pub(super) ctx: &'a NodeContext,
    pub(super) previous: Option<&'a Value>,
}

/// One rule and its two values.
pub(super) struct Rule {
    test: Test,
    first: Operand,
    second: Operand,
}

impl RuleConfig {
    /// The type of a value: as given, else a number where it can be read as one.
    fn kind<'a>(value: Option<&str>, kind: Option<&'a str>) -> &'a str {
        match kind.filter(|kind| !kind.is_empty()) {
            Some(kind) => kind,
            None if value.is_some_and(|value| !parse_number(value).is_nan()) => "num",
            None => "str",
        }
    }

    fn first_kind(&self) -> &str {
        Self::kind(self.v.as_deref(), self.vt.as_deref())
    }

    fn second_kind(&self) -> &str {
        Self::kind(self.v2.as_deref(), self.v2t.as_deref())
    }

    /// The rule as the node holds it: with its types, numbers as numbers.
    pub(super) fn shown(&self) -> Object {
        let mut shown = Object::new();
        let mut show = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown.insert(key, value);
            }
        };
        let number = |text: &str| Value::Number(parse_number(text));
        show("t", self.t.as_deref().map(Value::from));
        show(
            "v",
            self.v.as_deref().map(|text| match self.first_kind() {
                "num" if !parse_number(text).is_nan() => number(text),
                _ => text.into(),
            }),
        );
        show("vt", Some(self.first_kind().into()));
        if let Some(text) = self.v2.as_deref() {
            let is_number = self.second_kind() == "num";
            show(
                "v2",
                Some(if is_number { number(text) } else { text.into() }),
            );
            show("v2t", Some(self.second_kind().into()));
        } else {
            show("v2t", self.v2t.as_deref().map(Value::from));
        }
        show("case", self.case.map(Value::Bool));
        shown
    }
}

impl Operand {
    /// The property that the rules are about.
    pub(super) fn property(text: &str, kind: &str) -> Self {
        Self::typed(Some(text), if kind.is_empty() { "msg" } else { kind })
    }

    /// The first value of a rule.
    fn first(rule: &RuleConfig) -> Self {
        match rule.first_kind() {
            // The names of types, for "is of type".
            name @ ("json" | "null") => Self::Fixed(name.into()),
            kind => Self::typed(rule.v.as_deref(), kind),
        }
    }

    fn second(rule: &RuleConfig) -> Self {
        match (&rule.v2, rule.second_kind()) {
            (_, "prev") => Self::Previous,
            (None, _) => Self::Fixed(Value::Undefined),
            (text, kind) => Self::typed(text.as_deref(), kind),
        }
    }

    /// What can't be read is undefined, as in Node-RED. A missing text is JavaScript's "undefined".
    fn typed(text: Option<&str>, kind: &str) -> Self {
        if kind == "prev" {
            return Self::Previous;
        }
        let kind = Kind::from_name(kind);
        if text.is_none()
            && matches!(
                kind,
                Kind::Message | Kind::Flow | Kind::Global | Kind::Other
            )
        {
            return Self::Fixed(Value::Undefined);
        }
        match TypedInput::parse(text.unwrap_or("undefined"), kind) {
            Ok(TypedInput::Constant(value)) => Self::Fixed(value),
            Ok(input) => Self::Read(input),
            Err(_) => Self::Fixed(Value::Undefined),
        }
    }

    /// The value for a message.
    ///
    /// # Errors
    /// What is wrong with an expression. Anything else that can't be read is undefined.
    pub(super) fn read(&self, view: &View) -> Result<Value, String> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Previous => Ok(view.previous.cloned().unwrap_or_default()),
            Self::Read(TypedInput::Jsonata(source)) => {
                Ok(view.ctx.evaluate_for(source, view.msg, &[])?)
            }
            Self::Read(input) => Ok(view.ctx.evaluate(input, view.msg).unwrap_or_default()),
        }
    }

    /// A value as the next message will find it. A container out of a message is another one then, even if it holds the
    /// same; out of the context it may be the very same.
    pub(super) fn remembered(&self, value: Value) -> Value {
        let is_kept = matches!(
            self,
            Self::Read(TypedInput::Flow(_) | TypedInput::Global(_))
        );
        match value {
            Value::Object(object) if !is_kept => {
                let copy: Object = object
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                copy.into()
            }
            Value::Array(array) if !is_kept => array.to_vec().into(),
            other => other,
        }
    }
}

impl Rule {
    pub(super) fn new(config: &RuleConfig) -> Self {
        let first = Operand::first(config);
        let fixed = match &first {
            Operand::Fixed(value) => Some(value),
            _ => None,
        };
        Self {
            test: Test::new(
                config.t.as_deref().unwrap_or_default(),
                fixed,
                config.case == Some(true),
            ),
            second: Operand::second(config),
            first,
        }
    }

    pub(super) fn is_else(&self) -> bool {
        matches!(self.test, Test::Else)
    }

    /// Whether it needs to know how long the message's sequence is.
    pub(super) fn needs_count(&self) -> bool {
        matches!(self.test, Test::Tail)
    }

    pub(super) fn asks_previous(&self) -> bool {
        self.operands()
            .iter()
            .any(|operand| matches!(operand, Operand::Previous))
    }

    pub(super) fn operands(&self) -> [&Operand; 2] {
        [&self.first, &self.second]
    }

    /// Whether a message meets it.
    ///
    /// # Errors
    /// An expression or regular expression that can't be evaluated, or a sequence rule for a message without parts.
    pub(super) fn matches(&mut self, property: &Value, view: &View) -> Result<bool, NodeError> {
        let told = |error: String| NodeError::from(invalid_expression(&error, view.ctx));
        // A fixed value is borrowed: reading it costs nothing.
        let (first_read, second_read);
        let first = match &self.first {
            Operand::Fixed(value) => value,
            Operand::Read(TypedInput::Jsonata(expression))
                if matches!(self.test, Test::Expression) =>
            {
                let bindings = sequence_bindings(view.msg);
                let bindings = bindings.as_ref().map_or(&[][..], |bindings| bindings);
                let value = view.ctx.evaluate_for(expression, view.msg, bindings);
                first_read = value.map_err(|error| told(error.to_string()))?;
                &first_read
            }
            other => {
                first_read = other.read(view).map_err(told)?;
                &first_read
            }
        };
        let second = match &self.second {
            Operand::Fixed(value) => value,
            other => {
                second_read = other.read(view).map_err(told)?;
                &second_read
            }
        };
        self.test.holds(property, first, second, view)
    }
}

/// `$I` and `$N`: the place of the message in its sequence, and the length of that.
fn sequence_bindings(msg: &Message) -> Option<[(&'static str, Value); 2]> {
    let parts = msg.get("parts").as_object()?;
    if !parts.contains_key("id") {
        return None;
    }
    let index = parts.get("index")?.clone();
    let count = parts.get("count").cloned().unwrap_or_default();
    Some([("I", index), ("N", count)])
}
