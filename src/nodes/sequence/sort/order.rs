//! The order in which JavaScript's `sort` puts values.

use std::cmp::Ordering;

use crate::message::{Value, compare, strictly_equal};

/// Up to here the order is JavaScript's to the last, even where a comparison contradicts itself (numbers and words mixed);
/// above, such values may stand in another order.
const SHORT: usize = 64;

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

/// The places up to `count`, sorted. The standard library's sort may panic when comparisons contradict each other.
fn sorted(count: usize, compare: &mut impl FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    if count < SHORT {
        insert_sorted(&mut places, compare);
        return places;
    }
    let mut length = SHORT / 2;
    for run in places.chunks_mut(length) {
        insert_sorted(run, compare);
    }
    let mut merged = Vec::with_capacity(count);
    while length < count {
        for pair in places.chunks(2 * length) {
            let (left, right) = pair.split_at(length.min(pair.len()));
            merge(left, right, &mut merged, compare);
        }
        std::mem::swap(&mut places, &mut merged);
        merged.clear();
        length *= 2;
    }
    places
}

/// As V8 sorts a short array: the run at the beginning is taken as it is (or turned round), the rest is inserted by halving.
fn insert_sorted(places: &mut [usize], compare: &mut impl FnMut(usize, usize) -> Ordering) {
    if places.len() < 2 {
        return;
    }
    let is_falling = compare(places[1], places[0]) == Ordering::Less;
    let mut sorted = 2;
    while sorted < places.len()
        && (compare(places[sorted], places[sorted - 1]) == Ordering::Less) == is_falling
    {
        sorted += 1;
    }
    if is_falling {
        places[..sorted].reverse();
    }
    for at in sorted..places.len() {
        let (mut low, mut high) = (0, at);
        while low < high {
            let middle = low + (high - low) / 2;
            if compare(places[at], places[middle]) == Ordering::Less {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        places[low..=at].rotate_right(1);
    }
}

fn merge(
    mut left: &[usize],
    mut right: &[usize],
    into: &mut Vec<usize>,
    compare: &mut impl FnMut(usize, usize) -> Ordering,
) {
    // Mostly sorted lists are common, and need only this comparison.
    if let (Some(last), Some(first)) = (left.last(), right.first())
        && compare(*first, *last) != Ordering::Less
    {
        into.extend_from_slice(left);
        left = &[];
    }
    while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
        if compare(*b, *a) == Ordering::Less {
            into.push(*b);
            right = right_rest;
        } else {
            into.push(*a);
            left = left_rest;
        }
    }
    into.extend_from_slice(left);
    into.extend_from_slice(right);
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
