//! A tab's runtime: its contexts, and how native code enters and leaves them.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Result, Runtime};
use rustc_hash::FxHashMap;

use super::{
    context_values,
    convert::Crossing,
    failure::Failure,
    host, kept,
    realm::{KIT, Realm, Tool},
    shared::Shared,
};
use crate::engine::NodeContext;

/// Bytes that the scripts of one tab may hold.
const MEMORY_LIMIT: usize = 64 << 20;
/// Bytes of stack for scripts; a worker thread has 2 MB, and native code needs its part.
const STACK_LIMIT: usize = 768 << 10;

/// The scripts of one tab.
pub(super) struct Scripts {
    pub(super) shared: Arc<Shared>,
    machine: Mutex<Option<Machine>>,
}

/// A runtime and its contexts.
struct Machine {
    // Contexts before their runtime: they are dropped in this order.
    homes: FxHashMap<u32, Home>,
    common: Option<Home>,
    runtime: Runtime,
}

/// A context that nodes live in.
#[derive(Clone)]
pub(super) struct Home {
    context: Context,
    pub(super) crossing: Crossing,
}

/// Native code within a context.
pub(super) struct Inside<'a, 'js> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) realm: Realm<'js>,
    pub(super) crossing: &'a Crossing,
    pub(super) limit: Duration,
}

impl<'js> Inside<'_, 'js> {
    /// Takes the pending exception.
    pub(super) fn caught(&self) -> Failure {
        let timed_out = self
            .shared
            .deadline
            .fired()
            .then_some(self.limit.as_millis());
        let throws_null = self.shared.throws_null();
        let failure = Failure::catch(&self.realm.ctx, self.crossing, timed_out, throws_null);
        self.shared.note(&failure);
        failure
    }

    /// Runs what promises have waiting, within the same limit.
    pub(super) fn drain(&self) {
        if self.shared.deadline.fired() {
            // The call itself was stopped; what waits is not to blame for it.
            self.shared.deadline.arm(self.limit);
        }
        // Mostly there is nothing, and the clock need not be asked. A job that comes too late is stopped at once.
        while self.realm.ctx.execute_pending_job() && !self.shared.deadline.passed() {}
    }
}

impl Scripts {
    /// The scripts of the tab that a node runs in.
    pub(super) fn of(ctx: &NodeContext) -> Arc<Self> {
        ctx.tab_local(|| Self {
            shared: Arc::new(Shared::new()),
            machine: Mutex::new(None),
        })
    }

    /// Gives a node a context: the common one, or one of its own.
    pub(super) fn house(&self, index: u32, run: u64, own: bool, virtual_clock: bool) -> Result<()> {
        let mut machine = self.machine.lock();
        let machine = match &mut *machine {
            Some(machine) => machine,
            none => none.insert(Machine::new(&self.shared)?),
        };
        let home = match &machine.common {
            Some(common) if !own => common.clone(),
            _ => {
                let home = Home::new(&machine.runtime, &self.shared, virtual_clock)?;
                if !own {
                    machine.common = Some(home.clone());
                }
                home
            }
        };
        if !own {
            self.shared.settle_in(index, run, home.crossing.id());
        }
        machine.homes.insert(index, home);
        Ok(())
    }

    /// Ends a node's stay. With the last node the runtime goes.
    pub(super) fn unhouse(&self, index: u32) {
        let mut machine = self.machine.lock();
        if let Some(inner) = &mut *machine {
            inner.homes.remove(&index);
            if inner.homes.is_empty() {
                self.shared.keeper.lock().reset();
                *machine = None;
            }
        }
    }

    /// Enters the context of a node: does `work`, then what promises have waiting, then writes back what the scripts
    /// have changed in context values. None when there is no sound runtime: a restart
    /// follows.
    pub(super) fn enter<R>(
        &self,
        index: u32,
        limit: Duration,
        work: impl FnOnce(&Inside<'_, '_>) -> R,
    ) -> Option<R> {
        let mut guard = self.machine.lock();
        let machine = guard.as_ref()?;
        let home = machine.homes.get(&index)?;
        self.shared.deadline.arm(limit);
        let first_call = self.shared.peek_number();
        let answer = home.enter(&self.shared, limit, |inside| {
            let answer = work(&inside);
            inside.drain();
            answer
        });
        let late = self.shared.deadline.fired();
        self.shared.deadline.disarm();
        if late {
            self.shared.give_up_late(index, first_call, limit);
        }
        self.shared.report_rejections(index);
        self.look_after_kept(machine);
        if self.shared.holds_values() || home.crossing.has_freed() {
            home.context.with(|ctx| {
                if let Ok(realm) = Realm::of(&ctx) {
                    context_values::write_back(&self.shared, &realm, &home.crossing);
                    let _ = home.crossing.sweep(&realm);
                }
            });
        }
        if answer.is_none() || self.is_beyond_help(machine, late) {
            *guard = None;
            drop(guard);
            self.shared.restart();
        }
        answer
    }

    /// Lets go of kept messages that nobody will fetch; and says how many more there may be.
    fn look_after_kept(&self, machine: &Machine) {
        let (has_dropped, is_full) = {
            let keeper = self.shared.keeper.lock();
            (keeper.has_dropped(), keeper.is_full())
        };
        if let Some(common) = machine.common.as_ref().filter(|_| has_dropped) {
            common.enter(&self.shared, Duration::ZERO, |inside| {
                if kept::tidy(&self.shared, &inside.realm).is_err() {
                    inside.caught();
                }
            });
        }
        if is_full {
            let used = machine.runtime.memory_usage().malloc_size;
            let used = usize::try_from(used).unwrap_or(usize::MAX);
            self.shared.keeper.lock().look(used);
        }
    }

    /// Whether the runtime can't go on: a promise chain without end, or its memory stays full.
    fn is_beyond_help(&self, machine: &Machine, late: bool) -> bool {
        if late && machine.runtime.is_job_pending() {
            return true;
        }
        stays_full(&self.shared, &machine.runtime)
    }
}

impl Machine {
    fn new(shared: &Shared) -> Result<Self> {
        Ok(Self {
            runtime: limited_runtime(shared)?,
            common: None,
            homes: FxHashMap::default(),
        })
    }
}

/// A runtime that can neither run nor grow without end.
pub(super) fn limited_runtime(shared: &Shared) -> Result<Runtime> {
    let runtime = Runtime::new()?;
    runtime.set_memory_limit(MEMORY_LIMIT);
    runtime.set_max_stack_size(STACK_LIMIT);
    runtime.set_interrupt_handler(Some(shared.deadline.handler()));
    runtime.set_host_promise_rejection_tracker(Some(shared.rejections.tracker()));
    Ok(runtime)
}

/// Whether a runtime that has run out of memory has not got it back.
pub(super) fn stays_full(shared: &Shared, runtime: &Runtime) -> bool {
    if !shared.take_out_of_memory() {
        return false;
    }
    runtime.run_gc();
    let used = runtime.memory_usage().malloc_size;
    usize::try_from(used).is_ok_and(|used| used > MEMORY_LIMIT / 2)
}

impl Home {
    pub(super) fn new(
        runtime: &Runtime,
        shared: &Arc<Shared>,
        virtual_clock: bool,
    ) -> Result<Self> {
        let context = Context::full(runtime)?;
        let crossing = Crossing::new();
        context.with(|ctx| furnish(&ctx, shared, &crossing, virtual_clock))?;
        Ok(Self { context, crossing })
    }

    /// Native code in the context. None when not even the smallest thing fits into its memory.
    pub(super) fn enter<R>(
        &self,
        shared: &Arc<Shared>,
        limit: Duration,
        work: impl for<'js> FnOnce(Inside<'_, 'js>) -> R,
    ) -> Option<R> {
        self.context.with(|ctx| {
            let Ok(realm) = Realm::of(&ctx) else {
                ctx.catch();
                return None;
            };
            Some(work(Inside {
                shared,
                realm,
                crossing: &self.crossing,
                limit,
            }))
        })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }
}

/// Runs core.js in a new context.
fn furnish<'js>(
    ctx: &Ctx<'js>,
    shared: &Arc<Shared>,
    crossing: &Crossing,
    virtual_clock: bool,
) -> Result<()> {
    let natives = host::natives(ctx, shared, crossing)?;
    let array = rquickjs::Array::new(ctx.clone())?;
    let core: Function = super::library::compile(ctx, super::library::CORE, "core")?;
    core.call::<_, ()>((natives, array.clone(), virtual_clock))
        .catch(ctx)
        .map_err(|error| {
            tracing::error!("core.js fails: {error}");
            rquickjs::Error::Unknown
        })?;
    ctx.globals().prop(KIT, array)?;
    // Fails here, not at the first message, if core.js and the list of tools differ.
    Realm::of(ctx)?.tool(Tool::WellFormed).map(drop)
}
