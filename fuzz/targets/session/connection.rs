//! One connection to the broker, without a network.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::BytesMut;
use flowrill::broker::Broker;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf},
    runtime::Handle,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{
    codec::{BytesCodec, FramedWrite},
    io::ReaderStream,
};

use super::wire::{Answer, Publish, take};

/// Only against hanging for ever.
pub const PATIENCE: Duration = Duration::from_secs(20);
const WIDE: usize = 64 << 10;
const NARROW: usize = 64;

/// An unacknowledged message.
#[derive(Debug)]
pub struct Open {
    pub qos: u8,
    /// PUBREC was sent.
    pub received: bool,
}

#[derive(Debug)]
pub struct Connection {
    socket: DuplexStream,
    /// What comes at last may be cut off.
    narrow: bool,
    input: BytesMut,
    pub serving: JoinHandle<()>,
    pub level: u8,
    pub receive_maximum: usize,
    pub topic_aliases: u16,
    pub max_packet: usize,
    /// Topics that the broker has given numbers, and that the client has.
    aliases: HashMap<u16, String>,
    pub own_aliases: HashMap<u16, &'static str>,
    pub open: HashMap<u16, Open>,
    /// PUBREL has come, and PUBCOMP was not sent.
    pub releasing: Vec<u16>,
    /// By packet identifier: the places of the subscriptions.
    pub subscribing: HashMap<u16, VecDeque<Vec<usize>>>,
    /// By packet identifier: the filter, and how many subscriptions there were.
    pub unsubscribing: HashMap<u16, VecDeque<(&'static str, usize)>>,
    pub pings: usize,
    /// DISCONNECT has come.
    pub is_told: bool,
    /// Packets that have come, but for answers to a ping.
    pub messages: usize,
}

impl Connection {
    pub fn open(broker: &Broker, narrow: bool, level: u8) -> Self {
        let (socket, other) = tokio::io::duplex(if narrow { NARROW } else { WIDE });
        let (reader, writer) = tokio::io::split(other);
        let sink = FramedWrite::new(writer, BytesCodec::new());
        let broker = broker.clone();
        let serving = Handle::current().spawn(async move {
            let address = ([127, 0, 0, 1], 1).into();
            broker
                .serve_websocket(sink, ReaderStream::new(reader), address)
                .await;
        });
        Self {
            socket,
            narrow,
            input: BytesMut::new(),
            serving,
            level,
            receive_maximum: usize::from(u16::MAX),
            topic_aliases: 0,
            max_packet: usize::MAX,
            aliases: HashMap::new(),
            own_aliases: HashMap::new(),
            open: HashMap::new(),
            releasing: Vec::new(),
            subscribing: HashMap::new(),
            unsubscribing: HashMap::new(),
            pings: 0,
            is_told: false,
            messages: 0,
        }
    }

    /// Writes; that the broker has closed is seen when reading.
    pub async fn send(&mut self, bytes: &[u8]) {
        let written = timeout(PATIENCE, self.socket.write_all(bytes)).await;
        let _ = written.expect("the broker does not read");
    }

    /// The next packet; none: the connection is closed.
    pub async fn next(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = self.take() {
                return Some(answer);
            }
            let read = timeout(PATIENCE, self.socket.read_buf(&mut self.input)).await;
            if read.expect("the broker is silent").unwrap_or(0) == 0 {
                assert!(
                    self.narrow || self.input.is_empty(),
                    "the broker closes within a packet: {:02x?}",
                    self.input
                );
                return None;
            }
        }
    }

    /// What has come already; an error when the connection is closed.
    pub fn try_next(&mut self) -> Result<Option<Answer>, ()> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Some(answer) = self.take() {
                return Ok(Some(answer));
            }
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.socket).poll_read(&mut context, &mut buffer) {
                Poll::Pending => return Ok(None),
                Poll::Ready(read) if read.is_err() || buffer.filled().is_empty() => return Err(()),
                Poll::Ready(_) => self.input.extend_from_slice(buffer.filled()),
            }
        }
    }

    fn take(&mut self) -> Option<Answer> {
        let (answer, size) = take(&mut self.input, self.level)?;
        assert!(!self.is_told, "{answer:?} after DISCONNECT");
        assert!(
            size <= self.max_packet,
            "{answer:?} is larger than {}",
            self.max_packet
        );
        self.messages += usize::from(!matches!(answer, Answer::Pong));
        Some(answer)
    }

    /// The topic of a message, of which an alias may be all that came.
    pub fn topic_of(&mut self, publish: &Publish) -> String {
        let Some(alias) = publish.alias else {
            assert!(!publish.topic.is_empty(), "a message without a topic");
            return publish.topic.clone();
        };
        assert!(
            (1..=self.topic_aliases).contains(&alias),
            "the alias {alias} was not offered"
        );
        if !publish.topic.is_empty() {
            self.aliases.insert(alias, publish.topic.clone());
        }
        let topic = self.aliases.get(&alias);
        topic
            .unwrap_or_else(|| panic!("the alias {alias} was not set"))
            .clone()
    }

    /// A message of QoS 1 or 2 has come.
    pub fn opens(&mut self, publish: &Publish) {
        let open = Open {
            qos: publish.qos,
            received: false,
        };
        let old = self.open.insert(publish.id, open);
        assert!(old.is_none(), "identifier {} is in use", publish.id);
        assert!(
            self.open.len() <= self.receive_maximum,
            "more than the receive maximum is unacknowledged"
        );
    }
}
