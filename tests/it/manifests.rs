//! Every node folder is whole, and what it says fits the code.

use flowrill::{
    catalog::{Catalog, Property, PropertyKind},
    engine::Registry,
    nodes,
    services::Services,
};
use serde_json::Value as Json;

fn registry() -> Registry {
    let mut registry = Registry::default();
    nodes::register(&mut registry, &Services::default());
    registry
}

#[test]
fn every_type_has_a_folder_and_every_folder_a_type() {
    let catalog = Catalog::builtin("en").unwrap();
    let mut described: Vec<&str> = catalog
        .iter()
        .map(|known| known.manifest.type_name.as_str())
        .collect();
    described.sort_unstable();
    assert_eq!(registry().types(), described);
}

#[test]
fn every_folder_has_help_and_a_text_for_each_property() {
    let catalog = Catalog::builtin("en").unwrap();
    for known in catalog.iter() {
        let name = &known.manifest.type_name;
        assert!(known.help.len() > 60, "nodes/{name}: the help says nothing");
        assert!(
            known
                .examples
                .as_array()
                .is_some_and(|list| list.len() >= 2),
            "nodes/{name}: fewer than two examples"
        );
        let texts = known.texts.to_json();
        assert!(
            texts["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "nodes/{name}: no summary"
        );
        for property in known
            .manifest
            .properties
            .iter()
            .chain(&known.manifest.credentials)
        {
            check(name, property, &texts);
        }
    }
}

fn check(type_name: &str, property: &Property, texts: &Json) {
    let name = &property.name;
    assert!(
        texts["properties"][name]["label"].is_string(),
        "nodes/{type_name}: no label for \"{name}\""
    );
    assert!(
        property.kind != PropertyKind::Unknown,
        "nodes/{type_name}: \"{name}\" has an unknown kind"
    );
    if property.kind == PropertyKind::Config {
        assert!(
            property.config_type.is_some(),
            "nodes/{type_name}: \"{name}\" names no config type"
        );
    }
    if let Some(section) = &property.section {
        assert!(
            texts["sections"][section].is_string(),
            "nodes/{type_name}: no text for section \"{section}\""
        );
    }
    for field in &property.fields {
        check(type_name, field, texts);
    }
}

#[test]
fn the_editor_has_every_icon_that_a_type_names() {
    let icons = include_str!("../../web/src/ui/icons.ts");
    for known in Catalog::builtin("en").unwrap().iter() {
        let (name, icon) = (
            &known.manifest.type_name,
            known.manifest.icon.as_deref().unwrap_or("box"),
        );
        let is_there =
            icons.contains(&format!("\n  {icon}:")) || icons.contains(&format!("\n  '{icon}':"));
        assert!(is_there, "nodes/{name}: the editor has no icon \"{icon}\"");
    }
}
