//! An order on its way from the decision to its end, and the match that may fill it.

use super::Status;
use super::rounding::product;
use crate::properties::scenario::{Kind, Level, Order, START, Size, Tif, Trail};
use crate::tables::HOUR;

/// Where within a bar something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// At the open or before it.
    Open,
    /// On the way through the bar, at a price that was reached from below or from above.
    Inside { px: i128, upward: bool },
}

/// A place on the path of a bar: the segment, and how far it has gone along it.
pub(super) type Place = (usize, i128);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Until its parent fills.
    Waiting,
    /// Until its first bar.
    Sent(usize),
    Working,
    Ended(Status),
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of one order that do not exclude each other"
)]
pub(super) struct Live {
    pub(super) terms: Order,
    pub(super) seq: usize,
    pub(super) phase: Phase,
    /// What it is for in all, unless it is a share that is not resolved yet.
    pub(super) qty: i128,
    pub(super) cum: i128,
    /// The open of its first bar is still to come, or is now.
    pub(super) is_new: bool,
    /// A stop-limit that is a limit by now.
    pub(super) triggered: bool,
    /// A stop that is a market order by now.
    pub(super) is_market: bool,
    /// The best price that a trailing order has followed.
    pub(super) best: i128,
    /// From when on it has been working in the present bar.
    pub(super) since: Moment,
    pub(super) place: Place,
    /// It has had its turn in this bar.
    pub(super) done: bool,
    /// A fill of this open has armed it.
    pub(super) is_fresh: bool,
    /// Units that others of its group have filled in its stead.
    pub(super) given_up: i128,
    /// Prices times quantities of its fills.
    pub(super) traded: i128,
    /// Price of its last fill before slippage.
    pub(super) base_px: i128,
    /// Last close at the decision.
    pub(super) last: i128,
    /// What it holds back of cash, or of base for a sale.
    pub(super) lock: i128,
    /// Where an exit lies.
    pub(super) level: Option<Level>,
}

impl Live {
    pub(super) fn leaves(&self) -> i128 {
        self.qty - self.cum
    }

    pub(super) fn is_working(&self) -> bool {
        self.phase == Phase::Working
    }

    /// The level of a stop or trailing order.
    pub(super) fn stop_level(&self) -> Option<i128> {
        match self.terms.kind {
            Kind::Stop | Kind::StopLimit if !self.triggered => self.terms.stop,
            Kind::Trailing => {
                let distance = match self.terms.trail? {
                    Trail::By(distance) => distance,
                    Trail::Bps(bps) => product(self.best, bps),
                };
                Some(self.best + self.terms.side.sign() * distance)
            }
            Kind::Market | Kind::Limit | Kind::Stop | Kind::StopLimit => None,
        }
    }

    /// Whether nothing says yet how much it is for.
    pub(super) fn is_unresolved(&self) -> bool {
        match self.terms.size {
            Size::Units(_) | Size::OfParent => self.phase == Phase::Waiting,
            Size::Percent(_) => true,
        }
    }

    /// The price of an order that rests on the book.
    pub(super) fn resting(&self) -> Option<i128> {
        match self.terms.kind {
            Kind::Limit => self.terms.price,
            Kind::StopLimit if self.triggered => self.terms.price,
            Kind::Market | Kind::Stop | Kind::StopLimit | Kind::Trailing => None,
        }
    }

    pub(super) fn names(&self) -> [&'static str; 2] {
        match self.terms.kind {
            Kind::Market => ["market_open", "market_open"],
            Kind::Limit => ["limit", "limit_gap"],
            Kind::Stop => ["stop", "stop_gap"],
            Kind::StopLimit => ["stop_limit", "stop_limit_gap"],
            Kind::Trailing => ["trailing", "trailing_gap"],
        }
    }

    /// Instant after which no bar of it may close.
    pub(super) fn until(&self) -> Option<i64> {
        match self.terms.tif {
            Tif::Gtd(until) => Some(until),
            Tif::Day => {
                let decided = i64::try_from(self.terms.decided + 1).expect("few bars") * HOUR;
                Some(START + (decided / (24 * HOUR) + 1) * 24 * HOUR)
            }
            Tif::Gtc | Tif::Ioc | Tif::Fok => None,
        }
    }
}

/// What a fill is made of before slippage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) px: i128,
    pub(super) is_maker: bool,
    pub(super) rule: &'static str,
    pub(super) limit: Option<i128>,
    pub(super) at: Moment,
    pub(super) place: Place,
}
