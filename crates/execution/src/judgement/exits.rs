//! Rules 5 and 11: the exits of a bracket.

use model::Decimal;
use model::money::Quantity;
use model::order::{Level, Order, OrderRequest, OrderSide, Pricing, Refusal, RefusalCode};

use super::Subject;

/// Rule 5: a long has its stop below and its target above the entry, a short reversed.
///
/// The entry is reckoned at its limit, else at its stop, else at the last close; exits at a distance
/// follow the fill, wherever it is.
pub(super) fn check_sides(
    request: &OrderRequest,
    pricing: Pricing,
    subject: &Subject<'_>,
) -> Result<(), Refusal> {
    let entry = pricing.price().or(pricing.stop_price()).unwrap_or(subject.last_px).value();
    let above = |level: Level| level.at(entry) > entry;
    let below = |level: Level| level.at(entry) < entry;
    let is_positive = |level: &Level| level.at(entry) > Decimal::ZERO;
    let (gains, loses): (&dyn Fn(Level) -> bool, &dyn Fn(Level) -> bool) = match subject.side {
        OrderSide::Buy => (&above, &below),
        OrderSide::Sell => (&below, &above),
    };
    for (level, is_well_placed, name) in
        [(request.take_profit, gains, "take_profit"), (request.stop_loss, loses, "stop_loss")]
    {
        let Some(level) = level else { continue };
        if !is_well_placed(level) || !is_positive(&level) {
            let side = subject.side.name();
            let detail = format!("{name} {level} on the wrong side of a {side} at {entry}");
            return Err(Refusal::new(RefusalCode::Bracket, detail));
        }
    }
    Ok(())
}

/// Rule 11: exits belong to an order that opens a position.
pub(super) fn check_opening(
    order: &Order,
    subject: &Subject<'_>,
    position: Quantity,
) -> Result<(), Refusal> {
    if order.exits.is_empty() {
        return Ok(());
    }
    let opens = match order.size.units() {
        Some(quantity) => {
            let after = position.0 + subject.side.signed(quantity.0);
            subject.side.signed(after) > Decimal::ZERO
        }
        None => subject.side.signed(position.0) >= Decimal::ZERO,
    };
    let is_spot_sale = !subject.instrument.is_perpetual() && subject.side == OrderSide::Sell;
    if opens && !order.reduce_only && !is_spot_sale {
        return Ok(());
    }
    let detail = format!("a {} that opens no position has no exits", subject.side.name());
    Err(Refusal::new(RefusalCode::Exits, detail))
}
