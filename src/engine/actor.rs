//! The task of one flow: it owns the flow's nodes and hands them their work, one piece at a time.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use rustc_hash::FxHashMap;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    context::NodeContext,
    events::{Event, Interest, Status},
    node::{Closing, Failed, Node},
    queue::{FlowShared, InstanceKey, Work},
};
use crate::message::{Message, Object};

/// Pieces of work between two looks at the commands and at the rest of the machine.
const BATCH: usize = 64;

/// What the engine asks of a flow. Commands go before queued work.
pub(super) enum Command {
    /// Takes nodes in; they get their messages once started.
    Install(Vec<(NodeContext, Box<dyn Node>)>),
    /// Starts installed nodes, in this order, before any of their messages is handled.
    Start {
        keys: Vec<InstanceKey>,
        started: oneshot::Sender<()>,
    },
    /// Takes nodes out and closes them, each within `limit`.
    Close {
        keys: Vec<(InstanceKey, bool)>,
        limit: Duration,
        closed: oneshot::Sender<()>,
    },
    Props {
        key: InstanceKey,
        props: oneshot::Sender<Option<Object>>,
    },
}

struct Slot {
    node: Box<dyn Node>,
    ctx: NodeContext,
    state: State,
}

enum State {
    /// Built, not started: what comes is kept.
    Installed(Vec<Work>),
    Running,
    /// It panicked; nothing is handed to it any more.
    Failed,
}

/// The actor of a flow.
pub(super) struct Actor {
    flow: Arc<FlowShared>,
    commands: mpsc::Receiver<Command>,
    slots: FxHashMap<InstanceKey, Slot>,
    samples: Samples,
}

/// Picks one message in sixteen, without a pattern that a loop of wires could fall into.
struct Samples(u32);

impl Samples {
    fn next(&mut self) -> bool {
        // xorshift; it never becomes 0.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 & 15 == 0
    }
}

impl Actor {
    pub(super) fn new(flow: Arc<FlowShared>, commands: mpsc::Receiver<Command>) -> Self {
        Self {
            flow,
            commands,
            slots: FxHashMap::default(),
            samples: Samples(0x9E37_79B9),
        }
    }

    /// Works until the engine lets go of the command channel.
    pub(super) async fn run(mut self) {
        let mut batch = VecDeque::new();
        loop {
            match self.commands.try_recv() {
                Ok(command) => {
                    self.obey(command);
                    continue;
                }
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
            self.flow.take(&mut batch, BATCH);
            if batch.is_empty() {
                tokio::select! {
                    biased;
                    command = self.commands.recv() => match command {
                        Some(command) => self.obey(command),
                        None => break,
                    },
                    () = self.flow.woken() => {}
                }
                continue;
            }
            for work in batch.drain(..) {
                self.handle(work);
            }
            // A flow in a loop must not starve the others.
            tokio::task::yield_now().await;
        }
        self.flow.close();
    }

    fn handle(&mut self, work: Work) {
        let key = match &work {
            Work::Deliver { to, .. } | Work::Parcel { to, .. } | Work::Event { to, .. } => *to,
        };
        // Nobody: the node was stopped since.
        let Some(slot) = self.slots.get_mut(&key) else {
            return;
        };
        match &mut slot.state {
            State::Running => {}
            State::Installed(kept) => return kept.push(work),
            State::Failed => return,
        }
        match work {
            Work::Deliver { msg, .. } if self.samples.next() && msg.is_too_deep() => {
                let text = slot.ctx.runtime_text(
                    "nodes.flow.too-deep",
                    "This message is nested more than 500 levels deep and was dropped: look for a loop that puts the message into itself",
                );
                slot.ctx.error(text, None);
            }
            Work::Deliver { msg, .. } => slot.receive(msg),
            Work::Parcel { parcel, .. } => {
                if !slot.ctx.shared().hub.wants(Interest::INPUT) {
                    slot.guarded(|node, ctx| answer(node.on_parcel(parcel, ctx), ctx));
                } else if let Some(msg) = parcel.unpack() {
                    slot.receive(msg);
                }
            }
            Work::Event { event, .. } => slot.guarded(|node, ctx| node.on_event(event, ctx)),
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Install(nodes) => {
                for (ctx, node) in nodes {
                    self.slots.insert(
                        ctx.key(),
                        Slot {
                            node,
                            ctx,
                            state: State::Installed(Vec::new()),
                        },
                    );
                }
            }
            Command::Start { keys, started } => {
                self.start(&keys);
                // The engine may have given up waiting.
                let _ = started.send(());
            }
            Command::Close {
                keys,
                limit,
                closed,
            } => self.close(keys, limit, closed),
            Command::Props { key, props } => {
                let answer = self
                    .slots
                    .get_mut(&key)
                    .filter(|slot| !matches!(slot.state, State::Failed))
                    .map(|slot| slot.node.props());
                let _ = props.send(answer);
            }
        }
    }

    fn start(&mut self, keys: &[InstanceKey]) {
        let mut kept = Vec::new();
        let whole_flow = keys.len() == self.slots.len();
        for key in keys {
            let Some(slot) = self.slots.get_mut(key) else {
                continue;
            };
            if let State::Installed(work) = std::mem::replace(&mut slot.state, State::Running) {
                kept.extend(work);
            }
            slot.ctx.start_with_flow(whole_flow);
            slot.guarded(|node, ctx| {
                if let Err(error) = node.on_start(ctx) {
                    ctx.error(error, None);
                }
            });
            slot.ctx.start_with_flow(false);
        }
        for work in kept {
            self.handle(work);
        }
    }

    fn close(
        &mut self,
        keys: Vec<(InstanceKey, bool)>,
        limit: Duration,
        closed: oneshot::Sender<()>,
    ) {
        let mut later = JoinSet::new();
        for (key, removed) in keys {
            let Some(mut slot) = self.slots.remove(&key) else {
                continue;
            };
            if matches!(slot.state, State::Failed) {
                slot.ctx.cancel();
                continue;
            }
            let mut closing = Closing::Done;
            slot.guarded(|node, ctx| closing = node.on_close(removed, ctx));
            slot.ctx.cancel();
            if let Closing::Later(future) = closing {
                let ctx = slot.ctx.clone();
                later.spawn(async move {
                    if tokio::time::timeout(limit, future).await.is_err() {
                        let text = ctx.runtime_text(
                            "nodes.flow.close-timeout",
                            "The node did not close in time and was given up",
                        );
                        ctx.error(text, None);
                    }
                });
            }
        }
        // The flow goes on while they close.
        let wait = async move {
            while later.join_next().await.is_some() {}
            let _ = closed.send(());
        };
        self.flow.tasks().spawn(wait);
    }
}

/// What a node says to a message.
fn answer(answer: Result<(), Failed>, ctx: &NodeContext) {
    if let Err(failed) = answer {
        match failed.msg {
            Some(msg) => ctx.failed(failed.error, msg),
            None => ctx.error(failed.error, None),
        }
    }
}

impl Slot {
    fn receive(&mut self, msg: Message) {
        let hub = &self.ctx.shared().hub;
        if hub.wants(Interest::INPUT) {
            hub.publish(Event::Input {
                node: self.ctx.info().id.clone(),
                msg: msg.clone(),
            });
        }
        self.guarded(|node, ctx| answer(node.on_input(msg, ctx), ctx));
    }

    /// Calls into the node. A panic ends only this node.
    fn guarded(&mut self, call: impl FnOnce(&mut dyn Node, &NodeContext)) {
        let Self { node, ctx, .. } = self;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| call(node.as_mut(), ctx))) {
            self.state = State::Failed;
            let what = panic_text(&*panic);
            self.ctx.error(format!("This node failed inside and is stopped until it is deployed again ({what}). Please report it"), None);
            self.ctx.status(Status::new("red", "ring", "failed"));
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
