//! Property expressions: `payload.rooms[0]["set point"]`, `a[msg.topic].b` (Node-RED's `normalisePropertyExpression`).

mod parse;

use std::{borrow::Cow, sync::Arc};

use super::{ErrorValue, Key, MAX_DEPTH, Message, Object, Value, depth, number_text};
use parse::Parser;

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum PathPart {
    /// A name.
    Key(Arc<str>),
    /// A number, in brackets or after a dot.
    Index(usize),
    /// `[msg.…]`: the value that this path has in the message, and where in the text it begins.
    Reference(PropertyPath, usize),
}

/// A parsed property expression. At least one part.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyPath {
    parts: Vec<PathPart>,
}

/// Why a path can't be read, taken or written, in Node-RED's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is no expression, or a reference in it leads nowhere. The code of Node-RED's error is `INVALID_EXPR`.
    #[error("{0}")]
    Invalid(String),
    /// A step before the last is null or undefined: JavaScript's TypeError.
    #[error("{0}")]
    Nothing(String),
}

impl PathError {
    /// The error object that Node-RED throws.
    pub fn to_error(&self) -> ErrorValue {
        match self {
            Self::Invalid(text) => {
                ErrorValue::named("Error", text.as_str()).with_code("INVALID_EXPR")
            }
            Self::Nothing(text) => ErrorValue::named("TypeError", text.as_str()),
        }
    }

    /// The error object for a text that [`PathError`] has written, or another one.
    pub fn error_of(text: &str) -> ErrorValue {
        let error = ErrorValue::named("Error", text);
        match text.starts_with(INVALID) || text.starts_with(INVALID_REFERENCE) {
            true => error.with_code("INVALID_EXPR"),
            false => error,
        }
    }
}

impl From<PathError> for ErrorValue {
    fn from(error: PathError) -> Self {
        error.to_error()
    }
}

/// Paths with more parts are rare enough to look at what they put where.
const FEW_PARTS: usize = 16;
const INVALID: &str = "Invalid property expression: ";
const INVALID_REFERENCE: &str = "Invalid expression started at position ";

fn invalid<T>(text: impl std::fmt::Display) -> Result<T, PathError> {
    Err(PathError::Invalid(format!("{INVALID}{text}")))
}

/// What is wrong within the brackets that begin before `position`.
fn invalid_reference(position: usize) -> PathError {
    PathError::Invalid(format!("{INVALID_REFERENCE}{position}"))
}

impl PropertyPath {
    /// Parses an expression.
    ///
    /// # Errors
    /// Says which character is not expected and where.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Parser::parse(text)
    }

    /// As [`PropertyPath::parse`], for a property of a message: a leading `msg.` is dropped.
    ///
    /// # Errors
    /// As [`PropertyPath::parse`].
    pub fn parse_message(text: &str) -> Result<Self, PathError> {
        Self::parse(text.strip_prefix("msg.").unwrap_or(text))
    }

    /// Its parts.
    pub fn parts(&self) -> &[PathPart] {
        &self.parts
    }

    /// The parts, with references replaced by what they are in `message`.
    ///
    /// # Errors
    /// When a reference is undefined.
    pub fn parts_in(&self, message: &Object) -> Result<Cow<'_, [PathPart]>, PathError> {
        let is_reference = |part: &PathPart| matches!(part, PathPart::Reference(..));
        if !self.parts.iter().any(is_reference) {
            return Ok(Cow::Borrowed(&self.parts));
        }
        let resolved = self.parts.iter().map(|part| match part {
            PathPart::Reference(reference, position) => match reference
                .get(message, message)
                .map_err(|_| invalid_reference(*position))?
            {
                Value::Number(number) if number >= 0.0 && number.fract() == 0.0 => {
                    Ok(PathPart::Index(number as usize))
                }
                Value::Number(number) => Ok(PathPart::Key(number_text(number).into())),
                Value::Undefined => Err(invalid_reference(*position)),
                other => Ok(PathPart::Key(other.to_text().into())),
            },
            part => Ok(part.clone()),
        });
        Ok(Cow::Owned(resolved.collect::<Result<_, _>>()?))
    }

    /// The expression without its references: each is replaced by what it is in `message`.
    ///
    /// # Errors
    /// When a reference is undefined, or is a text that no expression can name.
    pub fn filled_in(&self, message: &Object) -> Result<String, PathError> {
        let mut text = String::new();
        for (index, part) in self.parts_in(message)?.iter().enumerate() {
            match part {
                PathPart::Index(number) => text.push_str(&format!("[{number}]")),
                PathPart::Key(key) if index == 0 => text.push_str(key),
                PathPart::Key(key) if !key.contains('"') => text.push_str(&format!("[\"{key}\"]")),
                PathPart::Key(key) if !key.contains('\'') => text.push_str(&format!("['{key}']")),
                _ => return invalid("a name in it holds both kinds of quotes"),
            }
        }
        Ok(text)
    }

    /// The value in `root`; references are looked up in `message`. Undefined if the last step is missing.
    ///
    /// # Errors
    /// When a step before the last is null or undefined (JavaScript's TypeError), or a reference is undefined.
    pub fn get(&self, root: &Object, message: &Object) -> Result<Value, PathError> {
        let parts = self.parts_in(message)?;
        let mut current = match parts.first() {
            Some(part) => property(root, part),
            None => return Ok(Value::Undefined),
        };
        for part in &parts[1..] {
            if current.is_nullish() {
                return Err(PathError::Nothing(format!(
                    "Cannot read properties of {} (reading '{}')",
                    current.to_text(),
                    part.name()
                )));
            }
            current = step(&current, part);
        }
        Ok(current)
    }

    /// Sets the value in `root`, making the containers on the way (an array where the next part is a number) unless `create`
    /// is false or the value is undefined; undefined deletes. Returns false when something on the way is no container.
    ///
    /// # Errors
    /// When a reference is undefined.
    pub fn set(
        &self,
        root: &mut Object,
        message: &Object,
        value: Value,
        create: bool,
    ) -> Result<bool, PathError> {
        let parts = self.parts_in(message)?;
        check_depth(&parts, &value)?;
        Ok(set_in(root, &parts, value, create))
    }

    /// As [`PropertyPath::set`] in a message, whose properties the references mean; undefined deletes (Node-RED's
    /// `setMessageProperty`).
    ///
    /// # Errors
    /// When a reference is undefined.
    pub fn set_in_message(&self, msg: &mut Message, value: Value) -> Result<bool, PathError> {
        let parts = self.parts_in(msg.fields())?;
        check_depth(&parts, &value)?;
        Ok(set_in(msg.fields_mut(), &parts, value, true))
    }

    /// Removes the property from `root` (from an array: the element goes and the later ones move up).
    ///
    /// # Errors
    /// When a reference is undefined.
    pub fn delete(&self, root: &mut Object, message: &Object) -> Result<bool, PathError> {
        self.set(root, message, Value::Undefined, false)
    }
}

impl PathPart {
    fn key(&self) -> Key {
        match self {
            Self::Key(key) => key.clone().into(),
            other => other.name().into(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Key(key) => key.to_string(),
            Self::Index(index) => index.to_string(),
            Self::Reference(..) => "msg".into(),
        }
    }
}

/// Refuses to put a value so deep that the whole is nested deeper than [`MAX_DEPTH`]. A few levels are left to those who
/// look at the whole message now and then: looking costs more than setting.
fn check_depth(parts: &[PathPart], value: &Value) -> Result<(), PathError> {
    if parts.len() > FEW_PARTS && depth::lies_below(value, MAX_DEPTH.saturating_sub(parts.len())) {
        return invalid(format!(
            "the value would be nested deeper than {MAX_DEPTH} levels"
        ));
    }
    Ok(())
}

fn property(object: &Object, part: &PathPart) -> Value {
    match part {
        PathPart::Key(key) => object.get(key),
        PathPart::Index(index) => object.get(&index.to_string()),
        PathPart::Reference(..) => None,
    }
    .cloned()
    .unwrap_or_default()
}

impl Value {
    /// The property `name`, as JavaScript reads it from any kind of value; none where there is none, or it is undefined.
    pub fn property(&self, name: &str) -> Option<Value> {
        match self {
            Self::Object(object) => object.get(name).cloned(),
            other => Some(step(other, &PathPart::Key(name.into()))),
        }
        .filter(|value| !value.is_undefined())
    }
}

/// The property of any value, as JavaScript reads it.
fn step(value: &Value, part: &PathPart) -> Value {
    let index = match part {
        PathPart::Index(index) => Some(*index),
        PathPart::Key(key) => key.parse().ok(),
        PathPart::Reference(..) => None,
    };
    let length = matches!(part, PathPart::Key(key) if &**key == "length");
    match value {
        Value::Object(object) => property(object, part),
        Value::Array(array) if length => array.len().into(),
        Value::Array(array) => index
            .and_then(|index| array.get(index))
            .cloned()
            .unwrap_or_default(),
        Value::Bytes(bytes) if length => bytes.len().into(),
        Value::Bytes(bytes) => index
            .and_then(|index| bytes.get(index))
            .map_or(Value::Undefined, |&byte| Value::Number(f64::from(byte))),
        Value::TypedArray(array) if length => array.length().map_or(Value::Undefined, Value::from),
        Value::TypedArray(array) => index
            .and_then(|index| array.element(index))
            .unwrap_or_default(),
        Value::String(text) if length => text.encode_utf16().count().into(),
        Value::String(text) => index
            .and_then(|index| text.chars().nth(index))
            .map_or(Value::Undefined, |c| c.to_string().into()),
        Value::Error(error) => match part {
            PathPart::Key(key) if &**key == "message" => error.message.clone().into(),
            PathPart::Key(key) if &**key == "name" => error.name.clone().into(),
            PathPart::Key(key) if &**key == "stack" => {
                error.stack.clone().map_or(Value::Undefined, Value::String)
            }
            part => property(&error.properties, part),
        },
        Value::Opaque(opaque) => opaque.0.get(&part.name()).unwrap_or_default(),
        _ => Value::Undefined,
    }
}

fn set_in(object: &mut Object, parts: &[PathPart], value: Value, create: bool) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    let name = first.key();
    if rest.is_empty() {
        if value.is_undefined() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
        return true;
    }
    if !object.contains_key(&name) {
        if !create || value.is_undefined() {
            return false;
        }
        object.insert(name.clone(), container_for(&rest[0]));
    }
    object
        .get_mut(&name)
        .is_some_and(|next| set_below(next, rest, value, create))
}

fn set_below(container: &mut Value, parts: &[PathPart], value: Value, create: bool) -> bool {
    match container {
        Value::Object(object) => set_in(object, parts, value, create),
        Value::Array(array) => {
            let Some((first, rest)) = parts.split_first() else {
                return false;
            };
            let Ok(index) = first.name().parse::<usize>() else {
                return below_other(rest, &value, create);
            };
            // An index far beyond the end would fill the memory with undefined.
            if index > array.len() + 65_536 {
                return false;
            }
            let array = Arc::make_mut(array);
            if rest.is_empty() && value.is_undefined() {
                if index < array.len() {
                    array.remove(index);
                }
                return true;
            }
            if array.get(index).is_none_or(Value::is_undefined)
                && !rest.is_empty()
                && (!create || value.is_undefined())
            {
                return false;
            }
            if index >= array.len() {
                array.resize(index + 1, Value::Undefined);
            }
            if rest.is_empty() {
                array[index] = value;
                return true;
            }
            if array[index].is_undefined() {
                array[index] = container_for(&rest[0]);
            }
            set_below(&mut array[index], rest, value, create)
        }
        Value::Bytes(bytes) => {
            if let [part] = parts {
                let at = part.name().parse().unwrap_or(usize::MAX);
                if at < bytes.len() && !value.is_undefined() {
                    let mut changed = bytes.to_vec();
                    changed[at] = value.to_byte();
                    *bytes = Arc::new(changed.into());
                }
            }
            below_other(&parts[1..], &value, create)
        }
        Value::Error(error) => set_in(&mut Arc::make_mut(error).properties, parts, value, create),
        Value::Date(_)
        | Value::Map(_)
        | Value::Set(_)
        | Value::Regexp(_)
        | Value::TypedArray(_) => below_other(&parts[1..], &value, create),
        _ => false,
    }
}

/// A property of an array, a Date or another object that is no plain one: JavaScript takes it, but nobody who reads the value
/// finds it. So nothing is set, and the answer is JavaScript's. `rest` is what follows the property.
fn below_other(rest: &[PathPart], value: &Value, create: bool) -> bool {
    rest.is_empty() || (create && !value.is_undefined())
}

fn container_for(part: &PathPart) -> Value {
    match part {
        PathPart::Index(_) => Value::from(Vec::new()),
        _ => Value::Object(Object::new()),
    }
}
