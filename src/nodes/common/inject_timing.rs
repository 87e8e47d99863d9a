//! When an inject node fires by itself: once after the start, every so often, or by a cron expression.

use std::time::Duration;

use chrono::{Local, TimeZone};
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

use crate::engine::{NodeContext, Timer};

/// Node-RED's limit: what JavaScript's timers can count.
const LONGEST_REPEAT_S: f64 = 2_147_483.0;
/// A sleep that is longer than this is split, so that a clock that was set meanwhile is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How an inject node repeats.
#[derive(Debug)]
pub(super) enum Repeat {
    Never,
    Every(Duration),
    Cron(Box<Cron>),
}

/// What the node's timers hand back to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tick {
    /// The one shot after the start; the repetition begins now.
    Once,
    /// Time to fire.
    Repeat,
    /// On the way to the cron's next time, which is at this many milliseconds since 1970.
    Towards(f64),
}

/// Why the repetition that was asked for is not possible.
#[derive(Debug, PartialEq)]
pub(super) enum RepeatError {
    TooLong,
    Cron(String),
}

impl Repeat {
    /// From the node's `repeat` (seconds) and `crontab`.
    pub(super) fn read(seconds: Option<f64>, crontab: &str) -> Result<Self, RepeatError> {
        match seconds.filter(|seconds| *seconds > 0.0) {
            Some(seconds) if seconds > LONGEST_REPEAT_S => Err(RepeatError::TooLong),
            // Node-RED's timers have a resolution of a millisecond and are never shorter.
            Some(seconds) => Ok(Self::Every(Duration::from_secs_f64(seconds.max(0.001)))),
            None if crontab.trim().is_empty() => Ok(Self::Never),
            None => CronParser::builder()
                .seconds(Seconds::Optional)
                .build()
                .parse(crontab.trim())
                .map(|cron| Self::Cron(Box::new(cron)))
                .map_err(|error| RepeatError::Cron(error.to_string())),
        }
    }

    /// The timer of the next firing.
    pub(super) fn schedule(&self, ctx: &NodeContext) -> Option<Timer> {
        match self {
            Self::Never => None,
            Self::Every(period) => Some(ctx.after(*period, Tick::Repeat)),
            Self::Cron(cron) => next_time(cron, ctx.now()).map(|at| sleep_towards(at, ctx)),
        }
    }
}

/// The timer that leads to `at`, in steps.
pub(super) fn sleep_towards(at: f64, ctx: &NodeContext) -> Timer {
    let left = Duration::from_secs_f64(((at - ctx.now()) / 1000.0).max(0.0));
    if left > LONGEST_SLEEP {
        ctx.after(LONGEST_SLEEP, Tick::Towards(at))
    } else {
        ctx.after(left, Tick::Repeat)
    }
}

/// The next time of a cron expression in local time, after `now`; both in milliseconds since 1970.
fn next_time(cron: &Cron, now: f64) -> Option<f64> {
    let now = Local.timestamp_millis_opt(now as i64).single()?;
    cron.find_next_occurrence(&now, false)
        .ok()
        .map(|next| next.timestamp_millis() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_takes_five_and_six_fields() {
        // 2024-01-01T00:00:30Z, whatever the local zone: whole minutes are the same everywhere.
        let now = 1_704_067_230_000.0;
        for (crontab, seconds) in [
            ("* * * * *", 30.0),
            ("*/10 * * * * *", 10.0),
            ("45 * * * * *", 15.0),
        ] {
            let Ok(Repeat::Cron(cron)) = Repeat::read(None, crontab) else {
                panic!("{crontab}")
            };
            assert_eq!(
                next_time(&cron, now),
                Some(now + seconds * 1000.0),
                "{crontab}"
            );
        }
    }

    #[test]
    fn what_cannot_repeat_is_refused() {
        assert_eq!(
            Repeat::read(Some(2_147_484.0), "").unwrap_err(),
            RepeatError::TooLong
        );
        assert!(matches!(
            Repeat::read(None, "every monday"),
            Err(RepeatError::Cron(_))
        ));
        assert!(matches!(Repeat::read(Some(0.0), ""), Ok(Repeat::Never)));
    }
}
