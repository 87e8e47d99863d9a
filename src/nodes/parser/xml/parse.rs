//! From XML text to a value, with xml2js' conventions.

use indexmap::IndexMap;

use super::{
    error,
    namespaces::{Names, Qualified},
    options::Options,
    piece::Piece,
    sax::Sax,
};
use crate::message::{ErrorValue, Key, Keys, MAX_DEPTH, Object, Value, trim};

/// Reads a text. A blank one is null.
///
/// # Errors
/// sax-js' sentence with line and column; also when elements are nested too deep.
pub(super) fn parse(text: &str, options: &Options) -> Result<Value, ErrorValue> {
    if trim(text).is_empty() {
        return Ok(Value::Null);
    }
    let mut sax = Sax::new(text, options.capitals, options.namespaces);
    let (mut stack, mut keys): (Vec<Element>, _) = (Vec::new(), Keys::default());
    while let Some(piece) = sax.piece().map_err(error)? {
        match piece {
            Piece::Open {
                name,
                attributes,
                names,
            } => {
                // An element adds an object and, mostly, a list.
                if stack.len() >= MAX_DEPTH / 2 - 1 {
                    let levels = MAX_DEPTH / 2 - 1;
                    return Err(error(format!(
                        "Elements are nested deeper than {levels} levels"
                    )));
                }
                let attributes = match &names {
                    Some(names) => with_namespaces(attributes, names),
                    None => plain(attributes),
                };
                let namespace = names.map(|names| names.element);
                stack.push(Element::new(
                    name, attributes, namespace, options, &mut keys,
                ));
            }
            Piece::Text(text) => {
                if let Some(element) = stack.last_mut() {
                    element.text(&text, options);
                }
            }
            Piece::Cdata(text) => {
                if let Some(element) = stack.last_mut() {
                    element.text(&text, options);
                    element.cdata = true;
                }
            }
            Piece::Close => {
                let Some(element) = stack.pop() else {
                    continue;
                };
                let name = keys.get(&element.name);
                let mut value = element.close(stack.last_mut(), options);
                if let Value::Object(object) = &mut value {
                    object.shrink_to_fit();
                }
                match stack.last_mut() {
                    Some(around) => assign_or_push(&mut around.object, name, value, options),
                    None if options.explicit_root => {
                        return Ok(Value::Object([(name, value)].into_iter().collect()));
                    }
                    None => return Ok(value),
                }
            }
        }
    }
    // Declarations and comments, but no element.
    Ok(Value::Null)
}

/// Attributes and their values.
type Attributes = Vec<(String, Value)>;

fn plain(attributes: IndexMap<String, String>) -> Attributes {
    let each = attributes.into_iter();
    each.map(|(name, value)| (name, value.into())).collect()
}

fn with_namespaces(attributes: IndexMap<String, String>, names: &Names) -> Attributes {
    let each = attributes.into_iter().zip(&names.attributes);
    each.map(|((name, value), parted)| {
        let Qualified { prefix, local, uri } = parted;
        let told = [
            ("name", name.as_str()),
            ("value", value.as_str()),
            ("prefix", prefix),
            ("local", local),
            ("uri", uri),
        ];
        let told = told.map(|(key, text)| (key, Value::from(text)));
        (name, Value::Object(told.into_iter().collect()))
    })
    .collect()
}

/// An element that is not closed.
struct Element {
    name: String,
    object: Object,
    text: String,
    cdata: bool,
    /// Children in their order, when that is to be kept.
    children: Vec<Value>,
}

impl Element {
    fn new(
        name: String,
        attributes: Attributes,
        namespace: Option<Qualified>,
        options: &Options,
        keys: &mut Keys,
    ) -> Self {
        let mut object = Object::new();
        // Text comes first, and goes again if there is none.
        object.insert(keys.get(&options.text_key), "".into());
        if !options.ignore_attributes && !attributes.is_empty() {
            if options.merge_attributes {
                for (name, value) in attributes {
                    assign_or_push(&mut object, keys.get(&name), value, options);
                }
            } else {
                let attributes = attributes
                    .into_iter()
                    .map(|(name, value)| (keys.get(&name), value))
                    .collect();
                object.insert(keys.get(&options.attribute_key), Value::Object(attributes));
            }
        }
        let name = if options.normalize_tags {
            name.to_lowercase()
        } else {
            name
        };
        if keeps_order(options) {
            object.insert("#name", name.as_str().into());
        }
        if let Some(Qualified { local, uri, .. }) = namespace {
            let told = [("uri", Value::from(uri)), ("local", local.into())];
            let key = format!("{}ns", options.attribute_key);
            object.insert(key, Value::Object(told.into_iter().collect()));
        }
        Self {
            name,
            object,
            text: String::new(),
            cdata: false,
            children: Vec::new(),
        }
    }

    fn text(&mut self, text: &str, options: &Options) {
        self.text.push_str(text);
        let is_child = keeps_order(options)
            && options.chars_as_children
            && (options.include_white_chars || !trim(&text.replace("\\n", "")).is_empty());
        if is_child {
            let text = if options.normalize {
                normalized(text)
            } else {
                text.to_owned()
            };
            let child = [
                ("#name", Value::from("__text__")),
                (options.text_key.as_str(), text.into()),
            ];
            self.child(Value::Object(child.into_iter().collect()), options);
        }
    }

    /// Another child, when their order is kept. The list has its place where the first one came.
    fn child(&mut self, child: Value, options: &Options) {
        if self.children.is_empty() {
            self.object.insert(options.child_key.as_str(), Value::Null);
        }
        self.children.push(child);
    }

    /// The element's value; `around` gets it as a child when the order of children is kept.
    fn close(mut self, around: Option<&mut Self>, options: &Options) -> Value {
        let key = options.text_key.as_str();
        let keeps_order = keeps_order(options);
        let mut empty = String::new();
        let mut only_text = None;
        if trim(&self.text).is_empty() && !self.cdata {
            self.object.remove(key);
            empty = std::mem::take(&mut self.text);
        } else {
            let mut text = std::mem::take(&mut self.text);
            if options.trim {
                text = trim(&text).to_owned();
            }
            if options.normalize {
                text = normalized(&text);
            }
            self.object.insert(key, text.into());
            if self.object.len() == 1 && !options.explicit_text_key && !keeps_order {
                only_text = self.object.remove(key);
            }
        }
        if !self.children.is_empty() {
            let children = std::mem::take(&mut self.children);
            self.object
                .insert(options.child_key.as_str(), children.into());
        }
        if let Some(text) = only_text {
            return text;
        }
        if self.object.is_empty() && !keeps_order {
            return match &options.empty_tag {
                Value::String(tag) if tag.is_empty() => empty.into(),
                tag => tag.clone(),
            };
        }
        if !options.explicit_children || options.merge_attributes {
            return self.object.into();
        }
        if keeps_order {
            return self.close_in_order(around, options);
        }
        self.with_children(options).into()
    }

    /// Attributes and text beside the children, which go under a key of their own.
    fn with_children(mut self, options: &Options) -> Object {
        let mut node = Object::new();
        let attributes = options.attribute_key.as_str();
        if let Some(attributes_value) = self.object.remove(attributes) {
            node.insert(attributes, attributes_value);
        }
        let text = options.text_key.as_str();
        if !options.chars_as_children
            && let Some(text_value) = self.object.remove(text)
        {
            node.insert(text, text_value);
        }
        if !self.object.is_empty() {
            node.insert(options.child_key.as_str(), self.object.into());
        }
        node
    }

    fn close_in_order(mut self, around: Option<&mut Self>, options: &Options) -> Value {
        let Some(around) = around else {
            return self.object.into();
        };
        around.child(self.object.clone().into(), options);
        self.object.remove("#name");
        let text = options.text_key.as_str();
        if self.object.len() == 1
            && !options.explicit_text_key
            && let Some(text) = self.object.remove(text)
        {
            return text;
        }
        self.object.into()
    }
}

fn keeps_order(options: &Options) -> bool {
    options.explicit_children && options.preserve_children_order
}

/// A child joins those of its name: a list, always or when there is more than one.
fn assign_or_push(object: &mut Object, key: Key, value: Value, options: &Options) {
    match object.get_mut(&key) {
        None if options.explicit_array => {
            object.insert(key, vec![value].into());
        }
        None => {
            object.insert(key, value);
        }
        Some(Value::Array(list)) => std::sync::Arc::make_mut(list).push(value),
        Some(other) => {
            let first = std::mem::take(other);
            *other = vec![first, value].into();
        }
    }
}

/// Runs of two and more blanks become one.
fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars() {
        if trim(character.encode_utf8(&mut [0; 4])).is_empty() {
            run.push(character);
            continue;
        }
        out.push_str(if run.chars().nth(1).is_some() {
            " "
        } else {
            &run
        });
        run.clear();
        out.push(character);
    }
    out.push_str(&run);
    trim(&out).to_owned()
}
