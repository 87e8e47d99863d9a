//! Property expressions: `payload.rooms[0]["set point"]`, `a[msg.topic].b` (Node-RED's `normalisePropertyExpression`).

use std::sync::Arc;

use super::{Object, Value, number_text};

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum PathPart {
    /// A name.
    Key(Arc<str>),
    /// A number, in brackets or after a dot.
    Index(usize),
    /// `[msg.…]`: the value that this path has in the message.
    Reference(PropertyPath),
}

/// A parsed property expression. At least one part.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyPath {
    parts: Vec<PathPart>,
}

/// Why a path can't be read, taken or written. The code of Node-RED's error is `INVALID_EXPR`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid property expression: {0}")]
pub struct PathError(pub String);

fn invalid<T>(text: impl Into<String>) -> Result<T, PathError> {
    Err(PathError(text.into()))
}

impl PropertyPath {
    /// Parses an expression.
    ///
    /// # Errors
    /// Says which character is not expected and where.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return invalid("zero-length");
        }
        let mut parser = Parser {
            text: &characters,
            at: 0,
        };
        let path = parser.path(0)?;
        if parser.at < characters.len() {
            return invalid(format!(
                "unexpected {} at position {}",
                characters[parser.at], parser.at
            ));
        }
        Ok(path)
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

    /// The path with its references replaced by what they are in `message`.
    fn resolved(&self, message: &Object) -> Result<Vec<PathPart>, PathError> {
        self.parts
            .iter()
            .map(|part| match part {
                PathPart::Reference(reference) => match reference.get(message, message)? {
                    Value::Number(number) if number >= 0.0 && number.fract() == 0.0 => {
                        Ok(PathPart::Index(number as usize))
                    }
                    Value::Number(number) => Ok(PathPart::Key(number_text(number).into())),
                    Value::Undefined | Value::Null => invalid("a reference in it is undefined"),
                    other => Ok(PathPart::Key(other.to_text().into())),
                },
                part => Ok(part.clone()),
            })
            .collect()
    }

    /// The expression without its references: each is replaced by what it is in `message`.
    ///
    /// # Errors
    /// When a reference is undefined, or is a text that no expression can name.
    pub fn filled_in(&self, message: &Object) -> Result<String, PathError> {
        let mut text = String::new();
        for (index, part) in self.resolved(message)?.iter().enumerate() {
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
        let owned;
        let parts = if self
            .parts
            .iter()
            .any(|part| matches!(part, PathPart::Reference(_)))
        {
            owned = self.resolved(message)?;
            &owned
        } else {
            &self.parts
        };
        let mut current = match parts.first() {
            Some(part) => property(root, part),
            None => return Ok(Value::Undefined),
        };
        for part in &parts[1..] {
            if current.is_nullish() {
                return Err(PathError(format!(
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
        let parts = self.resolved(message)?;
        Ok(set_in(root, &parts, value, create))
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
    fn name(&self) -> String {
        match self {
            Self::Key(key) => key.to_string(),
            Self::Index(index) => index.to_string(),
            Self::Reference(_) => "msg".into(),
        }
    }
}

fn property(object: &Object, part: &PathPart) -> Value {
    match part {
        PathPart::Key(key) => object.get(key),
        PathPart::Index(index) => object.get(&index.to_string()),
        PathPart::Reference(_) => None,
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
        PathPart::Reference(_) => None,
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
    let name = first.name();
    if rest.is_empty() {
        if value.is_undefined() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
        return true;
    }
    if object.get(&name).is_none_or(Value::is_undefined) {
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
                return false;
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
        _ => false,
    }
}

fn container_for(part: &PathPart) -> Value {
    match part {
        PathPart::Index(_) => Value::from(Vec::new()),
        _ => Value::Object(Object::new()),
    }
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Parses up to the end, or, within brackets, up to the `]` that closes them.
    fn path(&mut self, depth: usize) -> Result<PropertyPath, PathError> {
        if depth > 32 {
            return invalid("too many references within references");
        }
        let mut parts = vec![PathPart::Key(self.identifier()?)];
        loop {
            match self.peek() {
                Some('.') => {
                    self.at += 1;
                    let name = self.identifier()?;
                    parts.push(name.parse().map_or(PathPart::Key(name), PathPart::Index));
                }
                Some('[') => {
                    self.at += 1;
                    parts.push(self.bracket(depth)?);
                    if self.peek() != Some(']') {
                        return self.unexpected();
                    }
                    self.at += 1;
                    if !matches!(self.peek(), None | Some('.' | '[' | ']')) {
                        return self.unexpected();
                    }
                }
                None => return Ok(PropertyPath { parts }),
                Some(']') if depth > 0 => return Ok(PropertyPath { parts }),
                Some(_) => return self.unexpected(),
            }
        }
    }

    fn bracket(&mut self, depth: usize) -> Result<PathPart, PathError> {
        match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let from = self.at;
                while self.peek().is_some_and(|c| c != quote) {
                    self.at += 1;
                }
                if self.peek().is_none() {
                    return invalid("unterminated string");
                }
                let name: String = self.text[from..self.at].iter().collect();
                self.at += 1;
                if name.is_empty() {
                    return invalid("empty string in brackets");
                }
                Ok(PathPart::Key(name.into()))
            }
            Some(digit) if digit.is_ascii_digit() => {
                let from = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                let digits: String = self.text[from..self.at].iter().collect();
                digits
                    .parse()
                    .map(PathPart::Index)
                    .or_else(|_| invalid("the index is too large"))
            }
            Some('m') if self.text[self.at..].starts_with(&['m', 's', 'g']) => {
                self.at += 3;
                match self.peek() {
                    Some('.') => self.at += 1,
                    Some('[') => {}
                    _ => return self.unexpected(),
                }
                if self.peek() == Some('[') {
                    self.at += 1;
                    let first = self.bracket(depth + 1)?;
                    if self.peek() != Some(']') {
                        return self.unexpected();
                    }
                    self.at += 1;
                    let mut parts = vec![first];
                    if let Some('.') = self.peek() {
                        self.at += 1;
                        parts.extend(self.path(depth + 1)?.parts);
                    }
                    return Ok(PathPart::Reference(PropertyPath { parts }));
                }
                Ok(PathPart::Reference(self.path(depth + 1)?))
            }
            _ => self.unexpected(),
        }
    }

    fn identifier(&mut self) -> Result<Arc<str>, PathError> {
        match self.peek() {
            Some(first) if first.is_alphanumeric() || first == '$' || first == '_' => {}
            _ => return self.unexpected(),
        }
        let from = self.at;
        while let Some(next) = self.peek() {
            match next {
                '.' | '[' | ']' => break,
                ' ' | '\t' | '\n' | '\r' | '"' | '\'' => return self.unexpected(),
                _ => self.at += 1,
            }
        }
        Ok(self.text[from..self.at].iter().collect::<String>().into())
    }

    fn unexpected<T>(&self) -> Result<T, PathError> {
        match self.peek() {
            Some(c) => invalid(format!("unexpected {c} at position {}", self.at)),
            None => invalid("unterminated expression"),
        }
    }
}
