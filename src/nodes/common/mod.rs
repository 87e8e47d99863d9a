//! Nodes of the palette's first group: where messages start, are looked at, and where flows are told of what happens.

mod comment;
mod cron;
mod debug;
mod debug_status;
mod inject;
mod inject_timing;
mod link;
mod listeners;

pub(super) use comment::Comment;
pub(super) use debug::Debug;
pub(super) use inject::Inject;
pub(super) use link::{LinkCall, LinkIn, LinkOut};
pub(super) use listeners::{Catch, Complete, Junction, PassOn, Status};
