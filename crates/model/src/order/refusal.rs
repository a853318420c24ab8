//! Why an order did not become one, or ended before it was filled.

use std::fmt;

/// Why an order was denied, rejected, canceled or expired: a code to count and a sentence to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: RefusalCode,
    /// Found and expected, for people.
    pub detail: Box<str>,
}

impl Refusal {
    /// A refusal with its code.
    pub fn new(code: RefusalCode, detail: impl Into<Box<str>>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.name(), self.detail)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The codes of refusals; `RISK-` is said by the gate, `VEN-` by the venue, `EXEC-` on the
        /// way from one to the other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl RefusalCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as logs and tables show it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }
        }
    };
}

codes! {
    /// An order during the warm-up, or before the first snapshot.
    Warmup = "RISK-WARMUP",
    /// A trade without an instrument.
    Instrument = "RISK-INSTRUMENT",
    /// A trade without a side.
    Side = "RISK-SIDE",
    /// No price of the instrument has been seen yet.
    NoPrice = "RISK-NO-PRICE",
    /// A share that is not in (0, 1].
    Share = "RISK-SHARE",
    /// Nothing left after rounding down to the lot.
    QtyZero = "RISK-QTY-ZERO",
    /// Below the instrument's smallest quantity.
    QtyMin = "RISK-QTY-MIN",
    /// Above the instrument's largest quantity, or worth more than 10^15.
    QtyMax = "RISK-QTY-MAX",
    /// Below the instrument's smallest notional.
    NotionalMin = "RISK-NOTIONAL-MIN",
    /// A limit type without a positive price, or a price on a type that has none.
    LimitPrice = "RISK-PRICE",
    /// A stop type without a positive stop price, or a stop price on a type that has none.
    StopPrice = "RISK-STOP-PRICE",
    /// A trailing order without exactly one positive distance, or a distance on another type.
    Trail = "RISK-TRAIL",
    /// A price outside the instrument's band, on the aggressive side.
    PriceBand = "RISK-PRICE-BAND",
    /// Post-only on an order that can only take, or that may not rest.
    PostOnly = "RISK-POST-ONLY",
    /// Exits on the wrong side of the entry: a long has its stop below and its target above.
    Bracket = "RISK-BRACKET",
    /// Good-till-date without an instant after the decision, or an instant without good-till-date.
    ExpireAt = "RISK-EXPIRE-AT",
    /// Reduce-only without a position to reduce.
    ReduceOnly = "RISK-REDUCE-ONLY",
    /// A buy that free cash does not cover, or a perpetual order that free margin does not.
    Balance = "RISK-BALANCE",
    /// A sell beyond the holding.
    Position = "RISK-POSITION",
    /// Exits on an order that does not open a position.
    Exits = "RISK-EXITS",
    /// An order whose parent is not there to be filled.
    Parent = "RISK-PARENT",
    /// A replace of an order that is not working, or of another instrument or side.
    Replace = "RISK-REPLACE",
    /// With the other orders of its group it would leave an enabled risk metric at reduce-only or
    /// beyond, and worse than before.
    Impact = "RISK-IMPACT",
    /// Half-way through its group the delta would be larger than `max_leg_delta` allows.
    Leg = "RISK-LEG",
    /// An operation without the token that it needs.
    Token = "RISK-TOKEN",
    /// A swap of a token for itself.
    SwapTokens = "RISK-SWAP-TOKENS",
    /// A transfer without two different positions of the same asset.
    Transfer = "RISK-TRANSFER",
    /// An amount that is not positive, or a least amount out that is negative.
    Amount = "RISK-AMOUNT",
    /// A target loan-to-value that is not above 0 and at most the largest allowed.
    LtvTarget = "RISK-LTV-TARGET",
    /// An atomic group with gaps or repetitions in its sequence, with a venue that is no chain, or
    /// with an operation that no group can hold; or a flash loan outside a group.
    AtomicGroup = "RISK-ATOMIC-GROUP",
    /// Another operation of its atomic group was denied.
    AtomicMember = "RISK-ATOMIC-MEMBER",
    /// No ETH for the gas of an operation.
    Gas = "RISK-GAS",
    /// An order of an earlier step of its sequence was denied at the same decision.
    Sequence = "RISK-SEQUENCE",
    /// The circuit breaker has latched, and the order might have made a position larger.
    Breaker = "RISK-BREAKER",
    /// The venue: cash no longer covers the fill.
    VenueBalance = "VEN-BALANCE",
    /// The venue: free margin no longer covers the fill.
    VenueMargin = "VEN-MARGIN",
    /// The venue: the position no longer covers the fill.
    VenuePosition = "VEN-POSITION",
    /// No interface takes the operation at this venue.
    NoRoute = "EXEC-NO-ROUTE",
    /// The venue: no market for these tokens, or no price or index for one.
    VenueMarket = "VEN-MARKET",
    /// The venue: nothing left of the amount after rounding to the token's decimals.
    VenueAmount = "VEN-AMOUNT",
    /// The venue: less than the least amount would come out.
    VenueMinOut = "VEN-MIN-OUT",
    /// The venue: debt above what the collateral may carry at its loan-to-value.
    VenueLtv = "VEN-LTV",
    /// The venue: a health factor below 1.
    VenueHealth = "VEN-HEALTH",
    /// The venue: the pool has less than was asked for, or its supply cap is reached.
    VenueLiquidity = "VEN-LIQUIDITY",
    /// The venue: flash debt is left at the end of a group, or outside one.
    VenueFlashDebt = "VEN-FLASH-DEBT",
    /// The venue: gas above its limit, or more than the wallet can pay.
    VenueGas = "VEN-GAS",
    /// The venue: the last instant for it has passed.
    VenueDeadline = "VEN-DEADLINE",
    /// The venue: an atomic group that is none: empty, or with a member that no group can hold.
    VenueGroup = "VEN-GROUP",
    /// The venue: the price rounds to nothing.
    VenueTick = "VEN-TICK",
    /// The venue: a post-only order that would take liquidity.
    VenuePostOnly = "VEN-POST-ONLY",
    /// The venue: a client id that another order has.
    VenueClientId = "VEN-CLIENT-ID",
    /// A share of what is left, or what is left to reduce, is less than the smallest order.
    VenueNothingLeft = "VEN-NOTHING-LEFT",
    /// The strategy canceled it.
    Canceled = "VEN-CANCELED",
    /// Immediate or cancel: what the open did not fill.
    Immediate = "VEN-IOC",
    /// Fill or kill: the open did not fill all of it.
    FillOrKill = "VEN-FOK",
    /// A market order whose rest is not carried into the next bar.
    NotCarried = "VEN-NOT-CARRIED",
    /// What a partial fill left is less than the smallest order.
    Dust = "VEN-DUST",
    /// Another order of its group was filled.
    OneCancelsOther = "VEN-OCO",
    /// Its parent ended without a fill.
    ParentEnded = "VEN-PARENT",
    /// The position that it was to reduce is closed.
    PositionClosed = "VEN-POSITION-CLOSED",
    /// The run file says that it is not to fill.
    Unfilled = "VEN-UNFILLED",
    /// Its time ran out.
    Expired = "VEN-EXPIRED",
    /// An order before it failed, and the rest is skipped (`on_failed_order`, or its sequence).
    Skipped = "EXEC-SKIPPED",
    /// Its venue does not answer, or execution has stopped: no orders are taken.
    Halted = "EXEC-HALTED",
}
