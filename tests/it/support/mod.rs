//! What the tests share.

pub(crate) mod flows;
pub(crate) mod mqtt;
pub(crate) mod process;
