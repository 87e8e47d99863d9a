//! A node's code and what becomes of its calls: sent, awaited, done, failed.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rquickjs::{Function, Object as JsObject, Result, Value as JsValue};

use super::{
    API_NAMES,
    analysis::{self, Uses},
    context_values::Handed,
    convert::{from_js, object_from_js, object_to_js},
    deadline::Deadline,
    failure::{Failure, Section, syntax_error},
    library,
    machine::{Inside, Scripts},
    realm::Tool,
    results,
};
use crate::{
    engine::{NodeContext, NodeError, Status, Timer},
    message::{Message, Value},
};

/// The code of a function node, read once per deploy.
#[derive(Debug)]
pub struct Code {
    sections: Vec<(Section, String, Uses)>,
}

impl Code {
    /// Reads the three sections; blank ones do not count.
    pub fn new(body: String, setup: String, cleanup: String) -> Self {
        let sections = [
            (Section::Setup, setup),
            (Section::Body, body),
            (Section::Cleanup, cleanup),
        ]
        .into_iter()
        .filter(|(section, code)| *section == Section::Body || !analysis::is_blank(code.as_str()))
        .map(|(section, code)| {
            let uses = analysis::analyse(&code);
            (section, code, uses)
        })
        .collect();
        Self { sections }
    }

    fn has(&self, section: Section) -> bool {
        self.sections.iter().any(|(own, ..)| *own == section)
    }

    fn own_globals(&self) -> bool {
        self.sections.iter().any(|(.., uses)| uses.own_globals)
    }

    fn calls_done(&self) -> bool {
        self.sections
            .iter()
            .any(|(section, _, uses)| *section == Section::Body && uses.calls_done)
    }
}

/// How a node's code runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// `node.outputCount`.
    pub outputs: usize,
    /// How long one synchronous run may take.
    pub timeout: Duration,
}

/// What comes back to a node that has a [`Script`]: hand it to [`Script::event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptEvent {
    /// A timer of the script.
    Timer(u32),
    /// The start section is over; false when it failed, which has been reported.
    Ready(bool),
    /// The tab's runtime was given up: start again.
    Restart,
}

/// What became of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    Ready,
    /// [`ScriptEvent::Ready`] follows.
    Pending,
    /// It can't run; that has been reported.
    Failed,
}

/// What the scripts of a tab share on the Rust side. Holds nothing of the runtime, so that neither keeps the other alive.
pub(super) struct Shared {
    pub(super) deadline: Deadline,
    pub(super) handed: Mutex<Vec<Handed>>,
    slots: Mutex<HashMap<u32, Slot>>,
    next: AtomicU32,
    out_of_memory: AtomicBool,
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
            handed: Mutex::default(),
            slots: Mutex::default(),
            next: AtomicU32::new(1),
            out_of_memory: AtomicBool::new(false),
        }
    }

    /// A number for a node, call, timer or ticket.
    pub(super) fn next_number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
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
    fn take_timer(&self, node: u32, id: u32) -> bool {
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

    fn wait_for(&self, node: u32, call: u32, what: Pending) {
        if let Some(slot) = self.slots.lock().get_mut(&node) {
            slot.pending.insert(call, what);
        }
    }

    pub(super) fn take_pending(&self, node: u32, call: u32) -> Option<Pending> {
        self.slots.lock().get_mut(&node)?.pending.remove(&call)
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

    /// Promise jobs were stopped for taking too long: calls of the node that wait will never be answered.
    pub(super) fn give_up_late(&self, node: u32, limit: Duration) {
        let Some((ctx, pending)) = self
            .slots
            .lock()
            .get_mut(&node)
            .map(|slot| (slot.ctx.clone(), std::mem::take(&mut slot.pending)))
        else {
            return;
        };
        let Some(error) = Failure::TimedOut(limit.as_millis()).error_value() else {
            return;
        };
        for what in pending.into_values() {
            report(&ctx, NodeError::Error(error.clone()), what);
        }
    }

    /// The runtime is gone: what waited in it fails, and its nodes start again.
    pub(super) fn restart(&self) {
        self.handed.lock().clear();
        let mut slots = self.slots.lock();
        for slot in slots.values_mut() {
            slot.timers.clear();
            for what in std::mem::take(&mut slot.pending).into_values() {
                let text = "The functions of this flow had to be started again, so this message was given up";
                report(&slot.ctx, text.into(), what);
            }
            slot.ctx.post(Box::new(ScriptEvent::Restart));
        }
    }
}

fn report(ctx: &NodeContext, error: NodeError, what: Pending) {
    match what {
        Pending::Message(msg) => ctx.failed(error, msg),
        Pending::Timer => ctx.error(error, Some(&Message::default())),
        Pending::Setup => {
            ctx.error(error, None);
            ctx.post(Box::new(ScriptEvent::Ready(false)));
        }
    }
}

/// A node's code in its tab's runtime.
pub struct Script {
    scripts: Arc<Scripts>,
    code: Arc<Code>,
    options: Options,
    index: u32,
}

impl Script {
    /// Gives the node a place among the scripts of its tab.
    pub fn new(ctx: &NodeContext, code: Arc<Code>, options: Options) -> Self {
        let scripts = Scripts::of(ctx);
        let index = scripts.shared.next_number();
        scripts.shared.slots.lock().insert(
            index,
            Slot {
                ctx: ctx.clone(),
                calls_done: code.calls_done(),
                pending: HashMap::new(),
                timers: HashMap::new(),
                shows_status: false,
                closing: false,
            },
        );
        Self {
            scripts,
            code,
            options,
            index,
        }
    }

    /// Compiles the code and runs its start section.
    pub fn start(&self, ctx: &NodeContext) -> Started {
        let housed =
            self.scripts
                .house(self.index, self.code.own_globals(), ctx.has_virtual_clock());
        if housed.is_err() {
            let text = "The JavaScript engine could not be started: is there memory left?";
            ctx.error(text, None);
            return Started::Failed;
        }
        self.enter(|inside| {
            for (section, code, uses) in &self.code.sections {
                if self.install(inside, ctx, *section, code, uses).is_err() {
                    let failure = inside.caught();
                    let error = match failure.error_value() {
                        Some(error) => NodeError::Error(Arc::new(syntax_error(&error, *section))),
                        None => failure.node_error(None, inside.functions),
                    };
                    ctx.error(error, None);
                    return Started::Failed;
                }
            }
            if self.code.has(Section::Setup) {
                self.set_up(inside, ctx)
            } else {
                Started::Ready
            }
        })
        .unwrap_or(Started::Failed)
    }

    fn install(
        &self,
        inside: &Inside,
        ctx: &NodeContext,
        section: Section,
        code: &str,
        uses: &Uses,
    ) -> Result<()> {
        let realm = &inside.realm;
        let named: Vec<&str> = API_NAMES
            .iter()
            .copied()
            .filter(|name| *name != "node" && uses.names.contains(*name))
            .collect();
        let parameters = if section == Section::Body {
            "msg,node"
        } else {
            "node"
        };
        let kind = if uses.awaits { "async " } else { "" };
        let source = format!(
            "(function({}){{return {kind}function({parameters}){{\n{code}\n}}}})",
            named.join(",")
        );
        let factory: Function = library::compile(&realm.ctx, &source, section.name())?;
        let info = JsObject::new(realm.ctx.clone())?;
        let own = ctx.info();
        info.set("id", &*own.id)?;
        info.set("name", own.name.as_deref().unwrap_or_default())?;
        info.set("path", own.path.as_str())?;
        info.set("outputs", self.options.outputs as u32)?;
        realm.tool(Tool::Install)?.call((
            self.index,
            info,
            section.name(),
            factory,
            named,
            uses.names.contains("node"),
            uses.node_of_message,
        ))
    }

    fn set_up(&self, inside: &Inside, ctx: &NodeContext) -> Started {
        match self.run(inside, Section::Setup) {
            Ok(answer) if is_thenable(&answer) => {
                match self.settle_later(inside, answer, Pending::Setup, None) {
                    Ok(()) => Started::Pending,
                    Err(_) => self.failed_setup(inside, ctx),
                }
            }
            Ok(_) => Started::Ready,
            Err(_) => self.failed_setup(inside, ctx),
        }
    }

    fn failed_setup(&self, inside: &Inside, ctx: &NodeContext) -> Started {
        let failure = inside.caught();
        ctx.error(
            failure.node_error(Some(&inside.realm), inside.functions),
            None,
        );
        Started::Failed
    }

    fn run<'js>(&self, inside: &Inside<'_, 'js>, section: Section) -> Result<JsValue<'js>> {
        inside
            .realm
            .tool(Tool::Run)?
            .call((self.index, section.name()))
    }

    /// Hands a message to the code. Gives it back when the runtime was given up and [`ScriptEvent::Restart`] follows.
    ///
    /// # Errors
    /// The message.
    pub fn call(&self, msg: Message, ctx: &NodeContext) -> std::result::Result<(), Message> {
        let called = self.enter(|inside| {
            let id = msg.get("_msgid").clone();
            let object = object_to_js(&inside.realm, inside.functions, msg.fields());
            let answer = object.and_then(|object| {
                let calls = inside.realm.table(Tool::Calls)?;
                let answer = calls
                    .get::<_, Function>(self.index)
                    .and_then(|body| body.call::<_, JsValue>((object.clone(),)));
                Ok((object, answer))
            });
            let (object, answer) = match answer {
                Ok((object, Ok(answer))) => (object, answer),
                Ok((object, Err(_))) => {
                    return fail(inside, ctx, &inside.caught(), Some(&object), &msg);
                }
                Err(_) => return fail(inside, ctx, &inside.caught(), None, &msg),
            };
            let finished = if is_thenable(&answer) {
                let what = Pending::Message(msg.clone());
                self.settle_later(inside, answer, what, Some(&object))
            } else {
                self.finish(inside, ctx, &answer, &object, &id)
            };
            if finished.is_err() {
                fail(inside, ctx, &inside.caught(), Some(&object), &msg);
            }
        });
        called.ok_or(msg)
    }

    /// The code has returned: its messages go out, and the message is done with.
    fn finish<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        ctx: &NodeContext,
        answer: &JsValue<'js>,
        object: &JsObject<'js>,
        id: &Value,
    ) -> Result<()> {
        results::send(ctx, &inside.realm, inside.functions, answer, id)?;
        if !self.code.calls_done() {
            done(inside, ctx, object)?;
        }
        Ok(())
    }

    fn settle_later<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        promise: JsValue<'js>,
        what: Pending,
        msg: Option<&JsObject<'js>>,
    ) -> Result<()> {
        let call = inside.shared.next_number();
        inside.shared.wait_for(self.index, call, what);
        inside
            .realm
            .tool(Tool::Settle)?
            .call((self.index, call, promise, msg.cloned()))
    }

    /// A timer of the script. The other events are the node's own business.
    pub fn event(&self, event: ScriptEvent, ctx: &NodeContext) {
        let ScriptEvent::Timer(id) = event else {
            return;
        };
        if !self.scripts.shared.take_timer(self.index, id) {
            return;
        }
        self.enter(|inside| {
            let fired = inside
                .realm
                .tool(Tool::Fire)
                .and_then(|fire| fire.call::<_, JsValue>((self.index, id)))
                .and_then(|answer| {
                    if is_thenable(&answer) {
                        self.settle_later(inside, answer, Pending::Timer, None)
                    } else {
                        Ok(())
                    }
                });
            if fired.is_err() {
                let error = inside
                    .caught()
                    .node_error(Some(&inside.realm), inside.functions);
                ctx.error(error, Some(&Message::default()));
            }
        });
    }

    /// Runs the stop section and ends everything that the script has started.
    pub fn close(&self, removed: bool, ctx: &NodeContext) {
        if let Some(slot) = self.scripts.shared.slots.lock().get_mut(&self.index) {
            slot.closing = true;
            slot.timers.clear();
        }
        self.enter(|inside| {
            let close = || -> Result<()> {
                let tool = inside.realm.tool(Tool::Close)?;
                tool.call::<_, ()>((self.index, removed))?;
                self.run(inside, Section::Cleanup).map(drop)
            };
            if close().is_err() {
                let failure = inside.caught();
                ctx.error(
                    failure.node_error(Some(&inside.realm), inside.functions),
                    None,
                );
            }
        });
        self.enter(|inside| {
            let forget = inside.realm.tool(Tool::Forget);
            if forget
                .and_then(|tool| tool.call::<_, ()>((self.index,)))
                .is_err()
            {
                inside.caught();
            }
        });
        let slot = self.scripts.shared.slots.lock().remove(&self.index);
        self.scripts
            .shared
            .handed
            .lock()
            .retain(|handed| handed.node() != self.index);
        if slot.is_some_and(|slot| slot.shows_status) {
            ctx.status(Status::default());
        }
        self.scripts.unhouse(self.index);
    }

    fn enter<R>(&self, work: impl FnOnce(&Inside<'_, '_>) -> R) -> Option<R> {
        self.scripts.enter(self.index, self.options.timeout, work)
    }
}

/// A promise has been settled: `Tool::Settle` brings its outcome here.
pub(super) fn settled<'js>(
    inside: &Inside<'_, 'js>,
    node: u32,
    call: u32,
    outcome: std::result::Result<&JsValue<'js>, &JsValue<'js>>,
    msg: &JsValue<'js>,
) -> Result<()> {
    let Some(what) = inside.shared.take_pending(node, call) else {
        return Ok(());
    };
    let (ctx, calls_done) = {
        let slots = inside.shared.slots.lock();
        let Some(slot) = slots.get(&node) else {
            return Ok(());
        };
        (slot.ctx.clone(), slot.calls_done)
    };
    let failure = match (outcome, &what) {
        (Ok(_), Pending::Setup) => {
            ctx.post(Box::new(ScriptEvent::Ready(true)));
            return Ok(());
        }
        (Ok(_), Pending::Timer) => return Ok(()),
        (Ok(answer), Pending::Message(came)) => {
            let id = came.get("_msgid");
            let sent = results::send(&ctx, &inside.realm, inside.functions, answer, id);
            match (sent, msg.as_object()) {
                (Ok(()), Some(object)) if !calls_done => return done(inside, &ctx, object),
                (Ok(()), _) => return Ok(()),
                (Err(_), _) => inside.caught(),
            }
        }
        (Err(reason), _) => Failure::of(&inside.realm.ctx, inside.functions, reason),
    };
    inside.shared.note(&failure);
    match &what {
        Pending::Message(came) => fail(inside, &ctx, &failure, msg.as_object(), came),
        _ => report(
            &ctx,
            failure.node_error(Some(&inside.realm), inside.functions),
            what,
        ),
    }
    Ok(())
}

/// The message is done with, as the code has left it.
pub(super) fn done<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    object: &JsObject<'js>,
) -> Result<()> {
    if ctx.completion_watched() {
        let msg = Message::new(object_from_js(&inside.realm, inside.functions, object)?);
        ctx.completion(&msg).done();
    }
    Ok(())
}

/// The code failed on a message. Catch nodes get it as the code has left it, with the error in `msg.error` if it is one.
fn fail<'js>(
    inside: &Inside<'_, 'js>,
    ctx: &NodeContext,
    failure: &Failure,
    object: Option<&JsObject<'js>>,
    came: &Message,
) {
    let left = object.and_then(|object| {
        object_from_js(&inside.realm, inside.functions, object)
            .map_err(|_| inside.realm.ctx.catch())
            .ok()
    });
    let mut msg = left.map_or_else(|| came.clone(), Message::new);
    if let Some(error) = failure.error_value() {
        msg.set("error", Value::Error(error));
    }
    ctx.failed(
        failure.node_error(Some(&inside.realm), inside.functions),
        msg,
    );
}

/// Whether a value is to be awaited. A getter named `then` that throws is left to whoever reads the value next.
fn is_thenable(value: &JsValue) -> bool {
    value.is_promise()
        || value
            .as_object()
            .is_some_and(|object| match object.get::<_, JsValue>("then") {
                Ok(then) => then.is_function(),
                Err(_) => {
                    object.ctx().catch();
                    false
                }
            })
}

/// A copy of a value of a script.
pub(super) fn copied<'js>(inside: &Inside<'_, 'js>, value: &JsValue<'js>) -> Result<Value> {
    from_js(&inside.realm, inside.functions, value)
}
