//! The topics as a tree, seen branch by branch.
//!
//! A branch is named by all that stands before its children: `""` is the root, `"site/"` has `site/temperature` and
//! `site/hall/…` as children `temperature` and `hall`. (An empty level is a level: `/a` is the child `a` of `"/"`.)

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{super::inspect::now_ms, Observed, Seen};

/// Children of one branch that are told; the first ones by name.
const MAX_CHILDREN: usize = 1000;

/// What stands below a branch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Branch {
    pub children: Vec<Child>,
    /// Children beyond those.
    pub more: usize,
}

/// One level below a branch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Child {
    pub name: String,
    /// Topics there and below.
    pub topics: usize,
    /// Messages a second there and below, over about ten seconds.
    pub rate: f32,
    /// When the last one came, in milliseconds since 1970.
    pub time: u64,
    /// What is published to the level itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Grows with each change there and below.
    #[serde(skip)]
    pub change: u64,
}

/// The last message of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// Its first 256 bytes, as text.
    pub payload: String,
    /// Bytes of the whole payload.
    pub size: usize,
    pub qos: u8,
    /// A message is kept there.
    pub retained: bool,
    /// Messages since the start of the broker.
    pub count: u64,
}

struct Found<'a> {
    topics: usize,
    rate: f32,
    time: u64,
    change: u64,
    own: Option<&'a Seen>,
}

impl Observed {
    /// What stands below each of `names`, in their order.
    pub(in crate::broker) fn branches(&self, names: &[&str]) -> Vec<Branch> {
        let now = now_ms();
        let index: FxHashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(place, name)| (*name, place))
            .collect();
        let mut found: Vec<BTreeMap<&str, Found>> = names.iter().map(|_| BTreeMap::new()).collect();
        for (topic, seen) in &self.seen {
            let ends = topic.match_indices('/').map(|(place, _)| place + 1);
            for start in std::iter::once(0).chain(ends) {
                let Some(place) = index.get(&topic[..start]) else {
                    continue;
                };
                let rest = &topic[start..];
                let (name, own) = match rest.split_once('/') {
                    Some((name, _)) => (name, None),
                    None => (rest, Some(seen)),
                };
                let rate = seen.rate.after(now.saturating_sub(seen.time_ms));
                let child = found[*place].entry(name).or_insert(Found {
                    topics: 0,
                    rate: 0.0,
                    time: 0,
                    change: 0,
                    own: None,
                });
                child.topics += 1;
                child.rate += rate;
                child.time = child.time.max(seen.time_ms);
                child.change = child.change.max(seen.change);
                child.own = own.or(child.own);
            }
        }
        // A branch that is asked for twice has its children at the second place only.
        found
            .into_iter()
            .map(|children| Branch {
                more: children.len().saturating_sub(MAX_CHILDREN),
                children: children
                    .into_iter()
                    .take(MAX_CHILDREN)
                    .map(|(name, found)| found.describe(name))
                    .collect(),
            })
            .collect()
    }

    /// Topics whose name or last value has `text` in it, by name, at most `limit` of them.
    pub(in crate::broker) fn find(&self, text: &str, limit: usize) -> Vec<Child> {
        let now = now_ms();
        let text = text.to_lowercase();
        let has = |(topic, seen): &(&Arc<str>, &Seen)| {
            topic.to_lowercase().contains(&text)
                || std::str::from_utf8(&seen.payload)
                    .is_ok_and(|payload| payload.to_lowercase().contains(&text))
        };
        let mut found: Vec<_> = self.seen.iter().filter(has).collect();
        found.sort_by(|one, other| one.0.cmp(other.0));
        found.truncate(limit);
        let describe = |(topic, seen): (&Arc<str>, &Seen)| {
            let found = Found {
                topics: 1,
                rate: seen.rate.after(now.saturating_sub(seen.time_ms)),
                time: seen.time_ms,
                change: seen.change,
                own: Some(seen),
            };
            found.describe(topic)
        };
        found.into_iter().map(describe).collect()
    }
}

impl Found<'_> {
    fn describe(&self, name: &str) -> Child {
        Child {
            name: name.to_owned(),
            topics: self.topics,
            // Two decimals say enough, and take less room.
            rate: (self.rate * 100.0).round() / 100.0,
            time: self.time,
            value: self.own.map(|seen| Value {
                payload: String::from_utf8_lossy(&seen.payload).into_owned(),
                size: seen.size,
                qos: seen.qos,
                retained: seen.retained,
                count: seen.count,
            }),
            change: self.change,
        }
    }
}
