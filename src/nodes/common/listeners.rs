//! `catch`, `complete`, `status` and `junction`: `flow::wire` decides what reaches them, they pass it on.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext},
    message::Message,
};

/// Settings of `catch`. Both are read where the wiring is worked out; here they are only checked for being there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct Catch {
    #[serde(rename = "scope")]
    _scope: Json,
    #[serde(rename = "uncaught")]
    _uncaught: bool,
}

/// Settings of `complete`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct Complete {
    #[serde(rename = "scope")]
    _scope: Json,
}

/// Settings of `status`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct Status {
    #[serde(rename = "scope")]
    _scope: Json,
}

/// A junction has no settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct Junction {}

/// Hands on whatever it gets.
pub(in crate::nodes) struct PassOn;

impl PassOn {
    /// For each of the types above; cannot fail.
    pub(in crate::nodes) fn new<C>(_config: C, _build: &Build) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

impl Node for PassOn {
    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        ctx.send_done(msg);
        Ok(())
    }
}
