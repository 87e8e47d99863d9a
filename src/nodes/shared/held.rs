//! How many messages a node may hold.

use crate::engine::NodeContext;

/// A node that is given no limit stops here all the same: sequences that never become whole must not fill the memory.
const MOST: usize = 2_000_000;

/// Whether a node with `count` held messages holds too many: more than the setting `nodeMessageBufferMaxLength`.
pub(in crate::nodes) fn too_many(count: usize, ctx: &NodeContext) -> bool {
    let limit = match ctx.settings().message_buffer_max_length {
        0 => MOST,
        limit => limit,
    };
    count > limit
}

/// As [`too_many`] for what Node-RED does not limit by that setting.
pub(in crate::nodes) fn far_too_many(count: usize) -> bool {
    count > MOST
}
