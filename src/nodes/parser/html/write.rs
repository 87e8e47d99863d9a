//! Parts of a page as text: as HTML (parse5's rules), or as XML (those of cheerio's `xml()`).

use std::fmt::Write;

use ego_tree::{NodeRef, iter::Edge};
use scraper::{ElementRef, Node};

use super::page::{Page, Part};

/// How a part is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    Html,
    Xml,
}

impl Page {
    /// What stands in an element.
    pub(super) fn content(&self, part: Part, form: Form) -> String {
        self.children(*part, form)
    }

    /// What stands in a node. No recursion: pages may be deep.
    pub(super) fn children(&self, node: NodeRef<Node>, form: Form) -> String {
        let mut out = String::new();
        for edge in node.traverse() {
            match edge {
                Edge::Open(inner) if inner.id() != node.id() => self.open(&mut out, inner, form),
                Edge::Close(inner) if inner.id() != node.id() => close(&mut out, inner, form),
                _ => {}
            }
        }
        out
    }

    fn open(&self, out: &mut String, node: NodeRef<Node>, form: Form) {
        match node.value() {
            Node::Text(text) => {
                let parent = node.parent().and_then(ElementRef::wrap);
                let is_raw = parent.is_some_and(|parent| is_raw(parent.value().name()));
                if form == Form::Html && is_raw {
                    out.push_str(text);
                } else {
                    escape(out, text, form, false);
                }
            }
            // Writing into a String cannot fail.
            Node::Comment(comment) => {
                let _ = write!(out, "<!--{}-->", &**comment);
            }
            Node::Element(element) => {
                let _ = write!(out, "<{}", element.name());
                if let Some(part) = ElementRef::wrap(node) {
                    for (name, value) in self.ordered(part) {
                        out.push(' ');
                        // Prefixes such as that of xlink:href are only known to HTML.
                        if let (Form::Html, Some(prefix)) = (form, &name.prefix) {
                            let _ = write!(out, "{prefix}:");
                        }
                        let _ = write!(out, "{}=\"", name.local);
                        escape(out, value, form, true);
                        out.push('"');
                    }
                }
                let closes = form == Form::Xml && !has_content(node);
                out.push_str(if closes { "/>" } else { ">" });
            }
            _ => {}
        }
    }
}

fn close(out: &mut String, node: NodeRef<Node>, form: Form) {
    if let Node::Element(element) = node.value() {
        let is_closed = match form {
            Form::Xml => !has_content(node),
            Form::Html => is_void(element.name()),
        };
        if !is_closed {
            // Writing into a String cannot fail.
            let _ = write!(out, "</{}>", element.name());
        }
    }
}

/// Whether anything stands in it; a template's content is a node between.
fn has_content(node: NodeRef<Node>) -> bool {
    node.children()
        .any(|child| !matches!(child.value(), Node::Fragment) || child.has_children())
}

/// Elements whose text is written as it is.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "style" | "script" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext" | "noscript"
    )
}

/// Elements without an end.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn escape(out: &mut String, text: &str, form: Form, is_attribute: bool) {
    for c in text.chars() {
        match (c, form) {
            ('&', _) => out.push_str("&amp;"),
            ('\u{a0}', Form::Html) => out.push_str("&nbsp;"),
            ('"', Form::Html) if is_attribute => out.push_str("&quot;"),
            ('<', Form::Html) if !is_attribute => out.push_str("&lt;"),
            ('>', Form::Html) if !is_attribute => out.push_str("&gt;"),
            ('<', Form::Xml) => out.push_str("&lt;"),
            ('>', Form::Xml) => out.push_str("&gt;"),
            ('"', Form::Xml) => out.push_str("&quot;"),
            ('\'', Form::Xml) => out.push_str("&apos;"),
            (c, Form::Xml) if u32::from(c) >= 0x80 => {
                // Writing into a String cannot fail.
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
            (c, _) => out.push(c),
        }
    }
}
