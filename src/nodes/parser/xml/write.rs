//! Elements as text, laid out as xmlbuilder does it.

use super::options::{Layout, Options};

/// An element to write.
pub(super) struct Element {
    pub(super) name: String,
    /// Values are escaped.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Child>,
}

/// What stands in an element.
pub(super) enum Child {
    Element(Element),
    /// Escaped text.
    Text(String),
    /// As it is.
    Raw(String),
}

impl Child {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Raw(text) => Some(text),
            Self::Element(_) => None,
        }
    }
}

/// The whole document.
pub(super) fn document(root: &Element, options: &Options) -> String {
    let mut writer = Writer {
        out: String::new(),
        layout: &options.layout,
        plain: 0,
    };
    if !options.headless {
        writer.head(root, options);
    }
    writer.element(root, 0);
    let mut out = writer.out;
    if options.layout.pretty && out.ends_with(&options.layout.newline) {
        out.truncate(out.len() - options.layout.newline.len());
    }
    out
}

struct Writer<'a> {
    out: String,
    layout: &'a Layout,
    /// How many elements around say that their content is to stay on one line.
    plain: usize,
}

impl Writer<'_> {
    fn head(&mut self, root: &Element, options: &Options) {
        let declaration = &options.declaration;
        self.indent(0);
        self.out
            .push_str(&format!("<?xml version=\"{}\"", declaration.version));
        if let Some(encoding) = &declaration.encoding {
            self.out.push_str(&format!(" encoding=\"{encoding}\""));
        }
        if let Some(standalone) = declaration.standalone {
            let word = if standalone { "yes" } else { "no" };
            self.out.push_str(&format!(" standalone=\"{word}\""));
        }
        self.out.push_str(&self.layout.before_slash);
        self.out.push_str("?>");
        self.end_line();
        if let Some((public, system)) = &options.doctype {
            let ids = match public {
                Some(public) => format!("PUBLIC \"{public}\" \"{system}\""),
                None => format!("SYSTEM \"{system}\""),
            };
            self.indent(0);
            let slash = &self.layout.before_slash;
            self.out
                .push_str(&format!("<!DOCTYPE {} {ids}{slash}>", root.name));
            self.end_line();
        }
    }

    fn is_pretty(&self) -> bool {
        self.layout.pretty && self.plain == 0
    }

    fn indent(&mut self, level: usize) {
        if self.is_pretty() {
            for _ in 0..level + self.layout.offset {
                self.out.push_str(&self.layout.indent);
            }
        }
    }

    fn end_line(&mut self) {
        if self.is_pretty() {
            self.out.push_str(&self.layout.newline);
        }
    }

    fn element(&mut self, element: &Element, level: usize) {
        self.indent(level);
        self.out.push('<');
        self.out.push_str(&element.name);
        for (name, value) in &element.attributes {
            self.out.push_str(&format!(" {name}=\"{value}\""));
        }
        let is_empty = element
            .children
            .iter()
            .all(|child| child.text() == Some(""));
        if is_empty && !self.layout.allow_empty {
            self.out.push_str(&self.layout.before_slash);
            self.out.push_str("/>");
            self.end_line();
            return;
        }
        self.out.push('>');
        if !is_empty {
            self.content(element, level);
        }
        self.out.push_str("</");
        self.out.push_str(&element.name);
        self.out.push('>');
        self.end_line();
    }

    fn content(&mut self, element: &Element, level: usize) {
        if let [child] = element.children.as_slice()
            && let Some(text) = child.text()
            && self.layout.pretty
        {
            self.out.push_str(text);
            return;
        }
        let has_text = element.children.iter().any(|child| child.text().is_some());
        let stays_plain = self.layout.plain_text_nodes && has_text;
        self.plain += usize::from(stays_plain);
        self.end_line();
        for child in &element.children {
            match child {
                Child::Element(child) => self.element(child, level + 1),
                Child::Text(text) | Child::Raw(text) => {
                    self.indent(level + 1);
                    self.out.push_str(text);
                    self.end_line();
                }
            }
        }
        self.indent(level);
        self.plain -= usize::from(stays_plain);
    }
}
