//! Who has subscribed to what: a tree of topic levels.

use std::{cell::Cell, sync::Arc};

use rustc_hash::FxHashMap;

use super::{codec::Qos, durable::StoredSubscription, session::Session, topics::split_shared};

/// How one subscription wants its messages.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) qos: Qos,
    /// Not those that the subscriber publishes itself.
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
    /// The identifier of MQTT 5, as the list that a message carries.
    pub(super) ids: Option<Arc<[u32]>>,
    /// The filter, if it is shared.
    pub(super) shared: Option<Arc<str>>,
}

/// A subscriber.
pub(super) struct Entry {
    pub(super) session: Arc<Session>,
    pub(super) options: Options,
}

/// A shared subscription: each message goes to one member.
struct Group {
    name: Box<str>,
    members: Vec<Entry>,
    next: Cell<usize>,
}

/// The subscribers of one filter.
#[derive(Default)]
pub(super) struct Leaf {
    plain: Vec<Entry>,
    groups: Vec<Group>,
}

#[derive(Default)]
struct Level {
    children: FxHashMap<Box<str>, Level>,
    any: Option<Box<Level>>,
    /// Filters that end here.
    here: Leaf,
    /// Filters that go on with `#`.
    below: Leaf,
}

/// All subscriptions.
#[derive(Default)]
pub(super) struct Subscriptions {
    root: Level,
    /// The filters of each session, for its end.
    owned: FxHashMap<u64, FxHashMap<Box<str>, Options>>,
}

impl Subscriptions {
    /// Adds or replaces a subscription; true if there was none [MQTT-3.8.4-3].
    pub(super) fn add(&mut self, filter: &str, session: &Arc<Session>, options: Options) -> bool {
        let is_new = self
            .owned
            .entry(session.key())
            .or_default()
            .insert(filter.into(), options.clone())
            .is_none();
        let (group, path) = parts(filter);
        let leaf = self.root.leaf(path);
        let entry = Entry {
            session: session.clone(),
            options,
        };
        let list = match group {
            None => &mut leaf.plain,
            Some(name) => leaf.group(name),
        };
        match list
            .iter_mut()
            .find(|old| old.session.key() == session.key())
        {
            Some(old) => *old = entry,
            None => list.push(entry),
        }
        is_new
    }

    /// Whether a session has room for this filter within `limit`.
    pub(super) fn has_room(&self, filter: &str, session: &Session, limit: usize) -> bool {
        self.owned
            .get(&session.key())
            .is_none_or(|filters| filters.len() < limit || filters.contains_key(filter))
    }

    /// Removes a subscription; false if there was none.
    pub(super) fn remove(&mut self, filter: &str, session: &Session) -> bool {
        let owned = self
            .owned
            .get_mut(&session.key())
            .is_some_and(|filters| filters.remove(filter).is_some());
        if owned {
            let (group, path) = parts(filter);
            self.root.remove(path.split('/'), group, session.key());
        }
        owned
    }

    /// Removes all subscriptions of a session.
    pub(super) fn remove_all(&mut self, session: &Session) {
        let owned = self.owned.remove(&session.key()).unwrap_or_default();
        for filter in owned.keys() {
            let (group, path) = parts(filter);
            self.root.remove(path.split('/'), group, session.key());
        }
    }

    /// The lists of subscribers that a topic reaches.
    pub(super) fn matching(&self, topic: &str) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        // Wildcards at the start do not match topics that begin with `$` [MQTT-4.7.2-1].
        let wildcards = !topic.starts_with('$');
        self.root.find(Some(topic), wildcards, &mut leaves);
        leaves
    }

    /// The member of a shared subscription whose turn it is.
    pub(super) fn member(&self, filter: &str) -> Option<&Entry> {
        let (group, path) = parts(filter);
        let groups = &self.root.known_leaf(path)?.groups;
        let group = groups.iter().find(|one| Some(&*one.name) == group)?;
        group.pick()
    }

    /// The filters of a session, in order.
    pub(super) fn filters(&self, session: &Session) -> Vec<String> {
        let owned = self.owned.get(&session.key()).into_iter();
        let owned = owned.flat_map(FxHashMap::keys);
        let mut filters: Vec<String> = owned.map(|filter| filter.to_string()).collect();
        filters.sort();
        filters
    }

    /// The subscriptions of a session as they are stored.
    pub(super) fn stored(&self, session: &Session) -> Vec<StoredSubscription> {
        let owned = self.owned.get(&session.key()).into_iter().flatten();
        owned
            .map(|(filter, options)| {
                let id = options.ids.as_ref().and_then(|ids| ids.first().copied());
                StoredSubscription::new(
                    filter.to_string(),
                    options.qos,
                    options.no_local,
                    options.retain_as_published,
                    id,
                )
            })
            .collect()
    }

    /// How many subscriptions there are.
    pub(super) fn count(&self) -> usize {
        self.owned.values().map(FxHashMap::len).sum()
    }

    /// How many of them are shared.
    pub(super) fn count_shared(&self) -> usize {
        let filters = self.owned.values().flat_map(FxHashMap::keys);
        filters
            .filter(|filter| filter.starts_with("$share/"))
            .count()
    }

    /// Whether anybody wants to hear of the broker itself.
    pub(super) fn has_system(&self) -> bool {
        self.root.children.contains_key("$SYS")
    }
}

fn parts(filter: &str) -> (Option<&str>, &str) {
    match split_shared(filter) {
        Some((group, path)) => (Some(group), path),
        None => (None, filter),
    }
}

impl Leaf {
    /// The plain subscribers, and of each group the member whose turn it is.
    pub(super) fn receivers(&self) -> impl Iterator<Item = &Entry> {
        self.plain
            .iter()
            .chain(self.groups.iter().filter_map(Group::pick))
    }

    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.groups.is_empty()
    }

    fn group(&mut self, name: &str) -> &mut Vec<Entry> {
        let index = match self.groups.iter().position(|group| &*group.name == name) {
            Some(index) => index,
            None => {
                self.groups.push(Group {
                    name: name.into(),
                    members: Vec::new(),
                    next: Cell::new(0),
                });
                self.groups.len() - 1
            }
        };
        &mut self.groups[index].members
    }

    fn remove(&mut self, group: Option<&str>, key: u64) {
        match group {
            None => self.plain.retain(|entry| entry.session.key() != key),
            Some(name) => {
                for group in self.groups.iter_mut().filter(|group| &*group.name == name) {
                    group.members.retain(|entry| entry.session.key() != key);
                }
                self.groups.retain(|group| !group.members.is_empty());
            }
        }
    }
}

impl Group {
    /// The next member that is connected, else the next one.
    fn pick(&self) -> Option<&Entry> {
        let count = self.members.len();
        let start = self.next.get();
        let turn = (0..count)
            .map(|step| (start + step) % count)
            .find(|index| self.members[*index].session.is_online())
            .unwrap_or(start % count.max(1));
        self.next.set(turn + 1);
        self.members.get(turn)
    }
}

impl Level {
    fn leaf(&mut self, filter: &str) -> &mut Leaf {
        let mut level = self;
        for part in filter.split('/') {
            level = match part {
                "#" => return &mut level.below,
                "+" => level.any.get_or_insert_default(),
                part => {
                    if !level.children.contains_key(part) {
                        level.children.insert(part.into(), Self::default());
                    }
                    level.children.entry(part.into()).or_default()
                }
            };
        }
        &mut level.here
    }

    fn known_leaf(&self, filter: &str) -> Option<&Leaf> {
        let mut level = self;
        for part in filter.split('/') {
            level = match part {
                "#" => return Some(&level.below),
                "+" => level.any.as_deref()?,
                part => level.children.get(part)?,
            };
        }
        Some(&level.here)
    }

    /// Removes an entry and the levels that nobody needs any more; true if this one is empty.
    fn remove(
        &mut self,
        mut filter: std::str::Split<'_, char>,
        group: Option<&str>,
        key: u64,
    ) -> bool {
        match filter.next() {
            None => self.here.remove(group, key),
            Some("#") => self.below.remove(group, key),
            Some("+") => {
                if self
                    .any
                    .as_mut()
                    .is_some_and(|any| any.remove(filter, group, key))
                {
                    self.any = None;
                }
            }
            Some(part) => {
                if self
                    .children
                    .get_mut(part)
                    .is_some_and(|child| child.remove(filter, group, key))
                {
                    self.children.remove(part);
                }
            }
        }
        self.children.is_empty()
            && self.any.is_none()
            && self.here.is_empty()
            && self.below.is_empty()
    }

    fn find<'a>(&'a self, rest: Option<&str>, wildcards: bool, leaves: &mut Vec<&'a Leaf>) {
        if wildcards && !self.below.is_empty() {
            leaves.push(&self.below);
        }
        let Some(rest) = rest else {
            if !self.here.is_empty() {
                leaves.push(&self.here);
            }
            return;
        };
        let (part, rest) = match rest.split_once('/') {
            Some((part, rest)) => (part, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.children.get(part) {
            child.find(rest, true, leaves);
        }
        if let Some(any) = self.any.as_ref().filter(|_| wildcards) {
            any.find(rest, true, leaves);
        }
    }
}
