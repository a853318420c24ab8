//! Staged values: what a component has computed, published only when the whole chain has succeeded.

use std::rc::Rc;

/// A value that is shared, and the next one, which is written apart from it (D33).
///
/// Invariant: what was shared never changes while anybody else holds it. In steady state nothing is
/// allocated: the buffers take turns, and the two snapshots that hold on to former values have let
/// go of one before it is its turn again.
#[derive(Debug)]
pub(crate) struct Staged<T> {
    latest: Buffer<T>,
    next: Buffer<T>,
    /// Values before the latest, the newer one at first.
    former: [Buffer<T>; 2],
    /// Eras so far.
    eras: u64,
}

/// A value, and the pass that has made its figures or that they were carried over from.
#[derive(Debug)]
struct Buffer<T> {
    value: Rc<T>,
    era: u64,
}

const UNSHARED: &str = "the next value is shared only once it is committed";

impl<T: Clone> Staged<T> {
    /// `value` is both the present and the form of all buffers.
    pub(crate) fn new(value: T) -> Self {
        let buffer = || Buffer { value: Rc::new(value.clone()), era: 0 };
        Self { latest: buffer(), next: buffer(), former: [buffer(), buffer()], eras: 0 }
    }

    /// The committed value.
    #[inline]
    pub(crate) fn latest(&self) -> &Rc<T> {
        &self.latest.value
    }

    /// The committed value and the buffer of the next one, which holds some former one.
    #[inline]
    pub(crate) fn both(&mut self) -> (&T, &mut T) {
        self.eras += 1;
        self.next.era = self.eras;
        (&self.latest.value, Rc::get_mut(&mut self.next.value).expect(UNSHARED))
    }

    /// The same, but the buffer holds the figures of the committed value: by `copy`, unless it has kept
    /// them since they were carried over before. What every pass writes may be of a former one.
    #[inline]
    pub(crate) fn carry(&mut self, copy: impl FnOnce(&mut T, &T)) -> (&T, &mut T) {
        let next = Rc::get_mut(&mut self.next.value).expect(UNSHARED);
        if self.next.era != self.latest.era {
            self.next.era = self.latest.era;
            copy(next, &self.latest.value);
        }
        (&self.latest.value, next)
    }

    /// What has been written into the buffer.
    #[inline]
    pub(crate) fn staged(&self) -> &T {
        &self.next.value
    }

    /// Makes the next value the present one.
    #[inline]
    pub(crate) fn commit(&mut self) {
        let [newer, older] = &mut self.former;
        std::mem::swap(&mut self.latest, &mut self.next);
        std::mem::swap(&mut self.next, newer);
        std::mem::swap(&mut self.next, older);
        if Rc::get_mut(&mut self.next.value).is_none() {
            self.replace_shared();
        }
    }

    /// Somebody holds on to the oldest value.
    #[cold]
    fn replace_shared(&mut self) {
        let mut former = self.former.iter_mut();
        match former.position(|former| Rc::get_mut(&mut former.value).is_some()) {
            Some(place) => std::mem::swap(&mut self.next, &mut self.former[place]),
            None => self.next.value = Rc::new(T::clone(&self.next.value)),
        }
    }
}

/// The last figures of a component, oldest first; bounded.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    figures: Box<[T; HISTORY]>,
    /// Figures so far, those that are gone included.
    taken: usize,
}

/// Figures that are kept: few enough that writing them in turn does not drive other data out of the
/// nearest cache, and a power of two, so that a place is found without a comparison.
pub(crate) const HISTORY: usize = 64;

impl<T: Copy + Default> History<T> {
    pub(crate) fn new() -> Self {
        Self { figures: Box::new([T::default(); HISTORY]), taken: 0 }
    }

    #[inline]
    pub(crate) fn push(&mut self, figures: T) {
        self.figures[self.taken % HISTORY] = figures;
        self.taken += 1;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (self.taken.saturating_sub(HISTORY)..self.taken).map(|place| &self.figures[place % HISTORY])
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
            *staged.both().1 = value;
            assert_eq!((**staged.latest(), *staged.staged()), (value - 1, value));
            staged.commit();
            held.push(Rc::clone(staged.latest()));
        }
        assert!((1..10).eq(held.iter().map(|value| **value)));
        held.clear();
        let mut places: Vec<*const i32> = Vec::new();
        for value in 0..12 {
            *staged.both().1 = value;
            staged.commit();
            places.push(Rc::as_ptr(staged.latest()));
        }
        assert_eq!(places[..8], places[4..]);
    }

    #[test]
    fn what_is_carried_over_is_copied_once_into_each_buffer() {
        let mut staged = Staged::new(0);
        for value in 1..4 {
            *staged.both().1 = value;
            staged.commit();
            let mut copied = 0;
            for _ in 0..10 {
                let (latest, next) = staged.carry(|next, latest| {
                    copied += 1;
                    *next = *latest;
                });
                assert_eq!((*latest, *next), (value, value));
                staged.commit();
            }
            assert_eq!(copied, 3);
        }
    }

    #[test]
    fn two_holders_that_take_turns_cost_no_buffer() {
        let mut staged = Staged::new(0);
        let mut turns = [Rc::clone(staged.latest()), Rc::clone(staged.latest())];
        let mut places = Vec::new();
        for value in 1..20 {
            // Now and then there are two passes between snapshots.
            for _ in 0..=usize::from(value % 3 == 0) {
                *staged.both().1 = value;
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
