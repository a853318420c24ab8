//! Lists of different lengths, one per place, in one stretch of memory.

/// The items of consecutive places.
///
/// It stops at the last place that was given any, so that it stays unallocated where nobody has any.
#[derive(Clone, Debug)]
pub(super) struct Ragged<T> {
    /// Those of all places, one after another.
    items: Vec<T>,
    /// For each place, the end of its own.
    ends: Vec<usize>,
}

impl<T> Default for Ragged<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ends: Vec::new() }
    }
}

impl<T: Copy> Ragged<T> {
    /// Gives a place its items; `false`, and nothing done, if it or a later one has had its own.
    pub(super) fn put(&mut self, place: usize, items: &[T]) -> bool {
        if self.ends.len() > place {
            return false;
        }
        self.ends.resize(place, self.items.len());
        self.items.extend_from_slice(items);
        self.ends.push(self.items.len());
        true
    }

    /// The items of a place.
    pub(super) fn of(&self, place: usize) -> &[T] {
        let Some(&end) = self.ends.get(place) else { return &[] };
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start..end]
    }

    /// Number of items of all places.
    pub(super) const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was ever allocated.
    #[cfg(test)]
    pub(super) const fn is_unallocated(&self) -> bool {
        self.items.capacity() == 0 && self.ends.capacity() == 0
    }
}
