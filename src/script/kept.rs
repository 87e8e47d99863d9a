//! Messages that stay JavaScript objects on their way from one function to the next of the same context: the very same
//! object, as in Node-RED, and no conversion.
//!
//! They wait in a table on the JavaScript side (`Tool::Kept`), and what waits in the flow's queue is only a place in it. How
//! many may wait follows from what the runtime's memory holds.

use std::{any::Any, sync::Arc};

use rquickjs::{Object as JsObject, Result, Value as JsValue};

use super::{
    convert::message_from_js,
    machine::{Inside, Scripts},
    realm::{Realm, Tool},
    shared::Shared,
};
use crate::{
    engine::{NodeContext, NodeError, Parcel},
    message::Message,
};

/// What is said when the runtime that held a message was given up.
pub(super) const LOST: &str =
    "The functions of this flow had to be started again, so this message was given up";

/// Objects that may always be kept.
const ALWAYS: usize = 16;
/// Objects that are never exceeded.
const MOST: usize = 1024;
/// Bytes in the runtime up to which more may be kept.
const ROOMY: usize = 16 << 20;

/// The places of the table.
pub(super) struct Keeper {
    /// Counts the runtimes: what was kept in an earlier one is gone.
    epoch: u64,
    places: u32,
    free: Vec<u32>,
    /// Places whose object nobody will fetch.
    dropped: Vec<u32>,
    waiting: usize,
    allowed: usize,
    /// The memory has to be looked at before more is allowed.
    full: bool,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            epoch: 0,
            places: 0,
            free: Vec::new(),
            dropped: Vec::new(),
            waiting: 0,
            allowed: ALWAYS,
            full: false,
        }
    }
}

impl Keeper {
    fn take_place(&mut self) -> Option<u32> {
        if self.waiting >= self.allowed {
            self.full = true;
            return None;
        }
        self.waiting += 1;
        self.free.pop().or_else(|| {
            self.places += 1;
            Some(self.places - 1)
        })
    }

    /// The runtime is gone, and with it all that was kept.
    pub(super) fn reset(&mut self) {
        *self = Self {
            epoch: self.epoch + 1,
            ..Self::default()
        };
    }

    /// Whether [`tidy`] has something to do.
    pub(super) fn has_dropped(&self) -> bool {
        !self.dropped.is_empty()
    }

    /// Whether [`Keeper::look`] is waited for.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Allows more or less, by the bytes that the runtime holds.
    pub(super) fn look(&mut self, bytes: usize) {
        self.full = false;
        self.allowed = match bytes {
            ..ROOMY => (self.allowed * 2).min(MOST),
            _ => ALWAYS,
        };
    }
}

/// A message on its way to a node of the same context.
pub(crate) struct Kept {
    shared: Arc<Shared>,
    to: u32,
    place: u32,
    epoch: u64,
    fetched: bool,
}

/// The run and number of the node of the same context that alone gets what this node sends.
pub(super) fn neighbour(inside: &Inside, ctx: &NodeContext) -> Option<(u64, u32)> {
    let run = ctx.only_neighbour()?;
    let to = inside.shared.neighbour(run, inside.crossing.id())?;
    Some((run, to))
}

/// Sends an object as it is. False: there is no room, and it must be converted.
pub(super) fn send<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    (run, to): (u64, u32),
    object: &JsObject<'js>,
) -> Result<bool> {
    let (place, epoch) = {
        let mut keeper = inside.shared.keeper.lock();
        match keeper.take_place() {
            Some(place) => (place, keeper.epoch),
            None => return Ok(false),
        }
    };
    let kept = Kept {
        shared: inside.shared.clone(),
        to,
        place,
        epoch,
        fetched: false,
    };
    let table = inside.realm.table(Tool::Kept)?;
    table.set(place, object.clone())?;
    ctx.hand_over(run, Box::new(kept));
    Ok(true)
}

/// Lets go of objects that nobody will fetch.
pub(super) fn tidy(shared: &Shared, realm: &Realm) -> Result<()> {
    let table = realm.table(Tool::Kept)?;
    let dropped = std::mem::take(&mut shared.keeper.lock().dropped);
    for place in &dropped {
        table.set(*place, JsValue::new_undefined(realm.ctx.clone()))?;
    }
    shared.keeper.lock().free.extend(dropped);
    Ok(())
}

impl Kept {
    /// The object. None when its runtime was given up.
    pub(super) fn fetch<'js>(mut self, inside: &Inside<'_, 'js>) -> Option<JsObject<'js>> {
        if self.shared.keeper.lock().epoch != self.epoch {
            return None;
        }
        let table = inside.realm.table(Tool::Kept).ok()?;
        let object = table.get(self.place).ok()?;
        let none = JsValue::new_undefined(inside.realm.ctx.clone());
        table.set(self.place, none).ok()?;
        self.fetched = true;
        let mut keeper = self.shared.keeper.lock();
        keeper.waiting -= 1;
        keeper.free.push(self.place);
        Some(object)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.fetched {
            return;
        }
        let mut keeper = self.shared.keeper.lock();
        if keeper.epoch == self.epoch {
            keeper.waiting -= 1;
            keeper.dropped.push(self.place);
        }
    }
}

impl Parcel for Kept {
    fn unpack(self: Box<Self>) -> Option<Message> {
        let (shared, to) = (self.shared.clone(), self.to);
        let ctx = shared.context_of(to)?;
        let limit = ctx.settings().function_timeout;
        let unpacked = Scripts::of(&ctx).enter(to, limit, |inside| {
            let object = self.fetch(inside).ok_or_else(|| NodeError::from(LOST))?;
            message_from_js(&inside.realm, inside.crossing, &object).map_err(|_| {
                inside
                    .caught()
                    .node_error(Some(&inside.realm), inside.crossing)
            })
        });
        match unpacked.unwrap_or_else(|| Err(LOST.into())) {
            Ok(msg) => Some(msg),
            Err(error) => {
                ctx.error(error, None);
                None
            }
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
