//! The node types that can be built. Registration is a list in `src/nodes/mod.rs`.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::{
    context::{NodeContext, NodeInfo},
    node::Node,
    settings::RuntimeSettings,
};
use crate::{catalog::NodeType, flow::Id, message::Value};

/// Why a node cannot be built: a sentence, or a catalogue key's text, for the person who set it up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl From<&str> for ConfigError {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for ConfigError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What a constructor may know besides its own configuration.
pub struct Build<'a> {
    pub info: &'a NodeInfo,
    /// Its credentials, decrypted.
    pub credentials: BTreeMap<String, String>,
    pub settings: &'a RuntimeSettings,
    /// Its wires by output, as ids.
    pub wires: &'a [Vec<Id>],
    pub(super) ctx: &'a NodeContext,
    pub(super) node_type: Option<&'a NodeType>,
    pub(super) services: &'a HashMap<Id, Arc<dyn Any + Send + Sync>>,
}

impl Build<'_> {
    /// What the config node with this id shares, when it runs and shares a `T`.
    pub fn config<T: Send + Sync + 'static>(&self, id: &str) -> Option<Arc<T>> {
        self.services.get(id)?.clone().downcast().ok()
    }

    /// What an environment variable, or a text with `${NAME}` in it, is for this node.
    pub fn env(&self, text: &str) -> Value {
        self.ctx.env_text(text)
    }

    /// An error that is told besides the one that the constructor returns.
    pub fn error(&self, text: String) {
        self.ctx.error(text, None);
    }

    /// A text of the node's type in the runtime's language.
    pub fn text(&self, key: &str, params: &[(&str, &str)]) -> String {
        self.node_type
            .map_or_else(|| key.to_owned(), |known| known.texts.message(key, params))
    }
}

/// A node that is built, and what a config node shares with those that name it.
pub struct Built {
    pub node: Box<dyn Node>,
    pub shared: Option<Arc<dyn Any + Send + Sync>>,
}

type Builder = Box<dyn Fn(Map<String, Json>, &Build) -> Result<Built, ConfigError> + Send + Sync>;

/// The builders by type name.
#[derive(Default)]
pub struct Registry {
    builders: HashMap<String, Builder>,
}

impl Registry {
    /// Registers a type. `C` is its strict configuration: every property of its manifest, no defaults of its own.
    pub fn add<C, N>(
        &mut self,
        type_name: &str,
        build: impl Fn(C, &Build) -> Result<N, ConfigError> + Send + Sync + 'static,
    ) where
        C: DeserializeOwned,
        N: Node,
    {
        let builder = move |config: Map<String, Json>, context: &Build| {
            let node = build(read(config)?, context)?;
            Ok(Built {
                node: Box::new(node),
                shared: None,
            })
        };
        self.builders
            .insert(type_name.to_owned(), Box::new(builder));
    }

    /// Registers a config node that shares something with the nodes that name it.
    pub fn add_shared<C, N, T>(
        &mut self,
        type_name: &str,
        build: impl Fn(C, &Build) -> Result<(N, Arc<T>), ConfigError> + Send + Sync + 'static,
    ) where
        C: DeserializeOwned,
        N: Node,
        T: Send + Sync + 'static,
    {
        let builder = move |config: Map<String, Json>, context: &Build| {
            let (node, shared) = build(read(config)?, context)?;
            let shared: Arc<dyn Any + Send + Sync> = shared;
            Ok(Built {
                node: Box::new(node),
                shared: Some(shared),
            })
        };
        self.builders
            .insert(type_name.to_owned(), Box::new(builder));
    }

    /// The registered types, sorted.
    pub fn types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = self.builders.keys().map(String::as_str).collect();
        types.sort_unstable();
        types
    }

    /// Whether the type can be built.
    pub fn knows(&self, type_name: &str) -> bool {
        self.builders.contains_key(type_name)
    }

    /// Builds a node; none for an unknown type.
    pub(super) fn build(
        &self,
        type_name: &str,
        config: Map<String, Json>,
        context: &Build,
    ) -> Option<Result<Built, ConfigError>> {
        Some(self.builders.get(type_name)?(config, context))
    }
}

fn read<C: DeserializeOwned>(config: Map<String, Json>) -> Result<C, ConfigError> {
    serde_json::from_value(Json::Object(config)).map_err(|error| {
        ConfigError(format!(
            "A property has a value that this node cannot take: {error}"
        ))
    })
}
