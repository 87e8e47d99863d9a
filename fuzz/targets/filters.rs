//! Topics, filters, subscriptions and retained messages against a simple reading of section 4.7.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use flowrill::broker::{
    fuzzing::{RetainedTree, SubscriptionTree, overlaps},
    is_filter, is_topic, matches,
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

const SESSIONS: usize = 4;
const MOST_RETAINED: usize = 6;
const MOST_LEVELS: usize = 128;

/// Few words, so that filters and topics meet.
#[derive(Arbitrary, Debug)]
enum Level {
    Any,
    Below,
    Empty,
    A,
    B,
    System,
    Share,
    Text(String),
    /// Many levels.
    Deep(u8),
}

#[derive(Arbitrary, Debug)]
struct Path(Vec<Level>);

impl Path {
    fn text(&self) -> String {
        let levels: Vec<String> = self
            .0
            .iter()
            .map(|level| match level {
                Level::Any => "+".into(),
                Level::Below => "#".into(),
                Level::Empty => String::new(),
                Level::A => "a".into(),
                Level::B => "b".into(),
                Level::System => "$SYS".into(),
                Level::Share => "$share/g".into(),
                Level::Text(text) => text.clone(),
                Level::Deep(count) => "x/".repeat((*count).into()),
            })
            .collect();
        levels.join("/")
    }
}

#[derive(Arbitrary, Debug)]
enum Step {
    Subscribe(u8, Path),
    Unsubscribe(u8, Path),
    End(u8),
    Online(u8, bool),
    Publish(Path),
    Retain(Path, bool),
    Find(Path),
    Compare(Path, Path),
}

fuzz_target!(|steps: Vec<Step>| {
    let mut tree = SubscriptionTree::new(SESSIONS);
    let mut retained = RetainedTree::new(MOST_RETAINED);
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Subscribe(session, path) => {
                model.subscribe(&mut tree, session_of(*session), path)
            }
            Step::Unsubscribe(session, path) => {
                model.unsubscribe(&mut tree, session_of(*session), path);
            }
            Step::End(session) => {
                let session = session_of(*session);
                tree.remove_all(session);
                model.subscriptions.retain(|(owner, _)| *owner != session);
            }
            Step::Online(session, online) => {
                let session = session_of(*session);
                tree.set_online(session, *online);
                match online {
                    true => model.online.insert(session),
                    false => model.online.remove(&session),
                };
            }
            Step::Publish(path) => model.publish(&tree, &path.text()),
            Step::Retain(path, is_empty) => {
                let payload = if *is_empty {
                    Vec::new()
                } else {
                    number.to_be_bytes().to_vec()
                };
                model.retain(&mut retained, &path.text(), &payload);
            }
            Step::Find(path) => model.find(&retained, &path.text()),
            Step::Compare(one, other) => model.compare(&one.text(), &other.text()),
        }
        assert_eq!(tree.count(), model.subscriptions.len());
        assert_eq!(retained.count(), model.retained.len());
    }
    for session in 0..SESSIONS {
        let own = model
            .subscriptions
            .iter()
            .filter(|(owner, _)| *owner == session);
        let own: Vec<String> = own.map(|(_, filter)| filter.clone()).collect();
        assert_eq!(tree.filters(session), own);
        tree.remove_all(session);
    }
    assert_eq!(tree.count(), 0);
    for topic in &model.topics {
        assert!(
            tree.receivers(topic).is_empty(),
            "{topic} has a subscriber when there is none"
        );
    }
});

fn session_of(number: u8) -> usize {
    usize::from(number) % SESSIONS
}

/// What should be, as lists.
#[derive(Default)]
struct Model {
    subscriptions: BTreeSet<(usize, String)>,
    online: BTreeSet<usize>,
    retained: BTreeMap<String, Vec<u8>>,
    topics: BTreeSet<String>,
}

impl Model {
    fn subscribe(&mut self, tree: &mut SubscriptionTree, session: usize, path: &Path) {
        let filter = path.text();
        assert_eq!(is_filter(&filter), may_subscribe(&filter), "{filter:?}");
        if is_filter(&filter) {
            let is_new = self.subscriptions.insert((session, filter.clone()));
            assert_eq!(tree.add(session, &filter), is_new, "{filter:?}");
        }
    }

    fn unsubscribe(&mut self, tree: &mut SubscriptionTree, session: usize, path: &Path) {
        let filter = path.text();
        if is_filter(&filter) {
            let existed = self.subscriptions.remove(&(session, filter.clone()));
            assert_eq!(tree.remove(session, &filter), existed, "{filter:?}");
        }
    }

    /// Each plain subscription gets it once; of each shared one a member does, and each in turn.
    fn publish(&mut self, tree: &SubscriptionTree, topic: &str) {
        assert_eq!(is_topic(topic), may_publish(topic), "{topic:?}");
        if !is_topic(topic) {
            return;
        }
        self.topics.insert(topic.to_owned());
        let mut plain = Vec::new();
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (session, filter) in &self.subscriptions {
            match shared(filter) {
                None if fits(filter, topic) => plain.push(*session),
                Some((_, path)) if fits(path, topic) => {
                    groups.entry(filter).or_default().push(*session);
                }
                _ => {}
            }
        }
        plain.sort_unstable();
        let rounds = groups.values().map(Vec::len).max().unwrap_or(1);
        let mut turns: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for _ in 0..rounds {
            let receivers = tree.receivers(topic);
            let mut got: Vec<usize> = receivers
                .iter()
                .filter(|(_, shared)| shared.is_none())
                .map(|(session, _)| *session)
                .collect();
            got.sort_unstable();
            assert_eq!(got, plain, "plain subscribers of {topic:?}");
            let mut chosen = BTreeSet::new();
            for (session, filter) in receivers {
                let Some(filter) = filter else { continue };
                assert!(
                    chosen.insert(filter.clone()),
                    "{filter:?} has two receivers"
                );
                turns.entry(filter).or_default().push(session);
            }
            assert!(
                chosen.iter().eq(groups.keys()),
                "groups of {topic:?}: {chosen:?}"
            );
        }
        for (filter, members) in &groups {
            let connected: Vec<usize> = members
                .iter()
                .filter(|member| self.online.contains(member))
                .copied()
                .collect();
            // Nobody is left out who is there.
            let wanted = if connected.is_empty() {
                members
            } else {
                &connected
            };
            let turn = &turns[*filter][..wanted.len()];
            let reached: BTreeSet<usize> = turn.iter().copied().collect();
            assert!(
                reached.iter().eq(wanted),
                "{filter:?} reached {turn:?} of {wanted:?}"
            );
        }
    }

    fn retain(&mut self, tree: &mut RetainedTree, topic: &str, payload: &[u8]) {
        if !is_topic(topic) {
            return;
        }
        self.retained.remove(topic);
        let has_room = payload.is_empty() || self.retained.len() < MOST_RETAINED;
        if has_room && !payload.is_empty() {
            self.retained.insert(topic.to_owned(), payload.to_vec());
        }
        assert_eq!(tree.store(topic, payload), has_room, "{topic:?}");
    }

    fn find(&self, tree: &RetainedTree, filter: &str) {
        if !is_filter(filter) || shared(filter).is_some() {
            return;
        }
        let mut found = tree.matching(filter);
        found.sort();
        let fitting = self
            .retained
            .iter()
            .filter(|(topic, _)| fits(filter, topic));
        let wanted: Vec<(String, Vec<u8>)> = fitting
            .map(|(topic, payload)| (topic.clone(), payload.clone()))
            .collect();
        assert_eq!(found, wanted, "{filter:?}");
    }

    /// A filter and a topic, and two filters by all topics that there have been.
    fn compare(&self, one: &str, other: &str) {
        if !is_filter(one) || shared(one).is_some() {
            return;
        }
        if is_topic(other) {
            assert_eq!(
                matches(one, other),
                fits(one, other),
                "{one:?} on {other:?}"
            );
        }
        if !is_filter(other) || shared(other).is_some() {
            return;
        }
        assert_eq!(
            overlaps(one, other),
            overlaps(other, one),
            "{one:?} and {other:?}"
        );
        let both = self
            .topics
            .iter()
            .find(|topic| fits(one, topic) && fits(other, topic));
        if let Some(topic) = both {
            assert!(
                overlaps(one, other),
                "{one:?} and {other:?} have {topic:?} in common"
            );
        }
        // A filter that is a topic, too, meets exactly what matches it.
        if is_topic(one) {
            assert_eq!(
                overlaps(one, other),
                fits(other, one),
                "{one:?} and {other:?}"
            );
        }
    }
}

/// Section 4.7.1, and the limits of a text and of depth.
fn may_publish(topic: &str) -> bool {
    (1..=65_535).contains(&topic.len())
        && !topic.contains(['+', '#', '\0'])
        && topic.split('/').count() <= MOST_LEVELS
}

/// Sections 4.7.1 and 4.8.2.
fn may_subscribe(filter: &str) -> bool {
    if !(1..=65_535).contains(&filter.len()) || filter.contains('\0') {
        return false;
    }
    if !filter.starts_with("$share/") {
        return is_plain(filter);
    }
    match *filter.splitn(3, '/').collect::<Vec<_>>() {
        [_, group, path] => !group.is_empty() && !group.contains(['+', '#']) && is_plain(path),
        _ => false,
    }
}

fn is_plain(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let Some((last, others)) = levels.split_last() else {
        return false;
    };
    let is_word = |level: &str| level == "+" || !level.contains(['+', '#']);
    !filter.is_empty()
        && levels.len() <= MOST_LEVELS
        && others.iter().all(|level| is_word(level))
        && (*last == "#" || is_word(last))
}

/// Group and path of a shared subscription.
fn shared(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

/// Section 4.7, level by level.
fn fits(filter: &str, topic: &str) -> bool {
    let filter: Vec<&str> = filter.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    let hides = topic[0].starts_with('$') && matches!(filter[0], "+" | "#");
    !hides && levels_fit(&filter, &topic)
}

fn levels_fit(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        ([one, filter @ ..], [other, topic @ ..]) => {
            (*one == "+" || one == other) && levels_fit(filter, topic)
        }
        _ => false,
    }
}
