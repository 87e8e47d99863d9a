//! What a text is made of.

use indexmap::IndexMap;

use super::namespaces::Names;

/// A piece of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Open {
        name: String,
        attributes: IndexMap<String, String>,
        /// The namespaces of both, with `xmlns`.
        names: Option<Names>,
    },
    /// The element that was opened last ends.
    Close,
    Text(String),
    Cdata(String),
}
