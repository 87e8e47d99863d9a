//! What a node can do: send, report, remember, wait. A cheap handle that stays valid after the node is gone.

mod report;
mod send;

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    events::{Event, Interest},
    node::AnyEvent,
    queue::{FlowShared, InstanceKey, WorkGuard},
    routes::{NodeRoutes, Target},
    running::Shared,
    settings::RuntimeSettings,
};
use crate::{
    flow::{Environment, Id},
    message::{ErrorValue, Message, PathError, PropertyPath, TypedInput, Value},
};

pub use report::Completion;

/// What a node is called and where it stands.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub id: Id,
    pub type_name: Id,
    pub name: Option<Id>,
    /// The flow it belongs to: a tab's id, a subflow instance's, or `global`.
    pub flow: Id,
    /// The flows around that one, the innermost first: none for a tab.
    pub around: Arc<[Id]>,
    /// Its `z` as the file has it.
    pub z: Option<Id>,
    /// The innermost group around it.
    pub group: Option<Id>,
    /// flow id / instance ids / node id, as the file has them.
    pub path: String,
}

impl NodeInfo {
    /// The name, if there is one to show.
    pub fn shown_name(&self) -> Option<&Id> {
        self.name.as_ref().filter(|name| !name.is_empty())
    }

    /// What records of a flow itself say.
    pub(super) fn of_flow(flow: &Id) -> Self {
        Self {
            id: flow.clone(),
            type_name: "flow".into(),
            name: None,
            flow: flow.clone(),
            around: Arc::new([]),
            z: None,
            group: None,
            path: format!("{flow}/{flow}"),
        }
    }

    /// The path of its flow: the tab's id and those of the subflow instances around it. None for the flow itself.
    pub fn flow_path(&self) -> Option<&str> {
        let of_flow = || {
            self.path
                .rsplit_once('/')
                .map_or(&*self.path, |(flow, _)| flow)
        };
        (self.id != self.flow).then(of_flow)
    }

    /// The id that it has in the subflow's definition; none outside of subflows.
    pub fn alias(&self) -> Option<&str> {
        let (_, in_file) = self.path.rsplit_once('/')?;
        (*in_file != *self.id).then_some(in_file)
    }
}

/// A node's handle on everything outside it.
#[derive(Clone)]
pub struct NodeContext(Arc<Inner>);

struct Inner {
    key: InstanceKey,
    info: Arc<NodeInfo>,
    flow: Arc<FlowShared>,
    routes: ArcSwap<NodeRoutes>,
    /// It starts with its whole flow: catch and status nodes do not listen yet.
    starts_with_flow: AtomicBool,
    shared: Arc<Shared>,
    env: Environment,
    cancel: CancellationToken,
}

/// A timer of a node; dropping it stops it.
#[derive(Debug)]
pub struct Timer {
    _task: AbortOnDropHandle<()>,
}

/// A piece of work that counts towards the flow's limit until this is dropped.
#[must_use]
pub struct Busy {
    _guard: WorkGuard,
}

impl NodeContext {
    pub(super) fn new(
        key: InstanceKey,
        info: Arc<NodeInfo>,
        flow: Arc<FlowShared>,
        shared: Arc<Shared>,
        env: Environment,
    ) -> Self {
        let cancel = CancellationToken::new();
        Self(Arc::new(Inner {
            key,
            info,
            flow,
            routes: ArcSwap::default(),
            starts_with_flow: AtomicBool::new(false),
            shared,
            env,
            cancel,
        }))
    }

    /// What the node is called and where it stands.
    pub fn info(&self) -> &Arc<NodeInfo> {
        &self.0.info
    }

    /// A number that names this run of this node, and no other ever.
    pub fn key(&self) -> u64 {
        self.0.key
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn target(&self) -> Target {
        Target {
            flow: self.0.flow.clone(),
            key: self.0.key,
            id: self.0.info.id.clone(),
        }
    }

    pub(super) fn set_routes(&self, routes: NodeRoutes) {
        self.0.routes.store(Arc::new(routes));
    }

    pub(super) fn cancel(&self) {
        self.0.cancel.cancel();
    }

    /// For sources: returns when the flow has room for another message.
    pub async fn ready(&self) {
        self.0.flow.ready(true).await;
    }

    /// For a node that makes many messages of one: returns when the flow has room for the next. What it holds itself
    /// (see [`NodeContext::waiting`]) does not stand in its way.
    pub async fn ready_beside_sources(&self) {
        self.0.flow.ready(false).await;
    }

    /// Hands data to the debug panel, if anybody looks: `make` makes what `/comms` sends.
    pub fn publish_debug(&self, make: impl FnOnce() -> serde_json::Value) {
        let hub = &self.0.shared.hub;
        if hub.wants(Interest::DEBUG) {
            hub.publish(Event::Debug(make()));
        }
    }

    /// The value of an environment variable as this node sees it.
    pub fn env(&self, name: &str) -> Option<Value> {
        self.0.env.get(name)
    }

    /// The value of a variable, or a text in which each `${NAME}` is replaced.
    pub(super) fn env_text(&self, text: &str) -> Value {
        self.0.env.evaluate_text(text)
    }

    /// A text of the node's type in the runtime's language.
    pub fn text(&self, key: &str, params: &[(&str, &str)]) -> String {
        match self.0.shared.catalog.get(&self.0.info.type_name) {
            Some(known) => known.texts.message(key, params),
            None => key.to_owned(),
        }
    }

    /// A text of the runtime itself.
    pub(super) fn runtime_text(&self, key: &str, english: &str) -> String {
        self.0.shared.runtime_text(key, english)
    }

    /// The settings that hold now.
    pub fn settings(&self) -> Arc<RuntimeSettings> {
        self.0.shared.settings.load_full()
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> f64 {
        self.0.shared.clock.now()
    }

    /// Whether [`NodeContext::now`] is not the machine's clock, so that scripts must ask it, too.
    pub fn has_virtual_clock(&self) -> bool {
        matches!(self.0.shared.clock, super::clock::Clock::Virtual { .. })
    }

    /// Runs a future beside the flow. It ends with the node, and counts towards the flow's limit while it runs.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let guard = self.0.flow.count_spawned();
        let cancel = self.0.cancel.clone();
        self.0.shared.tasks.spawn(async move {
            let _guard = guard;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = future => {}
            }
        });
    }

    /// Counts a piece of work that goes on elsewhere, such as a message on its way to a broker, until the returned value
    /// is dropped. Sources wait while there is too much of it.
    pub fn busy(&self) -> Busy {
        Busy {
            _guard: self.0.flow.count_spawned(),
        }
    }

    /// Counts a message that the node holds, for a node that waits for room itself: only sources wait for these.
    pub fn waiting(&self) -> Busy {
        Busy {
            _guard: self.0.flow.count_held(),
        }
    }

    /// As [`NodeContext::spawn_service`] for work that goes on when the node closes: `on_close` has to wait for it.
    pub fn spawn_to_end(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(self.0.shared.tasks.spawn(future))
    }

    /// As [`NodeContext::spawn`] for work that runs as long as the node does, such as a subscription; it does not count.
    pub fn spawn_service(&self, future: impl Future<Output = ()> + Send + 'static) {
        let cancel = self.0.cancel.clone();
        self.0.shared.tasks.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = future => {}
            }
        });
    }

    /// Hands `event` to the node's `on_event` after a while, unless the timer is dropped before.
    pub fn after(&self, duration: Duration, event: impl std::any::Any + Send) -> Timer {
        let ctx = self.clone();
        let cancel = self.0.cancel.clone();
        let task = self.0.shared.tasks.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(duration) => ctx.post(Box::new(event)),
            }
        });
        Timer {
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Hands an event to the node's own `on_event`, after what is queued already.
    pub fn post(&self, event: AnyEvent) {
        self.0.flow.post(self.0.key, event);
    }

    /// Something that the nodes of this flow share, made at first use and dropped with the flow.
    pub fn tab_local<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.0.flow.local(make)
    }

    /// The value of a typed input.
    ///
    /// # Errors
    /// What JavaScript throws when a key, a path or an expression is wrong.
    pub fn evaluate(&self, input: &TypedInput, msg: &Message) -> Result<Value, ErrorValue> {
        use super::Scope;
        let stored = |scope, key: &str| {
            let value = context_key(key, msg).and_then(|key| self.store(scope).get(&key, None));
            value.map_err(|text| PathError::error_of(&text))
        };
        Ok(match input {
            TypedInput::Constant(value) => value.clone(),
            TypedInput::Message(path) => path.get(msg.fields(), msg.fields())?,
            TypedInput::Flow(key) => stored(Scope::Flow, key)?,
            TypedInput::Global(key) => stored(Scope::Global, key)?,
            TypedInput::Env(text) => self.0.env.evaluate_text(text),
            TypedInput::Date(format) => match &**format {
                "object" => Value::Date(self.now()),
                "iso" => iso(self.now()).into(),
                "" => Value::Number(self.now()),
                format => self
                    .0
                    .shared
                    .expressions
                    .format_date(self.now(), format, self)?
                    .into(),
            },
            TypedInput::Jsonata(source) => self.evaluate_for(source, msg, &[])?,
        })
    }
}

/// A context key with what it names of the message (`rooms[msg.topic]`) filled in.
///
/// # Errors
/// A sentence when the key is no property expression, or names what the message does not have.
pub fn context_key<'k>(key: &'k str, msg: &Message) -> Result<Cow<'k, str>, String> {
    if !key.contains("[msg") {
        return Ok(Cow::Borrowed(key));
    }
    let start = match key.strip_prefix("#:(").and_then(|rest| rest.find(")::")) {
        Some(end) => end + "#:()::".len(),
        None => 0,
    };
    let path = PropertyPath::parse(&key[start..]).map_err(|error| error.to_string())?;
    let filled = path
        .filled_in(msg.fields())
        .map_err(|error| error.to_string())?;
    Ok(Cow::Owned(format!("{}{filled}", &key[..start])))
}

/// The time as ISO 8601 in UTC with milliseconds.
fn iso(unix_ms: f64) -> String {
    chrono::DateTime::from_timestamp_millis(unix_ms as i64)
        .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .unwrap_or_default()
}

/// A new message id: 16 hex digits.
pub fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let seed =
        *SEED.get_or_init(|| getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())));
    // SplitMix64: a bijection of the counter, so ids of one run never repeat.
    let mut id = seed.wrapping_add(
        NEXT.fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15),
    );
    id = (id ^ (id >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    id = (id ^ (id >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    format!("{:016x}", id ^ (id >> 31))
}
