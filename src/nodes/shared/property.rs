//! The property of a message that a node works on, as its settings name it (`getMessageProperty` of Node-RED).

use crate::{
    engine::NodeError,
    message::{Message, PathError, PropertyPath, Value},
};

/// A property of a message. What is wrong with its path is told when a message comes, as in Node-RED.
pub(in crate::nodes) struct MessageProperty(Result<PropertyPath, PathError>);

impl MessageProperty {
    /// The property that `text` names; an empty text names the payload.
    pub(in crate::nodes) fn new(mut text: String) -> Self {
        if text.is_empty() {
            text.push_str("payload");
        }
        Self(PropertyPath::parse_message(&text))
    }

    /// The value in the message; undefined where there is none.
    ///
    /// # Errors
    /// When the path is none, or leads through something that has no properties.
    pub(in crate::nodes) fn get(&self, msg: &Message) -> Result<Value, NodeError> {
        let path = self.path()?;
        path.get(msg.fields(), msg.fields())
            .map_err(|error| error.to_error().into())
    }

    /// Sets the value, making what is missing on the way; undefined removes the property.
    ///
    /// # Errors
    /// As [`MessageProperty::get`].
    pub(in crate::nodes) fn set(&self, msg: &mut Message, value: Value) -> Result<(), NodeError> {
        self.path()?
            .set_in_message(msg, value)
            .map(drop)
            .map_err(|error| error.to_error().into())
    }

    fn path(&self) -> Result<&PropertyPath, NodeError> {
        self.0.as_ref().map_err(|error| error.to_error().into())
    }
}
