//! What nodes need of the world beyond the engine. Each constructor is handed the one service that it uses.

use std::sync::Arc;

use crate::{broker::Broker, mqtt::Mqtt};

/// The services of one running instance. The default ones know no built-in broker.
#[derive(Clone, Default)]
pub struct Services {
    pub mqtt: Arc<Mqtt>,
}

impl Services {
    /// With the built-in broker, or without one.
    pub fn new(broker: Option<Broker>) -> Self {
        Self {
            mqtt: Arc::new(Mqtt::new(broker)),
        }
    }
}
