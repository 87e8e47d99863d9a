//! What all parts of the broker share, and the fan-out of messages to sessions.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BrokerConfig, BrokerStats,
    access::Access,
    bus::{Bus, BusError},
    codec::{Filter, reason},
    connection,
    counters::Counters,
    durable,
    events::Events,
    inspect::now_ms,
    journal::Journal,
    kept,
    limits::Limit,
    listeners::Listeners,
    memory::Memory,
    message::Publication,
    observed::Observed,
    outbox::Delivery,
    retained::Retained,
    session::Session,
    sessions::Sessions,
    stream::{Peer, Stream},
    subscriptions::{Options, Subscriptions},
    sys::Sys,
    thread,
    topics::{overlaps, split_shared},
    visitors::{Place, Visitors},
    wills::Wills,
};
use crate::store::{BrokerStore, StoredRecord};

/// Subscriptions and retained messages change together, so that a new subscriber neither misses a message nor gets it twice.
pub(super) struct Routes {
    pub(super) subscriptions: Subscriptions,
    pub(super) retained: Retained,
}

/// The broker's inside.
pub(super) struct Core {
    pub(super) config: BrokerConfig,
    /// Names this run of the broker.
    pub(super) instance: u64,
    pub(super) bus: Arc<Bus>,
    pub(super) access: Access,
    pub(super) sessions: Sessions,
    pub(super) wills: Wills,
    pub(super) memory: Arc<Memory>,
    pub(super) observed: Mutex<Observed>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
    /// Of the broker's own thread.
    pub(super) runtime: Handle,
    pub(super) listeners: Listeners,
    pub(super) visitors: Arc<Visitors>,
    /// Places to tell why a connection is refused.
    refusing: Arc<Semaphore>,
    pub(super) routes: Mutex<Routes>,
    pub(super) journal: Journal,
    pub(super) counters: Counters,
    pub(super) events: Events,
    pub(super) sys: Sys,
}

/// Connections that are told at the same time why they are refused; the rest are only closed.
const REFUSING: usize = 64;
/// How long one may take to hear it.
const REFUSAL: Duration = Duration::from_secs(2);

/// The right to tell a connection that a limit refuses it.
pub(super) struct Refusal {
    limit: Limit,
    pub(super) deadline: Instant,
    _place: OwnedSemaphorePermit,
}

impl Refusal {
    /// Waits for CONNECT, and answers it.
    pub(super) async fn tell(self, core: &Core, stream: Stream, input: BytesMut) {
        connection::refuse(core, stream, input, self.limit.reason(), self.deadline).await;
    }
}

impl Core {
    /// A network connection comes; its place is its own until that is dropped.
    ///
    /// # Errors
    /// It is refused; what is to be done about it, or nothing but to close it.
    pub(super) fn enter(&self, peer: Peer) -> Result<Place, Option<Refusal>> {
        self.counters.sockets.add(1);
        self.visitors.enter(peer).map_err(|limit| {
            self.counters.limits.add(limit, &peer);
            let place = self.refusing.clone().try_acquire_owned().ok()?;
            Some(Refusal {
                limit,
                deadline: Instant::now() + REFUSAL.min(self.config.connect_timeout),
                _place: place,
            })
        })
    }

    /// Runs a task on the broker's thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// The broker without listeners; its dispatcher runs.
    pub(super) fn start(
        config: BrokerConfig,
        store: Option<(BrokerStore, Vec<StoredRecord>)>,
    ) -> Result<Arc<Self>, BusError> {
        let mut retained = Retained::new(config.max_retained, config.max_retained_bytes);
        let (store, records) = store.unzip();
        let records = records.unwrap_or_default();
        let mut observed = Observed::default();
        for publication in records.iter().filter_map(kept::read) {
            retained.store(&publication);
            observed.note_kept(&publication);
        }
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let runtime = thread::start(shutdown.clone(), tasks.clone())?;
        let (bus, dispatcher) = Bus::start()?;
        let memory = Memory::new(config.max_memory);
        let core = Arc::new(Self {
            instance: getrandom::u64().unwrap_or_else(|_| now_ms()),
            bus,
            access: Access::new(config.access.clone()),
            sessions: Sessions::new(&config, &memory),
            wills: Wills::default(),
            memory,
            observed: Mutex::new(observed),
            tasks,
            shutdown,
            runtime,
            listeners: Listeners::default(),
            visitors: Visitors::new(&config),
            refusing: Arc::new(Semaphore::new(REFUSING)),
            routes: Mutex::new(Routes {
                subscriptions: Subscriptions::default(),
                retained,
            }),
            journal: Journal::new(store, config.persistence),
            counters: Counters::default(),
            events: Events::new(),
            sys: Sys::new(),
            config,
        });
        let (sessions, mut removals) = durable::read(&records);
        for restored in sessions {
            let (id, number) = (restored.id.clone(), restored.stored.number);
            if !core.restore(restored) {
                removals.extend(durable::removed(id, number));
            }
        }
        core.journal.commit(removals, None);
        core.spawn(core.clone().dispatch_all(dispatcher));
        core.spawn(Journal::run(core.clone()));
        Ok(core)
    }

    /// Counts of this moment.
    pub(super) fn stats(&self) -> BrokerStats {
        let (clients, sessions) = self.sessions.count();
        let routes = self.routes.lock();
        BrokerStats {
            clients,
            sessions,
            subscriptions: routes.subscriptions.count(),
            retained: routes.retained.count(),
            received: self.counters.received.get(),
            delivered: self.counters.delivered.get(),
            dropped: self.counters.dropped.get(),
            exceeded: self.counters.limits.list(),
        }
    }

    /// Subscribes a session and sends it the retained messages that it should have; the granted QoS of each filter.
    pub(super) fn subscribe(
        &self,
        session: &Arc<Session>,
        filters: &[Filter],
        id: Option<u32>,
    ) -> Vec<u8> {
        let ids: Option<Arc<[u32]>> = id.map(|id| Arc::from([id]));
        let identity = session.identity();
        let system = |filter: &Filter| overlaps(&filter.path, "$SYS/#");
        if filters.iter().any(system) {
            self.prepare_system();
        }
        let mut routes = self.routes.lock();
        let mut codes = Vec::with_capacity(filters.len());
        for filter in filters {
            let path = split_shared(&filter.path).map_or(&*filter.path, |(_, path)| path);
            if !identity.rights.allow_filter(path) {
                codes.push(reason::NOT_AUTHORIZED);
                continue;
            }
            let limit = self.config.max_subscriptions;
            if !routes.subscriptions.has_room(&filter.path, session, limit) {
                self.counters.limits.add(Limit::Subscriptions, session.id());
                codes.push(reason::QUOTA_EXCEEDED);
                continue;
            }
            let options = Options {
                qos: filter.qos,
                no_local: filter.no_local,
                retain_as_published: filter.retain_as_published,
                ids: ids.clone(),
                shared: split_shared(&filter.path).map(|_| filter.path.as_str().into()),
            };
            let is_shared = options.shared.is_some();
            let is_new = routes.subscriptions.add(&filter.path, session, options);
            codes.push(filter.qos as u8);
            let wanted = match filter.retain_handling {
                0 => true,
                1 => is_new,
                _ => false,
            };
            // [MQTT-3.8.4-4]; never for a shared subscription.
            if !wanted || is_shared {
                continue;
            }
            let retained = routes.retained.matching(&filter.path).into_iter();
            for publication in retained.filter(|publication| self.may_be_kept(publication)) {
                if !session.may_receive(publication.topic()) {
                    continue;
                }
                let qos = publication.qos.min(filter.qos);
                let delivery = Delivery {
                    publication,
                    qos,
                    retain: true,
                    ids: ids.clone(),
                    shared: None,
                    seq: 0,
                    again: false,
                };
                let pushed = session.push(delivery, &self.journal);
                self.counters.dropped.add(pushed.dropped);
            }
        }
        drop(routes);
        session.wake();
        codes
    }

    /// Ends subscriptions; for each filter whether there was one.
    pub(super) fn unsubscribe(&self, session: &Session, filters: &[String]) -> Vec<bool> {
        let mut routes = self.routes.lock();
        filters
            .iter()
            .map(|filter| routes.subscriptions.remove(filter, session))
            .collect()
    }

    /// A session is over.
    pub(super) fn end(self: &Arc<Self>, session: &Session) {
        self.routes.lock().subscriptions.remove_all(session);
        self.pass_on(session.clear());
        if session.is_durable() {
            let id = session.id().to_string();
            let removed = durable::removed(id, session.key());
            self.journal.commit(removed.into(), None);
        }
        if let Some(will) = self.wills.due(session) {
            let core = self.clone();
            self.spawn(async move { core.publish(will).await });
        }
    }

    /// Publishes something of the broker's own.
    pub(super) async fn publish(&self, publication: Publication) {
        let mut batch = VecDeque::from([Arc::new(publication)]);
        self.bus.send(&mut batch).await;
    }

    /// Looks how much each client has sent and got.
    pub(super) fn measure_speeds(&self) {
        let now = std::time::Instant::now();
        for session in self.sessions.all() {
            let counts = [session.published(), session.taken()];
            session.speed.look(counts, now);
        }
    }

    /// Forgets sessions and retained messages whose time is over.
    pub(super) fn expire(self: &Arc<Self>) {
        for session in self.sessions.take_expired() {
            self.counters.expired.add(1);
            self.end(&session);
        }
        let expired = self.routes.lock().retained.expire();
        if !expired.is_empty() {
            self.observed.lock().expired(&expired);
            let changes = expired.iter().map(|topic| kept::removal(topic));
            self.journal.commit(changes.collect(), None);
        }
    }
}
