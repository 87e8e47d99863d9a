//! A node's place among the scripts of its tab.

use std::sync::Arc;

use rquickjs::{Function, Object as JsObject, Result, Value as JsValue};

use super::{
    code::{Code, Options},
    convert::{PartialObject, message_from_js, message_to_js, object_to_js},
    failure::{Section, syntax_error},
    kept::{Kept, LOST},
    machine::{Inside, Scripts},
    outcome::{MSGID, done, fail, is_thenable, left},
    realm::Tool,
    results,
    shared::Pending,
};
use crate::{
    engine::{LinkReturn, NodeContext, NodeError, Status},
    message::Message,
};

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
        scripts.shared.admit(index, ctx, code.calls_done());
        if code.throws_null() {
            scripts.shared.expect_null();
        }
        Self {
            scripts,
            code,
            options,
            index,
        }
    }

    /// Compiles the code and runs its start section.
    pub fn start(&self, ctx: &NodeContext) -> Started {
        let housed = self.scripts.house(
            self.index,
            ctx.key(),
            self.code.own_globals(),
            ctx.has_virtual_clock(),
        );
        if housed.is_err() {
            let text = "The JavaScript engine could not be started: is there memory left?";
            ctx.error(text, None);
            return Started::Failed;
        }
        self.enter(ctx, |inside| {
            if let Err(section) = self.code.install(inside, self.index, ctx, &self.options) {
                let failure = inside.caught();
                let error = match failure.error_value() {
                    Some(error) => NodeError::Error(Arc::new(syntax_error(&error, section))),
                    None => failure.node_error(None, inside.crossing),
                };
                ctx.error(error, None);
                return Started::Failed;
            }
            if self.code.has(Section::Setup) {
                self.set_up(inside, ctx)
            } else {
                Started::Ready
            }
        })
        .unwrap_or(Started::Failed)
    }

    fn set_up(&self, inside: &Inside, ctx: &NodeContext) -> Started {
        match self.run(inside, Section::Setup, false) {
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
            failure.node_error(Some(&inside.realm), inside.crossing),
            None,
        );
        Started::Failed
    }

    /// `removed` is what a stop section may want to know.
    fn run<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        section: Section,
        removed: bool,
    ) -> Result<JsValue<'js>> {
        inside
            .realm
            .tool(Tool::Run)?
            .call((self.index, section.name(), removed))
    }

    /// Hands a message to the code. Gives it back when the runtime was given up and [`ScriptEvent::Restart`] follows.
    ///
    /// # Errors
    /// The message.
    pub fn call(&self, msg: Message, ctx: &NodeContext) -> std::result::Result<(), Message> {
        let reach = self.code.reach().filter(|_| msg.is_plain());
        let mut waiting = Some(msg);
        let called = self.enter(ctx, |inside| {
            let Some(msg) = waiting.take() else { return };
            let (realm, crossing) = (&inside.realm, inside.crossing);
            let part = reach.map(|reach| PartialObject::of(realm, crossing, msg.fields(), reach));
            let made = match part.transpose().map(Option::flatten) {
                Ok(Some(part)) => return self.handle_part(inside, ctx, &part, msg),
                Ok(None) => message_to_js(realm, crossing, &msg),
                Err(error) => Err(error),
            };
            match made {
                Ok(object) => self.handle(inside, ctx, &object, Some(&msg)),
                Err(_) => fail(inside, ctx, &inside.caught(), Some(msg)),
            }
        });
        match (called, waiting) {
            (None, Some(msg)) => Err(msg),
            _ => Ok(()),
        }
    }

    /// Runs the code on that part of a message that it reaches.
    fn handle_part<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        ctx: &NodeContext,
        part: &PartialObject<'_, 'js>,
        came: Message,
    ) {
        let (realm, crossing) = (&inside.realm, inside.crossing);
        let back = |came: Message| part.back(realm, crossing, came.into_fields());
        let answer = match self.run_body(inside, &part.object) {
            Ok(answer) => answer,
            Err(_) => {
                let failure = inside.caught();
                let left = back(came.clone()).map(Message::new);
                return fail(inside, ctx, &failure, Some(left.unwrap_or(came)));
            }
        };
        let is_promise = is_thenable(&answer);
        if !is_promise && !ctx.completion_watched() && part.is(&answer) {
            match back(came) {
                Ok(fields) => results::send_one(ctx, fields),
                Err(_) => fail(inside, ctx, &inside.caught(), None),
            }
            return;
        }
        let handled = || {
            let msg = Message::new(back(came.clone())?);
            if is_promise {
                let object = object_to_js(realm, crossing, msg.fields())?;
                let what = Pending::Message(came.clone());
                return self.settle_later(inside, answer, what, Some(&object));
            }
            results::send_part(inside, ctx, &answer, part, &msg)?;
            if ctx.completion_watched() {
                ctx.completion(&msg).done();
            }
            Ok(())
        };
        if handled().is_err() {
            fail(inside, ctx, &inside.caught(), Some(came));
        }
    }

    fn run_body<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        object: &JsObject<'js>,
    ) -> Result<JsValue<'js>> {
        let calls = inside.realm.table(Tool::Calls)?;
        let body: Function = calls.get(self.index)?;
        body.call((object.clone(),))
    }

    /// As [`Script::call`] for a message that has stayed an object.
    pub(crate) fn call_kept(&self, kept: Kept, ctx: &NodeContext) {
        let called = self.enter(ctx, |inside| {
            let object = kept.fetch(inside)?;
            self.handle(inside, ctx, &object, None);
            Some(())
        });
        if called.flatten().is_none() {
            ctx.error(LOST, None);
        }
    }

    /// Runs the code on a message. `came` is the message as it came, where that is still known.
    fn handle<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        ctx: &NodeContext,
        object: &JsObject<'js>,
        came: Option<&Message>,
    ) {
        let handled = || {
            let answer = self.run_body(inside, object)?;
            if !is_thenable(&answer) {
                return self.finish(inside, ctx, &answer, object);
            }
            let what = Pending::Message(match came {
                Some(msg) => msg.clone(),
                None => message_from_js(&inside.realm, inside.crossing, object)?,
            });
            self.settle_later(inside, answer, what, Some(object))
        };
        if handled().is_err() {
            let failure = inside.caught();
            let left = left(inside, object).or_else(|| came.cloned());
            fail(inside, ctx, &failure, left);
        }
    }

    /// The code has returned: its messages go out, and the message is done with.
    fn finish<'js>(
        &self,
        inside: &Inside<'_, 'js>,
        ctx: &NodeContext,
        answer: &JsValue<'js>,
        object: &JsObject<'js>,
    ) -> Result<()> {
        results::send(inside, ctx, answer, &object.get(MSGID)?, true)?;
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
        self.enter(ctx, |inside| {
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
                    .node_error(Some(&inside.realm), inside.crossing);
                ctx.error(error, Some(&Message::default()));
            }
        });
    }

    /// A link call of the script has come back.
    pub fn returned(&self, back: &LinkReturn, ctx: &NodeContext) {
        self.enter(ctx, |inside| {
            let taken = message_to_js(&inside.realm, inside.crossing, &back.msg);
            let taken = taken.and_then(|msg| {
                let returned = inside.realm.tool(Tool::Returned)?;
                returned.call::<_, ()>((self.index, &*back.call, msg))
            });
            if taken.is_err() {
                inside.caught();
            }
        });
    }

    /// Runs the stop section and ends everything that the script has started.
    pub fn close(&self, removed: bool, ctx: &NodeContext) {
        self.scripts.shared.begin_closing(self.index);
        self.enter(ctx, |inside| {
            let finalized = self.run(inside, Section::Cleanup, removed).map(drop);
            if finalized.is_err() {
                let failure = inside.caught();
                ctx.error(
                    failure.node_error(Some(&inside.realm), inside.crossing),
                    None,
                );
            }
            let close = inside.realm.tool(Tool::Close);
            if close
                .and_then(|close| close.call::<_, ()>((self.index, removed)))
                .is_err()
            {
                inside.caught();
            }
        });
        self.scripts.shared.end_calls(self.index);
        self.enter(ctx, |inside| {
            let forget = inside.realm.tool(Tool::Forget);
            if forget
                .and_then(|tool| tool.call::<_, ()>((self.index,)))
                .is_err()
            {
                inside.caught();
            }
        });
        if self.scripts.shared.dismiss(self.index) {
            ctx.status(Status::default());
        }
        self.scripts.unhouse(self.index);
    }

    fn enter<R>(&self, ctx: &NodeContext, work: impl FnOnce(&Inside<'_, '_>) -> R) -> Option<R> {
        let limit = match self.options.timeout {
            Some(limit) => limit,
            None => ctx.settings().function_timeout,
        };
        self.scripts.enter(self.index, limit, work)
    }
}
