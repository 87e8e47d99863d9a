//! Nodes of the palette category "sequence": they take messages apart, put them together and order them.

mod batch;
mod join;
mod sort;
mod split;

pub(super) use batch::Batch;
pub(super) use join::Join;
pub(super) use sort::Sort;
pub(super) use split::Split;
