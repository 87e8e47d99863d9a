//! Node types of the user's own: what `node.js` declares runs as the code of a function node does.

use serde_json::{Map, Value as Json};

use super::function::FunctionNode;
use crate::{
    catalog::{Catalog, Ports},
    engine::{Build, ConfigError, Registry},
    script::{Code, Options, OwnValues},
};

/// Registers the types of the catalogue that have code of their own.
pub fn register_own(registry: &mut Registry, catalog: &Catalog) {
    for known in catalog.iter() {
        let Some(source) = known.code().map(str::to_owned) else {
            continue;
        };
        let outputs = known.manifest.outputs.clone();
        let build = move |config: Map<String, Json>, build: &Build| {
            Ok::<_, ConfigError>(node(&source, &outputs, config, build))
        };
        registry.add(&known.manifest.type_name, build);
    }
}

fn node(source: &str, outputs: &Ports, config: Map<String, Json>, build: &Build) -> FunctionNode {
    let options = Options {
        outputs: outputs.count(&config),
        timeout: None,
        modules: Vec::new(),
    };
    let values = OwnValues {
        config: Json::Object(config).into(),
        credentials: build.credentials.clone(),
    };
    FunctionNode::with(Code::own(source.to_owned(), values), options)
}
