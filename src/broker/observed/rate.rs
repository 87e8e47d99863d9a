//! How often something happens.

/// Milliseconds over which a rate is smoothed: what is older counts for less than a third.
const SPAN: f32 = 10_000.0;

/// A rate that falls by itself when nothing happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(f32);

impl Rate {
    /// It has happened once.
    pub(super) fn first() -> Self {
        Self(1000.0 / SPAN)
    }

    /// It happens again, `elapsed` milliseconds after the last time.
    pub(super) fn count(&mut self, elapsed: u64) {
        self.0 = self.after(elapsed) + 1000.0 / SPAN;
    }

    /// Times a second, `elapsed` milliseconds after the last time.
    pub(super) fn after(self, elapsed: u64) -> f32 {
        match elapsed {
            0 => self.0,
            elapsed => self.0 * (-(elapsed as f32) / SPAN).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn a_steady_rate_is_told_and_falls_when_it_ends() {
        let mut rate = Rate::first();
        for _ in 0..1000 {
            rate.count(100);
        }
        let steady = rate.after(50);
        assert!((9.5..10.5).contains(&steady), "{steady}");
        assert!(rate.after(10_000) < 4.0);
        assert!(rate.after(u64::MAX) == 0.0);
    }
}
