//! What cronosjs, which Node-RED uses, makes of the same expressions.

use chrono::{TimeZone, Utc};

use super::Cron;

/// 2024-01-01T00:00:30Z, a Monday.
const START: f64 = 1_704_067_230_000.0;

#[test]
fn times_follow_each_other_as_with_cronosjs() {
    let cases: Vec<(String, Vec<String>)> =
        serde_json::from_str(include_str!("next_times.json")).unwrap();
    for (text, expected) in cases {
        let cron = Cron::parse(&text).unwrap();
        let mut now = START;
        let next = std::iter::from_fn(|| {
            now = cron.next_in(&Utc, now)?;
            let time = Utc.timestamp_millis_opt(now as i64).unwrap();
            Some(time.format("%Y-%m-%dT%H:%M:%S").to_string())
        });
        assert_eq!(next.take(4).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for text in [
        "",
        "* * * *",
        "* * * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "a * * * *",
        "1-x * * * *",
        "5-1- * * * *",
        "* * 5-1 * *",
        "* * * * 1#6",
        "* * W * *",
        "* * * * L",
        "-1 * * * *",
        "1.5 * * * *",
        "* * * * 1#",
        "every monday",
        "@never",
        "0 0 0 1 1 * 2031-2030",
        "*/1x * * * *",
        "1/01 * * * *",
        ", * * * *",
        "* * 1,, * *",
        "+1 * * * *",
        "99999999999999999999 * * * *",
        "0 0 0 1 1 * 2000/4294967295",
        "0 0 0 1 1 * */4294967295",
        "0/4294967295 0-1/0 * * *",
    ] {
        assert!(Cron::parse(text).is_err(), "{text:?}");
    }
}
