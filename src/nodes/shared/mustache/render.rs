//! From a template and a message to text.

use super::{Part, Template};
use crate::message::{Message, Value, number_text};

/// The longest text that a template may become.
const LONGEST: usize = 128 << 20;
/// Parts that one rendering may go through: lists within lists must not keep a flow for ever.
const MOST_PARTS: usize = 5_000_000;

/// What a template sees besides the message.
pub(in crate::nodes) trait View {
    /// The value of a name that the message does not have; undefined and null are written as nothing.
    ///
    /// # Errors
    /// Ends the rendering.
    fn outer(&self, name: &str) -> Result<Value, String>;

    /// What becomes of a text found in the message itself, before it is written.
    fn text(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }
}

/// Nothing but the message.
impl View for () {
    fn outer(&self, _name: &str) -> Result<Value, String> {
        Ok(Value::Undefined)
    }
}

impl Template {
    /// The text for a message.
    ///
    /// # Errors
    /// What `view` refuses, or a text that grows without end.
    pub(in crate::nodes) fn render(
        &self,
        msg: &Message,
        view: &dyn View,
    ) -> Result<String, String> {
        self.render_within(MOST_PARTS, msg, view)
    }

    pub(super) fn render_within(
        &self,
        most_parts: usize,
        msg: &Message,
        view: &dyn View,
    ) -> Result<String, String> {
        let mut renderer = Renderer {
            view,
            out: String::new(),
            parts_left: most_parts,
        };
        let root = msg.to_value();
        let scope = Scope {
            value: &root,
            outer: None,
        };
        renderer.render(&self.parts, &scope)?;
        Ok(renderer.out)
    }
}

/// The value that names are looked up in, and those around it.
struct Scope<'a> {
    value: &'a Value,
    outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// The value of a name here or further out.
    fn find(&self, name: &str) -> Option<Value> {
        if name == "." {
            return Some(self.value.clone());
        }
        let mut scope = Some(self);
        while let Some(here) = scope {
            let found = if name.find('.').is_some_and(|at| at > 0) {
                dotted(here.value, name)
            } else if is_primitive(here.value) {
                None
            } else {
                own(here.value, name)
            };
            if found.is_some() {
                return found;
            }
            scope = here.outer;
        }
        None
    }
}

/// Undefined where a property is there, and undefined: an outer one of this name is not looked for then.
fn own(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Object(object) => object.get(name).cloned(),
        other => other.property(name),
    }
}

fn dotted(value: &Value, name: &str) -> Option<Value> {
    let mut current = value.clone();
    let mut names = name.split('.').peekable();
    while let Some(name) = names.next() {
        let next = own(&current, name);
        if names.peek().is_none() {
            return next;
        }
        current = next.filter(|value| !value.is_nullish())?;
    }
    None
}

fn is_primitive(value: &Value) -> bool {
    !matches!(value.type_of(), "object" | "function") || *value == Value::Null
}

struct Renderer<'a> {
    view: &'a dyn View,
    out: String,
    parts_left: usize,
}

impl Renderer<'_> {
    fn render(&mut self, parts: &[Part], scope: &Scope) -> Result<(), String> {
        for part in parts {
            if self.parts_left == 0 || self.out.len() > LONGEST {
                return Err("The text that this template makes is too long".into());
            }
            self.parts_left -= 1;
            match part {
                Part::Text(text) => self.out.push_str(text),
                Part::Value { name, escaped } => {
                    let value = self.look_up(name, scope)?;
                    self.write(&value, *escaped);
                }
                Part::Section {
                    name,
                    inverted,
                    parts,
                } => {
                    let value = self.look_up(name, scope)?;
                    self.section(&value, *inverted, parts, scope)?;
                }
            }
        }
        Ok(())
    }

    fn section(
        &mut self,
        value: &Value,
        inverted: bool,
        parts: &[Part],
        scope: &Scope,
    ) -> Result<(), String> {
        let within = |value| Scope {
            value,
            outer: Some(scope),
        };
        let empty = value.as_array().is_some_and(<[Value]>::is_empty);
        if inverted == (value.is_truthy() && !empty) {
            return Ok(());
        }
        match value {
            Value::Array(list) if !inverted => list
                .iter()
                .try_for_each(|entry| self.render(parts, &within(entry))),
            Value::Bool(_) | Value::BigInt(_) => self.render(parts, scope),
            _ if inverted => self.render(parts, scope),
            value => self.render(parts, &within(value)),
        }
    }

    fn look_up(&self, name: &str, scope: &Scope) -> Result<Value, String> {
        match scope.find(name) {
            Some(Value::String(text)) if scope.outer.is_none() => Ok(self
                .view
                .text(&text)
                .map_or(Value::String(text), Value::from)),
            None | Some(Value::Undefined) => self.view.outer(name),
            Some(value) => Ok(value),
        }
    }

    fn write(&mut self, value: &Value, escaped: bool) {
        match value {
            Value::Undefined | Value::Null => {}
            Value::Number(number) => self.out.push_str(&number_text(*number)),
            Value::String(text) if escaped => escape(text, &mut self.out),
            Value::String(text) => self.out.push_str(text),
            other if escaped => escape(&other.to_text(), &mut self.out),
            other => self.out.push_str(&other.to_text()),
        }
    }
}

/// Writes a text for HTML, as mustache.js does.
fn escape(text: &str, out: &mut String) {
    out.reserve(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '/' => out.push_str("&#x2F;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            other => out.push(other),
        }
    }
}
