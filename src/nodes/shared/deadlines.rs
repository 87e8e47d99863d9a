//! Several things that are due at different times, with one timer for all of them; and times as JavaScript takes them.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use crate::{
    engine::{NodeContext, Timer},
    message::{Value, parse_float},
};

/// A wait that nobody sees the end of: longer ones are cut to ten years.
const LONGEST_MS: f64 = 10.0 * 366.0 * 86_400_000.0;

/// How long JavaScript's timers wait for so many milliseconds: at least one, also for what is no number. Unlike there,
/// more than 24 days are possible.
pub(in crate::nodes) fn timer_delay(ms: f64) -> Duration {
    let whole = if ms.is_nan() || ms == f64::INFINITY {
        1.0
    } else {
        ms.trunc().clamp(1.0, LONGEST_MS)
    };
    Duration::from_millis(whole as u64)
}

/// The milliseconds that a message property such as `msg.delay` names: `parseFloat` of it, none where that is no number.
pub(in crate::nodes) fn milliseconds(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::Number(number) => *number,
        other => parse_float(&other.to_text()),
    };
    (!number.is_nan()).then_some(number)
}

/// What the timer hands to the node: time to ask for what is due.
pub(in crate::nodes) struct Due;

/// Keys by the time they are due, with one timer for the earliest.
pub(in crate::nodes) struct Deadlines<K> {
    waiting: BTreeSet<(Instant, K)>,
    timer: Option<(Instant, Timer)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self {
            waiting: BTreeSet::new(),
            timer: None,
        }
    }
}

impl<K: Ord> Deadlines<K> {
    /// Makes `key` due after a while; the node then gets [`Due`]. Returns the time, by which it can be taken out again.
    pub(in crate::nodes) fn add(&mut self, wait: Duration, key: K, ctx: &NodeContext) -> Instant {
        let at = Instant::now() + wait;
        self.waiting.insert((at, key));
        self.arm(ctx);
        at
    }

    /// Takes a key out. The timer stays: at worst it finds nothing due.
    pub(in crate::nodes) fn remove(&mut self, at: Instant, key: K) {
        self.waiting.remove(&(at, key));
    }

    /// The next key that is due, if any. To be called until there is none, which sets the timer anew.
    pub(in crate::nodes) fn next_due(&mut self, ctx: &NodeContext) -> Option<K> {
        let due = self
            .waiting
            .first()
            .is_some_and(|(at, _)| *at <= Instant::now());
        if due {
            return self.waiting.pop_first().map(|(_, key)| key);
        }
        self.arm(ctx);
        None
    }

    /// Forgets everything.
    pub(in crate::nodes) fn clear(&mut self) {
        self.waiting.clear();
        self.timer = None;
    }

    fn arm(&mut self, ctx: &NodeContext) {
        let Some((first, _)) = self.waiting.first() else {
            self.timer = None;
            return;
        };
        let now = Instant::now();
        let armed = self.timer.as_ref().map(|(at, _)| *at);
        // A timer that has fired already must be set anew, one for an earlier time will come by itself.
        if armed.is_none_or(|at| at > *first || at <= now) {
            let wait = first.saturating_duration_since(now);
            self.timer = Some((*first, ctx.after(wait, Due)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_those_of_javascript() {
        for (ms, expected) in [
            (f64::NAN, 1),
            (f64::INFINITY, 1),
            (f64::NEG_INFINITY, 1),
            (-5.0, 1),
            (0.4, 1),
            (250.9, 250),
            (30.0 * 86_400_000.0, 2_592_000_000),
        ] {
            assert_eq!(timer_delay(ms), Duration::from_millis(expected), "{ms}");
        }
    }

    #[test]
    fn milliseconds_are_read_leniently() {
        for (value, expected) in [
            (Value::from(5), Some(5.0)),
            ("70ms".into(), Some(70.0)),
            ("x".into(), None),
            (Value::Null, None),
            (true.into(), None),
        ] {
            assert_eq!(milliseconds(Some(&value)), expected, "{value:?}");
        }
        assert_eq!(milliseconds(None), None);
    }
}
