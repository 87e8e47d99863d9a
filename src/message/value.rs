//! The values of a message: JSON's, and those JavaScript has besides.

use std::{any::Any, borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;

use super::{Object, TypedArray};

/// A JavaScript value as flows know it. Cloning is cheap at every kind.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    String(Arc<str>),
    /// A Node.js Buffer. Behind a pointer, because it alone would make every value larger.
    Bytes(Arc<Bytes>),
    /// Milliseconds since 1970; NaN is an invalid date.
    Date(f64),
    /// Its decimal digits.
    BigInt(Arc<str>),
    Regexp(Arc<Regexp>),
    Error(Arc<ErrorValue>),
    Map(Arc<Vec<(Value, Value)>>),
    Set(Arc<Vec<Value>>),
    TypedArray(Arc<TypedArray>),
    Array(Arc<Vec<Value>>),
    Object(Object),
    /// The container that stands this many levels above (0 is the one that holds this value): how a cyclic value is written.
    Ancestor(u32),
    Opaque(Opaque),
}

// Values make up most of the memory of a message. A kind that needs more stands behind a pointer.
const _: () = assert!(size_of::<Value>() <= 24);

/// A regular expression: source and flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regexp {
    pub source: Arc<str>,
    pub flags: Arc<str>,
}

/// An Error object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorValue {
    pub name: Arc<str>,
    pub message: Arc<str>,
    pub stack: Option<Arc<str>>,
    /// Own properties besides those, such as `code`.
    pub properties: Object,
}

impl ErrorValue {
    /// An error of a class of JavaScript's, such as `TypeError`.
    pub fn named(name: &str, message: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// With a code, which programs look at.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        self.properties.insert("code", code.into());
        self
    }

    /// `String(error)` of JavaScript: `Name: message`.
    pub fn text(&self) -> String {
        match (self.name.is_empty(), self.message.is_empty()) {
            (true, _) => self.message.to_string(),
            (_, true) => self.name.to_string(),
            _ => format!("{}: {}", self.name, self.message),
        }
    }
}

impl fmt::Display for ErrorValue {
    /// As [`ErrorValue::text`].
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text())
    }
}

/// Something that can be handed on but not copied or read as JSON: `msg.req`, a script's function.
pub trait OpaqueValue: Send + Sync + fmt::Debug + 'static {
    /// Its class, such as `IncomingMessage` or `function`.
    fn type_name(&self) -> &str;
    /// The value of a property, where it has any.
    fn get(&self, key: &str) -> Option<Value>;
    /// For those who know what it is.
    fn as_any(&self) -> &dyn Any;
}

/// A shared [`OpaqueValue`].
#[derive(Clone, Debug)]
pub struct Opaque(pub Arc<dyn OpaqueValue>);

impl Value {
    /// What JavaScript's `typeof` says.
    pub fn type_of(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::BigInt(_) => "bigint",
            Self::Opaque(opaque) if opaque.0.type_name() == "function" => "function",
            _ => "object",
        }
    }

    /// Its text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Its number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Its properties, if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Its elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// Whether it is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    /// Whether it is null or undefined.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// Whether JavaScript takes it for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(bool) => *bool,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::BigInt(digits) => &**digits != "0",
            _ => true,
        }
    }

    /// As [`Value::to_text`], without a copy of what is text already.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
            other => Cow::Owned(other.to_text()),
        }
    }

    /// The text of `String(value)` in JavaScript.
    pub fn to_text(&self) -> String {
        match self {
            Self::Undefined => "undefined".into(),
            Self::Null => "null".into(),
            Self::Bool(bool) => bool.to_string(),
            Self::Number(number) => super::number_text(*number),
            Self::String(text) | Self::BigInt(text) => text.to_string(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Date(time) => super::date::long_text(*time),
            Self::Regexp(regexp) => format!("/{}/{}", regexp.source, regexp.flags),
            Self::Error(error) => error.text(),
            Self::Array(array) => array
                .iter()
                .map(|value| {
                    if value.is_nullish() {
                        String::new()
                    } else {
                        value.to_text()
                    }
                })
                .collect::<Vec<_>>()
                .join(","),
            Self::Map(_) => "[object Map]".into(),
            Self::Set(_) => "[object Set]".into(),
            Self::TypedArray(array) => array.text(),
            Self::Object(_) | Self::Ancestor(_) | Self::Opaque(_) => "[object Object]".into(),
        }
    }

    /// The number of `Number(value)` in JavaScript, for the kinds that flows compare.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(bool) => f64::from(u8::from(*bool)),
            Self::Number(number) | Self::Date(number) => *number,
            Self::String(text) => super::parse_number(text),
            Self::BigInt(digits) => super::parse_number(digits),
            Self::Array(array) if array.is_empty() => 0.0,
            Self::Array(array) if array.len() == 1 => super::parse_number(&self.to_text()),
            Self::Bytes(bytes) => super::parse_number(&String::from_utf8_lossy(bytes)),
            Self::TypedArray(array) => super::parse_number(&array.text()),
            _ => f64::NAN,
        }
    }
}

impl Value {
    /// As JavaScript puts a value into a Buffer: a number modulo 256, what is none as 0.
    pub fn to_byte(&self) -> u8 {
        let number = self.to_number();
        if number.is_finite() {
            (number.trunc() % 256.0) as i32 as u8
        } else {
            0
        }
    }
}

impl PartialEq for Value {
    /// Deep equality; NaN equals NaN, so that a value equals its copy.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) | (Self::Date(a), Self::Date(b)) => {
                a == b || (a.is_nan() && b.is_nan())
            }
            (Self::String(a), Self::String(b)) | (Self::BigInt(a), Self::BigInt(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Regexp(a), Self::Regexp(b)) => a == b,
            (Self::Error(a), Self::Error(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Set(a), Self::Set(b)) | (Self::Array(a), Self::Array(b)) => {
                Arc::ptr_eq(a, b) || a == b
            }
            (Self::TypedArray(a), Self::TypedArray(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Ancestor(a), Self::Ancestor(b)) => a == b,
            (Self::Opaque(a), Self::Opaque(b)) => Arc::ptr_eq(&a.0, &b.0),
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(f64::from(number))
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}
impl From<usize> for Value {
    /// Counts and lengths; beyond 2^53 the nearest double, as in JavaScript.
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}
impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}
impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(Arc::new(bytes))
    }
}
impl From<Vec<Value>> for Value {
    fn from(array: Vec<Value>) -> Self {
        Self::Array(Arc::new(array))
    }
}
impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
impl From<ErrorValue> for Value {
    fn from(error: ErrorValue) -> Self {
        Self::Error(Arc::new(error))
    }
}
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(bool) => Self::Bool(bool),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Array(array) => {
                array.into_iter().map(Self::from).collect::<Vec<_>>().into()
            }
            serde_json::Value::Object(object) => {
                Self::Object(object.into_iter().map(|(k, v)| (k, v.into())).collect())
            }
        }
    }
}
