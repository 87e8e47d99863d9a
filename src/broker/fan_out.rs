//! From the bus to the subscribers' sessions, and back to the publisher that the broker has its message.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;

use super::{
    bus::Dispatcher,
    client::{PUBACK, PUBCOMP},
    codec::{Qos, reason},
    core::Core,
    durable,
    journal::Change,
    kept,
    limits::Limit,
    message::{Origin, Publication},
    outbox::{Delivery, Link},
    session::Session,
    subscriptions::{Entry, Options},
};

/// After a batch of more messages than this others may run first.
const MUCH: usize = 16;

impl Core {
    /// Dispatches until the broker stops. A panic costs at most the message that caused it.
    pub(super) async fn dispatch_all(self: Arc<Self>, mut dispatcher: Dispatcher) {
        let mut batch = Vec::new();
        loop {
            let work = AssertUnwindSafe(self.dispatch(&mut dispatcher, &mut batch));
            if work.catch_unwind().await.is_ok() {
                return;
            }
            tracing::error!("The broker failed inside and goes on. Please report this");
            dispatcher.has_arrived();
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
        let mut clock = Dispatcher::clock();
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = dispatcher.next(batch, &mut clock) => {}
            }
            self.journal.has_room().await;
            let is_much = batch.len() > MUCH;
            self.hand_out(dispatcher, batch, &mut woken, &mut reached);
            // The bus is not one of tokio's own things, so nothing else would let other tasks run.
            match is_much {
                true => tokio::task::yield_now().await,
                false => tokio::task::coop::consume_budget().await,
            }
        }
    }

    /// Hands a batch to its subscribers, and answers its publishers.
    fn hand_out(
        &self,
        dispatcher: &mut Dispatcher,
        batch: &mut Vec<Arc<Publication>>,
        woken: &mut Vec<Arc<Session>>,
        reached: &mut Vec<bool>,
    ) {
        // That a message of QoS 2 waits for its receivers, and that its exchange with the publisher is over.
        let together = self.journal.together();
        let changes = self.fan_out(batch, woken, reached);
        dispatcher.has_arrived();
        self.observed.lock().note(batch);
        for session in woken.drain(..) {
            session.wake();
        }
        self.acknowledge_all(changes, batch, reached);
        drop(together);
    }

    /// Tells the publishers of a batch that the broker has their messages, once what it is to keep of them is on the disk.
    fn acknowledge_all(
        &self,
        changes: Vec<Change>,
        batch: &mut Vec<Arc<Publication>>,
        reached: &mut Vec<bool>,
    ) {
        let waiting: Vec<(Arc<Publication>, bool)> = batch
            .drain(..)
            .zip(reached.drain(..))
            .filter(|(publication, _)| publication.is_waited_for())
            .collect();
        if waiting.is_empty() {
            return self.journal.commit(changes, None);
        }
        let acknowledge_each = move || {
            let mut woken = Vec::new();
            for (publication, reached) in &waiting {
                acknowledge(publication, *reached, &mut woken);
            }
            for session in woken {
                session.wake();
            }
        };
        self.journal
            .commit(changes, Some(Box::new(acknowledge_each)));
    }

    /// Hands a batch to its subscribers' sessions; `woken` are those to wake, `reached` tells of each message whether it has a
    /// subscriber. Gives what is to be kept of it.
    fn fan_out(
        &self,
        batch: &[Arc<Publication>],
        woken: &mut Vec<Arc<Session>>,
        reached: &mut Vec<bool>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let (mut delivered, mut delivered_bytes) = (0, 0);
        let mut routes = self.routes.lock();
        for publication in batch {
            let is_kept = publication.retain && routes.retained.store(publication);
            if publication.retain && self.journal.is_on() && !publication.is_system() {
                changes.push(match is_kept {
                    true => kept::change(publication),
                    false => kept::removal(publication.topic()),
                });
            }
            if publication.retain && !is_kept {
                let limits = &self.counters.limits;
                limits.add(Limit::Retained, &publication.topic());
            }
            let before = delivered;
            let leaves = routes.subscriptions.matching(publication.topic());
            match &*leaves {
                [] => {}
                [leaf] => {
                    for entry in leaf.receivers() {
                        let session = &entry.session;
                        let options = &entry.options;
                        let wanted = self.deliver(publication, session, options, woken);
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
            if let (Qos::ExactlyOnce, Origin::Client(session, packet_id)) =
                (publication.qos, &publication.origin)
                && session.is_durable()
            {
                changes.push(durable::ended(session, *packet_id));
            }
            if !publication.is_system() {
                let bytes = publication.body.payload_bytes().len() as u64;
                self.counters.received.add(1);
                self.counters.received_bytes.add(bytes);
                delivered_bytes += (delivered - before) * bytes;
            }
        }
        drop(routes);
        self.counters.delivered.add(delivered);
        self.counters.delivered_bytes.add(delivered_bytes);
        changes
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
        if options.no_local && is_local() || !session.may_receive(publication.topic()) {
            return false;
        }
        let delivery = Delivery {
            publication: publication.clone(),
            qos: publication.qos.min(options.qos),
            retain: publication.retain && options.retain_as_published,
            ids: options.ids.clone(),
            shared: options.shared.clone(),
            seq: 0,
            again: false,
        };
        let pushed = session.push(delivery, &self.journal);
        if pushed.wake {
            woken.push(session.clone());
        }
        self.counters.dropped.add(pushed.dropped);
        if let (true, Origin::Client(publisher, _)) = (pushed.is_behind, &publication.origin) {
            let mut outbox = publisher.outbox();
            if outbox.link == Link::Remote && outbox.hold.is_none() {
                outbox.hold = Some(session.clone());
            }
        }
        true
    }

    /// Gives what a session has left behind to other members of its shared subscriptions [MQTT-4.8.2-5].
    pub(super) fn pass_on(&self, left: Vec<Delivery>) {
        if left.is_empty() {
            return;
        }
        let mut woken = Vec::new();
        let routes = self.routes.lock();
        for delivery in left {
            let filter = delivery.shared.as_deref().unwrap_or_default();
            if let Some(member) = routes.subscriptions.member(filter) {
                let (session, options) = (&member.session, &member.options);
                let publication = &delivery.publication;
                self.deliver(publication, session, options, &mut woken);
            }
        }
        drop(routes);
        for session in woken {
            session.wake();
        }
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
            let (first, reason) = match (publication.qos, reached) {
                (Qos::ExactlyOnce, _) => (PUBCOMP, reason::SUCCESS),
                (_, true) => (PUBACK, reason::SUCCESS),
                (_, false) => (PUBACK, reason::NO_MATCHING_SUBSCRIBERS),
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
