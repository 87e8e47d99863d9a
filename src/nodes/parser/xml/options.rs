//! `msg.options`: what xml2js lets its users choose, with its defaults.

use super::error;
use crate::message::{ErrorValue, Object, Value};

/// Options whose value is a function, which messages can't hand to a node here.
const FUNCTIONS: [&str; 5] = [
    "validator",
    "attrNameProcessors",
    "attrValueProcessors",
    "tagNameProcessors",
    "valueProcessors",
];

/// The options of the parser and of the builder.
pub(super) struct Options {
    pub(super) attribute_key: String,
    pub(super) text_key: String,
    /// `strict: false`
    pub(super) capitals: bool,
    /// Names come with their namespaces.
    pub(super) namespaces: bool,
    pub(super) child_key: String,
    pub(super) explicit_text_key: bool,
    pub(super) trim: bool,
    pub(super) normalize: bool,
    pub(super) normalize_tags: bool,
    pub(super) explicit_root: bool,
    pub(super) explicit_array: bool,
    pub(super) explicit_children: bool,
    pub(super) preserve_children_order: bool,
    pub(super) chars_as_children: bool,
    pub(super) include_white_chars: bool,
    pub(super) ignore_attributes: bool,
    pub(super) merge_attributes: bool,
    pub(super) empty_tag: Value,
    pub(super) root_name: String,
    pub(super) headless: bool,
    pub(super) cdata: bool,
    pub(super) declaration: Declaration,
    pub(super) doctype: Option<(Option<String>, String)>,
    pub(super) layout: Layout,
}

/// `<?xml …?>`.
pub(super) struct Declaration {
    pub(super) version: String,
    pub(super) encoding: Option<String>,
    pub(super) standalone: Option<bool>,
}

/// How text is laid out.
pub(super) struct Layout {
    pub(super) pretty: bool,
    pub(super) indent: String,
    pub(super) newline: String,
    pub(super) allow_empty: bool,
    pub(super) before_slash: String,
    pub(super) plain_text_nodes: bool,
    pub(super) offset: usize,
}

/// The name that the builder takes for "none was chosen".
pub(super) const DEFAULT_ROOT: &str = "root";

impl Options {
    /// Reads the options.
    ///
    /// # Errors
    /// When one of them is a function.
    pub(super) fn new(given: &Object) -> Result<Self, ErrorValue> {
        for name in FUNCTIONS {
            if given.get(name).is_some_and(Value::is_truthy) {
                return Err(error(format!(
                    "msg.options.{name} is not supported: functions can't be used as options"
                )));
            }
        }
        let text = |name: &str, default: &str| match given.get(name) {
            None | Some(Value::Undefined) => default.to_owned(),
            Some(value) => value.to_text(),
        };
        let flag = |name: &str, default: bool| given.get(name).map_or(default, Value::is_truthy);
        Ok(Self {
            attribute_key: text("attrkey", "$"),
            text_key: text("charkey", "_"),
            capitals: !flag("strict", true),
            namespaces: flag("xmlns", false),
            child_key: text("childkey", "$$"),
            explicit_text_key: flag("explicitCharkey", false),
            trim: flag("trim", false),
            normalize: flag("normalize", false),
            normalize_tags: flag("normalizeTags", false),
            explicit_root: flag("explicitRoot", true),
            explicit_array: flag("explicitArray", true),
            explicit_children: flag("explicitChildren", false),
            preserve_children_order: flag("preserveChildrenOrder", false),
            chars_as_children: flag("charsAsChildren", false),
            include_white_chars: flag("includeWhiteChars", false),
            ignore_attributes: flag("ignoreAttrs", false),
            merge_attributes: flag("mergeAttrs", false),
            empty_tag: given.get("emptyTag").cloned().unwrap_or_else(|| "".into()),
            root_name: text("rootName", DEFAULT_ROOT),
            headless: flag("headless", false),
            cdata: flag("cdata", false),
            declaration: Declaration::new(given.get("xmldec")),
            doctype: doctype(given.get("doctype")),
            layout: Layout::new(given.get("renderOpts")),
        })
    }
}

fn part<'a>(of: Option<&'a Value>, key: &str) -> Option<&'a Value> {
    let value = of?.as_object()?.get(key)?;
    (!value.is_nullish()).then_some(value)
}

impl Declaration {
    fn new(given: Option<&Value>) -> Self {
        if given.is_none() {
            return Self {
                version: "1.0".into(),
                encoding: Some("UTF-8".into()),
                standalone: Some(true),
            };
        }
        let version = part(given, "version").filter(|version| version.is_truthy());
        Self {
            version: version.map_or_else(|| "1.0".into(), Value::to_text),
            encoding: part(given, "encoding").map(Value::to_text),
            standalone: part(given, "standalone").map(Value::is_truthy),
        }
    }
}

impl Declaration {
    /// Whether it can be written.
    ///
    /// # Errors
    /// When its version or encoding is none.
    pub(super) fn check(&self) -> Result<(), ErrorValue> {
        let version = &self.version;
        let digits = version.split_once("1.").map_or("", |(_, digits)| digits);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error(format!("Invalid version number: {version}")));
        }
        let is_name = |encoding: &String| {
            encoding.starts_with(|c: char| c.is_ascii_alphabetic())
                && encoding
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        match &self.encoding {
            Some(encoding) if !is_name(encoding) => {
                Err(error(format!("Invalid encoding: {encoding}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether a text may have this character.
    pub(super) fn allows(&self, c: char) -> bool {
        match self.version.as_str() {
            "1.0" => {
                !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
            }
            "1.1" => !matches!(c, '\0' | '\u{fffe}' | '\u{ffff}'),
            _ => true,
        }
    }
}

/// Public and system id.
fn doctype(given: Option<&Value>) -> Option<(Option<String>, String)> {
    let system = part(given, "sysID").map(Value::to_text)?;
    Some((part(given, "pubID").map(Value::to_text), system))
}

impl Layout {
    fn new(given: Option<&Value>) -> Self {
        let text = |key: &str, default: &str| {
            part(given, key).map_or_else(|| default.to_owned(), Value::to_text)
        };
        let flag = |key: &str| part(given, key).is_some_and(Value::is_truthy);
        let before_slash = match part(given, "spaceBeforeSlash") {
            Some(Value::Bool(true)) => " ".into(),
            Some(value) => value.to_text(),
            None => String::new(),
        };
        let offset = part(given, "offset").map_or(0.0, Value::to_number);
        Self {
            pretty: given.is_none() || flag("pretty"),
            indent: text("indent", "  "),
            newline: text("newline", "\n"),
            allow_empty: flag("allowEmpty"),
            before_slash,
            plain_text_nodes: flag("dontPrettyTextNodes"),
            // More than this would only fill the memory with blanks.
            offset: offset.clamp(0.0, 100.0) as usize,
        }
    }
}
