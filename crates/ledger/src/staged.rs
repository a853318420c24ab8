//! Staged values: what a component has computed, published only when the whole chain has succeeded.

use std::rc::Rc;

/// A value that is shared, and the next one, which is written apart from it (D33).
///
/// Invariant: what was shared never changes while anybody else holds it. In steady state nothing is
/// allocated: the buffers take turns, and the two snapshots that hold on to former values have let
/// go of one before it is its turn again.
#[derive(Debug)]
pub(crate) struct Staged<T> {
    latest: Rc<T>,
    next: Rc<T>,
    /// Values before the latest, the newer one at first.
    former: [Rc<T>; 2],
}

impl<T: Clone> Staged<T> {
    /// `value` is both the present and the form of all buffers.
    pub(crate) fn new(value: T) -> Self {
        let buffer = || Rc::new(value.clone());
        let (next, former) = (buffer(), [buffer(), buffer()]);
        Self { latest: Rc::new(value), next, former }
    }

    /// The committed value.
    pub(crate) fn latest(&self) -> &Rc<T> {
        &self.latest
    }

    /// The buffer of the next value; it holds some former one.
    pub(crate) fn next(&mut self) -> &mut T {
        Rc::get_mut(&mut self.next).expect("the next value is shared only once it is committed")
    }

    /// The committed value and the buffer of the next one.
    pub(crate) fn both(&mut self) -> (&T, &mut T) {
        let next = Rc::get_mut(&mut self.next);
        (&self.latest, next.expect("the next value is shared only once it is committed"))
    }

    /// What has been written into the buffer.
    pub(crate) fn staged(&self) -> &T {
        &self.next
    }

    /// Makes the next value the present one.
    #[inline]
    pub(crate) fn commit(&mut self) {
        let [newer, older] = &mut self.former;
        std::mem::swap(&mut self.latest, &mut self.next);
        std::mem::swap(&mut self.next, newer);
        std::mem::swap(&mut self.next, older);
        if Rc::get_mut(&mut self.next).is_none() {
            self.replace_shared();
        }
    }

    /// Somebody holds on to the oldest value.
    #[cold]
    fn replace_shared(&mut self) {
        let unused = self.former.iter_mut().position(|former| Rc::get_mut(former).is_some());
        match unused {
            Some(place) => std::mem::swap(&mut self.next, &mut self.former[place]),
            None => self.next = Rc::new(T::clone(&self.next)),
        }
    }
}

/// The last figures of a component, oldest first; bounded.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    figures: Vec<T>,
    /// Where the oldest stands, once all places are taken.
    oldest: usize,
}

/// Figures that are kept: few enough that writing them in turn does not drive other data out of the
/// nearest cache.
pub(crate) const HISTORY: usize = 64;

impl<T: Copy> History<T> {
    pub(crate) fn new() -> Self {
        Self { figures: Vec::with_capacity(HISTORY), oldest: 0 }
    }

    pub(crate) fn push(&mut self, figures: T) {
        if self.figures.len() < HISTORY {
            self.figures.push(figures);
        } else {
            self.figures[self.oldest] = figures;
            self.oldest = (self.oldest + 1) % HISTORY;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let (newer, older) = self.figures.split_at(self.oldest);
        older.iter().chain(newer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_stays_and_what_is_not_is_written_into() {
        let mut staged = Staged::new(0);
        let mut held = Vec::new();
        for value in 1..10 {
            *staged.next() = value;
            assert_eq!((**staged.latest(), *staged.staged()), (value - 1, value));
            staged.commit();
            held.push(Rc::clone(staged.latest()));
        }
        assert!((1..10).eq(held.iter().map(|value| **value)));
        held.clear();
        let mut places: Vec<*const i32> = Vec::new();
        for value in 0..12 {
            *staged.next() = value;
            staged.commit();
            places.push(Rc::as_ptr(staged.latest()));
        }
        assert_eq!(places[..8], places[4..]);
    }

    #[test]
    fn two_holders_that_take_turns_cost_no_buffer() {
        let mut staged = Staged::new(0);
        let mut turns = [Rc::clone(staged.latest()), Rc::clone(staged.latest())];
        let mut places = Vec::new();
        for value in 1..20 {
            // Now and then there are two passes between snapshots.
            for _ in 0..=usize::from(value % 3 == 0) {
                *staged.next() = value;
                staged.commit();
                places.push(Rc::as_ptr(staged.latest()));
            }
            turns.swap(0, 1);
            turns[0] = Rc::clone(staged.latest());
            assert_eq!((*turns[0], *turns[1]), (value, value - 1));
        }
        places.sort();
        places.dedup();
        assert_eq!(places.len(), 4);
    }

    #[test]
    fn a_history_keeps_the_last_figures_in_order() {
        let mut history = History::new();
        for figure in 0..HISTORY + 3 {
            history.push(figure);
        }
        assert!((3..HISTORY + 3).eq(history.iter().copied()));
    }
}
