//! The deltas of trades: what a fill changes at a venue (02 §3.2).

use rust_decimal::Decimal;

use crate::delta::{Cause, Delta, Fee};
use crate::fill::Fill;
use crate::instrument::{InstrumentTable, KeyIx};
use crate::money::Price;
use crate::perp::PerpPosition;

/// What a fill changes, where the market was at `px_ref`; `position` is what was held of a perpetual
/// before it.
///
/// Spot: base ±q, quote ∓(q·p) − fee; the fee is in the amount that pays it. A perpetual: its
/// contracts, the fee, and what the closed part has gained; no notional moves (D19).
/// Source: 02 §3.2, test `a_fill_changes_what_the_venue_books`.
pub fn deltas_of(
    fill: &Fill,
    px_ref: Price,
    position: PerpPosition,
    instruments: &InstrumentTable,
) -> Vec<Delta> {
    let instrument = instruments.instrument(fill.instrument);
    let (base, cash) =
        (instruments.base_key(fill.instrument), instruments.cash_key(fill.instrument));
    let fee = Fee { amount: fill.fee.0, key: fill.fee_key };
    let of_trade = |key: KeyIx, amount: Decimal, cause: Cause| Delta {
        instrument: Some(fill.instrument),
        px: Some(fill.last_px),
        px_ref: Some(px_ref),
        ..Delta::new(key, amount, cause)
    };
    let signed = fill.side.signed(fill.last_qty.0);
    let mut deltas = Vec::with_capacity(3);
    if instrument.is_perpetual() {
        let trade = position.trade(fill.side, fill.last_qty, fill.notional, instrument);
        deltas.push(of_trade(base, signed, Cause::Trade));
        deltas.push(of_trade(cash, -fill.fee.0, Cause::Fee));
        deltas.push(of_trade(cash, trade.realized, Cause::Realized));
    } else {
        let taken_from = |key: KeyIx| if fill.fee_key == key { fill.fee.0 } else { Decimal::ZERO };
        let noted = |key: KeyIx| Some(fee).filter(|fee| fee.key == key && !fee.amount.is_zero());
        let moved = -fill.side.signed(fill.notional.0);
        for (key, amount) in [(base, signed - taken_from(base)), (cash, moved - taken_from(cash))] {
            deltas.push(Delta { fee: noted(key), ..of_trade(key, amount, Cause::Trade) });
        }
    }
    deltas.retain(|delta| !delta.amount.is_zero());
    deltas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::{Liquidity, PriceRule};
    use crate::instrument::{Contract, Instrument, InstrumentIx};
    use crate::money::{Cash, Quantity};
    use crate::order::{OrderId, OrderSide, StrategyIx};
    use crate::time::UtcMillis;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn table() -> InstrumentTable {
        let mut table = InstrumentTable::new();
        table.add(Instrument::spot("binance:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT"));
        let linear = Contract::Linear { settle: "USDT".into(), size: Decimal::ONE };
        let perp = Instrument::spot("binance:perp:BTCUSDT".parse().unwrap(), "BTC", "USDT");
        table.add(Instrument { contract: linear, ..perp });
        table
    }

    /// The deltas as `key amount cause`.
    fn told(fill: &Fill, held: &str, cost: &str) -> Vec<String> {
        let table = table();
        let position = PerpPosition { quantity: Quantity(decimal(held)), cost: decimal(cost) };
        let deltas = deltas_of(fill, fill.last_px, position, &table);
        let line = |delta: &Delta| {
            let (key, cause) = (table.key(delta.key), delta.cause.name());
            format!("{key} {} {cause}", delta.amount.normalize())
        };
        deltas.iter().map(line).collect()
    }

    fn fill(place: u16, side: OrderSide, quantity: &str, px: &str, fee: &str) -> Fill {
        let table = table();
        let (quantity, px) = (Quantity(decimal(quantity)), Price::new(decimal(px)).unwrap());
        Fill {
            trade_id: 1,
            order_id: OrderId { strategy: StrategyIx(0), number: 1 },
            instrument: InstrumentIx(place),
            side,
            ts: UtcMillis::new(0),
            last_qty: quantity,
            last_px: px,
            notional: Cash((px * quantity).value()),
            fee: Cash(decimal(fee)),
            fee_key: table.cash_key(InstrumentIx(place)),
            liquidity: Liquidity::Taker,
            slippage_bps: 0.0,
            px_ref: px,
            bar_range: None,
            bar_share: None,
            price_rule: PriceRule::MarketOpen,
            cash_value: 1.0,
            realized: Cash::ZERO,
            lots: Vec::new(),
            closed: None,
        }
    }

    #[test]
    fn a_fill_changes_what_the_venue_books() {
        // 02 §3.2.
        let spot = |side| fill(0, side, "0.5", "50000", "25");
        assert_eq!(
            told(&spot(OrderSide::Buy), "0", "0"),
            ["binance:BaseToken:BTC 0.5 trade", "binance:BaseToken:USDT -25025 trade"]
        );
        assert_eq!(
            told(&spot(OrderSide::Sell), "0", "0"),
            ["binance:BaseToken:BTC -0.5 trade", "binance:BaseToken:USDT 24975 trade"]
        );
        assert_eq!(
            told(&fill(1, OrderSide::Sell, "0.5", "50000", "12.5"), "0", "0"),
            ["binance:Perp:BTCUSDT -0.5 trade", "binance:BaseToken:USDT -12.5 fee"]
        );
        assert_eq!(
            told(&fill(1, OrderSide::Buy, "0.2", "48000", "4.8"), "-0.5", "-25000"),
            [
                "binance:Perp:BTCUSDT 0.2 trade",
                "binance:BaseToken:USDT -4.8 fee",
                "binance:BaseToken:USDT 400 realized",
            ]
        );
        // From short to long, and a rebate.
        assert_eq!(
            told(&fill(1, OrderSide::Buy, "0.5", "51000", "12.75"), "-0.3", "-15000"),
            [
                "binance:Perp:BTCUSDT 0.5 trade",
                "binance:BaseToken:USDT -12.75 fee",
                "binance:BaseToken:USDT -300 realized",
            ]
        );
        assert_eq!(
            told(&fill(0, OrderSide::Buy, "0.5", "50000", "-2.5"), "0", "0"),
            ["binance:BaseToken:BTC 0.5 trade", "binance:BaseToken:USDT -24997.5 trade"]
        );
    }

    #[test]
    fn a_fee_in_base_is_taken_out_of_what_is_bought() {
        let mut fill = fill(0, OrderSide::Buy, "0.5", "50000", "0.0005");
        fill.fee_key = table().base_key(InstrumentIx(0));
        assert_eq!(
            told(&fill, "0", "0"),
            ["binance:BaseToken:BTC 0.4995 trade", "binance:BaseToken:USDT -25000 trade"]
        );
    }
}
