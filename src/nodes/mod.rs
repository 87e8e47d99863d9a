//! The node types: one line each. A type's texts, properties and defaults stand in `nodes/<type>/`.

use crate::{engine::Registry, services::Services};

/// Registers every built-in type.
pub fn register(registry: &mut Registry, services: &Services) {
    let _ = (registry, services);
}
