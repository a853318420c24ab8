//! The default emergency plan: out of perpetuals, and out of what they hedge.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Action, Decision, OrderDesk};
use crate::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use crate::money::{Quantity, floor_to};
use crate::order::{OrderRequest, OrderSide, Size, TimeInForce};
use crate::snapshot::AccountSnapshot;

/// Closes all perpetuals and sells the holdings that they hedge: market orders, immediate or cancel,
/// those in perpetuals reduce-only (04 §6.3).
///
/// A holding counts as hedged if the run has a perpetual on its asset that is short or, after a
/// liquidation or an earlier pass of the plan, flat; an asset that is margin is never sold. An
/// instrument in which an emergency order is still on its way is left alone, so that the plan can be
/// run in every frame. What is staked, lent or borrowed is the business of other plans.
pub fn unwind(account: &AccountSnapshot, orders: &mut OrderDesk<'_>) -> Decision {
    let Some(instruments) = orders.instruments() else {
        return Decision::hold("emergency: the instruments of the run are not known");
    };
    let hedged = hedged(account, instruments);
    let mut count = 0;
    // Two instruments may sell out of one balance.
    let mut sold: BTreeMap<KeyIx, Decimal> = BTreeMap::new();
    for (place, instrument) in instruments.instruments() {
        let is_hedged = instrument.is_perpetual() || hedged.contains(&*instrument.base);
        if !is_hedged || is_on_its_way(account, place) {
            continue;
        }
        let request = if instrument.is_perpetual() {
            let held = account.position(place).0;
            let side = if held < Decimal::ZERO { OrderSide::Buy } else { OrderSide::Sell };
            order(place, side, held.abs(), Decimal::ZERO).map(OrderRequest::reduce_only)
        } else {
            let key = instruments.base_key(place);
            let sold = sold.entry(key).or_default();
            let quantity = floor_to(account.free(key) - *sold, instrument.lot);
            let request = order(place, OrderSide::Sell, quantity, instrument.min_qty);
            *sold += if request.is_some() { quantity } else { Decimal::ZERO };
            request
        };
        if let Some(request) = request {
            orders.submit(request);
            count += 1;
        }
    }
    if count == 0 {
        return Decision::hold("emergency: nothing to unwind");
    }
    Decision::new(Action::ExitFull, "emergency: unwind")
}

/// Assets whose holdings perpetuals hedge, or have hedged.
fn hedged<'a>(account: &AccountSnapshot, instruments: &'a InstrumentTable) -> BTreeSet<&'a str> {
    let (mut hedged, mut others) = (BTreeSet::new(), BTreeSet::new());
    let mut shorts = BTreeSet::new();
    for (place, instrument) in instruments.instruments() {
        if !instrument.is_perpetual() {
            continue;
        }
        let (base, held) = (&*instrument.base, account.position(place).0);
        hedged.insert(base);
        if held < Decimal::ZERO {
            shorts.insert(base);
        } else if held > Decimal::ZERO {
            others.insert(base);
        }
    }
    let margin = |asset: &str| {
        let mut perpetuals = instruments.instruments().filter(|(_, other)| other.is_perpetual());
        perpetuals.any(|(_, other)| other.cash_asset() == asset)
    };
    hedged.retain(|asset| (shorts.contains(asset) || !others.contains(asset)) && !margin(asset));
    hedged
}

/// A market order that does not rest, unless there is too little to trade.
fn order(
    place: InstrumentIx,
    side: OrderSide,
    quantity: Decimal,
    least: Decimal,
) -> Option<OrderRequest> {
    let size = Size::Units(Quantity(quantity));
    let is_enough = quantity > Decimal::ZERO && quantity >= least;
    is_enough.then(|| OrderRequest::market(place, side, size).tif(TimeInForce::Ioc))
}

fn is_on_its_way(account: &AccountSnapshot, place: InstrumentIx) -> bool {
    let mut working = account.book.working.iter();
    working.any(|working| working.order.instrument == place && working.order.origin.is_emergency())
}
