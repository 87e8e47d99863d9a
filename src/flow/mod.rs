//! Flows as data: the file, the strict graph made from it, and the difference between two of them.

mod flows;

pub use flows::{Flows, Item, Rev};
