//! A runtime for expressions: what is compiled in it, and how it is entered.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rquickjs::{
    Array, CatchResultExt, Function, Object as JsObject, Result as JsResult, Value as JsValue,
};

use super::{
    super::{
        convert::{from_js, from_js_knowing, to_js},
        failure::Failure,
        library,
        machine::{Home, Inside, limited_runtime, stays_full},
        shared::Shared,
    },
    cache::{Cache, Entry},
    input::Input,
    natives,
    surroundings::{Current, Surroundings},
};
use crate::{
    engine::ExpressionError,
    message::{Object, Value},
};

const GLUE: &str = include_str!("../js/jsonata.js");
/// The property of the global object that holds what jsonata.js offers.
const KIT: &str = "__jsonata";

/// Places in that table.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Tool {
    /// The compiled expressions, by slot.
    Runs,
    Compile,
    EvaluateDeep,
    Drop,
    FormatDate,
    Defer,
    TakeMade,
}

type Outcome<T> = Result<T, ExpressionError>;

/// Expressions that are evaluated one at a time, such as those of a tab.
pub(super) struct Runtime {
    shared: Arc<Shared>,
    current: Current,
    virtual_clock: bool,
    machine: Mutex<Option<Machine>>,
}

struct Machine {
    // The context before its runtime: they are dropped in this order.
    home: Home,
    runtime: rquickjs::Runtime,
    cache: Cache,
}

/// Native code within the context, and what is compiled there.
pub(super) struct Session<'a, 'js> {
    pub(super) inside: Inside<'a, 'js>,
    pub(super) current: &'a Current,
    cache: &'a mut Cache,
    kit: JsObject<'js>,
}

/// Why a step did not end: a JavaScript exception is pending, or it is told already.
enum Stop {
    Exception,
    Told(ExpressionError),
}

impl From<rquickjs::Error> for Stop {
    fn from(_: rquickjs::Error) -> Self {
        Self::Exception
    }
}

impl Runtime {
    /// Nothing is made before the first expression.
    pub(super) fn new(virtual_clock: bool) -> Self {
        Self {
            shared: Arc::new(Shared::new()),
            current: Current::default(),
            virtual_clock,
            machine: Mutex::new(None),
        }
    }

    /// Whether the text is an expression; it is kept compiled.
    pub(super) fn check(&self, source: &str, around: Surroundings, limit: Duration) -> Outcome<()> {
        self.enter(around, limit, |session| session.compiled(source).map(drop))
    }

    /// The value of an expression.
    pub(super) fn evaluate(
        &self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
        around: Surroundings,
        limit: Duration,
    ) -> Outcome<Value> {
        self.enter(around, limit, |session| {
            session.evaluate(source, input, bindings)
        })
    }

    /// A time in a format of moment.js.
    pub(super) fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        around: Surroundings,
        limit: Duration,
    ) -> Outcome<String> {
        self.enter(around, limit, |session| {
            Ok(session
                .function(Tool::FormatDate)?
                .call((unix_ms, format))?)
        })
    }

    fn enter<R>(
        &self,
        around: Surroundings,
        limit: Duration,
        work: impl FnOnce(&mut Session<'_, '_>) -> Result<R, Stop>,
    ) -> Outcome<R> {
        let mut guard = self.machine.lock();
        let machine = match &mut *guard {
            Some(machine) => machine,
            none => none.insert(self.machine().map_err(|_| TOO_SMALL)?),
        };
        if let (true, Surroundings::Node(node)) = (self.virtual_clock, &around) {
            // The clock is asked through the nodes that are known.
            self.shared.admit(EVALUATING, node, false);
        }
        self.current.lock().around = Some(around);
        self.shared.deadline.arm(limit);
        let answer = machine.enter(&self.shared, &self.current, limit, work);
        self.shared.deadline.disarm();
        {
            let mut current = self.current.lock();
            current.around = None;
            current.input = Default::default();
        }
        self.shared.dismiss(EVALUATING);
        // Rejections belong to what has failed already.
        self.shared.rejections.take();
        if machine.is_beyond_help(&self.shared) {
            *guard = None;
        }
        answer
    }

    fn machine(&self) -> JsResult<Machine> {
        Machine::new(&self.shared, &self.current, self.virtual_clock)
    }
}

/// The number of the node that evaluates.
const EVALUATING: u32 = 0;

impl Machine {
    fn new(shared: &Arc<Shared>, current: &Current, virtual_clock: bool) -> JsResult<Self> {
        let runtime = limited_runtime(shared)?;
        let home = Home::new(&runtime, shared, virtual_clock)?;
        home.context().with(|ctx| {
            let host = natives::natives(&ctx, current, &home.crossing)?;
            let kit = Array::new(ctx.clone())?;
            let glue: Function = library::compile(&ctx, GLUE, "jsonata")?;
            glue.call::<_, ()>((host, kit.clone()))
                .catch(&ctx)
                .map_err(|error| {
                    tracing::error!("jsonata.js fails: {error}");
                    rquickjs::Error::Unknown
                })?;
            ctx.globals().prop(KIT, kit)
        })?;
        Ok(Self {
            home,
            runtime,
            cache: Cache::default(),
        })
    }

    fn enter<R>(
        &mut self,
        shared: &Arc<Shared>,
        current: &Current,
        limit: Duration,
        work: impl FnOnce(&mut Session<'_, '_>) -> Result<R, Stop>,
    ) -> Outcome<R> {
        let Self { home, cache, .. } = self;
        home.enter(shared, limit, |inside| {
            let kit = inside.realm.ctx.globals().get(KIT).map_err(Stop::from);
            let mut session = match kit {
                Ok(kit) => Session {
                    inside,
                    current,
                    cache,
                    kit,
                },
                Err(_) => return Err(TOO_SMALL.into()),
            };
            let answer = work(&mut session).map_err(|stop| session.error(stop));
            if session.inside.crossing.has_freed() {
                let _ = session.inside.crossing.sweep(&session.inside.realm);
            }
            answer
        })
        .unwrap_or_else(|| Err(TOO_SMALL.into()))
    }

    /// Whether it is better to begin anew: jobs without end, or its memory stays full.
    fn is_beyond_help(&self, shared: &Shared) -> bool {
        self.runtime.is_job_pending() || stays_full(shared, &self.runtime)
    }
}

const TOO_SMALL: &str =
    "The JavaScript engine has no memory left: does the flow hold very large values?";

impl<'js> Session<'_, 'js> {
    pub(super) fn function(&self, tool: Tool) -> JsResult<Function<'js>> {
        self.kit.get(tool as u32)
    }

    /// The compiled expression, compiled now if it was not yet.
    fn compiled(&mut self, source: &str) -> Result<Entry, Stop> {
        if let Some(entry) = self.cache.get(source) {
            return Ok(entry);
        }
        let slot = self.cache.next_slot();
        self.function(Tool::Compile)?
            .call::<_, ()>((slot, source))?;
        let (entry, gone) = self.cache.keep(&source.into());
        if let Some(gone) = gone {
            self.function(Tool::Drop)?.call::<_, ()>((gone,))?;
        }
        Ok(entry)
    }

    fn evaluate(
        &mut self,
        source: &Arc<str>,
        input: &Value,
        bindings: &[(&str, Value)],
    ) -> Result<Value, Stop> {
        let entry = self.compiled(source)?;
        let (realm, crossing) = (&self.inside.realm, self.inside.crossing);
        let input = self.input(input)?;
        let names = JsObject::new(realm.ctx.clone())?;
        for (name, value) in bindings {
            names.set(*name, to_js(realm, crossing, value)?)?;
        }
        if !entry.deep {
            let runs: JsObject = self.kit.get(Tool::Runs as u32)?;
            let run: Function = runs.get(entry.slot)?;
            match run.call::<_, JsValue>((input.value.clone(), names.clone())) {
                Ok(value) => return Ok(self.taken(&input, &value)?),
                Err(error) => {
                    let thrown = realm.ctx.catch();
                    if self.inside.shared.deadline.fired() || !is_stack_overflow(&thrown) {
                        realm.ctx.throw(thrown);
                        return Err(error.into());
                    }
                    self.cache.set_deep(source);
                }
            }
        }
        let outcome: JsObject =
            self.function(Tool::EvaluateDeep)?
                .call((entry.slot, input.value.clone(), names))?;
        self.inside.drain();
        if outcome.get::<_, Option<bool>>("settled")? != Some(true) {
            // Only a job that finds no memory ends without an outcome.
            let late = self.inside.shared.deadline.fired();
            return Err(Stop::Told(if late {
                self.too_slow()
            } else {
                self.too_large()
            }));
        }
        if outcome.get::<_, Option<bool>>("failed")? == Some(true) {
            realm.ctx.throw(outcome.get("error")?);
            return Err(Stop::Exception);
        }
        Ok(self.taken(&input, &outcome.get("value")?)?)
    }

    fn taken(&self, input: &Input<'js>, value: &JsValue<'js>) -> JsResult<Value> {
        let known = self.known(input)?;
        from_js_knowing(&self.inside.realm, self.inside.crossing, value, &known)
    }

    fn too_large(&self) -> ExpressionError {
        self.inside.shared.note(&Failure::OutOfMemory);
        "The expression needs too much memory: let it make less at once".into()
    }

    fn too_slow(&self) -> ExpressionError {
        let text = format!(
            "The expression was stopped after {} ms: does it call itself without end?",
            self.inside.limit.as_millis()
        );
        ExpressionError::from(text.as_str())
    }

    /// What went wrong, in JSONata's words.
    fn error(&self, stop: Stop) -> ExpressionError {
        if let Stop::Told(error) = stop {
            return error;
        }
        let ctx = &self.inside.realm.ctx;
        let thrown = ctx.catch();
        if self.inside.shared.deadline.fired() {
            return self.too_slow();
        }
        if thrown.is_null() || is_out_of_memory(&thrown) {
            return self.too_large();
        }
        if is_stack_overflow(&thrown) {
            return "The expression is nested too deep".into();
        }
        let part = |name: &str| {
            let value: JsValue = thrown.as_object()?.get(name).ok()?;
            let text = value.as_string()?;
            self.inside.realm.text(text).ok()
        };
        let message = part("message").or_else(|| {
            let text = thrown.as_string()?;
            self.inside.realm.text(text).ok()
        });
        let code = part("code");
        let details = code.is_some().then(|| self.details(&thrown));
        ctx.catch();
        ExpressionError {
            message: message.unwrap_or_else(|| "The expression failed".into()),
            code,
            thrown: details,
        }
    }

    /// What an error of JSONata says besides its sentence.
    fn details(&self, thrown: &JsValue<'js>) -> Object {
        let value = |name: &str| {
            let value: JsValue<'js> = thrown.as_object()?.get(name).ok()?;
            if let Some(text) = value.as_string() {
                return self.inside.realm.text(text).ok().map(Value::from);
            }
            if value.is_object() {
                let copy = from_js(&self.inside.realm, self.inside.crossing, &value);
                return copy.ok();
            }
            value
                .as_number()
                .map(Value::from)
                .or_else(|| value.as_bool().map(Value::from))
        };
        ["code", "value", "value2", "position", "token", "message"]
            .into_iter()
            .filter_map(|name| Some((name, value(name)?)))
            .collect()
    }
}

fn message_of(thrown: &JsValue) -> Option<String> {
    thrown.as_exception()?.message()
}

fn is_stack_overflow(thrown: &JsValue) -> bool {
    message_of(thrown).is_some_and(|text| text == "Maximum call stack size exceeded")
}

fn is_out_of_memory(thrown: &JsValue) -> bool {
    message_of(thrown).is_some_and(|text| text == "out of memory")
}
