//! From YAML text to a value.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{
    error,
    scalar::{self, Plain},
};
use crate::message::{Key, Keys, Object, Value};

/// js-yaml's limit, and the sentence for what exceeds it.
const MAX_DEPTH: usize = 100;
pub(super) const TOO_DEEP: &str = "nesting exceeded maxDepth (100)";
/// Values that aliases may add in all; each use of an alias counts with everything in it. A text of some lines can ask
/// for billions ("billion laughs"), and whoever walks the value would visit them all.
const MAX_ALIASED: usize = 1_000_000;
/// js-yaml's limit of keys that `<<` may copy.
const MAX_MERGED: usize = 10_000;
const MAX_MERGE_SEQUENCE: usize = 100;

/// Reads one YAML document. A text of blanks and at most one line break is undefined.
///
/// # Errors
/// js-yaml's sentence with the place of the mistake.
pub(in crate::nodes) fn parse(text: &str) -> Result<Value, String> {
    error::unindented_block(text)?;
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    if matches!(content.trim_start_matches(' '), "" | "\n" | "\r") {
        return Ok(Value::Undefined);
    }
    let options = granit_parser::options! {
        simple_key_max_lookahead: 64 * 1024,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str_with_options(text, options),
        keys: Keys::default(),
        anchors: HashMap::new(),
        open: Vec::new(),
        aliased: 0,
        merged: 0,
    };
    reader.stream()
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    keys: Keys,
    anchors: HashMap<usize, Anchored>,
    /// The containers around what is being read, outermost first: the anchor of each.
    open: Vec<usize>,
    aliased: usize,
    merged: usize,
}

/// What an anchor names.
#[derive(Clone)]
struct Anchored {
    value: Value,
    size: usize,
    /// It holds a reference to a container around it, so it means something else elsewhere.
    bound: bool,
}

/// A node that was read.
struct Node {
    value: Value,
    /// How many values it is made of.
    size: usize,
    merge: bool,
    /// The outermost container, as a place in `open`, that something in it refers to.
    refers_to: Option<usize>,
}

impl Node {
    fn scalar(value: Value) -> Self {
        Self {
            value,
            size: 1,
            merge: false,
            refers_to: None,
        }
    }
}

impl<'a> Reader<'a> {
    fn stream(&mut self) -> Result<Value, String> {
        let mut document = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(document.unwrap_or(Value::Null)),
                Event::DocumentStart(..) if document.is_some() => {
                    return Err("expected a single document in the stream, but found more".into());
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => document = Some(self.node(event, place)?.value),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(error::unreadable(self.text, &error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// A mistake that js-yaml sees once the node is read.
    fn fail<T>(&self, reason: &str, node: Span) -> Result<T, String> {
        Err(error::at(self.text, reason, node.end))
    }

    fn node(&mut self, event: Event<'a>, place: Span) -> Result<Node, String> {
        if self.open.len() >= MAX_DEPTH {
            return self.fail(TOO_DEEP, place);
        }
        let (anchor, node) = match event {
            Event::Alias(id) => return self.alias(id, place),
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style, tag.as_deref(), place)?)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open.push(anchor);
                let node = self.sequence(tag.as_deref())?;
                (anchor, self.close(node))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open.push(anchor);
                let node = self.mapping(tag.as_deref())?;
                (anchor, self.close(node))
            }
            _ => return self.fail("a node is expected", place),
        };
        if anchor != 0 {
            let anchored = Anchored {
                value: node.value.clone(),
                size: node.size,
                bound: node.refers_to.is_some(),
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    /// The container is whole: references to itself bind nothing outside.
    fn close(&mut self, mut node: Node) -> Node {
        self.open.pop();
        let depth = self.open.len();
        node.refers_to = node.refers_to.filter(|place| *place < depth);
        node
    }

    fn alias(&mut self, id: usize, place: Span) -> Result<Node, String> {
        if let Some(position) = self.open.iter().position(|open| *open == id) {
            let levels = self.open.len() - 1 - position;
            return Ok(Node {
                refers_to: Some(position),
                ..Node::scalar(Value::Ancestor(u32::try_from(levels).unwrap_or(u32::MAX)))
            });
        }
        let Some(anchored) = self.anchors.get(&id).cloned() else {
            return self.fail("unidentified alias", place);
        };
        if anchored.bound {
            return self.fail(
                "an alias names a value that refers to something around it",
                place,
            );
        }
        self.aliased = self.aliased.saturating_add(anchored.size);
        if self.aliased > MAX_ALIASED {
            return self.fail("the aliases stand for too many values", place);
        }
        Ok(Node {
            size: anchored.size,
            ..Node::scalar(anchored.value)
        })
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Span,
    ) -> Result<Node, String> {
        let name = match tag {
            None if style == ScalarStyle::Plain => {
                return Ok(match scalar::plain(text) {
                    Plain::Value(value) => Node::scalar(value),
                    Plain::Merge => Node {
                        merge: true,
                        ..Node::scalar("<<".into())
                    },
                });
            }
            None => return Ok(Node::scalar(text.into())),
            Some(tag) if is_non_specific(tag) => return Ok(Node::scalar(text.into())),
            Some(tag) => full_name(tag),
        };
        let empty = text.is_empty() && style == ScalarStyle::Plain;
        let core = name.strip_prefix("tag:yaml.org,2002:").unwrap_or_default();
        match scalar::tagged(core, text, empty) {
            Ok(Some(value)) => Ok(Node {
                merge: core == "merge",
                ..Node::scalar(value)
            }),
            Ok(None) => self.fail(
                &format!("cannot resolve a node with !<{name}> explicit tag"),
                place,
            ),
            Err(()) => self.unknown_tag(&name, place),
        }
    }

    fn unknown_tag<T>(&self, name: &str, place: Span) -> Result<T, String> {
        self.fail(&format!("unknown tag !<{name}>"), place)
    }

    fn sequence(&mut self, tag: Option<&Tag>) -> Result<Node, String> {
        let (mut entries, mut size, mut refers_to) = (Vec::new(), 1_usize, None);
        let place = loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                break at;
            }
            let node = self.node(event, at)?;
            size = size.saturating_add(node.size);
            refers_to = outermost(refers_to, node.refers_to);
            entries.push(node.value);
        };
        entries.shrink_to_fit();
        let name = tag.filter(|tag| !is_non_specific(tag)).map(full_name);
        let value = match name.as_deref() {
            None | Some("tag:yaml.org,2002:seq") => entries.into(),
            Some(name @ ("tag:yaml.org,2002:omap" | "tag:yaml.org,2002:pairs")) => {
                let pairs = name.ends_with("pairs");
                match pairs_of(entries, pairs) {
                    Some(value) => value,
                    None => {
                        let reason = format!("cannot resolve a node with !<{name}> explicit tag");
                        return self.fail(&reason, place);
                    }
                }
            }
            Some(name) => return self.unknown_tag(name, place),
        };
        Ok(Node {
            value,
            size,
            merge: false,
            refers_to,
        })
    }

    fn mapping(&mut self, tag: Option<&Tag>) -> Result<Node, String> {
        let (mut object, mut size, mut refers_to) = (Object::new(), 1_usize, None);
        // Keys that came from a merge, which the mapping's own keys replace.
        let mut merged = HashSet::new();
        let place = loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break at;
            }
            let key = self.node(event, at)?;
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at)?;
            if key.merge {
                self.merge(&mut object, &mut merged, &node, value_at)?;
                size = size.saturating_add(node.size);
                continue;
            }
            let key = match &key.value {
                Value::String(text) => self.keys.get(text),
                key => Key::from(self.key_text(key, at)?),
            };
            let came_from_merge = merged.remove(&key);
            if !came_from_merge && object.contains_key(&key) {
                return Err(error::at(self.text, "duplicated mapping key", at.start));
            }
            size = size.saturating_add(node.size);
            refers_to = outermost(refers_to, node.refers_to);
            object.insert(key, node.value);
        };
        object.shrink_to_fit();
        let name = tag.filter(|tag| !is_non_specific(tag)).map(full_name);
        match name.as_deref() {
            None | Some("tag:yaml.org,2002:map") => {}
            Some("tag:yaml.org,2002:set")
                if object.values().all(|value| matches!(value, Value::Null)) => {}
            Some(name @ "tag:yaml.org,2002:set") => {
                let reason = format!("cannot resolve a node with !<{name}> explicit tag");
                return self.fail(&reason, place);
            }
            Some(name) => return self.unknown_tag(name, place),
        }
        Ok(Node {
            value: object.into(),
            size,
            merge: false,
            refers_to,
        })
    }

    /// `<<: *defaults`, or a list of them: what the mapping does not have yet.
    fn merge(
        &mut self,
        into: &mut Object,
        merged: &mut HashSet<Key>,
        node: &Node,
        place: Span,
    ) -> Result<(), String> {
        let one = [node.value.clone()];
        let sources = match &node.value {
            Value::Array(sources) if sources.len() > MAX_MERGE_SEQUENCE => {
                return self.fail("abnormal merge sequence size", place);
            }
            Value::Array(sources) => sources.as_slice(),
            _ => &one,
        };
        if node.refers_to.is_some() {
            return self.fail("a mapping cannot be merged into itself", place);
        }
        for source in sources {
            let Value::Object(source) = source else {
                let reason = "cannot merge mappings; the provided source object is unacceptable";
                return self.fail(reason, place);
            };
            self.merged += 1 + source.len();
            if self.merged > MAX_MERGED {
                return self.fail("merge keys exceeded maxTotalMergeKeys (10000)", place);
            }
            for (key, value) in source {
                if !into.contains_key(key) {
                    into.insert(key.clone(), value.clone());
                    merged.insert(key.clone());
                }
            }
        }
        Ok(())
    }

    /// A key as text, as JavaScript makes it one.
    fn key_text(&self, key: &Value, place: Span) -> Result<String, String> {
        let Value::Array(parts) = key else {
            return Ok(key.to_text());
        };
        let mut texts = Vec::with_capacity(parts.len());
        for part in parts.iter() {
            match part {
                Value::Array(_) => {
                    return self.fail("nested arrays are not supported inside keys", place);
                }
                part if part.is_nullish() => texts.push(String::new()),
                part => texts.push(part.to_text()),
            }
        }
        Ok(texts.join(","))
    }
}

fn outermost(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// `!`: the value stays what its notation says, text for a scalar.
fn is_non_specific(tag: &Tag) -> bool {
    full_name(tag) == "!"
}

fn full_name(tag: &Tag) -> String {
    let (handle, suffix) = tag.parts();
    format!("{handle}{suffix}")
}

/// `!!omap` and `!!pairs`: a list of mappings of one key each; pairs become `[key, value]`, an omap stays.
fn pairs_of(entries: Vec<Value>, pairs: bool) -> Option<Value> {
    let mut seen = HashSet::new();
    let mut list = Vec::with_capacity(entries.len());
    for entry in &entries {
        let object = entry.as_object().filter(|object| object.len() == 1)?;
        let (key, value) = object.iter().next()?;
        if pairs {
            list.push(vec![Value::String(key.shared()), value.clone()].into());
        } else if !seen.insert(key.clone()) {
            return None;
        }
    }
    Some(if pairs { list.into() } else { entries.into() })
}
