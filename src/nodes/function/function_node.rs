//! The function node: a message through a piece of JavaScript.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde::Deserialize;

use crate::{
    engine::{
        AnyEvent, Build, Closing, ConfigError, Failed, LinkReturn, Node, NodeContext, NodeError,
        Parcel,
    },
    message::{Message, Value},
    script::{Code, Kept, Module, Options, Script, ScriptEvent, Started, is_taken},
};

/// Messages that wait while the start section runs.
const MAX_WAITING: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    func: String,
    outputs: Option<f64>,
    timeout: Option<f64>,
    initialize: String,
    finalize: String,
    libs: Vec<Library>,
    #[serde(rename = "noerr")]
    _noerr: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    #[serde(rename = "var")]
    variable: String,
    module: String,
}

/// A running function node.
pub(crate) struct FunctionNode {
    code: Arc<Code>,
    options: Options,
    script: Option<Script>,
    state: State,
}

enum State {
    /// The start section has not ended: what comes waits.
    Starting(VecDeque<Message>),
    Ready,
    /// The code can't run, which has been reported. Messages are not handled.
    Dead,
}

impl FunctionNode {
    pub(crate) fn new(config: Config, build: &Build) -> Result<Self, ConfigError> {
        let modules = modules(&config.libs, build)?;
        let timeout = config
            .timeout
            .filter(|seconds| *seconds > 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let code = Code::new(config.func, config.initialize, config.finalize);
        let options = Options {
            outputs: config.outputs.unwrap_or(1.0).max(0.0) as usize,
            timeout,
            modules,
        };
        Ok(Self::with(code, options))
    }

    /// A node that runs this code.
    pub(crate) fn with(code: Code, options: Options) -> Self {
        Self {
            code: code.into(),
            options,
            script: None,
            state: State::Starting(VecDeque::new()),
        }
    }

    fn start(&mut self, ctx: &NodeContext) {
        let script = self
            .script
            .get_or_insert_with(|| Script::new(ctx, self.code.clone(), self.options.clone()));
        match script.start(ctx) {
            Started::Ready => self.ready(ctx),
            Started::Pending => {}
            Started::Failed => self.state = State::Dead,
        }
    }

    /// The start section is over: what has waited goes first, in order.
    fn ready(&mut self, ctx: &NodeContext) {
        let waited = std::mem::replace(&mut self.state, State::Ready);
        if let State::Starting(messages) = waited {
            for msg in messages {
                self.handle(msg, ctx);
            }
        }
    }

    fn handle(&mut self, msg: Message, ctx: &NodeContext) {
        match (&mut self.state, &self.script) {
            (State::Ready, Some(script)) => {
                if let Err(msg) = script.call(msg, ctx) {
                    // The tab's runtime was given up, and an event to start again is on its way.
                    self.state = State::Starting(VecDeque::from([msg]));
                }
            }
            (State::Starting(waiting), _) if waiting.len() < MAX_WAITING => waiting.push_back(msg),
            (State::Starting(_), _) => {
                let text = ctx.text("function.error.tooManyWaiting", &[]);
                ctx.failed(text, msg);
            }
            _ => {}
        }
    }
}

/// The modules that the code asks for.
fn modules(libraries: &[Library], build: &Build) -> Result<Vec<Module>, ConfigError> {
    let allowed = build.settings.others.get("functionExternalModules") != Some(&Value::Bool(false));
    if !allowed && !libraries.is_empty() {
        let text = build.text("function.error.externalModuleNotAllowed", &[]);
        return Err(text.into());
    }
    let mut found = Vec::new();
    let mut all_found = true;
    for Library { variable, module } in libraries {
        let variable = variable.trim();
        if variable.is_empty() {
            continue;
        }
        if is_taken(variable) {
            build.error(build.text("function.error.moduleNameError", &[("name", variable)]));
            all_found = false;
        } else if !module.is_empty() {
            match Module::named(module, variable) {
                Some(module) => found.push(module),
                None => {
                    let offered: Vec<&str> = Module::offered().collect();
                    build.error(build.text(
                        "function.error.moduleLoadError",
                        &[("module", module), ("offered", &offered.join(", "))],
                    ));
                    all_found = false;
                }
            }
        }
    }
    if all_found {
        Ok(found)
    } else {
        Err(build
            .text("function.error.externalModuleLoadError", &[])
            .into())
    }
}

impl Node for FunctionNode {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        self.start(ctx);
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        self.handle(msg, ctx);
        Ok(())
    }

    fn on_parcel(&mut self, parcel: Box<dyn Parcel>, ctx: &NodeContext) -> Result<(), Failed> {
        if let (State::Ready, Some(script)) = (&self.state, &self.script) {
            if let Ok(kept) = parcel.into_any().downcast::<Kept>() {
                script.call_kept(*kept, ctx);
            }
        } else if let Some(msg) = parcel.unpack() {
            self.handle(msg, ctx);
        }
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        let event = match event.downcast::<LinkReturn>() {
            Ok(back) => {
                if let Some(script) = &self.script {
                    script.returned(&back, ctx);
                }
                return;
            }
            Err(event) => event,
        };
        let Ok(event) = event.downcast::<ScriptEvent>() else {
            return;
        };
        match *event {
            ScriptEvent::Ready(true) => self.ready(ctx),
            ScriptEvent::Ready(false) => self.state = State::Dead,
            ScriptEvent::Restart => {
                if matches!(self.state, State::Ready) {
                    self.state = State::Starting(VecDeque::new());
                }
                if !matches!(self.state, State::Dead) {
                    self.start(ctx);
                }
            }
            timer @ ScriptEvent::Timer(_) => {
                if let Some(script) = &self.script {
                    script.event(timer, ctx);
                }
            }
        }
    }

    fn on_close(&mut self, removed: bool, ctx: &NodeContext) -> Closing {
        if let Some(script) = self.script.take() {
            script.close(removed, ctx);
        }
        Closing::Done
    }
}
