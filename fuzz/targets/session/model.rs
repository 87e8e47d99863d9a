//! What was published and subscribed, and which of the broker's packets follow from that.
//!
//! Where it cannot be known whether the broker has read a packet (the connection was closed behind it), both are right.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use flowrill::broker::matches;

use super::{
    connection::Connection,
    wire::{Answer, Publish},
};

/// A message that was published, or a will that may be.
#[derive(Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub retain: bool,
    /// None for a will.
    pub publisher: Option<usize>,
    /// When it was sent first.
    pub from: u64,
    /// How many messages it may be at most.
    pub times: usize,
    /// When the broker said that it has it.
    pub taken: bool,
}

/// A subscription that was asked for.
#[derive(Debug)]
pub struct Subscription {
    pub filter: &'static str,
    pub qos: u8,
    pub no_local: bool,
    pub retain_handling: u8,
    pub id: Option<u32>,
    /// When the broker has granted it.
    pub since: Option<u64>,
    /// When it has certainly ended.
    pub until: Option<u64>,
    /// Somebody wants to end it or to change it.
    pub shaky: bool,
}

/// What a client and the broker know of each other across connections.
#[derive(Debug, Default)]
pub struct Session {
    pub subscriptions: Vec<Subscription>,
    /// How often it got each message.
    pub got: HashMap<u64, usize>,
    /// Messages of QoS 2 that are not released yet.
    pub exchanges: HashMap<u16, Option<u64>>,
    /// Answers that the broker may still give, by kind and identifier.
    pub answers: HashMap<(char, u16), usize>,
    /// Messages that were sent and not acknowledged, by identifier.
    pub sent: HashMap<u16, VecDeque<u64>>,
    /// Messages of QoS 2 that were sent and not released.
    pub unreleased: HashMap<u16, u64>,
    /// Identifiers whose acknowledgements tell nothing any more.
    pub unclear: HashSet<u16>,
    /// It has sent acknowledgements that are wrong.
    pub disturbed: bool,
    /// It has had a connection that takes small packets only.
    pub limited: bool,
}

/// All that was published.
#[derive(Debug, Default)]
pub struct Model {
    pub messages: BTreeMap<u64, Message>,
    pub now: u64,
}

impl Message {
    /// Only the broker itself may publish there.
    pub fn is_forbidden(&self) -> bool {
        self.topic.starts_with("$SYS/")
    }
}

impl Subscription {
    pub fn is_shared(&self) -> bool {
        self.filter.starts_with("$share/")
    }

    fn path(&self) -> &'static str {
        match self.filter.strip_prefix("$share/") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => self.filter,
        }
    }

    /// Whether it may have brought this message to this client.
    fn may_bring(&self, message: &Message, retained: bool, client: usize) -> bool {
        let own = self.no_local && !retained && message.publisher == Some(client);
        !own && self.until.is_none_or(|until| until >= message.from)
            && matches(self.path(), &message.topic)
    }
}

impl Session {
    pub fn expect(&mut self, kind: char, id: u16) {
        *self.answers.entry((kind, id)).or_default() += 1;
    }

    fn answered(&mut self, kind: char, id: u16) {
        let count = self
            .answers
            .get_mut(&(kind, id))
            .filter(|count| **count > 0);
        *count.unwrap_or_else(|| panic!("the broker answers {kind} {id}, which was not sent")) -= 1;
    }

    /// A connection of it is over: what was on its way may have been read or not.
    pub fn cut(&mut self) {
        self.unclear.extend(
            self.sent
                .drain()
                .filter(|(_, sent)| !sent.is_empty())
                .map(|(id, _)| id),
        );
        for subscription in self
            .subscriptions
            .iter_mut()
            .filter(|one| one.since.is_none())
        {
            subscription.shaky = true;
        }
    }
}

impl Model {
    pub fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Looks at a packet from the broker.
    pub fn hear(
        &mut self,
        client: usize,
        session: &mut Session,
        connection: &mut Connection,
        answer: Answer,
    ) {
        self.tick();
        match answer {
            Answer::ConnAck { .. } => panic!("a second CONNACK"),
            Answer::Publish(publish) => self.delivered(client, session, connection, publish),
            Answer::PubAck(id, code) => {
                session.answered('p', id);
                self.taken(session, id, code < 0x80);
            }
            Answer::PubRec(id, code) => {
                session.answered('q', id);
                if code >= 0x80 {
                    self.taken(session, id, false);
                }
            }
            Answer::PubComp(id, code) => {
                session.answered('r', id);
                self.taken(session, id, code == 0);
            }
            Answer::PubRel(id) => {
                let known = session.exchanges.remove(&id).is_some();
                assert!(
                    known || session.answers.contains_key(&('s', id)),
                    "PUBREL {id} without a message"
                );
                connection.releasing.push(id);
            }
            Answer::SubAck(id, codes) => {
                let asked = connection
                    .subscribing
                    .get_mut(&id)
                    .and_then(VecDeque::pop_front);
                let asked = asked.unwrap_or_else(|| panic!("SUBACK {id} without SUBSCRIBE"));
                assert_eq!(asked.len(), codes.len(), "codes of SUBACK");
                for (index, code) in asked.into_iter().zip(codes) {
                    self.granted(session, index, code);
                }
            }
            Answer::UnsubAck(id, codes) => {
                let asked = connection
                    .unsubscribing
                    .get_mut(&id)
                    .and_then(VecDeque::pop_front);
                let (filter, asked) =
                    asked.unwrap_or_else(|| panic!("UNSUBACK {id} without UNSUBSCRIBE"));
                assert!(codes.len() <= 1, "codes of UNSUBACK");
                let ended = session.subscriptions[..asked]
                    .iter_mut()
                    .filter(|one| one.filter == filter);
                ended.for_each(|one| one.until = one.until.or(Some(self.now)));
            }
            Answer::Pong => {
                assert!(connection.pings > 0, "PINGRESP without PINGREQ");
                connection.pings -= 1;
            }
            Answer::Disconnect => connection.is_told = true,
        }
    }

    fn granted(&self, session: &mut Session, index: usize, code: u8) {
        let (before, rest) = session.subscriptions.split_at_mut(index);
        let new = &mut rest[0];
        match code {
            0..=2 => {
                assert_eq!(code, new.qos, "the granted quality of service");
                new.since = Some(self.now);
                let replaced = before.iter_mut().filter(|one| one.filter == new.filter);
                replaced.for_each(|one| one.until = one.until.or(Some(self.now)));
            }
            0x80.. => new.until = Some(0),
            _ => panic!("SUBACK with the code {code}"),
        }
    }

    /// The oldest message of this identifier is acknowledged.
    fn taken(&mut self, session: &mut Session, id: u16, good: bool) {
        let number = session.sent.get_mut(&id).and_then(VecDeque::pop_front);
        let is_clear = good && !session.unclear.contains(&id);
        if let Some(message) = number
            .filter(|_| is_clear)
            .and_then(|number| self.messages.get_mut(&number))
        {
            message.taken = !message.is_forbidden();
        }
    }

    fn delivered(
        &mut self,
        client: usize,
        session: &mut Session,
        connection: &mut Connection,
        publish: Publish,
    ) {
        let topic = connection.topic_of(&publish);
        if publish.qos > 0 {
            connection.opens(&publish);
        }
        let number = match topic.starts_with("$SYS/") {
            true => {
                let wants = session
                    .subscriptions
                    .iter()
                    .any(|one| matches(one.path(), &topic));
                assert!(wants, "{topic} without a subscription");
                None
            }
            false => Some(self.find(client, session, &topic, &publish)),
        };
        if publish.qos < 2 {
            // What comes again after a connection was lost is no new delivery.
            if publish.dup {
                if let Some(number) = number {
                    session.got.entry(number).or_insert(1);
                }
                return;
            }
        } else if let Some(old) = session.exchanges.insert(publish.id, number) {
            assert!(
                session.disturbed || old == number,
                "identifier {} has two messages",
                publish.id
            );
            return;
        }
        let Some(number) = number else { return };
        let message = &self.messages[&number];
        let count = session.got.entry(number).or_default();
        *count += 1;
        let most = most_deliveries(client, session.subscriptions.iter(), message);
        assert!(
            session.disturbed || message.payload.is_empty() || *count <= most,
            "{message:?} came {count} times to {client}, {most} would be right"
        );
    }

    /// The number of the message that came; panics if it should not have come.
    fn find(&self, client: usize, session: &Session, topic: &str, publish: &Publish) -> u64 {
        let same =
            |message: &&Message| message.topic == topic && message.payload == publish.payload;
        let (number, message) = match publish.payload.first_chunk() {
            Some(number) => {
                let number = u64::from_be_bytes(*number);
                let message = self.messages.get(&number).filter(same);
                (
                    number,
                    message.unwrap_or_else(|| panic!("{publish:?} on {topic} was never published")),
                )
            }
            None => {
                let mut fitting = self.messages.iter().filter(|(_, message)| same(message));
                let judged =
                    fitting.find(|(_, message)| verdict(client, session, message, publish).is_ok());
                let (number, message) =
                    judged.unwrap_or_else(|| panic!("{publish:?} on {topic}: no such message"));
                (*number, message)
            }
        };
        if let Err(wrong) = verdict(client, session, message, publish) {
            panic!(
                "{wrong}: {publish:?} at {client}, of {message:?}; {:#?}",
                session.subscriptions
            );
        }
        number
    }

    /// At the end, when all have acknowledged what they have got.
    pub fn check_complete(&self, client: usize, session: &Session) {
        if session.disturbed || session.limited {
            return;
        }
        let firm = |one: &&Subscription| {
            !one.shaky && !one.is_shared() && one.until.is_none() && one.qos > 0
        };
        for subscription in session.subscriptions.iter().filter(firm) {
            let Some(since) = subscription.since else {
                continue;
            };
            let owed = self.messages.iter().filter(|(_, message)| {
                message.taken
                    && message.qos > 0
                    && message.from > since
                    && !message.payload.is_empty()
                    && subscription.may_bring(message, false, client)
            });
            for (number, message) in owed {
                assert!(
                    session.got.contains_key(number),
                    "{message:?} did not come to {client} by {subscription:?}"
                );
            }
        }
    }
}

fn verdict(
    client: usize,
    session: &Session,
    message: &Message,
    publish: &Publish,
) -> Result<(), &'static str> {
    let bringing: Vec<&Subscription> = session
        .subscriptions
        .iter()
        .filter(|one| one.may_bring(message, publish.retain, client))
        .collect();
    let Some(most) = bringing.iter().map(|one| one.qos).max() else {
        return Err("there is no subscription for it");
    };
    if message.is_forbidden() {
        return Err("only the broker may publish there");
    }
    if publish.qos > message.qos.min(most) {
        return Err("the quality of service is too high");
    }
    if publish.retain && !message.retain {
        return Err("it is not retained");
    }
    if publish
        .subscription_ids
        .iter()
        .any(|id| bringing.iter().all(|one| one.id != Some(*id)))
    {
        return Err("no subscription has this identifier");
    }
    Ok(())
}

/// One for all plain subscriptions and one for each shared one, each time that it was published; and, if it is retained,
/// one for each time that somebody subscribed.
fn most_deliveries<'s>(
    client: usize,
    subscriptions: impl Iterator<Item = &'s Subscription>,
    message: &Message,
) -> usize {
    let (mut plain, mut retained, mut shared) = (0, 0, HashSet::new());
    for one in subscriptions.filter(|one| one.may_bring(message, message.retain, client)) {
        match one.is_shared() {
            true => drop(shared.insert(one.filter)),
            false => {
                plain = 1;
                retained += usize::from(message.retain && one.retain_handling < 2);
            }
        }
    }
    message.times * (plain + shared.len()) + retained
}
