//! A page as a tree. scraper keeps it, but not the order of attributes, which results show: that is noted beside it.

use std::{
    borrow::Cow,
    cell::{Ref, RefCell},
    collections::HashMap,
};

use html5ever::{
    Attribute, QualName,
    driver::{self, ParseOpts},
    local_name, ns,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use super::write::Form;
use crate::message::{Key, Value, trim};

/// An element of a page.
pub(super) type Part<'a> = ElementRef<'a>;

type NodeId = <HtmlTreeSink as TreeSink>::Handle;

/// The attributes of elements with several, in the text's order.
type Order = HashMap<NodeId, Vec<QualName>>;

/// A page, or a part of one.
pub(super) struct Page {
    pub(super) html: Html,
    order: Order,
}

impl Page {
    /// Reads a whole page.
    pub(super) fn document(text: &str) -> Self {
        let sink = Sink::new(Html::new_document());
        driver::parse_document(sink, ParseOpts::default()).one(text)
    }

    /// Reads a part of a page, as if it stood in a template.
    fn fragment(text: &str) -> Self {
        let sink = Sink::new(Html::new_fragment());
        let context = QualName::new(None, ns!(html), local_name!("template"));
        driver::parse_fragment(sink, ParseOpts::default(), context, Vec::new(), true).one(text)
    }

    /// The elements in the page's order.
    pub(super) fn elements(&self) -> impl Iterator<Item = Part<'_>> {
        self.html
            .tree
            .root()
            .descendants()
            .filter_map(ElementRef::wrap)
    }

    /// The attributes of an element, in the text's order.
    pub(super) fn attributes<'a>(
        &'a self,
        part: Part<'a>,
    ) -> impl Iterator<Item = (Key, Value)> + 'a {
        self.ordered(part)
            .into_iter()
            .map(|(name, value)| (Key::from(&*name.local), Value::from(value)))
    }

    pub(super) fn ordered<'a>(&self, part: Part<'a>) -> Vec<(&'a QualName, &'a str)> {
        let element = part.value();
        let known = element.attrs.iter().map(|(name, value)| (name, &**value));
        let mut attributes: Vec<(&QualName, &str)> = known.collect();
        if let Some(order) = self.order.get(&part.id()) {
            attributes.sort_by_key(|(name, _)| order.iter().position(|known| known == *name));
        }
        attributes
    }

    /// The content of an element, read again on its own and written as XML, as Node-RED does it.
    pub(super) fn content_as_xml(&self, part: Part) -> String {
        let content = self.content(part, Form::Html);
        let page = Self::fragment(trim(&content));
        match page.html.tree.root().first_child() {
            Some(root) => page.children(root, Form::Xml),
            None => String::new(),
        }
    }

    /// The text of an element, without that of scripts and styles.
    pub(super) fn text(&self, part: Part) -> String {
        let mut out = String::new();
        if is_code(&part) {
            return out;
        }
        let mut skipped = None;
        for edge in part.traverse() {
            match edge {
                ego_tree::iter::Edge::Open(node) if skipped.is_none() => match node.value() {
                    Node::Text(text) => out.push_str(text),
                    Node::Element(_)
                        if ElementRef::wrap(node).is_some_and(|part| is_code(&part)) =>
                    {
                        skipped = Some(node.id());
                    }
                    _ => {}
                },
                ego_tree::iter::Edge::Close(node) if skipped == Some(node.id()) => skipped = None,
                _ => {}
            }
        }
        out
    }
}

fn is_code(part: &Part) -> bool {
    matches!(part.value().name(), "script" | "style")
}

/// Hands everything on to scraper's own, and notes the order of attributes.
struct Sink {
    inner: HtmlTreeSink,
    order: RefCell<Order>,
}

impl Sink {
    fn new(html: Html) -> Self {
        Self {
            inner: HtmlTreeSink::new(html),
            order: RefCell::default(),
        }
    }

    fn note(&self, node: NodeId, attributes: &[QualName]) {
        if attributes.len() > 1 {
            self.order.borrow_mut().insert(node, attributes.to_vec());
        }
    }
}

fn names(attributes: &[Attribute]) -> Vec<QualName> {
    attributes
        .iter()
        .map(|attribute| attribute.name.clone())
        .collect()
}

impl TreeSink for Sink {
    type Handle = NodeId;
    type Output = Page;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Page {
        Page {
            html: self.inner.finish(),
            order: self.order.into_inner(),
        }
    }

    /// A page's mistakes are nobody's business here.
    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.inner.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Self::ElemName<'a> {
        self.inner.elem_name(target)
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> NodeId {
        let names = names(&attributes);
        let node = self.inner.create_element(name, attributes, flags);
        self.note(node, &names);
        node
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.inner.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.inner.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.inner.append(parent, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeId,
        previous: &NodeId,
        child: NodeOrText<NodeId>,
    ) {
        self.inner
            .append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.inner.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.inner.get_template_contents(target)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.inner.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.inner.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        let mut names = names(&attributes);
        let mut known = self.order.borrow().get(target).cloned().unwrap_or_default();
        names.retain(|name| !known.contains(name));
        known.append(&mut names);
        self.inner.add_attrs_if_missing(target, attributes);
        self.note(*target, &known);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.inner.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.inner.reparent_children(node, parent);
    }
}
