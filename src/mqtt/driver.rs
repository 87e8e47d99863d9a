//! The task of a connection: connects, serves, waits and connects again, until it is closed.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    Broker, ConnectOptions, SubscribeOptions,
    connection::{
        ConnectionState, ENDED, Handle, MAX_OUTGOING, MqttConnection, Outgoing, Phase,
        PublishFailure,
    },
    inbox::{Inbox, Op, Reply},
    local, remote,
    subscription::Subscriber,
};

/// Why serving a broker ended.
pub(super) enum End {
    /// Somebody asked for it.
    Disconnect,
    /// With new options.
    Reconnect,
    /// The connection is closed for good.
    Close,
    /// Lost, or never made: a sentence.
    Lost(String),
}

/// What a request leaves to do for the one who serves the broker.
pub(super) enum Todo {
    Nothing,
    End(End),
    Listen(Arc<Subscriber>),
    Leave(Arc<Subscriber>),
    Subscribe(Arc<Subscriber>, Arc<str>, SubscribeOptions),
    Unsubscribe(Arc<Subscriber>, Arc<str>),
}

/// The task's side of a connection.
pub(super) struct Driver {
    pub(super) inbox: Arc<Inbox>,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    pub(super) options: ConnectOptions,
    pub(super) subscribers: Vec<Arc<Subscriber>>,
    pub(super) broker: Option<Broker>,
    state: watch::Sender<ConnectionState>,
    reconnect: Duration,
    users: usize,
    /// Those who wait for a connection, and for its end.
    connecting: Vec<Reply>,
    ending: Vec<Reply>,
}

/// A connection and the task to run for it.
pub(super) fn new(
    options: ConnectOptions,
    reconnect: Duration,
    broker: Option<Broker>,
) -> (MqttConnection, Driver) {
    let inbox = Arc::new(Inbox::default());
    let (sender, outgoing) = mpsc::channel(MAX_OUTGOING);
    let (state, states) = watch::channel(ConnectionState {
        broker: options.address().into(),
        ..ConnectionState::default()
    });
    let connection = MqttConnection::new(Handle {
        inbox: inbox.clone(),
        outgoing: sender,
        state: states,
        options: options.clone(),
    });
    let driver = Driver {
        inbox,
        outgoing,
        options,
        subscribers: Vec::new(),
        broker,
        state,
        reconnect,
        users: 0,
        connecting: Vec::new(),
        ending: Vec::new(),
    };
    (connection, driver)
}

impl Driver {
    /// Runs until the connection is closed.
    pub(super) async fn run(mut self) {
        while self.idle().await && self.stay_connected().await {}
        self.show(Phase::Disconnected, None);
        self.refuse_outgoing();
        self.answer_ended();
    }

    /// Waits until a connection is wanted; false when there will be none.
    async fn idle(&mut self) -> bool {
        loop {
            tokio::select! {
                op = self.inbox.next() => {
                    let wanted = matches!(op, Op::Connect { .. })
                        || (matches!(op, Op::Attach) && self.users == 0 && self.options.auto_connect);
                    match self.take(op) {
                        Todo::End(End::Close) => return false,
                        _ if wanted => return true,
                        _ => self.answer_ended(),
                    }
                }
                Some(outgoing) = self.outgoing.recv() => {
                    outgoing.end(Err(PublishFailure::NotConnected));
                }
            }
        }
    }

    /// Connects again and again until disconnecting is wanted; false when the connection is closed.
    async fn stay_connected(&mut self) -> bool {
        let mut session = None;
        loop {
            self.show(Phase::Connecting, None);
            let end = match (self.options.builtin, self.broker.clone()) {
                (true, Some(broker)) => local::serve(self, &broker).await,
                (true, None) => End::Lost("There is no built-in broker".into()),
                (false, _) => remote::serve(self, &mut session).await,
            };
            match end {
                End::Close => return false,
                End::Disconnect => break,
                End::Reconnect => session = None,
                End::Lost(reason) => {
                    self.show(Phase::Disconnected, Some(&reason));
                    match self.pause().await {
                        Some(End::Close) => return false,
                        Some(End::Disconnect) => break,
                        Some(End::Reconnect) => session = None,
                        Some(End::Lost(_)) | None => {}
                    }
                }
            }
        }
        if let Some(mut session) = session {
            session.refuse();
        }
        self.show(Phase::Disconnected, None);
        self.refuse_outgoing();
        for reply in self.connecting.drain(..) {
            let _ = reply.send(Err(ENDED.into()));
        }
        self.answer_ended();
        true
    }

    /// Waits before the next attempt, or until a request cuts that short.
    async fn pause(&mut self) -> Option<End> {
        let until = Instant::now() + self.reconnect;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return None,
                op = self.inbox.next() => if let Todo::End(end) = self.take(op) {
                    return Some(end);
                }
            }
        }
    }

    /// Books a request. What concerns the broker is handed back.
    pub(super) fn take(&mut self, op: Op) -> Todo {
        match op {
            Op::Attach => self.users += 1,
            Op::Detach { removed } => {
                self.users = self.users.saturating_sub(1);
                if removed && self.users == 0 {
                    return Todo::End(End::Disconnect);
                }
            }
            Op::Connect { options, reply } => {
                if options.is_none() && self.state.borrow().phase == Phase::Connected {
                    let _ = reply.send(Ok(()));
                    return Todo::Nothing;
                }
                self.connecting.push(reply);
                if let Some(options) = options {
                    self.options = *options;
                    return Todo::End(End::Reconnect);
                }
            }
            Op::Disconnect { reply } => {
                self.ending.extend(reply);
                return Todo::End(End::Disconnect);
            }
            Op::Close { reply } => {
                self.ending.extend(reply);
                return Todo::End(End::Close);
            }
            Op::Listen(subscriber) => {
                self.subscribers
                    .retain(|known| !Arc::ptr_eq(known, &subscriber));
                self.subscribers.push(subscriber.clone());
                return Todo::Listen(subscriber);
            }
            Op::Leave(subscriber) => {
                self.subscribers
                    .retain(|known| !Arc::ptr_eq(known, &subscriber));
                return Todo::Leave(subscriber);
            }
            Op::Subscribe(subscriber, filter, options) => {
                if subscriber.take_request(&filter) {
                    return Todo::Subscribe(subscriber, filter, options);
                }
            }
            Op::Unsubscribe(subscriber, filter) => return Todo::Unsubscribe(subscriber, filter),
        }
        Todo::Nothing
    }

    /// Connected: everybody hears of it.
    pub(super) fn connected(&mut self) {
        self.show(Phase::Connected, None);
        for reply in self.connecting.drain(..) {
            let _ = reply.send(Ok(()));
        }
    }

    fn show(&self, phase: Phase, error: Option<&str>) {
        let broker = self.options.address();
        self.state.send_if_modified(|state| {
            let new = ConnectionState {
                phase,
                broker: if *state.broker == *broker {
                    state.broker.clone()
                } else {
                    broker.into()
                },
                error: error.map(Arc::from),
                count: state.count + u64::from(phase == Phase::Connected),
            };
            let changed = new != *state;
            *state = new;
            changed
        });
    }

    fn refuse_outgoing(&mut self) {
        while let Ok(outgoing) = self.outgoing.try_recv() {
            outgoing.end(Err(PublishFailure::NotConnected));
        }
    }

    fn answer_ended(&mut self) {
        for reply in self.ending.drain(..) {
            let _ = reply.send(Ok(()));
        }
    }
}
