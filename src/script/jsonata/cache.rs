//! Which expressions a runtime has compiled, and where.

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;

/// Expressions that are kept compiled; flows make up new ones at run time only in inject's `__user_inject_props__`.
const MAX_KEPT: usize = 500;

/// A compiled expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place in the table on the JavaScript side.
    pub(super) slot: u32,
    /// It has overflowed the stack once: it runs with promises.
    pub(super) deep: bool,
}

#[derive(Default)]
pub(super) struct Cache {
    entries: FxHashMap<Arc<str>, Entry>,
    oldest_first: VecDeque<Arc<str>>,
    next: u32,
}

impl Cache {
    pub(super) fn get(&self, source: &str) -> Option<Entry> {
        self.entries.get(source).copied()
    }

    /// A place for a new expression, which has just been compiled there or will be.
    pub(super) fn next_slot(&self) -> u32 {
        self.next
    }

    /// Keeps what was compiled at [`Cache::next_slot`]. Returns the place of one that has to go for it.
    pub(super) fn keep(&mut self, source: &Arc<str>) -> (Entry, Option<u32>) {
        let gone = if self.oldest_first.len() < MAX_KEPT {
            None
        } else {
            let oldest = self.oldest_first.pop_front();
            oldest.and_then(|source| Some(self.entries.remove(&source)?.slot))
        };
        let entry = Entry {
            slot: self.next,
            deep: false,
        };
        // Places are used again, so that the table stays small.
        self.next = match gone {
            Some(slot) => slot,
            None => self.next + 1,
        };
        self.entries.insert(source.clone(), entry);
        self.oldest_first.push_back(source.clone());
        (entry, gone)
    }

    /// The expression is to run with promises from now on.
    pub(super) fn set_deep(&mut self, source: &str) {
        if let Some(entry) = self.entries.get_mut(source) {
            entry.deep = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_its_place_is_used_again() {
        let mut cache = Cache::default();
        let name = |number: usize| Arc::<str>::from(number.to_string());
        for number in 0..MAX_KEPT {
            assert_eq!(cache.keep(&name(number)).1, None);
        }
        assert_eq!(cache.keep(&name(MAX_KEPT)).1, Some(0));
        assert_eq!(cache.get("0"), None);
        assert_eq!(cache.next_slot(), 0);
        assert_eq!(cache.keep(&name(MAX_KEPT + 1)).0.slot, 0);
        assert_eq!(cache.entries.len(), MAX_KEPT);
    }
}
