//! Buffers of values that are shared, to be written into again once nobody holds them.

use std::rc::Rc;

/// Buffers kept for later: two snapshots and the log each hold on to one or two old ones.
pub(crate) const SPARES: usize = 4;

/// Former values, which may still be shared. In steady state nothing is allocated.
#[derive(Debug)]
pub(crate) struct Spares<T>(Vec<Rc<T>>);

impl<T> Spares<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(SPARES))
    }

    /// A former value that nobody holds any more.
    pub(crate) fn take(&mut self) -> Option<Rc<T>> {
        let unused = self.0.iter_mut().position(|spare| Rc::get_mut(spare).is_some());
        unused.map(|place| self.0.swap_remove(place))
    }

    /// Keeps a value that has been replaced, if there is room.
    pub(crate) fn keep(&mut self, former: Rc<T>) {
        if self.0.len() < SPARES {
            self.0.push(former);
        }
    }

    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}
