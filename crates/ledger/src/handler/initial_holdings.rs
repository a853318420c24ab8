//! What the run starts with: positions that have no entry, only a first price.

use model::fill::Fill;
use model::instrument::InstrumentIx;
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::time::UtcMillis;

use super::PositionUpdateHandler;
use crate::route::Route;

impl PositionUpdateHandler {
    /// An initial balance is a position: a perpetual's own, else one in the instrument of its venue
    /// that prices it.
    pub(super) fn take_over_initial_holdings(&mut self) {
        let book = self.positions.change();
        for (place, instrument) in self.instruments.instruments() {
            let key = self.instruments.base_key(place);
            let held = Quantity(book.balances[key.index()]);
            let route = self.routes[key.index()].as_ref();
            let prices_it = || route.and_then(Route::first_sold_in);
            if !held.is_zero() && (instrument.is_perpetual() || prices_it() == Some(place)) {
                book.positions[place.index()] = held;
                self.uncosted.push(place);
            }
        }
    }

    /// Costs initial holdings that have had their first close, as one lot each.
    pub(super) fn cost_initial_holdings(&mut self, ts: UtcMillis) {
        for at in (0..self.uncosted.len()).rev() {
            let mark = self.market.present().close(self.uncosted[at]);
            if let Some(close) = mark.and_then(decimal_of).and_then(Price::new) {
                let instrument = self.uncosted.remove(at);
                self.cost_initial_holding(instrument, close, ts);
            }
        }
    }

    /// An initial holding that is traded before its first close is costed at the price of the trade.
    pub(super) fn cost_before_fill(&mut self, fill: &Fill) {
        if let Some(at) = self.uncosted.iter().position(|place| *place == fill.instrument) {
            self.uncosted.remove(at);
            self.cost_initial_holding(fill.instrument, fill.last_px, fill.ts);
        }
    }

    fn cost_initial_holding(&mut self, place: InstrumentIx, px: Price, ts: UtcMillis) {
        let cost = self.trades.take_over(place, self.positions.held(place), px, ts);
        self.positions.change().costs[place.index()] = cost;
        self.chain.exposure.positions_changed();
    }
}
