//! YAML as js-yaml reads and writes it, which is what users of Node-RED know.
//!
//! `granit-parser` reads the text; which values the scalars are (js-yaml's default schema) and how values are written
//! (its layout, to the blank) is our own, because no library does it the same way.

mod error;
mod read;
mod scalar;
mod style;
#[cfg(test)]
mod tests;
mod write;

pub(in crate::nodes) use read::parse;
pub(in crate::nodes) use write::dump;
