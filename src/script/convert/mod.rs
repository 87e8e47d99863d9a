//! Values between Rust and JavaScript, piece by piece and never through JSON text. Both directions copy.
//!
//! Properties are defined, never set, so that `__proto__` is a key like any other. Cycles become [`Value::Ancestor`] and
//! back. What is nested deeper than [`MAX_DEPTH`](crate::message::MAX_DEPTH) levels is refused.

mod from_js;
mod names;
mod opaque;
mod part;
mod to_js;

pub(super) use from_js::{from_js, from_js_knowing, message_from_js, object_from_js};
pub(super) use opaque::Crossing;
pub(super) use part::PartialObject;
pub(super) use to_js::{message_to_js, object_to_js, part_to_js, to_js};
