//! Sorting as V8 does it.

use std::cmp::Ordering;

/// Up to here the order is JavaScript's to the last, even where a comparison contradicts itself (numbers and words mixed);
/// above, such values may stand in another order.
const SHORT: usize = 64;

/// The places up to `count`, sorted. The standard library's sort may panic when comparisons contradict each other.
pub(in crate::nodes) fn sorted(
    count: usize,
    compare: &mut impl FnMut(usize, usize) -> Ordering,
) -> Vec<usize> {
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
