//! When an inject node fires by itself: once after the start, every so often, or by a cron expression.

use std::time::Duration;

use super::cron::Cron;
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
    /// From the node's `repeat` (seconds) and `crontab`, with what is wrong with them.
    pub(super) fn read(seconds: Option<f64>, crontab: &str) -> (Self, Option<RepeatError>) {
        let mut error = None;
        match seconds.filter(|seconds| *seconds > 0.0) {
            Some(seconds) if seconds > LONGEST_REPEAT_S => error = Some(RepeatError::TooLong),
            Some(seconds) => {
                // Node-RED's timers have a resolution of a millisecond and are never shorter.
                let period = Duration::from_secs_f64(seconds.max(0.001));
                return (Self::Every(period), None);
            }
            None => {}
        }
        if crontab.is_empty() {
            return (Self::Never, error);
        }
        match Cron::parse(crontab) {
            Ok(cron) => (Self::Cron(Box::new(cron)), error),
            Err(text) => (Self::Never, Some(RepeatError::Cron(text))),
        }
    }

    /// The timer of the next firing.
    pub(super) fn schedule(&self, ctx: &NodeContext) -> Option<Timer> {
        match self {
            Self::Never => None,
            Self::Every(period) => Some(ctx.after(*period, Tick::Repeat)),
            Self::Cron(cron) => cron.next(ctx.now()).map(|at| sleep_towards(at, ctx)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_repeat_is_refused() {
        assert!(matches!(
            Repeat::read(Some(2_147_484.0), ""),
            (Repeat::Never, Some(RepeatError::TooLong))
        ));
        assert!(matches!(
            Repeat::read(Some(2_147_484.0), "* * * * *"),
            (Repeat::Cron(_), Some(RepeatError::TooLong))
        ));
        assert!(matches!(
            Repeat::read(None, "every monday"),
            (Repeat::Never, Some(RepeatError::Cron(_)))
        ));
        assert!(matches!(Repeat::read(Some(0.0), ""), (Repeat::Never, None)));
    }
}
