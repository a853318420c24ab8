//! The books of a chain: what it says is held, and what is on its way.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use model::Decimal;
use model::delta::Delta;
use model::instrument::KeyIx;
use model::interface::{Holding, InterfaceError, PositionInterface};
use model::settlement::Pending;

/// Books that an execution interface writes and a position interface reads.
pub type SharedLedger = Rc<RefCell<ChainLedger>>;

/// Balances by position key, and what has been sent or claimed and not arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainLedger {
    balances: Vec<Decimal>,
    pending: Vec<Pending>,
    approvals: BTreeSet<(Box<str>, Box<str>)>,
    has_emode: bool,
}

impl ChainLedger {
    /// Books with these balances, for a run of so many keys.
    pub fn new(keys: usize, initial: &[(KeyIx, Decimal)]) -> Self {
        let mut balances = vec![Decimal::ZERO; keys];
        for (key, amount) in initial {
            balances[key.index()] += amount;
        }
        Self { balances, ..Self::default() }
    }

    /// The same, shared.
    pub fn shared(keys: usize, initial: &[(KeyIx, Decimal)]) -> SharedLedger {
        Rc::new(RefCell::new(Self::new(keys, initial)))
    }

    /// What is held of a position.
    pub fn balance(&self, key: KeyIx) -> Decimal {
        self.balances[key.index()]
    }

    /// What is on its way, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Takes what has been settled off the list of what is on its way.
    pub fn settled(&mut self, pending: &Pending) {
        if let Some(place) = self.pending.iter().position(|known| known == pending) {
            self.pending.remove(place);
        }
    }

    /// Books deltas, unless one leaves a balance negative: the first such key, and nothing is booked.
    ///
    /// # Errors
    ///
    /// The key that would be negative.
    pub fn book(&mut self, deltas: &[Delta]) -> Result<(), KeyIx> {
        let mut after = self.balances.clone();
        for delta in deltas {
            after[delta.key.index()] += delta.amount;
        }
        if let Some(short) = deltas.iter().find(|delta| after[delta.key.index()] < Decimal::ZERO) {
            return Err(short.key);
        }
        self.balances = after;
        let pending = |delta: &Delta| {
            delta.arrival.map(|arrival| Pending { key: delta.key, amount: delta.amount, arrival })
        };
        self.pending.extend(deltas.iter().filter_map(pending));
        Ok(())
    }

    /// Remembers an approval; whether it is a new one.
    pub(super) fn approve(&mut self, token: &str, spender: &str) -> bool {
        self.approvals.insert((token.into(), spender.into()))
    }

    /// Remembers the e-mode; whether it is new.
    pub(super) const fn enter_emode(&mut self) -> bool {
        !std::mem::replace(&mut self.has_emode, true)
    }
}

/// Reads the positions of one venue from the books of the chain.
#[derive(Clone, Debug)]
pub struct ChainPositions {
    venue: Box<str>,
    keys: Vec<KeyIx>,
    ledger: SharedLedger,
}

impl ChainPositions {
    /// An interface to the positions of `venue`, which are `keys`.
    pub fn new(venue: &str, keys: Vec<KeyIx>, ledger: SharedLedger) -> Self {
        Self { venue: venue.into(), keys, ledger }
    }
}

impl PositionInterface for ChainPositions {
    fn venue(&self) -> &str {
        &self.venue
    }

    fn query(&self, holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        let ledger = self.ledger.borrow();
        for key in &self.keys {
            holdings[key.index()] = Holding { amount: ledger.balance(*key), cost: Decimal::ZERO };
        }
        Ok(())
    }
}
