//! What all parts of the broker share, and the fan-out of messages to sessions.

use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BrokerConfig, BrokerStats,
    bus::{Bus, BusError, Dispatcher},
    client::{PUBACK, PUBREC},
    codec::{Filter, Qos, reason},
    listeners::Listeners,
    memory::Memory,
    message::{Origin, Publication},
    recent::Recent,
    retained::Retained,
    session::{Delivery, Link, Session},
    sessions::Sessions,
    subscriptions::{Entry, Options, Subscriptions},
    topics::split_shared,
    wills::Wills,
};

/// Subscriptions and retained messages change together, so that a new subscriber neither misses a message nor gets it twice.
struct Routes {
    subscriptions: Subscriptions,
    retained: Retained,
}

/// The broker's inside.
pub(super) struct Core {
    pub(super) config: BrokerConfig,
    pub(super) bus: Arc<Bus>,
    pub(super) sessions: Sessions,
    pub(super) wills: Wills,
    pub(super) memory: Arc<Memory>,
    pub(super) recent: Mutex<Recent>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
    pub(super) listeners: Listeners,
    connections: AtomicUsize,
    routes: Mutex<Routes>,
    /// It was said that there is no room for more retained messages.
    told_full: AtomicBool,
    received: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
}

/// The place of one network connection among those that may be open.
pub(super) struct Place(Arc<Core>);

impl Place {
    /// None: too many are open.
    pub(super) fn take(core: &Arc<Core>) -> Option<Self> {
        let place = Self(core.clone());
        let others = core.connections.fetch_add(1, Ordering::Relaxed);
        (others < core.config.max_connections).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Core {
    /// The broker without listeners; its dispatcher runs.
    pub(super) fn start(config: BrokerConfig) -> Result<Arc<Self>, BusError> {
        let (bus, dispatcher) = Bus::start()?;
        let memory = Memory::new(config.max_memory);
        let core = Arc::new(Self {
            bus,
            sessions: Sessions::new(&config, &memory),
            wills: Wills::default(),
            memory,
            recent: Mutex::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            listeners: Listeners::default(),
            connections: AtomicUsize::new(0),
            routes: Mutex::new(Routes {
                subscriptions: Subscriptions::default(),
                retained: Retained::new(config.max_retained, config.max_retained_bytes),
            }),
            told_full: AtomicBool::new(false),
            received: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            config,
        });
        core.tasks.spawn(core.clone().dispatch_all(dispatcher));
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
            received: self.received.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    /// Dispatches until the broker stops. A panic costs at most the message that caused it.
    async fn dispatch_all(self: Arc<Self>, mut dispatcher: Dispatcher) {
        let mut batch = Vec::new();
        loop {
            let work = AssertUnwindSafe(self.dispatch(&mut dispatcher, &mut batch));
            if work.catch_unwind().await.is_ok() {
                return;
            }
            tracing::error!("The broker failed inside and goes on. Please report this");
            // Publishers must not wait for ever for what will not be handed over again.
            let mut woken = Vec::new();
            for publication in batch.drain(..) {
                acknowledge(&publication, true, &mut woken);
            }
            for session in woken {
                session.wake();
            }
        }
    }

    async fn dispatch(&self, dispatcher: &mut Dispatcher, batch: &mut Vec<Arc<Publication>>) {
        let (mut woken, mut reached) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = dispatcher.next(batch) => {}
            }
            self.fan_out(batch, &mut woken, &mut reached);
            self.recent.lock().note(batch);
            for (publication, reached) in batch.drain(..).zip(reached.drain(..)) {
                acknowledge(&publication, reached, &mut woken);
            }
            for session in woken.drain(..) {
                session.wake();
            }
            // The bus is not one of tokio's own things, so nothing else would let other tasks run.
            tokio::task::yield_now().await;
        }
    }

    /// Hands a batch to its subscribers' sessions; `woken` are those to wake, `reached` tells of each message whether it has a
    /// subscriber.
    fn fan_out(
        &self,
        batch: &[Arc<Publication>],
        woken: &mut Vec<Arc<Session>>,
        reached: &mut Vec<bool>,
    ) {
        let mut delivered = 0;
        let mut routes = self.routes.lock();
        for publication in batch {
            if publication.retain
                && !routes.retained.store(publication)
                && !self.told_full.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(
                    "The broker has no room for more retained messages: that of {}, say, is not kept",
                    publication.topic()
                );
            }
            let before = delivered;
            let leaves = routes.subscriptions.matching(publication.topic());
            match &*leaves {
                [] => {}
                [leaf] => {
                    for entry in leaf.receivers() {
                        let session = &entry.session;
                        let wanted = self.deliver(publication, session, &entry.options, woken);
                        delivered += u64::from(wanted);
                    }
                }
                many => {
                    let mut entries: Vec<&Entry> =
                        many.iter().flat_map(|leaf| leaf.receivers()).collect();
                    entries.sort_by_key(|entry| entry.session.key());
                    for same in entries.chunk_by(|a, b| a.session.key() == b.session.key()) {
                        let local = publication.publisher().map(|session| session.family());
                        if let Some(options) = merged(same, local) {
                            let session = &same[0].session;
                            let wanted = self.deliver(publication, session, &options, woken);
                            delivered += u64::from(wanted);
                        }
                    }
                }
            }
            reached.push(delivered > before);
        }
        drop(routes);
        self.received
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
    }

    /// Puts a message into a session; false if the subscription does not want it.
    fn deliver(
        &self,
        publication: &Arc<Publication>,
        session: &Arc<Session>,
        options: &Options,
        woken: &mut Vec<Arc<Session>>,
    ) -> bool {
        let publisher = publication.publisher();
        let is_local = || publisher.is_some_and(|publisher| publisher.family() == session.family());
        // [MQTT-3.8.3-3]
        if options.no_local && is_local() {
            return false;
        }
        let pushed = session.push(Delivery {
            publication: publication.clone(),
            qos: publication.qos.min(options.qos),
            retain: publication.retain && options.retain_as_published,
            ids: options.ids.clone(),
            shared: options.shared.clone(),
        });
        if pushed.wake {
            woken.push(session.clone());
        }
        self.dropped.fetch_add(pushed.dropped, Ordering::Relaxed);
        if let (true, Origin::Client(publisher, _)) = (pushed.is_behind, &publication.origin) {
            let mut outbox = publisher.outbox();
            if outbox.link == Link::Remote && outbox.hold.is_none() {
                outbox.hold = Some(session.clone());
            }
        }
        true
    }

    /// Subscribes a session and sends it the retained messages that it should have; the granted QoS of each filter.
    pub(super) fn subscribe(
        &self,
        session: &Arc<Session>,
        filters: &[Filter],
        id: Option<u32>,
    ) -> Vec<u8> {
        let ids: Option<Arc<[u32]>> = id.map(|id| Arc::from([id]));
        let mut routes = self.routes.lock();
        let mut codes = Vec::with_capacity(filters.len());
        for filter in filters {
            let limit = self.config.max_subscriptions;
            if !routes.subscriptions.has_room(&filter.path, session, limit) {
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
            for publication in routes.retained.matching(&filter.path) {
                let qos = publication.qos.min(filter.qos);
                let pushed = session.push(Delivery {
                    publication,
                    qos,
                    retain: true,
                    ids: ids.clone(),
                    shared: None,
                });
                self.dropped.fetch_add(pushed.dropped, Ordering::Relaxed);
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
        if let Some(will) = self.wills.due(session) {
            let core = self.clone();
            self.tasks.spawn(async move { core.publish(will).await });
        }
    }

    /// Gives what a session has left behind to other members of its shared subscriptions [MQTT-4.8.2-5].
    fn pass_on(&self, left: Vec<Delivery>) {
        if left.is_empty() {
            return;
        }
        let mut woken = Vec::new();
        let routes = self.routes.lock();
        for delivery in left {
            let filter = delivery.shared.as_deref().unwrap_or_default();
            if let Some(member) = routes.subscriptions.member(filter) {
                let (session, options) = (&member.session, &member.options);
                self.deliver(&delivery.publication, session, options, &mut woken);
            }
        }
        drop(routes);
        for session in woken {
            session.wake();
        }
    }

    /// Publishes something of the broker's own.
    pub(super) async fn publish(&self, publication: Publication) {
        let mut batch = VecDeque::from([Arc::new(publication)]);
        self.bus.send(&mut batch).await;
    }

    /// Forgets sessions and retained messages whose time is over.
    pub(super) fn expire(self: &Arc<Self>) {
        for session in self.sessions.take_expired() {
            self.end(&session);
        }
        self.routes.lock().retained.expire();
    }
}

/// One subscription out of all that match: the highest QoS, every identifier. None when all of them want no local messages.
fn merged(entries: &[&Entry], publisher: Option<u64>) -> Option<Options> {
    let mut found: Option<Options> = None;
    for entry in entries {
        if entry.options.no_local && publisher == Some(entry.session.family()) {
            continue;
        }
        match &mut found {
            None => found = Some(entry.options.clone()),
            Some(options) => {
                options.qos = options.qos.max(entry.options.qos);
                options.retain_as_published |= entry.options.retain_as_published;
                options.shared = None;
                options.ids = match (options.ids.take(), &entry.options.ids) {
                    (Some(mine), Some(more)) => Some(mine.iter().chain(&**more).copied().collect()),
                    (mine, more) => mine.or_else(|| more.clone()),
                };
            }
        }
    }
    if let Some(options) = &mut found {
        options.no_local = false;
    }
    found
}

/// Tells the publisher that the broker has its message, and whether there is a subscriber.
fn acknowledge(publication: &Publication, reached: bool, woken: &mut Vec<Arc<Session>>) {
    match &publication.origin {
        Origin::Client(session, packet_id) if publication.qos > Qos::AtMostOnce => {
            let first = match publication.qos {
                Qos::ExactlyOnce => PUBREC,
                _ => PUBACK,
            };
            let reason = match reached {
                true => reason::SUCCESS,
                false => reason::NO_MATCHING_SUBSCRIBERS,
            };
            if session.push_ack((first, *packet_id, reason)) {
                woken.push(session.clone());
            }
        }
        Origin::Local(_, taken) => {
            let taken = taken.lock().take();
            if let Some(taken) = taken {
                taken();
            }
        }
        _ => {}
    }
}
