//! Mustache templates as mustache.js reads them, which Node-RED uses. A template is read once and rendered often.
//!
//! None of the crates for it looks names up while it renders, so that flow and environment values can be asked for, and
//! follows mustache.js where it differs from the specification (`{{a.b}}` of a text, what is escaped).
//! Partials are empty, as they are in Node-RED, and there are no functions in messages.

mod parse;
mod render;

pub(in crate::nodes) use render::View;

/// A template, ready to be rendered.
#[derive(Debug)]
pub(in crate::nodes) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Value {
        name: String,
        /// Written for HTML, as `{{name}}` is; `{{{name}}}` and `{{&name}}` are not.
        escaped: bool,
    },
    Section {
        name: String,
        /// `{{^name}}`: there when the value is not.
        inverted: bool,
        parts: Vec<Part>,
    },
}

/// Whether JavaScript's `\s` takes the character.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests;
