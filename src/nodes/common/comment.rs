//! `comment`, `global-config` and `unknown`: nodes that only hold something. A message that reaches one ends there.

use serde::Deserialize;

use crate::{
    engine::{Build, ConfigError, Failed, Node, NodeContext},
    message::Message,
};

/// None of the types has settings that matter while it runs.
#[derive(Deserialize)]
pub(in crate::nodes) struct CommentConfig {}

/// Does nothing.
pub(in crate::nodes) struct Comment;

impl Comment {
    /// Cannot fail: there is nothing to set up.
    pub(in crate::nodes) fn new(
        _config: CommentConfig,
        _build: &Build,
    ) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

impl Node for Comment {
    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }
}
