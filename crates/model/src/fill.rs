//! Fills: what was traded, at which price and by which rule, and the round trips they complete.

use crate::instrument::{InstrumentIx, KeyIx};
use crate::money::{Cash, Price, Quantity};
use crate::order::{OrderId, OrderSide};
use crate::time::UtcMillis;

/// Whether a fill took or made liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liquidity {
    /// Met a resting order.
    Taker,
    /// Rested first.
    Maker,
}

impl Liquidity {
    /// `taker` or `maker`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taker => "taker",
            Self::Maker => "maker",
        }
    }
}

/// The rule of the specification (10 §12.2) that gave a fill its price before slippage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceRule {
    /// A market order at the open of its first eligible bar.
    MarketOpen,
}

impl PriceRule {
    /// The rule as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarketOpen => "market_open",
        }
    }
}

/// One execution of one order.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// Number of the fill in its run, from 1.
    pub trade_id: u64,
    /// The order.
    pub order_id: OrderId,
    /// What was traded.
    pub instrument: InstrumentIx,
    /// Bought or sold.
    pub side: OrderSide,
    /// Instant of the fill: the open of the bar for a fill at the open.
    pub ts: UtcMillis,
    /// Base units; positive.
    pub last_qty: Quantity,
    /// Price after slippage and rounding to the tick.
    pub last_px: Price,
    /// Cash that the base units cost or brought, before the fee; positive.
    pub notional: Cash,
    /// Cost positive, rebate negative.
    pub fee: Cash,
    /// Balance that paid the fee.
    pub fee_key: KeyIx,
    /// Taker or maker.
    pub liquidity: Liquidity,
    /// Distance from the price before slippage, in basis points against the account.
    pub slippage_bps: f64,
    /// What gave the price.
    pub price_rule: PriceRule,
    /// The round trip that this fill completed.
    pub closed: Option<Box<RoundTrip>>,
}

/// A position from flat to flat.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundTrip {
    /// What was traded.
    pub instrument: InstrumentIx,
    /// Side of the entry.
    pub side: OrderSide,
    /// Instant of the first fill.
    pub entry_ts: UtcMillis,
    /// Instant of the last fill.
    pub exit_ts: UtcMillis,
    /// Largest position, in base units.
    pub qty_max: Quantity,
    /// Average price of the fills that built the position.
    pub entry_px: Price,
    /// Average price of the fills that reduced it.
    pub exit_px: Price,
    /// Cash gained after fees, in quote currency.
    pub pnl: Cash,
    /// Fees of all its fills, in quote currency; cost positive.
    pub fees: Cash,
    /// `pnl` over the cash that built the position.
    pub return_on_entry: f64,
    /// Largest open loss at any bar's low, in quote currency; zero or negative.
    pub mae: f64,
    /// Largest open gain at any bar's high, in quote currency; zero or positive.
    pub mfe: f64,
    /// Bars during which the position was open.
    pub bars: u32,
}
