//! What the scripts of a tab share on the Rust side: their nodes, timers, and calls that wait for a promise.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{
    ScriptEvent,
    context_values::Handed,
    deadline::Deadline,
    failure::Failure,
    kept::{Keeper, LOST},
    rejections::Rejections,
};
use crate::{
    engine::{NodeContext, NodeError, Timer},
    message::Message,
};

/// What the scripts of a tab share on the Rust side. Holds nothing of the runtime, so that neither keeps the other alive.
pub(super) struct Shared {
    pub(super) deadline: Deadline,
    pub(super) rejections: Rejections,
    pub(super) handed: Mutex<Vec<Handed>>,
    pub(super) keeper: Mutex<Keeper>,
    /// Nodes of the common context by their runs, and its number.
    neighbours: Mutex<FxHashMap<u64, (u32, u64)>>,
    slots: Mutex<HashMap<u32, Slot>>,
    next: AtomicU32,
    out_of_memory: AtomicBool,
    throws_null: AtomicBool,
}

struct Slot {
    ctx: NodeContext,
    calls_done: bool,
    /// Calls that wait for a promise.
    pending: HashMap<u32, Pending>,
    timers: HashMap<u32, (Timer, Option<Duration>)>,
    shows_status: bool,
    closing: bool,
}

/// What waits for a promise.
#[derive(Clone)]
pub(super) enum Pending {
    Setup,
    /// The message as it came.
    Message(Message),
    /// The callback of a timer.
    Timer,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            deadline: Deadline::new(),
            rejections: Rejections::default(),
            handed: Mutex::default(),
            keeper: Mutex::default(),
            neighbours: Mutex::default(),
            slots: Mutex::default(),
            next: AtomicU32::new(1),
            out_of_memory: AtomicBool::new(false),
            throws_null: AtomicBool::new(false),
        }
    }

    /// A node comes in. `calls_done`: its code says itself when it is done with a message.
    pub(super) fn admit(&self, node: u32, ctx: &NodeContext, calls_done: bool) {
        let slot = Slot {
            ctx: ctx.clone(),
            calls_done,
            pending: HashMap::new(),
            timers: HashMap::new(),
            shows_status: false,
            closing: false,
        };
        self.slots.lock().insert(node, slot);
    }

    /// A node lives in the common context.
    pub(super) fn settle_in(&self, node: u32, run: u64, context: u64) {
        self.neighbours.lock().insert(run, (node, context));
    }

    /// The node of this run, if it lives in this context.
    pub(super) fn neighbour(&self, run: u64, context: u64) -> Option<u32> {
        let neighbours = self.neighbours.lock();
        neighbours
            .get(&run)
            .filter(|(_, own)| *own == context)
            .map(|(node, _)| *node)
    }

    /// A node begins to close: it sends no more, and its timers end.
    pub(super) fn begin_closing(&self, node: u32) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.closing = true;
            slot.timers.clear();
        }
    }

    /// What waits for a promise is given up.
    pub(super) fn end_calls(&self, node: u32) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.pending.clear();
        }
    }

    /// A node goes. Whether it has shown a status.
    pub(super) fn dismiss(&self, node: u32) -> bool {
        self.handed.lock().retain(|handed| handed.node() != node);
        self.neighbours.lock().retain(|_, (own, _)| *own != node);
        let slot = self.slots.lock().remove(&node);
        slot.is_some_and(|slot| slot.shows_status)
    }

    /// Whether the node's code says itself when it is done with a message.
    pub(super) fn calls_done(&self, node: u32) -> bool {
        self.slots
            .lock()
            .get(&node)
            .is_some_and(|slot| slot.calls_done)
    }

    /// A number for a node, call, timer or ticket.
    pub(super) fn next_number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The number that comes next.
    pub(super) fn peek_number(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// Milliseconds since 1970, as the nodes see the time.
    pub(super) fn now(&self) -> f64 {
        self.slots
            .lock()
            .values()
            .next()
            .map_or(0.0, |slot| slot.ctx.now())
    }

    pub(super) fn context_of(&self, node: u32) -> Option<NodeContext> {
        self.slots.lock().get(&node).map(|slot| slot.ctx.clone())
    }

    /// Whether runs of the node may still change what they were handed.
    pub(super) fn is_busy(&self, node: u32) -> bool {
        self.slots
            .lock()
            .get(&node)
            .is_some_and(|slot| !slot.pending.is_empty() || !slot.timers.is_empty())
    }

    pub(super) fn holds_values(&self) -> bool {
        !self.handed.lock().is_empty()
    }

    pub(super) fn is_closing(&self, node: u32) -> bool {
        self.slots.lock().get(&node).is_none_or(|slot| slot.closing)
    }

    pub(super) fn shows_status(&self, node: u32) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.shows_status = true;
        }
    }

    pub(super) fn start_timer(&self, node: u32, wait: Duration, repeat: bool) -> u32 {
        let id = self.next_number();
        if let Some(slot) = self
            .slots
            .lock()
            .get_mut(&node)
            .filter(|slot| !slot.closing)
        {
            let timer = slot.ctx.after(wait, ScriptEvent::Timer(id));
            slot.timers.insert(id, (timer, repeat.then_some(wait)));
        }
        id
    }

    pub(super) fn stop_timer(&self, node: u32, id: u32) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.timers.remove(&id);
        }
    }

    /// A timer has fired: whether it still counts. An interval starts anew.
    pub(super) fn take_timer(&self, node: u32, id: u32) -> bool {
        let mut slots = self.slots.lock();
        let Some(slot) = slots.get_mut(&node) else {
            return false;
        };
        match slot.timers.remove(&id) {
            Some((_, Some(wait))) => {
                let timer = slot.ctx.after(wait, ScriptEvent::Timer(id));
                slot.timers.insert(id, (timer, Some(wait)));
                true
            }
            Some((_, None)) => true,
            None => false,
        }
    }

    pub(super) fn wait_for(&self, node: u32, call: u32, what: Pending) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.pending.insert(call, what);
        }
    }

    pub(super) fn take_pending(&self, node: u32, call: u32) -> Option<Pending> {
        self.slots.lock().get_mut(&node)?.pending.remove(&call)
    }

    /// Some code of the tab throws null itself.
    pub(super) fn expect_null(&self) {
        self.throws_null.store(true, Ordering::Relaxed);
    }

    pub(super) fn throws_null(&self) -> bool {
        self.throws_null.load(Ordering::Relaxed)
    }

    /// Remembers a failure that concerns the whole runtime.
    pub(super) fn note(&self, failure: &Failure) {
        if matches!(failure, Failure::OutOfMemory) {
            self.out_of_memory.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn take_out_of_memory(&self) -> bool {
        self.out_of_memory.swap(false, Ordering::Relaxed)
    }

    /// Promise jobs were stopped for taking too long. The call that they belong to will never be answered: the one that
    /// the node has just begun (its number is `first` or later), or the only one that waits; among several it is unknown.
    pub(super) fn give_up_late(&self, node: u32, first: u32, limit: Duration) {
        let Some(error) = Failure::TimedOut(limit.as_millis()).error_value() else {
            return;
        };
        let mut slots = self.slots.lock();
        let Some(slot) = slots.get_mut(&node) else {
            return;
        };
        let alone = slot.pending.len() == 1;
        let call = slot
            .pending
            .keys()
            .copied()
            .find(|call| alone || *call >= first);
        let what = call
            .and_then(|call| slot.pending.remove(&call))
            .unwrap_or(Pending::Timer);
        report(&slot.ctx, NodeError::Error(error), what);
    }

    /// Says what was rejected and not awaited in a run of this node.
    pub(super) fn report_rejections(&self, node: u32) {
        for text in self.rejections.take() {
            if let Some(ctx) = self.context_of(node) {
                let text = ctx.text("function.error.unhandledRejection", &[("error", &text)]);
                ctx.error(text, None);
            }
        }
    }

    /// The runtime is gone: what waited in it fails, and its nodes start again.
    pub(super) fn restart(&self) {
        self.handed.lock().clear();
        self.keeper.lock().reset();
        self.neighbours.lock().clear();
        let mut slots = self.slots.lock();
        for slot in slots.values_mut() {
            slot.timers.clear();
            for what in std::mem::take(&mut slot.pending).into_values() {
                report(&slot.ctx, LOST.into(), what);
            }
            slot.ctx.post(Box::new(ScriptEvent::Restart));
        }
    }
}

/// Reports an error on what has waited for a promise.
pub(super) fn report(ctx: &NodeContext, error: NodeError, what: Pending) {
    match what {
        Pending::Message(msg) => ctx.failed(error, msg),
        Pending::Timer => ctx.error(error, Some(&Message::default())),
        Pending::Setup => {
            ctx.error(error, None);
            ctx.post(Box::new(ScriptEvent::Ready(false)));
        }
    }
}
