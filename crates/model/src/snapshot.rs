//! The account at one instant, as strategies, the gate and the log see it.

use std::rc::Rc;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::exposure::{ExposureLayout, ExposureSnapshot};
use crate::frame::Frame;
use crate::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use crate::money::{Price, Quantity};
use crate::numeric::decimal_of;
use crate::order::{Order, OrderId};
use crate::perp::{PerpPosition, margin_effect};
use crate::pnl::PnlSnapshot;
use crate::risk::RiskSnapshot;
use crate::time::UtcMillis;

/// The part of an account that changes only when something is traded or reserved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AccountBook {
    /// Amount per position key, by [`KeyIx`]; base and quote balances alike.
    pub balances: Vec<Decimal>,
    /// Part of each balance that working orders may still need; zero or more.
    pub reserved: Vec<Decimal>,
    /// Units held per instrument, by [`InstrumentIx`]; negative if short.
    pub positions: Vec<Quantity>,
    /// What each position was entered at, in the asset of its cash and with its sign.
    pub costs: Vec<Decimal>,
    /// Orders that the gate has taken and that have not ended, oldest first.
    pub working: Vec<WorkingOrder>,
}

/// An order that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingOrder {
    /// Its present terms.
    pub order: Arc<Order>,
    /// Units filled so far.
    pub cum_qty: Quantity,
    /// What it may still need.
    pub reserved: Reservation,
}

/// An amount of one balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Which balance.
    pub key: KeyIx,
    /// How much of it; zero or more.
    pub amount: Decimal,
}

/// `clone_from` keeps the memory of what it overwrites.
impl Clone for AccountBook {
    fn clone(&self) -> Self {
        let Self { balances, reserved, positions, costs, working } = self;
        Self {
            balances: balances.clone(),
            reserved: reserved.clone(),
            positions: positions.clone(),
            costs: costs.clone(),
            working: working.clone(),
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self { balances, reserved, positions, costs, working } = source;
        self.balances.clone_from(balances);
        self.reserved.clone_from(reserved);
        self.positions.clone_from(positions);
        self.costs.clone_from(costs);
        self.working.clone_from(working);
    }
}

impl AccountBook {
    /// The working order of a name.
    pub fn working(&self, order_id: OrderId) -> Option<&WorkingOrder> {
        self.working.iter().find(|working| working.order.order_id == order_id)
    }

    /// What perpetuals leave of the cash at `key`, orders not counted: cash, less the initial margin
    /// of open positions, plus what they have gained or lost under cross margin.
    ///
    /// `marks` are last closes; a position without one counts at its cost. Source: 02 §3.1 rule 8.
    pub fn free_margin(
        &self,
        key: KeyIx,
        instruments: &InstrumentTable,
        marks: &[Option<f64>],
    ) -> Decimal {
        let mut free = self.balances[key.index()];
        for (place, instrument) in instruments.instruments() {
            let held = self.positions[place.index()];
            if !instrument.is_perpetual() || instruments.cash_key(place) != key || held.is_zero() {
                continue;
            }
            let position = PerpPosition { quantity: held, cost: self.costs[place.index()] };
            let mark = marks[place.index()].and_then(decimal_of).and_then(Price::new);
            free += margin_effect(instrument, position, mark);
        }
        free
    }
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
    /// Exposure, risk and profit, computed from the book one after the other.
    pub chain: ChainSnapshots,
}

/// What the chain says of an account; all three belong together.
#[derive(Clone, Debug)]
pub struct ChainSnapshots {
    /// What every position is worth, and how far the account is exposed.
    pub exposure: Rc<ExposureSnapshot>,
    /// Every risk that can be measured, and its level.
    pub risk: Rc<RiskSnapshot>,
    /// Profit, and what it came from.
    pub pnl: Rc<PnlSnapshot>,
}

/// Those of an account without keys.
impl Default for ChainSnapshots {
    fn default() -> Self {
        let layout = ExposureLayout::default();
        Self {
            exposure: Rc::new(ExposureSnapshot::empty(&layout)),
            risk: Rc::default(),
            pnl: Rc::default(),
        }
    }
}

impl AccountSnapshot {
    /// T.
    pub fn ts(&self) -> UtcMillis {
        self.frame.ts()
    }

    /// Units that an order in an instrument could close: the balance of its base on spot, whichever
    /// instrument it was bought in, else the position.
    pub fn closable(&self, place: InstrumentIx, instruments: &InstrumentTable) -> Quantity {
        if instruments.instrument(place).is_perpetual() {
            self.position(place)
        } else {
            Quantity(self.book.balances[instruments.base_key(place).index()])
        }
    }

    /// Units held of an instrument; negative if short.
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
