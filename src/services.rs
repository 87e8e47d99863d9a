//! What nodes need of the world beyond the engine. Each constructor is handed the one service that it uses.

/// The services of one running instance.
#[derive(Clone, Default)]
pub struct Services {}
