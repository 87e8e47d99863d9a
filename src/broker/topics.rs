//! Topics and topic filters (section 4.7).

/// Levels that a topic or filter may have: deeper ones are refused, so that walks over them stay short.
const MAX_LEVELS: usize = 128;

/// Whether this is a topic that can be published to: not empty [MQTT-4.7.3-1], no wildcard [MQTT-3.3.2-2], no U+0000
/// [MQTT-4.7.3-2], not longer than a text can be.
pub fn is_topic(topic: &str) -> bool {
    let mut levels = 1;
    for byte in topic.bytes() {
        match byte {
            0 | b'#' | b'+' => return false,
            b'/' => levels += 1,
            _ => {}
        }
    }
    !topic.is_empty() && topic.len() <= usize::from(u16::MAX) && levels <= MAX_LEVELS
}

/// Whether this is a filter that can be subscribed to, a shared one included: `#` only as the last level
/// [MQTT-4.7.1-1], `+` only as a whole level [MQTT-4.7.1-2].
pub fn is_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > usize::from(u16::MAX) || filter.contains('\0') {
        return false;
    }
    if filter.starts_with("$share/") {
        return split_shared(filter).is_some_and(|(_, filter)| is_plain_filter(filter));
    }
    is_plain_filter(filter)
}

fn is_plain_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut count = 0;
    while let Some(level) = levels.next() {
        count += 1;
        let is_last = levels.peek().is_none();
        let valid = match level {
            "#" => is_last,
            "+" => true,
            level => !level.contains(['#', '+']),
        };
        if !valid || count > MAX_LEVELS {
            return false;
        }
    }
    !filter.is_empty()
}

/// Group and filter of a shared subscription, `$share/group/filter`; none for another or a wrong one [MQTT-4.8.2-1].
pub(super) fn split_shared(filter: &str) -> Option<(&str, &str)> {
    let (group, filter) = filter.strip_prefix("$share/")?.split_once('/')?;
    let valid = !group.is_empty() && !group.contains(['#', '+']) && !filter.is_empty();
    valid.then_some((group, filter))
}

/// Whether a filter matches a topic. Wildcards at the start do not match topics that begin with `$` [MQTT-4.7.2-1].
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match level {
            "#" => return true,
            "+" if topic.next().is_some() => {}
            level if Some(level) == topic.next() => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

/// Whether there are topics that both filters match.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    let hides = |wild: &str, plain: &str| wild.starts_with(['#', '+']) && plain.starts_with('$');
    if hides(one, other) || hides(other, one) {
        return false;
    }
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/x",
                true,
            ),
            ("sport/#", "sport", true),
            ("#", "a/b", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/monitor/x", "$SYS/monitor/x", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$SYS/monitor/+", "$SYS/monitor/x", true),
            ("a/b", "a/B", false),
            ("温度/+", "温度/x", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn filters_overlap() {
        for (one, other, expected) in [
            ("a/#", "a/b", true),
            ("a/#", "a", true),
            ("a/+/c", "a/b/+", true),
            ("a/+", "a/b/c", false),
            ("#", "x", true),
            ("#", "$SYS/#", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/+", true),
            ("a", "b", false),
        ] {
            assert_eq!(overlaps(one, other), expected, "{one} {other}");
            assert_eq!(overlaps(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn invalid_filters_and_topics_are_told() {
        for filter in [
            "a/#/b",
            "a+",
            "a/b#",
            "",
            "$share/g",
            "$share//a",
            "$share/g/",
            "$share/a+/b",
            "+a/b",
            "a\0",
        ] {
            assert!(!is_filter(filter), "{filter}");
        }
        for filter in ["#", "+", "a/+/b/#", "/", "$share/g/a/#", "$SYS/#", "é/+"] {
            assert!(is_filter(filter), "{filter}");
        }
        for topic in ["", "a/+", "a/#", "a\0b"] {
            assert!(!is_topic(topic), "{topic}");
        }
        assert!(is_topic("/") && is_topic("$x") && is_topic("温度"));
    }
}
