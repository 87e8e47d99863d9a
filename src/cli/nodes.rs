//! `flowrill nodes`: the types that can be used.

use super::say;
use crate::{catalog::Catalog, engine::Registry};

/// Prints the registered types, by category.
pub fn nodes(catalog: &Catalog, registry: &Registry) {
    let mut lines: Vec<(String, &str, String)> = registry
        .types()
        .into_iter()
        .map(|type_name| {
            let known = catalog.get(type_name);
            let category = known.map_or("", |known| known.manifest.category.as_str());
            let texts = known.map(|known| known.texts.to_json());
            let summary = texts.and_then(|texts| Some(texts.get("summary")?.as_str()?.to_owned()));
            (category.to_owned(), type_name, summary.unwrap_or_default())
        })
        .collect();
    lines.sort();
    for (category, type_name, summary) in lines {
        say(format!("{category:10} {type_name:20} {summary}").trim_end());
    }
}
