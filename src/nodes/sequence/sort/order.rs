//! The order in which JavaScript's `sort` puts values.

use std::cmp::Ordering;

use crate::{
    message::{Value, compare, strictly_equal},
    nodes::shared::sorted::sorted,
};

/// How values are compared.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) descending: bool,
    pub(super) as_number: bool,
}

/// What is compared of each value.
enum Keys {
    Numbers(Vec<f64>),
    Values(Vec<Value>),
}

impl Rule {
    /// The places of `keys` in order. Equal ones stay in the order that they have.
    pub(super) fn order(self, keys: Vec<Value>) -> Vec<usize> {
        let count = keys.len();
        let keys = if self.as_number {
            Keys::Numbers(keys.iter().map(Value::to_number).collect())
        } else {
            Keys::Values(keys)
        };
        sorted(count, &mut |a, b| self.compare(&keys, a, b))
    }

    /// As Node-RED compares: equal, greater, or else less, also where neither is greater.
    fn compare(self, keys: &Keys, a: usize, b: usize) -> Ordering {
        let (equal, greater) = match keys {
            Keys::Numbers(numbers) => (numbers[a] == numbers[b], numbers[a] > numbers[b]),
            Keys::Values(values) => {
                let (a, b) = (&values[a], &values[b]);
                if strictly_equal(a, b) {
                    (true, false)
                } else {
                    (false, compare(a, b) == Some(Ordering::Greater))
                }
            }
        };
        match (equal, greater != self.descending) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Greater,
            (false, false) => Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(values: &[Value], descending: bool, as_number: bool) -> Vec<usize> {
        let rule = Rule {
            descending,
            as_number,
        };
        rule.order(values.to_vec())
    }

    #[test]
    fn short_and_long_lists_are_sorted_stably() {
        for count in [0, 1, 2, 3, 63, 64, 65, 1_000, 4_097] {
            let values: Vec<Value> = (0..count)
                .map(|n: u64| Value::Number((n.wrapping_mul(2_654_435_761) % 97) as f64))
                .collect();
            for descending in [false, true] {
                let places = order(&values, descending, false);
                assert_eq!(places.len(), count as usize);
                for pair in places.windows(2) {
                    let (a, b) = (&values[pair[0]], &values[pair[1]]);
                    let (a, b) = (a.as_number().unwrap(), b.as_number().unwrap());
                    let fits = if descending { a > b } else { a < b };
                    assert!(fits || (a == b && pair[0] < pair[1]));
                }
            }
        }
    }

    #[test]
    fn words_are_not_numbers() {
        let values = ["10", "9", "1"].map(Value::from);
        assert_eq!(order(&values, false, false), [2, 0, 1]);
        assert_eq!(order(&values, false, true), [2, 1, 0]);
        assert_eq!(order(&values, true, true), [0, 1, 2]);
    }

    #[test]
    fn comparisons_that_contradict_each_other_end() {
        let values: Vec<Value> = (0..5_000)
            .map(|n| match n % 4 {
                0 => Value::Number(f64::from(n)),
                1 => Value::from(format!("word {n}")),
                2 => Value::Undefined,
                _ => Value::Number(f64::NAN),
            })
            .collect();
        for as_number in [false, true] {
            let mut places = order(&values, false, as_number);
            places.sort_unstable();
            assert!(
                places
                    .iter()
                    .enumerate()
                    .all(|(index, place)| index == *place)
            );
        }
    }
}
