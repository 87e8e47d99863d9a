//! `helper`, for tests through `/tap`: takes every message, does nothing, is never done, and may be made to send.

use serde::Deserialize;

use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext, Registry},
    message::Message,
};

/// It has no folder, so it may hold any properties.
#[derive(Deserialize)]
struct HelperConfig {}

struct Helper;

impl Node for Helper {
    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }
}

/// Registers the type; only `--tap` does.
pub fn register_helper(registry: &mut Registry) {
    registry.add("helper", |_config: HelperConfig, _build: &Build| {
        Ok::<_, ConfigError>(Helper)
    });
}
