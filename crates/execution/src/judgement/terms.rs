//! Rules 2 and 6: prices and times.

use model::Decimal;
use model::money::{Price, ceil_to, floor_to};
use model::order::{
    OrderRequest, OrderSide, OrderType, Pricing, Refusal, RefusalCode, TimeInForce, Trail,
};
use model::time::{DAY_MS, UtcMillis};

use super::Subject;

/// Rule 2: the prices that the type needs and no others, positive, on the tick of the passive side.
pub(super) fn pricing(request: &OrderRequest, subject: &Subject<'_>) -> Result<Pricing, Refusal> {
    let kind = request.order_type;
    let has_price = matches!(kind, OrderType::Limit | OrderType::StopLimit);
    let has_stop = matches!(kind, OrderType::Stop | OrderType::StopLimit);
    let price = checked(request.price, has_price, kind, "price", RefusalCode::LimitPrice, subject)?;
    let code = RefusalCode::StopPrice;
    let stop = checked(request.stop_price, has_stop, kind, "stop_price", code, subject)?;
    let trail = checked_trail(request.trail, kind)?;
    let whole = "the type's own prices were checked";
    Ok(match kind {
        OrderType::Market => Pricing::Market,
        OrderType::Limit => Pricing::Limit { price: price.expect(whole) },
        OrderType::Stop => Pricing::Stop { stop_price: stop.expect(whole) },
        OrderType::StopLimit => {
            Pricing::StopLimit { stop_price: stop.expect(whole), price: price.expect(whole) }
        }
        OrderType::Trailing => Pricing::Trailing { trail: trail.expect(whole) },
    })
}

fn checked(
    price: Option<Decimal>,
    is_needed: bool,
    kind: OrderType,
    name: &str,
    code: RefusalCode,
    subject: &Subject<'_>,
) -> Result<Option<Price>, Refusal> {
    let refused = |detail: String| Err(Refusal::new(code, detail));
    match (price, is_needed) {
        (None, false) => Ok(None),
        (Some(price), false) => {
            refused(format!("{name} {price}, but a {} order has none", kind.name()))
        }
        (None, true) => refused(format!("no {name}, which a {} order needs", kind.name())),
        (Some(price), true) => {
            let tick = subject.instrument.tick;
            let rounded = match subject.side {
                OrderSide::Buy => floor_to(price, tick),
                OrderSide::Sell => ceil_to(price, tick),
            };
            match Price::new(rounded) {
                Some(rounded) => Ok(Some(rounded)),
                None => refused(format!("{name} {price}, expected at least one tick, {tick}")),
            }
        }
    }
}

fn checked_trail(trail: Option<Trail>, kind: OrderType) -> Result<Option<Trail>, Refusal> {
    let refused = |detail: String| Err(Refusal::new(RefusalCode::Trail, detail));
    match (trail, kind == OrderType::Trailing) {
        (None, false) => Ok(None),
        (Some(_), false) => refused(format!("a distance, but a {} order has none", kind.name())),
        (None, true) => refused("no distance, which a trailing order needs".to_owned()),
        (Some(trail), true) => {
            let distance = match trail {
                Trail::Absolute(distance) => distance,
                Trail::Bps(rate) => rate.0,
            };
            if distance > Decimal::ZERO {
                Ok(Some(trail))
            } else {
                refused(format!("a distance of {distance}, expected more than 0"))
            }
        }
    }
}

/// A limit no further beyond the last close than the instrument's band, on the aggressive side.
pub(super) fn check_band(pricing: Pricing, subject: &Subject<'_>) -> Result<(), Refusal> {
    let (Some(band), Some(price)) = (subject.instrument.price_band, pricing.price()) else {
        return Ok(());
    };
    let last = subject.last_px.value();
    let edge = last + subject.side.signed(last * band.fraction());
    let is_outside = match subject.side {
        OrderSide::Buy => price.value() > edge,
        OrderSide::Sell => price.value() < edge,
    };
    if is_outside {
        let detail =
            format!("{} lies beyond {}, {band} from {last}", price.value(), edge.normalize());
        return Err(Refusal::new(RefusalCode::PriceBand, detail));
    }
    Ok(())
}

/// Post-only is for orders that rest, and so is a parent: there is no open at which a child could be
/// immediate.
pub(super) fn check_rest(request: &OrderRequest) -> Result<(), Refusal> {
    if request.parent.is_some() && request.tif.is_immediate() {
        let detail = format!("time in force {}, but a child waits", request.tif.name());
        return Err(Refusal::new(RefusalCode::Parent, detail));
    }
    let rests = matches!(request.order_type, OrderType::Limit | OrderType::StopLimit)
        && !request.tif.is_immediate();
    if !request.post_only || rests {
        return Ok(());
    }
    let detail = format!(
        "post-only, but an order of type {} and time in force {} never rests",
        request.order_type.name(),
        request.tif.name()
    );
    Err(Refusal::new(RefusalCode::PostOnly, detail))
}

/// Rule 6, and the last instant of day orders: the next 00:00 UTC.
pub(super) fn expire_at(
    request: &OrderRequest,
    ts: UtcMillis,
) -> Result<Option<UtcMillis>, Refusal> {
    let refused = |detail: String| Err(Refusal::new(RefusalCode::ExpireAt, detail));
    match (request.tif, request.expire_at) {
        (TimeInForce::Gtd, Some(last)) if last > ts => Ok(Some(last)),
        (TimeInForce::Gtd, Some(last)) => refused(format!("{last} is not after {ts}")),
        (TimeInForce::Gtd, None) => refused("no expire_at, which a gtd order needs".to_owned()),
        (tif, Some(last)) => refused(format!("{last}, but a {} order has none", tif.name())),
        (TimeInForce::Day, None) => {
            let day = ts.millis().div_euclid(DAY_MS) + 1;
            Ok(Some(UtcMillis::new(day * DAY_MS)))
        }
        (TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok, None) => Ok(None),
    }
}
