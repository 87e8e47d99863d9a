//! Publications that the broker has not answered yet, told apart as rumqttc tells of them: requests go out in order, and
//! each gets its packet id then.

use std::collections::{HashMap, VecDeque};

use crate::mqtt::{
    Qos,
    connection::{Outgoing, PublishFailure},
};

/// What has no answer.
#[derive(Default)]
pub(super) struct Pending {
    /// Handed to rumqttc, not sent yet.
    requested: VecDeque<Outgoing>,
    /// Sent, by packet id, with a number that keeps the order.
    sent: HashMap<u16, (u64, Outgoing)>,
    next: u64,
}

impl Pending {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.requested.len() + self.sent.len()
    }

    /// Handed to rumqttc.
    pub(super) fn requested(&mut self, outgoing: Outgoing) {
        self.requested.push_back(outgoing);
    }

    /// rumqttc has sent one: the oldest request, or again one that it had sent before the connection was lost.
    pub(super) fn sent(&mut self, id: u16) {
        if id != 0 && self.sent.contains_key(&id) {
            return;
        }
        let Some(outgoing) = self.requested.pop_front() else {
            return;
        };
        if outgoing.publication.qos == Qos::AtMostOnce {
            outgoing.end(Ok(()));
        } else {
            self.next += 1;
            self.sent.insert(id, (self.next, outgoing));
        }
    }

    /// The broker has answered.
    pub(super) fn acknowledged(&mut self, id: u16, result: Result<(), String>) {
        if let Some((_, outgoing)) = self.sent.remove(&id) {
            outgoing.end(result.map_err(PublishFailure::Refused));
        }
    }

    /// All of it in order, to be handed over again because the broker has forgotten the session.
    pub(super) fn take_unanswered(&mut self) -> Vec<Outgoing> {
        let mut sent: Vec<(u64, Outgoing)> = self.sent.drain().map(|(_, entry)| entry).collect();
        sent.sort_by_key(|(number, _)| *number);
        sent.into_iter()
            .map(|(_, outgoing)| outgoing)
            .chain(self.requested.drain(..))
            .collect()
    }

    /// None of it will be answered.
    pub(super) fn refuse(&mut self) {
        for outgoing in self.take_unanswered() {
            outgoing.end(Err(PublishFailure::NotConnected));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::mqtt::Publication;

    type Ended = Arc<Mutex<Vec<(String, bool)>>>;

    fn outgoing(topic: &str, qos: Qos, ended: &Ended) -> Outgoing {
        let (ended, name) = (ended.clone(), topic.to_owned());
        Outgoing {
            publication: Publication {
                topic: topic.into(),
                qos,
                ..Publication::default()
            },
            published: Some(Box::new(move |result| {
                ended.lock().unwrap().push((name, result.is_ok()));
            })),
        }
    }

    fn ended(ended: &Ended) -> Vec<(String, bool)> {
        ended.lock().unwrap().drain(..).collect()
    }

    #[test]
    fn answers_find_their_publication() {
        let log = Ended::default();
        let mut pending = Pending::default();
        pending.requested(outgoing("a", Qos::AtLeastOnce, &log));
        pending.requested(outgoing("b", Qos::AtMostOnce, &log));
        pending.requested(outgoing("c", Qos::ExactlyOnce, &log));
        pending.sent(1);
        pending.sent(0);
        assert_eq!(ended(&log), [("b".into(), true)]);
        pending.sent(2);
        pending.acknowledged(2, Ok(()));
        pending.acknowledged(1, Err("no".into()));
        pending.acknowledged(1, Ok(()));
        assert_eq!(ended(&log), [("c".into(), true), ("a".into(), false)]);
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn what_has_no_answer_is_sent_again_in_order() {
        let log = Ended::default();
        let mut pending = Pending::default();
        for topic in ["a", "b", "c", "d"] {
            pending.requested(outgoing(topic, Qos::AtLeastOnce, &log));
        }
        pending.sent(7);
        pending.sent(2);
        // The session went on after a lost connection: rumqttc sends it again by itself.
        pending.sent(7);
        assert_eq!(pending.len(), 4);
        let again: Vec<String> = pending
            .take_unanswered()
            .iter()
            .map(|outgoing| outgoing.publication.topic.to_string())
            .collect();
        assert_eq!(again, ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_will_never_be_answered_is_refused() {
        let log = Ended::default();
        let mut pending = Pending::default();
        pending.requested(outgoing("a", Qos::AtLeastOnce, &log));
        pending.requested(outgoing("b", Qos::AtLeastOnce, &log));
        pending.sent(1);
        pending.refuse();
        assert_eq!(ended(&log), [("a".into(), false), ("b".into(), false)]);
    }
}
