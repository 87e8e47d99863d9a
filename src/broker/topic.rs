//! Topic names and topic filters: what is valid, and what matches what [MQTT-4.7].

/// A topic to publish to: 1 to 65,535 bytes, no wildcard, no U+0000 [MQTT-3.3.2-2, MQTT-4.7.3-1, MQTT-4.7.3-2].
pub fn valid_topic(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= 65_535
        && !topic.bytes().any(|byte| matches!(byte, b'+' | b'#' | 0))
}

/// A filter to subscribe to: `#` only as the whole last level, `+` only as a whole level [MQTT-4.7.1-1, MQTT-4.7.1-2].
pub fn valid_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > 65_535 || filter.bytes().any(|byte| byte == 0) {
        return false;
    }
    let filter = match filter.strip_prefix("$share/") {
        Some(rest) => match rest.split_once('/') {
            // A share name has no wildcard, and a filter follows it [MQTT-4.8.2-1, MQTT-4.8.2-2].
            Some((name, filter))
                if !name.is_empty() && !name.contains(['+', '#']) && !filter.is_empty() =>
            {
                filter
            }
            _ => return false,
        },
        None => filter,
    };
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        let sound = match level {
            "#" => last,
            "+" => true,
            level => !level.contains(['+', '#']),
        };
        if !sound {
            return false;
        }
    }
    true
}

/// Whether a filter (without `$share/…`) takes a topic. A wildcard in the first level takes no topic that
/// begins with `$` [MQTT-4.7.2-1].
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            // `a/#` takes `a` itself too.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_take_what_the_standard_says() {
        let table = [
            ("#", "a/b", true),
            ("#", "/", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("+", "a", true),
            ("+", "/a", false),
            ("+/+", "/a", true),
            ("/+", "/a", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
            ("温度/+", "温度/küche", true),
            ("a", "A", false),
            ("a/", "a", false),
        ];
        for (filter, topic, expected) in table {
            assert_eq!(matches(filter, topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn wrong_filters_and_topics_are_refused() {
        for filter in [
            "",
            "a/#/b",
            "a+",
            "a#",
            "+a",
            "a/b#",
            "\0",
            "$share/g",
            "$share//a",
            "$share/g/",
            "$share/+/a",
        ] {
            assert!(!valid_filter(filter), "{filter:?}");
        }
        for filter in ["#", "+", "a/+/b/#", "/", "$share/g/a/#", "$SYS/#", " "] {
            assert!(valid_filter(filter), "{filter:?}");
        }
        for topic in ["", "a/+", "#", "a\0"] {
            assert!(!valid_topic(topic), "{topic:?}");
        }
        assert!(valid_topic("/") && valid_topic("é/x") && valid_topic("$x"));
    }
}
