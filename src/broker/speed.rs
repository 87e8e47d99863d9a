//! How fast messages go between a client and the broker.

use std::time::Instant;

use parking_lot::Mutex;

/// Messages a second, both ways, between the last two looks at the counts.
#[derive(Debug, Default)]
pub(super) struct Speed(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    looked: Option<Instant>,
    counts: [u64; 2],
    rates: [f32; 2],
}

impl Speed {
    /// Looks at the counts of what has come in and what has gone out.
    pub(super) fn look(&self, counts: [u64; 2], now: Instant) {
        let mut state = self.0.lock();
        let seconds = state.looked.map_or(0.0, |looked| {
            now.saturating_duration_since(looked).as_secs_f32()
        });
        if seconds > 0.0 {
            let before = state.counts;
            let rate = |place: usize| {
                let more = counts[place].saturating_sub(before[place]);
                (more as f32 / seconds * 100.0).round() / 100.0
            };
            state.rates = [rate(0), rate(1)];
        }
        state.looked = Some(now);
        state.counts = counts;
    }

    /// What has come in and what has gone out, a second.
    pub(super) fn rates(&self) -> [f32; 2] {
        self.0.lock().rates
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Speed;

    #[test]
    fn rates_are_those_between_two_looks() {
        let (speed, start) = (Speed::default(), Instant::now());
        speed.look([100, 7], start);
        assert_eq!(speed.rates(), [0.0, 0.0]);
        speed.look([125, 7], start + Duration::from_secs(10));
        assert_eq!(speed.rates(), [2.5, 0.0]);
        speed.look([125, 7], start + Duration::from_secs(10));
        assert_eq!(speed.rates(), [2.5, 0.0]);
    }
}
