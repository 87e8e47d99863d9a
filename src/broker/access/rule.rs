//! Rules about topics: who may publish, subscribe and receive where.

use serde::{Deserialize, Serialize};

use crate::broker::topics::{is_filter, is_topic, matches, overlaps};

/// One rule. Of those that concern a topic, one that denies counts before those that allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Deny rather than allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deny: bool,
    /// What it is about; nothing: everything.
    #[serde(default = "Action::all", skip_serializing_if = "is_all")]
    pub actions: Vec<Action>,
    /// A filter, in which `%u` stands for the user's name and `%c` for the client identifier.
    pub topic: String,
}

/// What a client does with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Mosquitto's `write`.
    Publish,
    Subscribe,
    /// Get messages; with the right to subscribe, Mosquitto's `read`.
    Receive,
}

impl Action {
    fn all() -> Vec<Self> {
        vec![Self::Publish, Self::Subscribe, Self::Receive]
    }
}

fn is_all(actions: &[Action]) -> bool {
    Action::all().iter().all(|action| actions.contains(action))
}

impl Rule {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// A sentence's end.
    pub fn check(&self) -> Result<(), String> {
        match is_filter(&self.topic) && !self.topic.starts_with("$share/") {
            true => Ok(()),
            false => Err(format!(
                "\"{}\" is no topic filter; write a topic such as sensors/kitchen, with + for one level and # for all that follow",
                self.topic
            )),
        }
    }

    fn is_pattern(&self) -> bool {
        self.topic.contains("%u") || self.topic.contains("%c")
    }
}

/// What a client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Rights {
    Everything,
    Nothing,
    /// Only what one of these allows and none denies; the patterns are filled in.
    Rules(Vec<Rule>),
}

impl Rights {
    /// The rights that rules give to a client.
    pub(super) fn of<'r>(
        rules: impl Iterator<Item = &'r Rule>,
        user: Option<&str>,
        client_id: &str,
    ) -> Self {
        let mut own = Vec::new();
        for rule in rules {
            if !rule.is_pattern() {
                own.push(rule.clone());
                continue;
            }
            let values = [("%u", user), ("%c", Some(client_id))];
            let used = values.iter().filter(|(sign, _)| rule.topic.contains(sign));
            // Whoever is called `#` must not get everybody's topics by a pattern (CVE-2017-7650), nor around one that denies.
            let is_trick = used
                .clone()
                .any(|(_, value)| value.is_some_and(|value| value.contains(['#', '+'])));
            if is_trick {
                return Self::Nothing;
            }
            if used.clone().any(|(_, value)| value.is_none()) {
                continue;
            }
            let mut topic = rule.topic.clone();
            for (sign, value) in used {
                topic = topic.replace(sign, value.unwrap_or_default());
            }
            own.push(Rule {
                topic,
                ..rule.clone()
            });
        }
        Self::Rules(own)
    }

    /// Whether the client may publish to, or receive of, this topic.
    pub(in crate::broker) fn allow(&self, action: Action, topic: &str) -> bool {
        debug_assert!(is_topic(topic) && action != Action::Subscribe);
        self.decide(action, |rule| matches(rule, topic))
    }

    /// Whether the client may subscribe to this filter: a part of it must be allowed, and it must not be denied as a whole.
    /// What it then gets of it is decided message by message.
    pub(in crate::broker) fn allow_filter(&self, filter: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Rules(rules) => {
                let mut about = rules
                    .iter()
                    .filter(|rule| rule.actions.contains(&Action::Subscribe));
                about
                    .clone()
                    .any(|rule| !rule.deny && overlaps(&rule.topic, filter))
                    && !about.any(|rule| rule.deny && covers(&rule.topic, filter))
            }
        }
    }

    fn decide(&self, action: Action, concerns: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Rules(rules) => {
                let mut allowed = false;
                for rule in rules {
                    if rule.actions.contains(&action) && concerns(&rule.topic) {
                        if rule.deny {
                            return false;
                        }
                        allowed = true;
                    }
                }
                allowed
            }
        }
    }
}

/// Whether one filter matches all that another can match.
fn covers(wide: &str, narrow: &str) -> bool {
    // Wildcards of the narrow one are then topics like others.
    if narrow.starts_with(['#', '+']) {
        // Wildcards at the start leave out topics that begin with `$`, on both sides.
        return wide == narrow || wide == "#" || narrow != "#" && covers_levels(wide, narrow);
    }
    if narrow.starts_with('$') && wide.starts_with(['#', '+']) {
        return false;
    }
    covers_levels(wide, narrow)
}

fn covers_levels(wide: &str, narrow: &str) -> bool {
    let mut narrow = narrow.split('/');
    for level in wide.split('/') {
        match (level, narrow.next()) {
            ("#", _) => return true,
            ("+", Some(other)) if other != "#" => {}
            (level, Some(other)) if level == other && level != "+" => {}
            _ => return false,
        }
    }
    narrow.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        let (words, topic) = text.rsplit_once(' ').unwrap();
        let actions: Vec<Action> = words
            .split(' ')
            .filter_map(|word| serde_json::from_value(word.into()).ok())
            .collect();
        Rule {
            deny: words.starts_with("deny"),
            actions: if actions.is_empty() {
                Action::all()
            } else {
                actions
            },
            topic: topic.into(),
        }
    }

    fn rights(rules: &[&str], user: Option<&str>, client: &str) -> Rights {
        let rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
        Rights::of(rules.iter(), user, client)
    }

    #[test]
    fn rules_decide_about_topics() {
        let some = rights(
            &[
                "allow publish sensors/%c/#",
                "allow subscribe receive home/#",
                "deny home/alarm/#",
                "allow receive $SYS/#",
            ],
            Some("u"),
            "c1",
        );
        for (action, topic, expected) in [
            (Action::Publish, "sensors/c1/t", true),
            (Action::Publish, "sensors/c2/t", false),
            (Action::Receive, "sensors/c1/t", false),
            (Action::Receive, "home/x", true),
            (Action::Receive, "home/alarm", false),
            (Action::Receive, "home/alarm/code", false),
            (Action::Publish, "home/x", false),
            (Action::Receive, "$SYS/uptime", true),
        ] {
            assert_eq!(some.allow(action, topic), expected, "{action:?} {topic}");
        }
        for (filter, expected) in [
            ("home/#", true),
            ("#", true),
            ("home/alarm/#", false),
            ("home/alarm/+", false),
            ("home/+/code", true),
            ("sensors/#", false),
            ("+/x", true),
        ] {
            assert_eq!(some.allow_filter(filter), expected, "{filter}");
        }
    }

    #[test]
    fn a_name_with_a_wildcard_opens_nothing() {
        for (user, client) in [
            (Some("#"), "c"),
            (Some("+"), "c"),
            (None, "#"),
            (None, "a+b"),
        ] {
            let rules = &["allow u/%u/#", "allow c/%c/#", "allow open"];
            assert_eq!(
                rights(rules, user, client),
                Rights::Nothing,
                "{user:?} {client}"
            );
        }
        // Rules that do not name it have no such effect.
        let plain = rights(&["allow open"], Some("#"), "#");
        assert!(plain.allow(Action::Publish, "open"));
        // Whoever has no name has no rights by it.
        let nameless = rights(&["allow u/%u/#", "allow open"], None, "c");
        assert!(
            !nameless.allow(Action::Publish, "u//x") && nameless.allow(Action::Publish, "open")
        );
    }

    #[test]
    fn filters_cover_filters() {
        for (wide, narrow, expected) in [
            ("#", "a/b", true),
            ("#", "#", true),
            ("a/#", "a", true),
            ("a/#", "a/+/c", true),
            ("a/+", "a/b", true),
            ("a/+", "a/+", true),
            ("a/+", "a/#", false),
            ("a/b", "a/+", false),
            ("+/b", "+/b", true),
            ("#", "+/b", true),
            ("#", "$SYS/x", false),
            ("a", "b", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
