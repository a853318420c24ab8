//! From a request to its effect: amounts and quotes put in.

use model::Decimal;
use model::delta::Arrival;
use model::operation::{Amount, Operation, OperationRequest};
use model::operation_deltas::Effect;
use model::order::{Refusal, RefusalCode};
use model::protocol::{Protocols, Token};
use model::time::UtcMillis;

use super::ledger::ChainLedger;
use super::market::{ChainMarket, no_market, of_pair};

/// The view of a request on a chain: one instant, one state.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) protocols: &'a Protocols,
    pub(super) market: &'a ChainMarket,
    pub(super) ledger: &'a ChainLedger,
    pub(super) ts: UtcMillis,
}

impl<'a> View<'a> {
    /// What a request does here and now.
    pub(super) fn effect(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        match request.operation {
            Operation::Supply | Operation::Withdraw | Operation::Borrow | Operation::Repay => {
                self.lending(request)
            }
            Operation::Stake | Operation::Unstake => self.staking(request),
            Operation::Swap => self.swap(request),
            Operation::FlashBorrow | Operation::FlashRepay => self.flash(request),
            Operation::ClaimReward | Operation::Unwrap => self.reward(request),
            Operation::SpotTrade | Operation::PerpTrade | Operation::Transfer => {
                let detail = format!("a {} is not for this chain", request.operation.name());
                Err(Refusal::new(RefusalCode::NoRoute, detail))
            }
        }
    }

    pub(super) fn token(&self, symbol: Option<&str>) -> Result<&'a Token, Refusal> {
        let symbol = symbol.unwrap_or_default();
        self.protocols.token(symbol).ok_or_else(|| no_market("token", &[symbol]))
    }

    /// The amount asked for, or all that is held of a token.
    fn amount(&self, request: &OperationRequest, token: &Token) -> Decimal {
        match request.amount {
            Amount::Units(units) => units,
            Amount::Max => self.ledger.balance(token.key),
        }
    }

    fn lending(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        let token = self.token(request.token_in.as_deref())?;
        let (venue, symbol) = (&*request.venue, &*token.symbol);
        let reserve = self.protocols.reserve(venue, symbol);
        let reserve = reserve.ok_or_else(|| no_market("reserve", &[venue, symbol]))?;
        let is_debt = matches!(request.operation, Operation::Borrow | Operation::Repay);
        let indices = if is_debt { &self.market.borrow_index } else { &self.market.supply_index };
        let index = of_pair(indices, venue, symbol);
        let index = *index.ok_or_else(|| no_market("index", &[venue, symbol]))?;
        let debt = reserve.debt.ok_or_else(|| no_market("debt", &[venue, symbol]));
        let (key, a_token, decimals) = (token.key, reserve.a_token, token.decimals);
        let amount = request.amount;
        let effect = match request.operation {
            Operation::Withdraw => {
                let held = self.ledger.balance(a_token);
                Effect::Withdraw { token: key, a_token, amount, held, index, decimals }
            }
            Operation::Borrow => {
                let amount = self.amount(request, token);
                Effect::Borrow { token: key, debt: debt?, amount, index, decimals }
            }
            Operation::Repay => {
                let debt = debt?;
                let owed = self.ledger.balance(debt);
                Effect::Repay { token: key, debt, amount, owed, index, decimals }
            }
            Operation::Supply
            | Operation::SpotTrade
            | Operation::PerpTrade
            | Operation::Stake
            | Operation::Unstake
            | Operation::Swap
            | Operation::Transfer
            | Operation::FlashBorrow
            | Operation::FlashRepay
            | Operation::ClaimReward
            | Operation::Unwrap => {
                let amount = self.amount(request, token);
                Effect::Supply { token: key, a_token, amount, index, decimals }
            }
        };
        Ok(effect)
    }

    fn staking(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        let from = self.token(request.token_in.as_deref())?;
        let (venue, symbol) = (&*request.venue, &*from.symbol);
        let is_stake = request.operation == Operation::Stake;
        let staking = if is_stake {
            self.protocols.staking_of_coin(venue, symbol)
        } else {
            self.protocols.staking_of_token(venue, symbol)
        };
        let staking = staking.ok_or_else(|| no_market("staking", &[venue, symbol]))?;
        let rate = self.market.staking_rate.get(&staking.token);
        let rate = *rate.ok_or_else(|| no_market("rate", &[&staking.token]))?;
        let amount = self.amount(request, from);
        if is_stake {
            let token = self.token(Some(&staking.token))?;
            let (coin, coins, decimals) = (from.key, amount, token.decimals);
            return Ok(Effect::Stake { coin, token: token.key, coins, rate, decimals });
        }
        let coin = self.token(Some(&staking.coin))?;
        let claim = staking.claim.ok_or_else(|| no_market("claim", &[venue, symbol]));
        let (claim, target) = claim?;
        let at = UtcMillis::new(self.ts.millis() + staking.unstake_delay_ms);
        let arrival = Arrival { at, target };
        let (token, tokens, decimals) = (from.key, amount, coin.decimals);
        Ok(Effect::Unstake { token, claim, tokens, rate, decimals, arrival })
    }

    fn swap(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        let from = self.token(request.token_in.as_deref())?;
        let to = self.token(request.token_out.as_deref())?;
        let quote = of_pair(&self.market.swap, &from.symbol, &to.symbol);
        let (px, cost) = *quote.ok_or_else(|| no_market("swap", &[&from.symbol, &to.symbol]))?;
        let amount = self.amount(request, from);
        let (token_in, token_out, decimals) = (from.key, to.key, to.decimals);
        Ok(Effect::Swap { token_in, token_out, amount, px, cost, decimals })
    }

    fn flash(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        let token = self.token(request.token_in.as_deref())?;
        let lender = self.protocols.flash_lender(&request.venue, &token.symbol);
        let lender =
            lender.ok_or_else(|| no_market("flash loan", &[&request.venue, &token.symbol]))?;
        let (key, debt, decimals) = (token.key, lender.debt, token.decimals);
        let amount = match request.amount {
            Amount::Units(units) => units,
            Amount::Max => self.ledger.balance(debt),
        };
        Ok(if request.operation == Operation::FlashBorrow {
            Effect::FlashBorrow { token: key, debt, amount }
        } else {
            Effect::FlashRepay { token: key, debt, amount, fee_rate: lender.fee, decimals }
        })
    }

    fn reward(&self, request: &OperationRequest) -> Result<Effect, Refusal> {
        let token = self.token(request.token_in.as_deref())?;
        let (venue, symbol) = (&*request.venue, &*token.symbol);
        if request.operation == Operation::ClaimReward {
            let most = self.market.claimable.get(symbol);
            let most = *most.ok_or_else(|| no_market("reward", &[venue, symbol]))?;
            let amount = match request.amount {
                Amount::Units(units) => units.min(most),
                Amount::Max => most,
            };
            return Ok(Effect::ClaimReward { token: token.key, amount });
        }
        let reward = self.protocols.reward(venue, symbol);
        let reward = reward.ok_or_else(|| no_market("reward", &[venue, symbol]))?;
        let amount = self.amount(request, token);
        let mut parts = Vec::new();
        for (part, share) in &reward.parts {
            let part = self.token(Some(part))?;
            parts.push((part.key, model::lending::rounded_down(amount * share, part.decimals)));
        }
        Ok(Effect::Unwrap { token: token.key, amount, parts })
    }
}
