//! A client of rumqttc behind one face for both versions.

use std::time::Duration;

use rumqttc::Transport;
use tokio::{sync::mpsc, time::timeout};

use super::{v4, v5};

/// Only against hanging for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of a packet, in both directions.
pub(super) const LARGEST: usize = 8 << 20;

/// A way in.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) name: &'static str,
    /// A host, or the whole URL of a WebSocket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transport: Transport,
    pub(super) login: bool,
}

/// A message: topic, payload, QoS, whether it is marked as retained.
pub(super) type Message = (String, Vec<u8>, u8, bool);

/// How a client connects.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) way: Way,
    pub(super) id: String,
    /// Its session outlives its connection.
    pub(super) lasting: bool,
    /// It connects again by itself.
    pub(super) steady: bool,
    pub(super) will: Option<Message>,
}

pub(super) enum Command {
    Subscribe(String, u8),
    Publish(Message),
    Leave,
}

#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// With a session that was there, or with none.
    Connected(bool),
    /// The granted QoS.
    Subscribed(u8),
    /// A message was sent (QoS 0) or acknowledged.
    Published,
    Message(Message),
    Ended(String),
}

/// A client in a task of its own. Dropped, its connection breaks.
pub(super) struct Client {
    id: String,
    commands: mpsc::UnboundedSender<Command>,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// Messages that came while something else was waited for, and acknowledgements.
    messages: Vec<Message>,
    published: usize,
}

impl Client {
    /// Connects; whether the session was there.
    pub(super) async fn connect(version: Version, options: Options) -> (Self, bool) {
        let id = options.id.clone();
        let (commands, to_do) = mpsc::unbounded_channel();
        let (tell, seen) = mpsc::unbounded_channel();
        match version {
            Version::V4 => v4::spawn(options, to_do, tell),
            Version::V5 => v5::spawn(options, to_do, tell),
        }
        let mut client = Self {
            id,
            commands,
            seen,
            messages: Vec::new(),
            published: 0,
        };
        match client.next().await {
            Seen::Connected(present) => (client, present),
            other => panic!("{}: connected wanted, but {other:?}", client.id),
        }
    }

    async fn next(&mut self) -> Seen {
        let next = timeout(PATIENCE, self.seen.recv()).await;
        let next = next.unwrap_or_else(|_| panic!("{}: nothing comes", self.id));
        next.unwrap_or_else(|| panic!("{}: it has ended", self.id))
    }

    pub(super) async fn subscribe(&mut self, filter: &str, qos: u8) {
        let _ = self.commands.send(Command::Subscribe(filter.into(), qos));
        loop {
            match self.next().await {
                Seen::Message(message) => self.messages.push(message),
                seen => {
                    assert_eq!(seen, Seen::Subscribed(qos), "{}: {filter}", self.id);
                    return;
                }
            }
        }
    }

    pub(super) fn begin(&mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) {
        let message = (topic.to_owned(), payload.to_vec(), qos, retain);
        let _ = self.commands.send(Command::Publish(message));
    }

    /// Returns when so many more messages than before are acknowledged.
    pub(super) async fn published(&mut self, count: usize) {
        while self.published < count {
            match self.next().await {
                Seen::Published => self.published += 1,
                Seen::Message(message) => self.messages.push(message),
                Seen::Connected(_) => {}
                other => panic!("{}: an acknowledgement wanted, but {other:?}", self.id),
            }
        }
        self.published -= count;
    }

    pub(super) async fn publish(&mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) {
        self.begin(topic, payload, qos, retain);
        self.published(1).await;
    }

    pub(super) async fn message(&mut self) -> Message {
        if !self.messages.is_empty() {
            return self.messages.remove(0);
        }
        loop {
            match self.next().await {
                Seen::Message(message) => return message,
                Seen::Connected(_) => {}
                other => panic!("{}: a message wanted, but {other:?}", self.id),
            }
        }
    }

    pub(super) async fn gets(
        &mut self,
        what: &str,
        topic: &str,
        payload: &[u8],
        qos: u8,
        retained: bool,
    ) {
        let got = self.message().await;
        let is_same = got.1 == payload;
        let short = |payload: &[u8]| {
            String::from_utf8_lossy(&payload[..payload.len().min(50)]).into_owned()
        };
        assert_eq!(
            (&*got.0, short(&got.1), is_same, got.2, got.3),
            (topic, short(payload), true, qos, retained),
            "{}: {what}",
            self.id
        );
    }

    pub(super) async fn leave(mut self) {
        let _ = self.commands.send(Command::Leave);
        while !matches!(self.next().await, Seen::Ended(_)) {}
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Version {
    V4,
    V5,
}
