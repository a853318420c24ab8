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

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The rule of the specification (10 §12.2) that gave a fill its price before slippage.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum PriceRule {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl PriceRule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The rule as files spell it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it says, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }
        }
    };
}

rules! {
    /// A market order at the open.
    MarketOpen = "market_open",
    /// A market order at the close that it was decided on (`same_close`).
    MarketClose = "market_close",
    /// A limit order that was marketable at its first open: the open.
    LimitOpen = "limit_open",
    /// A limit order that was marketable at the close that it was decided on (`same_close`).
    LimitClose = "limit_close",
    /// A resting limit order that the bar traded through: its price.
    Limit = "limit",
    /// A resting limit order that the open jumped over: its price, or the open without
    /// `conservative_gaps`.
    LimitGap = "limit_gap",
    /// A stop that the bar reached: its stop price.
    Stop = "stop",
    /// A stop beyond which the bar opened: the open, which is worse.
    StopGap = "stop_gap",
    /// A stop-limit that the bar triggered and whose limit allows the stop price: the stop price.
    StopLimit = "stop_limit",
    /// A stop-limit triggered at the open, which its limit allows: the open.
    StopLimitGap = "stop_limit_gap",
    /// A trailing stop whose level the bar reached: the level.
    Trailing = "trailing",
    /// A trailing stop beyond whose level the bar opened: the open.
    TrailingGap = "trailing_gap",
    /// An exit that the market had already passed when a fill armed it: the price of that fill before slippage.
    ExitPassed = "exit_passed",
    /// A position that the venue closed for lack of margin: the mark at which it ran out.
    Liquidation = "liquidation",
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
    /// Units; positive.
    pub last_qty: Quantity,
    /// Price after slippage and rounding to the tick.
    pub last_px: Price,
    /// What the units are worth at the price, in the asset of the instrument's cash; positive.
    pub notional: Cash,
    /// Cost positive, rebate negative; in the asset of `fee_key`.
    pub fee: Cash,
    /// Balance that paid the fee.
    pub fee_key: KeyIx,
    /// Taker or maker.
    pub liquidity: Liquidity,
    /// Distance from the price before slippage, in basis points against the account.
    pub slippage_bps: f64,
    /// Price before slippage.
    pub px_ref: Price,
    /// Lowest and highest price of the bar in which it happened; a venue's own fill has none.
    pub bar_range: Option<(f64, f64)>,
    /// Its quantity over the volume of the bar in which it happened, where there was any.
    pub bar_share: Option<f64>,
    /// What gave the price.
    pub price_rule: PriceRule,
    /// Share class per unit of the instrument's cash at the fill; 1 where they are the same.
    pub cash_value: f64,
    /// What the closed part gained before fees by average entry, in the asset of the cash.
    pub realized: Cash,
    /// The lots that this fill closed, oldest first.
    pub lots: Vec<ClosedLot>,
    /// The round trip that this fill completed.
    pub closed: Option<Box<RoundTrip>>,
}

/// A lot, or a part of one, that a fill closed: first in, first out (11 §13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedLot {
    /// Instant of the entry.
    pub entry_ts: UtcMillis,
    /// Units closed; positive.
    pub quantity: Quantity,
    /// Price of the entry.
    pub entry_px: Price,
    /// Gain before fees, in the asset of the cash.
    pub gross: Cash,
    /// Share of the entry's fee; cost positive.
    pub entry_fee: Cash,
    /// Share of the exit's fee; cost positive.
    pub exit_fee: Cash,
}

impl ClosedLot {
    /// Gain after both fees.
    pub fn net(&self) -> Cash {
        Cash(self.gross.0 - self.entry_fee.0 - self.exit_fee.0)
    }
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
    /// Cash gained after fees, in the asset of the instrument's cash.
    pub pnl: Cash,
    /// Fees of all its fills, in the asset of the instrument's cash; cost positive.
    pub fees: Cash,
    /// Share class per unit of the instrument's cash at the exit.
    pub cash_value: f64,
    /// `pnl` over the cash that built the position.
    pub return_on_entry: f64,
    /// Largest open loss at any bar's low, in the asset of the cash; zero or negative.
    pub mae: f64,
    /// Largest open gain at any bar's high, in the asset of the cash; zero or positive.
    pub mfe: f64,
    /// Bars during which the position was open.
    pub bars: u32,
}
