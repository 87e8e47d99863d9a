//! The node types that there are: what `nodes/<type>/` says of each, for the engine and the editor alike.

mod config;
mod manifest;
mod own;
mod texts;

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;
use rust_embed::RustEmbed;
use serde_json::{Value, json};

pub use config::strict_config;
pub use manifest::{Button, Manifest, Ports, Property, PropertyKind, TrueTexts};
pub use own::OwnError;
pub use texts::Texts;

/// The folder `nodes/`, inside the binary.
#[derive(RustEmbed)]
#[folder = "nodes/"]
#[include = "*/manifest.json"]
#[include = "*/help.md"]
#[include = "*/texts/*.json"]
#[include = "*/examples.json"]
#[include = "*/icon.svg"]
struct Embedded;

/// One node type and all that its folder says.
#[derive(Debug)]
pub struct NodeType {
    pub manifest: Manifest,
    pub texts: Texts,
    pub help: String,
    /// `examples.json`, a list.
    pub examples: Value,
    pub icon_svg: Option<String>,
    /// What a type of the user's own was read from, by name within its folder.
    files: Option<Arc<BTreeMap<String, String>>>,
    /// The manifest as it stands in the folder, for the editor.
    raw: Value,
}

/// All node types, in the folder's order.
#[derive(Debug)]
pub struct Catalog {
    types: IndexMap<String, NodeType>,
    lang: String,
}

/// What is wrong in a node folder.
#[derive(Debug, thiserror::Error)]
#[error("nodes/{folder}/{file}: {reason}")]
pub struct CatalogError {
    pub folder: String,
    pub file: String,
    pub reason: String,
}

impl Catalog {
    /// The built-in node types, with texts in `lang` (English where there are none; `cimode` prints the keys themselves).
    ///
    /// # Errors
    /// The first file that can't be read. For the built-in folder, which tests check, this does not happen.
    pub fn builtin(lang: &str) -> Result<Self, CatalogError> {
        let mut types = IndexMap::new();
        for path in Embedded::iter() {
            let Some(folder) = path.strip_suffix("/manifest.json") else {
                continue;
            };
            let node_type = read(folder, lang, &|file| {
                Embedded::get(&format!("{folder}/{file}"))
                    .map(|found| String::from_utf8_lossy(&found.data).into_owned())
            })?;
            types.insert(node_type.manifest.type_name.clone(), node_type);
        }
        Ok(Self {
            types,
            lang: lang.to_owned(),
        })
    }

    /// The node type of this name.
    pub fn get(&self, type_name: &str) -> Option<&NodeType> {
        self.types.get(type_name)
    }

    /// All types in order.
    pub fn iter(&self) -> impl Iterator<Item = &NodeType> {
        self.types.values()
    }

    /// The language of its texts.
    pub fn lang(&self) -> &str {
        &self.lang
    }

    /// What `GET /flowrill/catalog` answers.
    pub fn to_json(&self) -> Value {
        let types: Vec<Value> = self.types.values().map(NodeType::to_json).collect();
        json!({ "lang": self.lang, "types": types })
    }
}

impl NodeType {
    /// The JavaScript of a type of the user's own.
    pub fn code(&self) -> Option<&str> {
        self.files.as_ref()?.get(own::CODE).map(String::as_str)
    }

    fn to_json(&self) -> Value {
        let mut json = self.raw.clone();
        json["texts"] = self.texts.to_json();
        json["help"] = self.help.clone().into();
        json["examples"] = self.examples.clone();
        if let Some(svg) = &self.icon_svg {
            json["iconSvg"] = svg.clone().into();
        }
        json
    }
}

/// Reads a node folder; `text` gives its files.
fn read(
    folder: &str,
    lang: &str,
    text: &dyn Fn(&str) -> Option<String>,
) -> Result<NodeType, CatalogError> {
    let error = |file: &str, reason: String| CatalogError {
        folder: folder.into(),
        file: file.into(),
        reason,
    };
    let parse = |file: &str, text: &str| -> Result<Value, CatalogError> {
        serde_json::from_str(text).map_err(|reason| error(file, reason.to_string()))
    };
    let raw = parse("manifest.json", &text("manifest.json").unwrap_or_default())?;
    let manifest: Manifest = serde_json::from_value(raw.clone())
        .map_err(|reason| error("manifest.json", reason.to_string()))?;
    let english = match text("texts/en.json") {
        Some(english) => parse("texts/en.json", &english)?,
        None => json!({}),
    };
    let local_file = format!("texts/{lang}.json");
    let local = match text(&local_file).filter(|_| lang != "en") {
        Some(local) => Some(parse(&local_file, &local)?),
        None => None,
    };
    let examples = match text("examples.json") {
        Some(examples) => parse("examples.json", &examples)?,
        None => json!([]),
    };
    Ok(NodeType {
        manifest,
        texts: Texts::new(english, local, lang == "cimode"),
        help: text("help.md").unwrap_or_default(),
        examples,
        icon_svg: text("icon.svg"),
        files: None,
        raw,
    })
}
