//! Nodes of the palette category "sequence": they take messages apart, put them together and order them.

mod split;

pub(super) use split::Split;
