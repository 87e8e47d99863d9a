//! How fast something may happen.

use std::time::Duration;

use tokio::time::Instant;

use super::BrokerConfig;

/// So many a second, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
}

impl Rate {
    /// None: there is no limit, which 0 a second stands for.
    pub(super) fn new(per_second: f64, burst: f64) -> Option<Self> {
        (per_second > 0.0).then_some(Self { per_second, burst })
    }
}

/// What has happened of late, measured by a rate. It forgets as time goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How much of the burst is used up; may be more than all of it.
    used: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { used: 0.0, at: now }
    }

    fn forget(&mut self, rate: Rate, now: Instant) {
        let past = now.saturating_duration_since(self.at).as_secs_f64();
        self.used = (self.used - past * rate.per_second).max(0.0);
        self.at = now;
    }

    /// One more, if that is not too fast.
    pub(super) fn try_one(&mut self, rate: Rate, now: Instant) -> bool {
        self.forget(rate, now);
        let has_room = self.used + 1.0 <= rate.burst;
        self.used += f64::from(u8::from(has_room));
        has_room
    }

    /// What was counted last does not count.
    pub(super) fn take_back(&mut self) {
        self.used = (self.used - 1.0).max(0.0);
    }

    /// Counts what has happened already; how long to pause so that it was not too fast.
    pub(super) fn add(&mut self, rate: Rate, amount: f64, now: Instant) -> Duration {
        self.forget(rate, now);
        self.used += amount;
        let over = (self.used - rate.burst).max(0.0);
        // A pause of more than a minute tells nobody anything.
        Duration::from_secs_f64((over / rate.per_second).min(60.0))
    }

    /// Whether nothing counts any more.
    pub(super) fn is_over(&mut self, rate: Rate, now: Instant) -> bool {
        self.forget(rate, now);
        self.used == 0.0
    }
}

/// Holds back a client that sends too fast.
pub(super) struct Throttle {
    messages: Option<(Rate, Pace)>,
    bytes: Option<(Rate, Pace)>,
}

impl Throttle {
    pub(super) fn new(config: &BrokerConfig) -> Self {
        let now = Instant::now();
        // A second's worth may come at once.
        let limit = |per_second: u32| {
            let per_second = f64::from(per_second);
            Some((Rate::new(per_second, per_second)?, Pace::new(now)))
        };
        Self {
            messages: limit(config.max_message_rate),
            bytes: limit(config.max_byte_rate),
        }
    }

    /// So much has come; until when nothing more should be read, if it was too much.
    pub(super) fn pause(&mut self, messages: u64, bytes: usize, now: Instant) -> Option<Instant> {
        let mut pause = Duration::ZERO;
        for (limit, amount) in [
            (&mut self.messages, messages as f64),
            (&mut self.bytes, bytes as f64),
        ] {
            if let Some((rate, pace)) = limit {
                pause = pause.max(pace.add(*rate, amount, now));
            }
        }
        (!pause.is_zero()).then(|| now + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_the_rate() {
        let rate = Rate::new(2.0, 3.0).unwrap();
        let mut pace = Pace::new(Instant::now());
        let mut tries = |count: usize| {
            (0..count)
                .filter(|_| pace.try_one(rate, Instant::now()))
                .count()
        };
        assert_eq!(tries(5), 3);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tries(5), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(tries(5), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_too_fast_is_paused_for() {
        let rate = Rate::new(10.0, 10.0).unwrap();
        let mut pace = Pace::new(Instant::now());
        assert_eq!(pace.add(rate, 10.0, Instant::now()), Duration::ZERO);
        assert_eq!(
            pace.add(rate, 5.0, Instant::now()),
            Duration::from_millis(500)
        );
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(pace.add(rate, 0.0, Instant::now()), Duration::ZERO);
        assert!(!pace.is_over(rate, Instant::now()));
        assert_eq!(Rate::new(0.0, 1.0), None);
    }
}
