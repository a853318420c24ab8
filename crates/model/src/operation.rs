//! Operations: everything that can be asked of a venue, and the terms of those that are no trades.

use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::instrument::KeyIx;
use crate::order::{OrderId, Origin, StrategyIx};
use crate::time::UtcMillis;

/// What a venue is asked to do (02 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Base against quote.
    SpotTrade,
    /// A perpetual future.
    PerpTrade,
    /// Lend to a pool.
    Supply,
    /// Take back what was lent.
    Withdraw,
    /// Borrow from a pool.
    Borrow,
    /// Pay back what was borrowed.
    Repay,
    /// Turn a coin into a liquid staking token.
    Stake,
    /// Ask for the coin back.
    Unstake,
    /// One token for another, on chain.
    Swap,
    /// From one venue to another.
    Transfer,
    /// Borrow within an atomic group.
    FlashBorrow,
    /// Pay back within an atomic group.
    FlashRepay,
    /// Take a reward.
    ClaimReward,
    /// Turn a reward token into what it stands for.
    Unwrap,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 14] = [
        Self::SpotTrade,
        Self::PerpTrade,
        Self::Supply,
        Self::Withdraw,
        Self::Borrow,
        Self::Repay,
        Self::Stake,
        Self::Unstake,
        Self::Swap,
        Self::Transfer,
        Self::FlashBorrow,
        Self::FlashRepay,
        Self::ClaimReward,
        Self::Unwrap,
    ];

    /// The operation as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpotTrade => "spot_trade",
            Self::PerpTrade => "perp_trade",
            Self::Supply => "supply",
            Self::Withdraw => "withdraw",
            Self::Borrow => "borrow",
            Self::Repay => "repay",
            Self::Stake => "stake",
            Self::Unstake => "unstake",
            Self::Swap => "swap",
            Self::Transfer => "transfer",
            Self::FlashBorrow => "flash_borrow",
            Self::FlashRepay => "flash_repay",
            Self::ClaimReward => "claim_reward",
            Self::Unwrap => "unwrap",
        }
    }

    /// Whether it is an order on a market, with side, price and fills.
    pub const fn is_trade(self) -> bool {
        matches!(self, Self::SpotTrade | Self::PerpTrade)
    }
}

/// Why a text is no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no operation")]
pub struct ParseOperationError(String);

impl FromStr for Operation {
    type Err = ParseOperationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|operation| operation.name() == text);
        known.ok_or_else(|| ParseOperationError(text.to_owned()))
    }
}

/// How much an operation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// Token units; positive.
    Units(Decimal),
    /// All there is: the whole balance, or the whole debt.
    Max,
}

/// Orders of one strategy that succeed together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    /// Whose orders they are.
    pub strategy: StrategyIx,
    /// Which of its groups it is.
    pub number: u32,
}

/// Place of an operation in its atomic group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AtomicSlot {
    /// The group.
    pub group: GroupId,
    /// From 1, contiguous.
    pub sequence: u32,
}

/// An operation that is no trade, as a strategy asks for it (02 §3.1).
///
/// Fields are as asked for, contradictions and all: refusing them is the gate's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationRequest {
    /// What to do.
    pub operation: Operation,
    /// At which venue.
    pub venue: Box<str>,
    /// What goes in: the token that is supplied, borrowed, repaid, staked, swapped or sent.
    pub token_in: Option<Box<str>>,
    /// What comes out of a swap.
    pub token_out: Option<Box<str>>,
    /// How much of it.
    pub amount: Amount,
    /// Where a transfer starts.
    pub source: Option<KeyIx>,
    /// Where a transfer ends.
    pub target: Option<KeyIx>,
    /// Least amount that must come out, or it is refused.
    pub min_out: Option<Decimal>,
    /// Last instant at which it may happen.
    pub deadline: Option<UtcMillis>,
    /// Debt over collateral that the operation steers to, as a fraction.
    pub ltv_target: Option<Decimal>,
    /// Its place in an atomic group.
    pub atomic: Option<AtomicSlot>,
    /// Where it comes from; the desk says it.
    pub origin: Origin,
}

impl OperationRequest {
    /// An operation at a venue, with nothing else said.
    pub fn new(operation: Operation, venue: &str, amount: Amount) -> Self {
        Self {
            operation,
            venue: venue.into(),
            token_in: None,
            token_out: None,
            amount,
            source: None,
            target: None,
            min_out: None,
            deadline: None,
            ltv_target: None,
            atomic: None,
            origin: Origin::Strategy,
        }
    }

    /// An operation with one token.
    pub fn of_token(operation: Operation, venue: &str, token: &str, amount: Amount) -> Self {
        Self { token_in: Some(token.into()), ..Self::new(operation, venue, amount) }
    }

    /// One token for another, of which at least `min_out` must come out.
    pub fn swap(venue: &str, from: &str, to: &str, amount: Amount, min_out: Decimal) -> Self {
        let (token_out, min_out) = (Some(to.into()), Some(min_out));
        Self { token_out, min_out, ..Self::of_token(Operation::Swap, venue, from, amount) }
    }

    /// The same in a slot of an atomic group.
    #[must_use]
    pub const fn in_group(mut self, group: GroupId, sequence: u32) -> Self {
        self.atomic = Some(AtomicSlot { group, sequence });
        self
    }

    /// A transfer from one position to another of the same asset.
    pub fn transfer(source: KeyIx, target: KeyIx, venue: &str, amount: Amount) -> Self {
        let (source, target) = (Some(source), Some(target));
        Self { source, target, ..Self::new(Operation::Transfer, venue, amount) }
    }
}

/// An operation that passed the gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationOrder {
    /// Its name.
    pub order_id: OrderId,
    /// The strategy's own name for it.
    pub client_order_id: Option<Arc<str>>,
    /// Its terms.
    pub request: OperationRequest,
    /// Instant of the decision.
    pub ts_decided: UtcMillis,
    /// Earliest instant at which it may happen.
    pub ts_eligible: UtcMillis,
}
