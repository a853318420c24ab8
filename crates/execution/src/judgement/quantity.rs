//! Rules 1 and 7: how much may be asked for.

use model::Decimal;
use model::money::Quantity;
use model::order::{Pricing, Refusal, RefusalCode, Size};

use super::Subject;

/// Rule 1, first half: rounded down to the lot, and more than nothing.
pub(super) fn lots(size: Size, subject: &Subject<'_>) -> Result<Size, Refusal> {
    let (symbol, lot) = (&subject.instrument.id, subject.instrument.lot);
    match size {
        Size::Share(share) if share <= Decimal::ZERO || share > Decimal::ONE => {
            let detail = format!("a share of {share}, expected more than 0 and at most 1");
            Err(Refusal::new(RefusalCode::Share, detail))
        }
        share @ Size::Share(_) => Ok(share),
        Size::Units(quantity) => {
            let rounded = quantity.floor_to(lot);
            if rounded.0 > Decimal::ZERO {
                return Ok(Size::Units(rounded));
            }
            let detail = format!("{} of {symbol} is less than one lot, {lot}", quantity.0);
            Err(Refusal::new(RefusalCode::QtyZero, detail))
        }
    }
}

/// Rule 1, second half: what is checked is what is sent (D85).
pub(super) fn check_bounds(
    size: Size,
    pricing: Pricing,
    subject: &Subject<'_>,
) -> Result<(), Refusal> {
    let Some(quantity) = size.units() else { return Ok(()) };
    let (instrument, symbol) = (subject.instrument, &subject.instrument.id);
    if quantity.0 < instrument.min_qty {
        let detail = format!("{} of {symbol}, at least {}", quantity.0, instrument.min_qty);
        return Err(Refusal::new(RefusalCode::QtyMin, detail));
    }
    if let Some(most) = instrument.max_qty
        && quantity.0 > most
    {
        let detail = format!("{} of {symbol}, at most {most}", quantity.0);
        return Err(Refusal::new(RefusalCode::QtyMax, detail));
    }
    let px = pricing.price().or(pricing.stop_price()).unwrap_or(subject.last_px);
    if !instrument.can_keep(px, quantity) || !instrument.can_keep(subject.last_px, quantity) {
        let detail = format!("{} of {symbol} is worth more than 10^15", quantity.0);
        return Err(Refusal::new(RefusalCode::QtyMax, detail));
    }
    let notional = instrument.quote_notional(px, quantity);
    if notional < instrument.min_notional {
        let detail =
            format!("{} of {symbol}, at least {}", notional.normalize(), instrument.min_notional);
        return Err(Refusal::new(RefusalCode::NotionalMin, detail));
    }
    Ok(())
}

/// Rule 7: a reduce-only order opposes the position and is clipped to it.
pub(super) fn reduced(
    size: Size,
    subject: &Subject<'_>,
    position: Quantity,
) -> Result<Size, Refusal> {
    if !subject.side.opposes(position) {
        let (side, symbol) = (subject.side.name(), &subject.instrument.id);
        let detail = format!("a {side} of {symbol} reduces nothing");
        return Err(Refusal::new(RefusalCode::ReduceOnly, detail));
    }
    Ok(match size {
        Size::Units(quantity) => Size::Units(quantity.min(Quantity(position.0.abs()))),
        share @ Size::Share(_) => share,
    })
}
