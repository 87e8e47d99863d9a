//! Deadband and narrowband: how far a number may be from the last one.

use crate::message::{parse_float, parse_number};

/// How far is far enough.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gap {
    Absolute(f64),
    /// Of the last value.
    Percent(f64),
}

/// A band around the last value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    /// What lies inside passes, instead of what lies outside.
    narrow: bool,
    /// Whether a distance of just the gap passes.
    on_edge: bool,
    gap: Gap,
    /// What a narrowband compares the first number with.
    start: Option<f64>,
    /// Compare with the last number that came, instead of the last that passed.
    every: bool,
}

impl Band {
    /// Reads Node-RED's properties; none when `func` names no band.
    pub(super) fn read(func: &str, gap: &str, start: &str, inout: &str) -> Option<Self> {
        let (narrow, on_edge) = match func {
            "deadband" => (false, false),
            "deadbandEq" => (false, true),
            "narrowband" => (true, true),
            "narrowbandEq" => (true, false),
            _ => return None,
        };
        Some(Self {
            narrow,
            on_edge,
            gap: match gap.strip_suffix('%') {
                Some(percent) => Gap::Percent(parse_float(percent)),
                None => Gap::Absolute(parse_number(gap)),
            },
            start: Some(start)
                .filter(|text| !text.is_empty())
                .map(parse_number),
            every: inout == "in",
        })
    }

    /// The percentage, when the gap is one.
    pub(super) fn percent(&self) -> Option<f64> {
        match self.gap {
            Gap::Percent(percent) => Some(percent),
            Gap::Absolute(_) => None,
        }
    }

    /// Whether a number passes, and the number to compare the next one with (none: as before).
    pub(super) fn judge(&self, number: f64, last: Option<f64>) -> (bool, Option<f64>) {
        let first = last.is_none();
        let last = last.or(self.narrow.then(|| self.start.unwrap_or(number)));
        let gap = match self.gap {
            Gap::Absolute(gap) => gap,
            // Of nothing it is nothing.
            Gap::Percent(percent) => {
                let gap = (last.unwrap_or(f64::NAN) * percent / 100.0).abs();
                if gap.is_nan() { 0.0 } else { gap }
            }
        };
        let last = last.unwrap_or(number - gap - 1.0);
        let distance = (number - last).abs();
        let passes = if distance == gap {
            self.on_edge
        } else if self.narrow {
            distance < gap
        } else {
            distance > gap
        };
        let remembered = if self.every || passes {
            Some(number)
        } else {
            first.then_some(last)
        };
        (passes, remembered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the numbers pass.
    fn passing(func: &str, gap: &str, start: &str, inout: &str, numbers: &[f64]) -> Vec<f64> {
        let band = Band::read(func, gap, start, inout).unwrap();
        let mut last = None;
        numbers
            .iter()
            .copied()
            .filter(|&number| {
                let (passes, remembered) = band.judge(number, last);
                last = remembered.or(last);
                passes
            })
            .collect()
    }

    #[test]
    fn bands_let_pass_what_node_red_lets_pass() {
        let numbers = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 10.0];
        for (func, gap, start, inout, expected) in [
            ("deadband", "5", "", "out", &[0.0, 6.0, 15.0][..]),
            ("deadband", "10", "", "out", &[0.0, 15.0]),
            ("deadbandEq", "10", "", "out", &[0.0, 10.0]),
            ("deadband", "4", "", "in", &[0.0, 15.0, 10.0]),
            (
                "narrowband",
                "4",
                "",
                "out",
                &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 10.0],
            ),
            (
                "narrowband",
                "2",
                "",
                "in",
                &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0],
            ),
            ("narrowbandEq", "2", "", "in", &[0.0]),
            ("narrowband", "3", "7", "out", &[4.0, 6.0, 8.0, 10.0, 10.0]),
            ("narrowband", "3", "7", "in", &[2.0, 4.0, 6.0, 8.0, 10.0]),
            ("narrowbandEq", "0", "", "out", &[]),
            ("narrowband", "0", "", "out", &[0.0]),
            ("deadband", "x", "", "out", &[]),
        ] {
            let passed = passing(func, gap, start, inout, &numbers);
            assert_eq!(passed, expected, "{func} {gap} {start} {inout}");
        }
        assert_eq!(
            passing(
                "deadband",
                "10%",
                "",
                "out",
                &[100.0, 105.0, 110.0, 111.0, 123.0]
            ),
            [100.0, 111.0, 123.0]
        );
    }
}
