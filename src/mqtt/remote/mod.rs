//! Serves a connection from another broker over the network. [`v4`] and [`v5`] put rumqttc's two clients behind one face.

mod pending;
mod received;
mod v4;
mod v5;

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use rumqttc::TlsConfiguration;
use tokio::sync::mpsc;

use super::{
    ConnectOptions, Protocol, Publication, Qos, SubscribeOptions, Transport,
    connection::{Outgoing, PublishFailure},
    driver::{Driver, End, Todo},
    subscription::{Ack, route},
};
use crate::tls::{self, ClientTls};
use pending::Pending;

/// Requests that rumqttc's queue holds: what may be under way, and an acknowledgement for each packet id.
const REQUESTS: usize = 100_000;
/// Publications without an answer at once; more wait in the connection's queue.
const IN_FLIGHT: usize = 1_024;
/// Messages with acknowledgement that go out before the broker has answered, each way: mosquitto loses QoS 2 messages
/// of a client that sends more of them at once than its `max_inflight_messages`, which is this.
const WINDOW: u16 = 20;
/// The largest packet that is taken or sent.
const MAX_PACKET: u32 = 64 << 20;
/// How long the last messages may take when disconnecting.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long connecting may take.
const CONNECT_SECONDS: u64 = 10;

/// What happened on the wire.
enum Happened {
    Connected {
        session_present: bool,
        /// The largest packet that the broker takes.
        largest: usize,
    },
    Message(Publication, u16),
    /// A message of QoS 2 that was given out over the connection before.
    Again(u16),
    /// A publication is on its way under this packet id; 0 has no acknowledgement.
    Sent(u16),
    /// The broker has it, or refuses it: a sentence.
    Acknowledged(u16, Result<(), String>),
    /// A subscription was refused.
    SubscriptionRefused,
    Other,
}

/// Where things happen: rumqttc's event loop.
trait Events: Send {
    /// The next event, connecting first if need be. An error ends the connection; polling again makes another.
    fn poll(&mut self) -> impl Future<Output = Result<Happened, String>> + Send;
}

/// What is asked of the broker. A request is refused only if rumqttc's queue is full.
trait Requests: Send {
    fn publish(&self, publication: &Publication) -> bool;
    fn subscribe(&self, filter: &str, options: SubscribeOptions) -> bool;
    fn unsubscribe(&self, filter: &str) -> bool;
    fn acknowledge(&self, id: u16, qos: Qos) -> bool;
    fn disconnect(&self) -> bool;
}

/// What lasts over lost connections: the client with its session, and what has no answer yet.
pub(super) struct Session {
    client: Client,
    pending: Pending,
}

enum Client {
    V4(Box<v4::Client>),
    V5(Box<v5::Client>),
}

impl Session {
    fn new(options: &ConnectOptions) -> Self {
        let client = match options.protocol {
            Protocol::V4 => Client::V4(Box::new(v4::client(options))),
            Protocol::V5 => Client::V5(Box::new(v5::client(options))),
        };
        Self {
            client,
            pending: Pending::default(),
        }
    }

    /// Nothing of it will be published any more.
    pub(super) fn refuse(&mut self) {
        self.pending.refuse();
    }
}

/// The bytes of its packet, rounded up.
fn size(publication: &Publication) -> usize {
    let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
    let properties = publication.properties.as_deref().map_or(0, |properties| {
        let user = properties.user_properties.iter();
        text(&properties.content_type)
            + text(&properties.response_topic)
            + properties
                .correlation_data
                .as_ref()
                .map_or(0, |data| data.len())
            + user
                .map(|(key, value)| key.len() + value.len() + 5)
                .sum::<usize>()
    });
    publication.topic.len() + publication.payload.len() + properties + 64
}

/// For both of rumqttc's clients.
fn transport(transport: &Transport) -> rumqttc::Transport {
    let config = |tls: &ClientTls| TlsConfiguration::Rustls(tls.config());
    match transport {
        Transport::Plain => rumqttc::Transport::Tcp,
        Transport::Tls(tls) => rumqttc::Transport::Tls(config(tls)),
        Transport::WebSocket(_, None) => rumqttc::Transport::Ws,
        Transport::WebSocket(_, Some(tls)) => rumqttc::Transport::Wss(config(tls)),
    }
}

/// What a person can do something with.
fn other_sentence(error: &(dyn Error + 'static)) -> String {
    tls::sentence(error).unwrap_or_else(|| error.to_string())
}

/// Connects, and serves until somebody wants an end or the connection is lost.
pub(super) async fn serve(driver: &mut Driver, session: &mut Option<Session>) -> End {
    let session = session.get_or_insert_with(|| Session::new(&driver.options));
    let pending = &mut session.pending;
    match &mut session.client {
        Client::V4(client) => {
            Link::new(driver, &client.requests, pending)
                .run(&mut client.events)
                .await
        }
        Client::V5(client) => {
            Link::new(driver, &client.requests, pending)
                .run(&mut client.events)
                .await
        }
    }
}

/// One connection while it lasts.
struct Link<'a, R> {
    driver: &'a mut Driver,
    requests: &'a R,
    pending: &'a mut Pending,
    /// Goes with messages, and says when they are taken.
    taken: mpsc::Sender<(u16, Qos)>,
    acks: mpsc::Receiver<(u16, Qos)>,
    connected: bool,
    largest: usize,
    /// Why it is to end, once that is known; the last messages go out first.
    ending: Option<End>,
}

/// What woke the link.
enum Woken {
    Happened(Result<Happened, String>),
    Asked(super::inbox::Op),
    Publish(Outgoing),
    Acknowledge(u16, Qos),
    TimeOut,
}

impl<'a, R: Requests> Link<'a, R> {
    fn new(driver: &'a mut Driver, requests: &'a R, pending: &'a mut Pending) -> Self {
        let (taken, acks) = mpsc::channel(usize::from(u16::MAX));
        Self {
            driver,
            requests,
            pending,
            taken,
            acks,
            connected: false,
            largest: MAX_PACKET as usize,
            ending: None,
        }
    }

    async fn run(mut self, events: &mut impl Events) -> End {
        loop {
            // A poll that is dropped half way may lose a packet, so it is only ever awaited to its end.
            let mut poll = pin!(events.poll());
            let happened = loop {
                let woken = tokio::select! {
                    biased;
                    op = self.driver.inbox.next(), if self.ending.is_none() => Woken::Asked(op),
                    happened = &mut poll => Woken::Happened(happened),
                    Some((id, qos)) = self.acks.recv() => Woken::Acknowledge(id, qos),
                    Some(outgoing) = self.driver.outgoing.recv(), if self.takes_more() => Woken::Publish(outgoing),
                    () = tokio::time::sleep(LAST_WORDS), if self.ending.is_some() => Woken::TimeOut,
                };
                match woken {
                    Woken::Happened(happened) => break happened,
                    Woken::Acknowledge(id, qos) => {
                        self.requests.acknowledge(id, qos);
                    }
                    Woken::Publish(outgoing) => self.publish(outgoing),
                    Woken::TimeOut => return self.ending.unwrap_or(End::Disconnect),
                    Woken::Asked(op) => {
                        if let Some(end) = self.answer(op) {
                            if !self.connected {
                                return end;
                            }
                            self.say_goodbye(end);
                        }
                    }
                }
            };
            match happened {
                Ok(happened) => self.note(happened),
                Err(reason) => return self.ending.unwrap_or(End::Lost(reason)),
            }
        }
    }

    fn takes_more(&self) -> bool {
        self.connected && self.ending.is_none() && self.pending.len() < IN_FLIGHT
    }

    fn publish(&mut self, outgoing: Outgoing) {
        // rumqttc would cut the connection over it, and try again for ever.
        let size = size(&outgoing.publication);
        if size > self.largest {
            let limit = self.largest;
            outgoing.end(Err(PublishFailure::Refused(format!(
                "it is larger than the broker takes ({size} of {limit} bytes)"
            ))));
        } else if self.requests.publish(&outgoing.publication) {
            self.pending.requested(outgoing);
        } else {
            outgoing.end(Err(PublishFailure::Full));
        }
    }

    fn note(&mut self, happened: Happened) {
        match happened {
            Happened::Connected {
                session_present,
                largest,
            } => {
                self.largest = largest;
                self.begin(session_present);
            }
            Happened::Message(publication, id) => {
                let ack = (publication.qos != Qos::AtMostOnce).then(|| {
                    Arc::new(Ack {
                        id,
                        qos: publication.qos,
                        to: self.taken.clone(),
                    })
                });
                route(&self.driver.subscribers, &publication, ack.as_ref());
            }
            Happened::Again(id) => {
                self.requests.acknowledge(id, Qos::ExactlyOnce);
            }
            Happened::Sent(id) => self.pending.sent(id),
            Happened::Acknowledged(id, result) => self.pending.acknowledged(id, result),
            Happened::SubscriptionRefused => {
                tracing::warn!(
                    "The broker at {} refused a subscription",
                    self.driver.options.address()
                );
            }
            Happened::Other => {}
        }
    }

    /// Connected: a new session has to be told everything.
    fn begin(&mut self, session_present: bool) {
        self.connected = true;
        for subscriber in &self.driver.subscribers {
            for (filter, options) in subscriber.filters_to_subscribe() {
                self.requests.subscribe(&filter, options);
            }
        }
        // Those of the lost connection, without the birth message of this one.
        let unanswered = if session_present {
            Vec::new()
        } else {
            self.pending.take_unanswered()
        };
        if let Some(birth) = self.driver.options.birth.clone() {
            self.publish(Outgoing {
                publication: birth,
                published: None,
            });
        }
        for outgoing in unanswered {
            self.publish(outgoing);
        }
        self.driver.connected();
    }

    /// Books a request; an end is handed back.
    fn answer(&mut self, op: super::inbox::Op) -> Option<End> {
        match self.driver.take(op) {
            Todo::End(end) => return Some(end),
            // Connecting subscribes everything.
            _ if !self.connected => {}
            Todo::Listen(subscriber) => {
                for (filter, options) in subscriber.filters_to_subscribe() {
                    self.requests.subscribe(&filter, options);
                }
            }
            Todo::Leave(subscriber) => {
                for (filter, _) in subscriber.filters() {
                    self.unsubscribe(&filter);
                }
            }
            Todo::Subscribe(_, filter, options) => {
                self.requests.subscribe(&filter, options);
            }
            Todo::Unsubscribe(_, filter) => self.unsubscribe(&filter),
            Todo::Nothing => {}
        }
        None
    }

    /// Unsubscribes, unless another node still wants it.
    fn unsubscribe(&self, filter: &str) {
        let wanted = self.driver.subscribers.iter().any(|subscriber| {
            subscriber
                .filters()
                .iter()
                .any(|(known, _)| &**known == filter)
        });
        if !wanted {
            self.requests.unsubscribe(filter);
        }
    }

    /// Hands over what waits, then the closing message, then the end.
    fn say_goodbye(&mut self, end: End) {
        while let Ok(outgoing) = self.driver.outgoing.try_recv() {
            self.publish(outgoing);
        }
        if let Some(close) = self.driver.options.close.clone() {
            self.publish(Outgoing {
                publication: close,
                published: None,
            });
        }
        if self.driver.options.auto_unsubscribe && !self.driver.options.clean {
            for subscriber in &self.driver.subscribers {
                for (filter, _) in subscriber.filters() {
                    self.requests.unsubscribe(&filter);
                }
            }
        }
        self.requests.disconnect();
        self.ending = Some(end);
    }
}
