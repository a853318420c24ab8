//! The account at one instant, as strategies, the gate and the log see it.

use std::rc::Rc;

use rust_decimal::Decimal;

use crate::frame::Frame;
use crate::instrument::{InstrumentIx, KeyIx};
use crate::money::Quantity;
use crate::time::UtcMillis;

/// The part of an account that changes only when something is traded or reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountBook {
    /// Amount per position key, by [`KeyIx`]; base and quote balances alike.
    pub balances: Vec<Decimal>,
    /// Part of each balance that working orders may still need; zero or more.
    pub reserved: Vec<Decimal>,
    /// Base units held per instrument, by [`InstrumentIx`].
    pub positions: Vec<Quantity>,
    /// Number of orders that the gate has taken and that have not ended.
    pub working_orders: u32,
}

/// The account at T, valued at the last closes known at T.
///
/// It carries the frame of the same T: who has the snapshot has the bars that belong to it.
#[derive(Clone, Debug)]
pub struct AccountSnapshot {
    /// The frame of T.
    pub frame: Frame,
    /// Last close per instrument, by [`InstrumentIx`]; `None` before its first bar.
    pub marks: Vec<Option<f64>>,
    /// Everything owned less everything owed, in share class.
    pub equity: f64,
    /// Idle cash in share class.
    pub cash: f64,
    /// Sum of the sizes of all holdings but idle cash, in share class.
    pub gross: f64,
    /// Sum of all holdings but idle cash, in share class.
    pub net: f64,
    /// Value of the positions less what they cost, in share class.
    pub unrealized: f64,
    /// Balances and positions.
    pub book: Rc<AccountBook>,
}

impl AccountSnapshot {
    /// T.
    pub fn ts(&self) -> UtcMillis {
        self.frame.ts()
    }

    /// Base units held of an instrument.
    pub fn position(&self, instrument: InstrumentIx) -> Quantity {
        self.book.positions[instrument.index()]
    }

    /// Last close of an instrument, if it has had a bar.
    pub fn mark(&self, instrument: InstrumentIx) -> Option<f64> {
        self.marks[instrument.index()]
    }

    /// What working orders leave of a balance.
    pub fn free(&self, key: KeyIx) -> Decimal {
        self.book.balances[key.index()] - self.book.reserved[key.index()]
    }
}
