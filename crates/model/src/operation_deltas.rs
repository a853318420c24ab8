//! What operations that are no trades change: the delta batch of each, as a pure function of its terms
//! (02 §3.2). The simulators book these; [`trade`](crate::trade) has those of fills.

use rust_decimal::Decimal;

use crate::delta::{Arrival, Cause, Delta, Fee};
use crate::handshake::Gas;
use crate::instrument::KeyIx;
use crate::lending::{Ray, Rounding, balance, rounded_down, rounded_up, scaled};
use crate::operation::Amount;
use crate::staking;

/// An operation with everything that its deltas follow from: amounts in token units, positive unless
/// said; rates and indices at execution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of one operation are told at its variant")]
pub enum Effect {
    /// Lent at the supply index.
    Supply { token: KeyIx, a_token: KeyIx, amount: Decimal, index: Ray, decimals: u32 },
    /// Taken back; `held` are the scaled units that there are.
    Withdraw {
        token: KeyIx,
        a_token: KeyIx,
        amount: Amount,
        held: Decimal,
        index: Ray,
        decimals: u32,
    },
    /// Borrowed at the borrow index.
    Borrow { token: KeyIx, debt: KeyIx, amount: Decimal, index: Ray, decimals: u32 },
    /// Paid back, at most what is owed; `owed` are the scaled units of the debt.
    Repay { token: KeyIx, debt: KeyIx, amount: Amount, owed: Decimal, index: Ray, decimals: u32 },
    /// `coins` for tokens at `rate` coins each.
    Stake { coin: KeyIx, token: KeyIx, coins: Decimal, rate: Decimal, decimals: u32 },
    /// `tokens` for a claim that is fixed at `rate` and arrives later (03 §4.4).
    Unstake {
        token: KeyIx,
        claim: KeyIx,
        tokens: Decimal,
        rate: Decimal,
        decimals: u32,
        arrival: Arrival,
    },
    /// One token for another at `px` of the second per first, less `cost`, a fraction.
    Swap {
        token_in: KeyIx,
        token_out: KeyIx,
        amount: Decimal,
        px: Decimal,
        cost: Decimal,
        decimals: u32,
    },
    /// `amount` leaves, `amount` less `fee` is on its way.
    Transfer { source: KeyIx, transit: KeyIx, amount: Decimal, fee: Decimal, arrival: Arrival },
    /// A loan within an atomic group.
    FlashBorrow { token: KeyIx, debt: KeyIx, amount: Decimal },
    /// Its end, with a fee that is a fraction of it.
    FlashRepay { token: KeyIx, debt: KeyIx, amount: Decimal, fee_rate: Decimal, decimals: u32 },
    /// A reward comes in.
    ClaimReward { token: KeyIx, amount: Decimal },
    /// A reward token becomes what it stands for: keys with amounts.
    Unwrap { token: KeyIx, amount: Decimal, parts: Vec<(KeyIx, Decimal)> },
}

/// Nothing is left of an amount after rounding, or 28 digits cannot hold what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing is left of the amount after rounding, or 28 digits cannot hold what follows from it"
)]
pub struct NoEffect;

impl Effect {
    /// The deltas, without gas; never empty, none of them zero.
    ///
    /// # Errors
    ///
    /// An amount that rounds to nothing, is negative or too large.
    pub fn deltas(&self) -> Result<Vec<Delta>, NoEffect> {
        let deltas: Vec<Delta> =
            self.changes()?.into_iter().filter(|delta| !delta.amount.is_zero()).collect();
        if deltas.is_empty() { Err(NoEffect) } else { Ok(deltas) }
    }

    fn changes(&self) -> Result<Vec<Delta>, NoEffect> {
        let traded = |key, amount| Delta::new(key, amount, Cause::Trade);
        let positive = |amount: Decimal| {
            if amount > Decimal::ZERO { Ok(amount) } else { Err(NoEffect) }
        };
        Ok(match *self {
            Self::Supply { token, a_token, amount, index, decimals } => {
                let amount = positive(rounded_down(amount, decimals))?;
                let minted = scaled(amount, index, decimals, Rounding::Down).ok_or(NoEffect)?;
                vec![traded(token, -amount), traded(a_token, positive(minted)?)]
            }
            Self::Withdraw { token, a_token, amount, held, index, decimals } => {
                let (burned, paid) = withdrawn(amount, held, index, decimals)?;
                vec![traded(a_token, -positive(burned)?), traded(token, positive(paid)?)]
            }
            Self::Borrow { token, debt, amount, index, decimals } => {
                let amount = positive(rounded_down(amount, decimals))?;
                let minted = scaled(amount, index, decimals, Rounding::Up).ok_or(NoEffect)?;
                vec![traded(debt, minted), traded(token, amount)]
            }
            Self::Repay { token, debt, amount, owed, index, decimals } => {
                let (burned, paid) = repaid(amount, owed, index, decimals)?;
                vec![traded(debt, -burned), traded(token, -positive(paid)?)]
            }
            Self::Stake { coin, token, coins, rate, decimals } => {
                let minted = staking::minted(positive(coins)?, rate, decimals).ok_or(NoEffect)?;
                vec![traded(coin, -coins), traded(token, positive(minted)?)]
            }
            Self::Unstake { token, claim, tokens, rate, decimals, arrival } => {
                let claimed = positive(staking::claimed(positive(tokens)?, rate, decimals))?;
                let claimed = Delta { arrival: Some(arrival), ..traded(claim, claimed) };
                vec![traded(token, -tokens), claimed]
            }
            Self::Swap { token_in, token_out, amount, px, cost, decimals } => {
                let out = swapped(positive(amount)?, px, cost, decimals).ok_or(NoEffect)?;
                vec![traded(token_in, -amount), traded(token_out, positive(out)?)]
            }
            Self::Transfer { source, transit, amount, fee, arrival } => {
                let leg = |key, amount| Delta::new(key, amount, Cause::TransferLeg);
                let sent = positive(amount - fee)?;
                let fee = (!fee.is_zero()).then_some(Fee { amount: fee, key: source });
                let sent = Delta { arrival: Some(arrival), ..leg(transit, sent) };
                vec![Delta { fee, ..leg(source, -positive(amount)?) }, sent]
            }
            Self::FlashBorrow { token, debt, amount } => {
                vec![traded(debt, positive(amount)?), traded(token, amount)]
            }
            Self::FlashRepay { token, debt, amount, fee_rate, decimals } => {
                let fee = rounded_up(positive(amount)? * fee_rate, decimals);
                let charged = (!fee.is_zero()).then_some(Fee { amount: fee, key: token });
                let paid = Delta { fee: charged, ..traded(token, -(amount + fee)) };
                vec![traded(debt, -amount), paid]
            }
            Self::ClaimReward { token, amount } => {
                vec![Delta::new(token, positive(amount)?, Cause::Reward)]
            }
            Self::Unwrap { token, amount, ref parts } => {
                let mut deltas = vec![traded(token, -positive(amount)?)];
                deltas.extend(parts.iter().map(|(key, amount)| traded(*key, *amount)));
                deltas
            }
        })
    }
}

/// Scaled units that a withdrawal burns, and what it pays: all of both, or the amount asked for.
fn withdrawn(
    amount: Amount,
    held: Decimal,
    index: Ray,
    decimals: u32,
) -> Result<(Decimal, Decimal), NoEffect> {
    let all = balance(held, index, decimals, Rounding::Down).ok_or(NoEffect)?;
    match amount {
        Amount::Units(units) => {
            let paid = rounded_down(units, decimals);
            let burned = scaled(paid, index, decimals, Rounding::Up).ok_or(NoEffect)?;
            Ok((burned, paid))
        }
        Amount::Max => Ok((held, all)),
    }
}

/// Scaled debt that a repayment burns, and what it takes; an amount beyond the debt clears it.
fn repaid(
    amount: Amount,
    owed: Decimal,
    index: Ray,
    decimals: u32,
) -> Result<(Decimal, Decimal), NoEffect> {
    let all = balance(owed, index, decimals, Rounding::Up).ok_or(NoEffect)?;
    match amount {
        Amount::Units(units) if rounded_down(units, decimals) < all => {
            let paid = rounded_down(units, decimals);
            let burned = scaled(paid, index, decimals, Rounding::Down).ok_or(NoEffect)?;
            Ok((burned.min(owed), paid))
        }
        Amount::Units(_) | Amount::Max => Ok((owed, all)),
    }
}

/// What a swap yields: a · px · (1 − cost), down at the decimals of the token that comes out.
fn swapped(amount: Decimal, px: Decimal, cost: Decimal, decimals: u32) -> Option<Decimal> {
    let out = amount.checked_mul(px)?.checked_mul(Decimal::ONE - cost)?;
    Some(rounded_down(out, decimals))
}

/// Gas as a delta of its own: one per operation on chain, one per atomic group.
pub fn gas_delta(key: KeyIx, gas: &Gas) -> Delta {
    Delta::new(key, -gas.eth, Cause::Gas)
}

/// The sum of deltas net per position, in the order in which the positions first occur; zero nets are
/// dropped. Source: 02 §3.6 rule 4.
pub fn net_per_key<'a>(deltas: impl IntoIterator<Item = &'a Delta>) -> Vec<Delta> {
    let mut nets: Vec<Delta> = Vec::new();
    for delta in deltas {
        match nets.iter_mut().find(|net| net.key == delta.key) {
            Some(net) => net.amount += delta.amount,
            None => nets.push(Delta::new(delta.key, delta.amount, delta.cause)),
        }
    }
    nets.retain(|net| !net.amount.is_zero());
    nets
}

#[cfg(test)]
mod tests;
