//! Does what the steps say, and hears what the broker answers.

use std::cell::Cell;

use flowrill::broker::{Broker, LocalClient, Qos};
use tokio::{sync::oneshot, task, task::JoinHandle, time::timeout};

use super::{
    connection::{Connection, PATIENCE},
    model::{Message, Model, Session},
    steps::{Action, CLIENTS, Connecting, Content, Expiry, Publishing, Step, Topic},
    wire::packet,
};

/// A topic that no wildcard of the clients matches.
const BARRIER: &str = "$barrier";
/// How often the runtime goes round for what may come without waiting.
const ROUNDS: usize = 8;
/// Until all is acknowledged.
const MOST_ROUNDS: usize = 200;
/// More than the broker reads at once at first.
const LARGE: usize = 5000;

thread_local! {
    /// Numbers of messages, the same for no two inputs: what is left of one is seen in the next.
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

/// A message as it is sent once more.
#[derive(Clone)]
pub struct Sent {
    pub number: u64,
    pub level: u8,
    pub id: u16,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Client {
    pub connection: Option<Connection>,
    pub session: Session,
    /// Whether the broker has a session of it when nobody is connected; none: that cannot be known.
    pub lives: Option<bool>,
    /// The last message of QoS 1 or 2.
    pub last: Option<Sent>,
}

pub struct Play<'w> {
    pub broker: &'w Broker,
    probe: &'w LocalClient,
    pub model: Model,
    pub clients: Vec<Client>,
    pub leaving: Vec<JoinHandle<()>>,
}

impl<'w> Play<'w> {
    pub fn new(broker: &'w Broker, probe: &'w LocalClient) -> Self {
        let client = || Client {
            lives: Some(false),
            ..Client::default()
        };
        Self {
            broker,
            probe,
            model: Model::default(),
            clients: std::iter::repeat_with(client).take(CLIENTS).collect(),
            leaving: Vec::new(),
        }
    }

    pub async fn step(&mut self, step: &Step) {
        self.model.tick();
        let client = usize::from(step.client) % CLIENTS;
        match &step.action {
            Action::Connect(connecting) => self.connect(client, connecting).await,
            Action::Settle => self.settle().await,
            action => {
                if self.clients[client].connection.is_none() {
                    self.connect(client, &Connecting::usual(client)).await;
                }
                self.act(client, action).await;
            }
        }
        if step.hasty {
            return;
        }
        self.pause().await;
        if matches!(
            step.action,
            Action::Publish(_) | Action::Resend | Action::Release(_)
        ) {
            self.barrier().await;
            self.pause().await;
        }
        (0..CLIENTS).for_each(|client| self.hear(client));
    }

    /// Lets the broker work.
    async fn pause(&self) {
        for _ in 0..ROUNDS {
            task::yield_now().await;
        }
    }

    async fn act(&mut self, client: usize, action: &Action) {
        match action {
            Action::Publish(publishing) => self.publish(client, publishing).await,
            Action::Resend => self.resend(client).await,
            Action::Release(which) => self.release(client, *which).await,
            Action::Ack(ack) => self.acknowledge(client, ack).await,
            Action::Subscribe(id, list, number) => self.subscribe(client, *id, list, *number).await,
            Action::Unsubscribe(id, filter) => self.unsubscribe(client, *id, filter.text()).await,
            Action::Disconnect { with_will, expiry } => {
                self.disconnect(client, *with_will, *expiry).await
            }
            Action::Drop { in_packet } => {
                if *in_packet {
                    self.send(client, b"\x30\x20\0").await;
                }
                self.close(client);
            }
            Action::Wrong(wrong) => {
                self.send(client, wrong.bytes()).await;
                self.drain(client).await;
            }
            Action::Connect(_) | Action::Settle => {}
        }
    }

    pub async fn send(&mut self, client: usize, bytes: &[u8]) {
        if let Some(connection) = &mut self.clients[client].connection {
            connection.send(bytes).await;
        }
    }

    /// Hears what has come already.
    pub fn hear(&mut self, client: usize) {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        loop {
            match connection.try_next() {
                Ok(Some(answer)) => self.model.hear(client, session, connection, answer),
                Ok(None) => return,
                Err(()) => return self.close(client),
            }
        }
    }

    /// Hears all until the broker closes.
    pub async fn drain(&mut self, client: usize) {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        while let Some(answer) = connection.next().await {
            self.model.hear(client, session, connection, answer);
        }
        self.close(client);
    }

    /// There is no connection any more.
    pub fn close(&mut self, client: usize) {
        let client = &mut self.clients[client];
        if let Some(connection) = client.connection.take() {
            client.session.cut();
            self.leaving.push(connection.serving);
        }
    }

    pub fn new_message(&mut self, publishing: &Publishing, publisher: Option<usize>) -> u64 {
        let number = NEXT.replace(NEXT.get() + 1);
        let mut payload = number.to_be_bytes().to_vec();
        match publishing.content {
            Content::Empty => payload.clear(),
            Content::Small => {}
            Content::Large => payload.resize(LARGE, 0),
        }
        let message = Message {
            topic: publishing.topic.text().to_owned(),
            payload,
            qos: publishing.qos % 3,
            retain: publishing.retain,
            publisher,
            from: self.model.tick(),
            times: usize::from(publisher.is_none()),
            taken: false,
        };
        self.model.messages.insert(number, message);
        number
    }

    /// Returns when all that was sent has come to its end, and was heard.
    pub async fn settle(&mut self) {
        for _ in 0..2 {
            for client in 0..CLIENTS {
                self.ping(client).await;
            }
            self.barrier().await;
        }
        for client in 0..CLIENTS {
            self.ping(client).await;
        }
    }

    async fn ping(&mut self, client: usize) {
        let Client {
            connection: Some(connection),
            session,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        connection.pings += 1;
        connection.send(&packet(0xC0, &[])).await;
        while connection.pings > 0 {
            match connection.next().await {
                Some(answer) => self.model.hear(client, session, connection, answer),
                None => return self.close(client),
            }
        }
    }

    /// Returns when the broker has handed on all that it has taken.
    async fn barrier(&self) {
        let (done, taken) = oneshot::channel();
        let done = Box::new(move || {
            let _ = done.send(());
        });
        let sent = self
            .probe
            .publish(BARRIER, b"", Qos::AtMostOnce, false, None, Some(done));
        sent.expect("a message of the process itself");
        timeout(PATIENCE, taken)
            .await
            .expect("the broker hands nothing on")
            .expect("an answer");
    }

    /// Acknowledges all, checks that nobody lacks anything, and leaves the broker as it was.
    pub async fn finish(&mut self) {
        self.settle().await;
        for client in 0..CLIENTS {
            let state = &self.clients[client];
            if state.connection.is_none() && state.lives == Some(true) {
                let back = Connecting {
                    expiry: Expiry::Never,
                    ..Connecting::default()
                };
                self.connect(client, &back).await;
            }
        }
        let mut rounds = 0;
        while self.acknowledge_all().await {
            rounds += 1;
            assert!(rounds < MOST_ROUNDS, "there is no end of messages");
        }
        for (number, client) in self
            .clients
            .iter()
            .enumerate()
            .filter(|(_, client)| client.connection.is_some())
        {
            self.model.check_complete(number, &client.session);
        }
        for client in 0..CLIENTS {
            self.connect(
                client,
                &Connecting {
                    clean: true,
                    ..Connecting::default()
                },
            )
            .await;
        }
        self.settle().await;
        for client in 0..CLIENTS {
            self.disconnect(client, false, None).await;
        }
        for serving in self.leaving.drain(..) {
            let ended = timeout(PATIENCE, serving).await;
            ended
                .expect("a connection does not end")
                .expect("a connection ends well");
        }
        // Wills of sessions that have ended go their way by themselves.
        for _ in 0..2 {
            self.barrier().await;
        }
        for topic in Topic::all() {
            let _ = self
                .probe
                .publish(topic, b"", Qos::AtMostOnce, true, None, None);
        }
        self.barrier().await;
        let stats = self.broker.stats();
        assert_eq!(
            (stats.clients, stats.sessions),
            (1, 1),
            "clients and sessions, of which the probe is one"
        );
        assert_eq!(stats.subscriptions, 0, "subscriptions");
    }
}
