//! Which messages cross a bridge, and under which topics: Mosquitto's `topic` lines.

use serde::Deserialize;

use crate::mqtt::{Qos, matches, valid_filter};

/// Which way messages go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From here to the other broker.
    #[default]
    Out,
    In,
    Both,
}

/// One set of topics that cross.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeTopic {
    /// What comes behind the prefixes.
    pub filter: String,
    pub direction: Direction,
    pub qos: Qos,
    /// What the topics begin with here, and there: one is put in the place of the other.
    pub local: String,
    pub remote: String,
}

impl BridgeTopic {
    /// The filter here.
    pub(super) fn local_filter(&self) -> String {
        format!("{}{}", self.local, self.filter)
    }

    /// The filter at the other broker.
    pub(super) fn remote_filter(&self) -> String {
        format!("{}{}", self.remote, self.filter)
    }

    pub(super) fn goes_out(&self) -> bool {
        self.direction != Direction::In
    }

    pub(super) fn comes_in(&self) -> bool {
        self.direction != Direction::Out
    }

    /// What is wrong with it: a sentence's end.
    pub(super) fn fault(&self) -> Option<String> {
        for (side, filter) in [
            ("here", self.local_filter()),
            ("there", self.remote_filter()),
        ] {
            if !valid_filter(&filter) {
                return Some(format!("\"{filter}\" is no topic filter ({side})"));
            }
        }
        let has_wildcard = |prefix: &str| prefix.contains(['+', '#']);
        (has_wildcard(&self.local) || has_wildcard(&self.remote))
            .then(|| "a prefix has no wildcards".to_owned())
    }

    /// The topic at the other broker of one here.
    fn to_remote(&self, topic: &str) -> Option<String> {
        renamed(topic, &self.filter, &self.local, &self.remote)
    }

    fn to_local(&self, topic: &str) -> Option<String> {
        renamed(topic, &self.filter, &self.remote, &self.local)
    }
}

fn renamed(topic: &str, filter: &str, from: &str, to: &str) -> Option<String> {
    let rest = topic.strip_prefix(from)?;
    // The rest alone may be no topic that a filter of its own would match, such as "/a" for "/#".
    matches(&format!("{from}{filter}"), topic).then(|| format!("{to}{rest}"))
}

/// The topic that a message of here has at the other broker, and how it crosses.
pub(super) fn outgoing(topics: &[BridgeTopic], topic: &str) -> Option<(String, Qos)> {
    let mut out = topics.iter().filter(|one| one.goes_out());
    out.find_map(|one| Some((one.to_remote(topic)?, one.qos)))
}

/// The topic that a message of the other broker has here.
pub(super) fn incoming(topics: &[BridgeTopic], topic: &str) -> Option<(String, Qos)> {
    let mut coming = topics.iter().filter(|one| one.comes_in());
    coming.find_map(|one| Some((one.to_local(topic)?, one.qos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(filter: &str, direction: Direction, local: &str, remote: &str) -> BridgeTopic {
        BridgeTopic {
            filter: filter.into(),
            direction,
            qos: Qos::AtLeastOnce,
            local: local.into(),
            remote: remote.into(),
        }
    }

    #[test]
    fn prefixes_change_places() {
        let topics = [
            topic("sensors/#", Direction::Out, "home/", "site7/"),
            topic("commands/+", Direction::In, "", "site7/"),
            topic("#", Direction::Both, "shared/", ""),
        ];
        let out = |name: &str| outgoing(&topics, name).map(|(name, _)| name);
        let coming = |name: &str| incoming(&topics, name).map(|(name, _)| name);
        assert_eq!(
            out("home/sensors/a/b").as_deref(),
            Some("site7/sensors/a/b")
        );
        assert_eq!(out("home/sensors").as_deref(), Some("site7/sensors"));
        assert_eq!(out("home/other"), None);
        assert_eq!(out("sensors/a"), None);
        assert_eq!(out("shared/x").as_deref(), Some("x"));
        assert_eq!(coming("site7/commands/go").as_deref(), Some("commands/go"));
        assert_eq!(coming("x/y").as_deref(), Some("shared/x/y"));
        assert_eq!(coming("$SYS/uptime"), None);
    }

    #[test]
    fn what_is_no_filter_is_told() {
        let fault = |filter, local, remote| topic(filter, Direction::Both, local, remote).fault();
        assert_eq!(fault("a/#", "", "b/"), None);
        assert!(fault("a#", "", "").is_some());
        assert!(fault("a", "+/", "").is_some());
        assert!(fault("", "", "").is_some());
        assert_eq!(fault("", "a", "b"), None);
    }
}
