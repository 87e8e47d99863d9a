//! How messages reach a node: its filters, a session of its own at the built-in broker, or a share of a remote connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::{
    MqttConnection, Publication, SubscribeOptions,
    inbox::{Inbox, Op},
    matches,
    session::LocalSession,
    valid_filter,
};

/// Messages of a remote connection that may wait for one node.
const CAPACITY: usize = 2_000;
/// Of those, what only messages with acknowledgement may take: more than brokers send before they want one.
const RESERVED: usize = 1_000;
/// Messages that are taken at once.
const BATCH: usize = 256;

/// How long an ended session is waited for before another one is asked for.
const RENEW_AFTER: Duration = Duration::from_secs(1);

/// A message for a node.
#[derive(Debug)]
pub struct Incoming {
    pub publication: Publication,
    /// One of the node's filters that matched.
    pub filter: Option<Arc<str>>,
    pub(super) _ack: Option<Arc<Ack>>,
}

/// The acknowledgement that a remote broker waits for. It is given when the last node has taken the message.
#[derive(Debug)]
pub(super) struct Ack {
    pub(super) id: u16,
    pub(super) qos: super::Qos,
    pub(super) to: mpsc::Sender<(u16, super::Qos)>,
}

impl Drop for Ack {
    fn drop(&mut self) {
        // There is room for as many as there are packet ids; a connection that is gone wants none.
        let _ = self.to.try_send((self.id, self.qos));
    }
}

/// A filter of a node.
struct Wanted {
    filter: Arc<str>,
    options: SubscribeOptions,
    /// The request to subscribe it has not been carried out.
    asked: bool,
}

/// What a connection knows of a node that listens.
pub(super) struct Subscriber {
    pub(super) name: Box<str>,
    filters: Mutex<Vec<Wanted>>,
    queue: mpsc::Sender<Incoming>,
    session: watch::Sender<Option<Arc<LocalSession>>>,
    dropped: AtomicU64,
}

impl Subscriber {
    /// Its filters as they are now.
    pub(super) fn filters(&self) -> Vec<(Arc<str>, SubscribeOptions)> {
        let filters = self.filters.lock();
        let all = filters.iter();
        all.map(|wanted| (wanted.filter.clone(), wanted.options))
            .collect()
    }

    /// Its filters, all to be subscribed now: no request for one of them has to be carried out any more. Subscribing one
    /// twice would bring its retained messages twice.
    pub(super) fn filters_to_subscribe(&self) -> Vec<(Arc<str>, SubscribeOptions)> {
        let mut filters = self.filters.lock();
        filters.iter_mut().for_each(|wanted| wanted.asked = false);
        drop(filters);
        self.filters()
    }

    /// Whether a request to subscribe still has to be carried out, which is done now.
    pub(super) fn take_request(&self, filter: &str) -> bool {
        let mut filters = self.filters.lock();
        let wanted = filters.iter_mut().find(|wanted| &*wanted.filter == filter);
        wanted.is_some_and(|wanted| std::mem::take(&mut wanted.asked))
    }

    /// Its filter that matches this topic.
    fn matching(&self, topic: &str) -> Option<Arc<str>> {
        let filters = self.filters.lock();
        let mut matching = filters
            .iter()
            .map(|wanted| &wanted.filter)
            .filter(|filter| {
                // Shared subscriptions: the group's name is no part of the filter.
                let plain = filter
                    .strip_prefix("$share/")
                    .and_then(|rest| rest.split_once('/'))
                    .map_or(&***filter, |(_, filter)| filter);
                matches(plain, topic)
            });
        matching.next().cloned()
    }

    /// Gives it the session that it reads from now; `None` when the connection is down.
    pub(super) fn set_session(&self, session: Option<Arc<LocalSession>>) {
        self.session.send_replace(session);
    }

    /// Its session, if it has one.
    pub(super) fn session(&self) -> Option<Arc<LocalSession>> {
        self.session.borrow().clone()
    }
}

/// Hands a message of a remote broker to every node that wants it, once each. A message without acknowledgement is
/// dropped for a node whose queue is full, and counted; one with waits for its acknowledgement until the node is free.
pub(super) fn route(
    subscribers: &[Arc<Subscriber>],
    publication: &Publication,
    ack: Option<&Arc<Ack>>,
) {
    for subscriber in subscribers {
        let Some(filter) = subscriber.matching(&publication.topic) else {
            continue;
        };
        let incoming = Incoming {
            publication: publication.clone(),
            filter: Some(filter),
            _ack: ack.cloned(),
        };
        let no_room = ack.is_none() && subscriber.queue.capacity() <= RESERVED;
        if no_room || subscriber.queue.try_send(incoming).is_err() {
            subscriber.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A node's place on a connection. Dropping it unsubscribes.
pub struct Subscription {
    subscriber: Arc<Subscriber>,
    inbox: Arc<Inbox>,
    queue: mpsc::Receiver<Incoming>,
    session: watch::Receiver<Option<Arc<LocalSession>>>,
    deliveries: Vec<Publication>,
    /// Drops of sessions that have ended.
    dropped_before: u64,
}

/// Changes what a [`Subscription`] listens to.
#[derive(Clone)]
pub struct Filters {
    subscriber: Arc<Subscriber>,
    inbox: Arc<Inbox>,
}

impl MqttConnection {
    /// A place to listen from; `name` is part of its client id at the built-in broker.
    pub fn listen(&self, name: &str) -> (Filters, Subscription) {
        let (queue, receiver) = mpsc::channel(CAPACITY);
        let (session, sessions) = watch::channel(None);
        let subscriber = Arc::new(Subscriber {
            name: name.into(),
            filters: Mutex::default(),
            queue,
            session,
            dropped: AtomicU64::new(0),
        });
        let inbox = self.inbox().clone();
        inbox.push(Op::Listen(subscriber.clone()));
        let subscription = Subscription {
            subscriber: subscriber.clone(),
            inbox: inbox.clone(),
            queue: receiver,
            session: sessions,
            deliveries: Vec::new(),
            dropped_before: 0,
        };
        (Filters { subscriber, inbox }, subscription)
    }
}

impl Filters {
    /// Subscribes, or changes the options of a filter. False if it is no valid filter.
    pub fn add(&self, filter: &str, options: SubscribeOptions) -> bool {
        if !valid_filter(filter) {
            return false;
        }
        let filter: Arc<str> = filter.into();
        let mut filters = self.subscriber.filters.lock();
        filters.retain(|wanted| wanted.filter != filter);
        filters.push(Wanted {
            filter: filter.clone(),
            options,
            asked: true,
        });
        drop(filters);
        self.inbox
            .push(Op::Subscribe(self.subscriber.clone(), filter, options))
    }

    /// Unsubscribes; nothing happens if the filter is not subscribed.
    pub fn remove(&self, filter: &str) {
        let mut filters = self.subscriber.filters.lock();
        let Some(place) = filters.iter().position(|wanted| &*wanted.filter == filter) else {
            return;
        };
        let Wanted { filter, .. } = filters.remove(place);
        drop(filters);
        self.inbox
            .push(Op::Unsubscribe(self.subscriber.clone(), filter));
    }
}

impl Subscription {
    /// Waits for messages and appends them to `out`.
    pub async fn next_batch(&mut self, out: &mut Vec<Incoming>) {
        loop {
            let session = self.session.borrow_and_update().clone();
            let local = async {
                match &session {
                    Some(session) => session.next_batch(&mut self.deliveries, BATCH).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                is_open = local => {
                    if is_open {
                        let subscriber = &self.subscriber;
                        out.extend(self.deliveries.drain(..).map(|publication| Incoming {
                            filter: subscriber.matching(&publication.topic),
                            publication,
                            _ack: None,
                        }));
                        return;
                    }
                }
                // The connection holds the sender as long as this lives.
                count = self.queue.recv_many(out, BATCH) => {
                    if count > 0 {
                        return;
                    }
                }
                _ = self.session.changed() => {
                    self.count_ended(session.as_deref());
                    continue;
                }
            }
            // The session has ended. Another comes when the connection is up again, or on demand if it never was down.
            self.count_ended(session.as_deref());
            tokio::select! {
                _ = self.session.changed() => {}
                () = tokio::time::sleep(RENEW_AFTER) => {
                    self.inbox.push(Op::Listen(self.subscriber.clone()));
                    // The sender stands in the subscriber, which this holds.
                    let _ = self.session.changed().await;
                }
            }
        }
    }

    fn count_ended(&mut self, session: Option<&LocalSession>) {
        self.dropped_before += session.map_or(0, LocalSession::dropped);
    }

    /// How many messages were dropped because this node did not take them in time.
    pub fn dropped(&self) -> u64 {
        let now = self
            .session
            .borrow()
            .as_deref()
            .map_or(0, LocalSession::dropped);
        self.dropped_before + now + self.subscriber.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inbox.push(Op::Leave(self.subscriber.clone()));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mqtt::{ConnectOptions, Qos, driver};

    fn publication(topic: &str, qos: Qos) -> Publication {
        Publication {
            topic: topic.into(),
            payload: Bytes::from_static(b"x"),
            qos,
            ..Publication::default()
        }
    }

    fn listener(filters: &[&str]) -> (Arc<Subscriber>, Subscription) {
        // Without its task: requests wait, which is enough here.
        let (connection, _driver) =
            driver::new(ConnectOptions::default(), Duration::from_secs(1), None);
        let (changer, subscription) = connection.listen("node");
        for filter in filters {
            assert!(changer.add(filter, SubscribeOptions::default()));
        }
        (changer.subscriber, subscription)
    }

    #[tokio::test]
    async fn each_node_gets_a_message_once() {
        let (one, mut first) = listener(&["a/#", "a/+", "a/b"]);
        let (two, mut second) = listener(&["$share/group/a/b"]);
        let (three, third) = listener(&["b"]);
        let nodes = [one, two, three];
        route(&nodes, &publication("a/b", Qos::AtMostOnce), None);
        route(&nodes, &publication("a/c", Qos::AtMostOnce), None);
        let (mut got_first, mut got_second) = (Vec::new(), Vec::new());
        first.next_batch(&mut got_first).await;
        second.next_batch(&mut got_second).await;
        let topics = |got: &[Incoming]| -> Vec<String> {
            got.iter()
                .map(|incoming| incoming.publication.topic.to_string())
                .collect()
        };
        assert_eq!(topics(&got_first), ["a/b", "a/c"]);
        assert_eq!(got_first[0].filter.as_deref(), Some("a/#"));
        assert_eq!(topics(&got_second), ["a/b"]);
        assert!(third.queue.is_empty());
    }

    #[tokio::test]
    async fn a_slow_node_loses_only_what_may_be_lost() {
        let (node, mut subscription) = listener(&["#"]);
        let nodes = [node];
        for _ in 0..CAPACITY {
            route(&nodes, &publication("a", Qos::AtMostOnce), None);
        }
        assert_eq!(subscription.dropped(), RESERVED as u64);
        let (to, mut acknowledged) = mpsc::channel(16);
        let qos = Qos::AtLeastOnce;
        let ack = Arc::new(Ack { id: 7, qos, to });
        route(&nodes, &publication("b", qos), Some(&ack));
        drop(ack);
        assert_eq!(subscription.dropped(), RESERVED as u64);
        assert!(
            acknowledged.try_recv().is_err(),
            "it waits for the node to take the message"
        );
        let mut got = Vec::new();
        while got.len() <= CAPACITY - RESERVED {
            subscription.next_batch(&mut got).await;
        }
        got.clear();
        assert_eq!(acknowledged.try_recv(), Ok((7, qos)));
    }

    #[test]
    fn wrong_filters_are_refused() {
        let (connection, _driver) =
            driver::new(ConnectOptions::default(), Duration::from_secs(1), None);
        let (filters, _subscription) = connection.listen("node");
        for filter in ["", "a/#/b", "a+"] {
            assert!(
                !filters.add(filter, SubscribeOptions::default()),
                "{filter}"
            );
        }
    }
}
