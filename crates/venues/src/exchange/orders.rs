//! The orders of an exchange that have not ended, first in, first out.

use std::collections::BTreeMap;
use std::ops::Index;

use super::resting::Resting;

/// Orders by their place among all orders.
///
/// They are boxed: a node of the map has room for eleven, which is a lot for the one order that is
/// there most of the time.
#[derive(Debug, Default)]
pub(super) struct Orders(BTreeMap<u64, Box<Resting>>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "asked like the map that it is")]
impl Orders {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains_key(&self, seq: &u64) -> bool {
        self.0.contains_key(seq)
    }

    pub(super) fn get(&self, seq: &u64) -> Option<&Resting> {
        self.0.get(seq).map(|resting| &**resting)
    }

    pub(super) fn get_mut(&mut self, seq: &u64) -> Option<&mut Resting> {
        self.0.get_mut(seq).map(|resting| &mut **resting)
    }

    pub(super) fn insert(&mut self, seq: u64, resting: Resting) {
        self.0.insert(seq, Box::new(resting));
    }

    pub(super) fn remove(&mut self, seq: &u64) -> Option<Box<Resting>> {
        self.0.remove(seq)
    }

    /// All of them, oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &Resting> {
        self.0.values().map(|resting| &**resting)
    }

    /// All of them and their places, oldest first.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&u64, &Resting)> {
        self.0.iter().map(|(seq, resting)| (seq, &**resting))
    }
}

/// An order that has not ended.
impl Index<&u64> for Orders {
    type Output = Resting;

    fn index(&self, seq: &u64) -> &Resting {
        &self.0[seq]
    }
}
