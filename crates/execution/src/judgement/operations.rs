//! Rules 3, 4, 8 and 12 for operations that are no trades; an atomic group is judged as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Decimal;
use model::gas;
use model::instrument::{InstrumentTable, KeyIx, MarketType};
use model::operation::{Amount, Operation, OperationOrder, OperationRequest};
use model::order::{OperationIntent, Refusal, RefusalCode};
use model::protocol::Protocols;

use super::Judgement;

/// What operations are judged by, beside the account.
#[derive(Clone, Debug)]
pub struct OperationRules {
    /// The protocols of the run; an operation with none of them is left to whoever routes it.
    pub protocols: Protocols,
    /// Price of a unit of gas that the wallet has to be able to pay, in gwei.
    pub gas_gwei: Decimal,
    /// Largest loan-to-value that may be steered to; a fraction.
    pub max_ltv: Decimal,
}

/// Operations that may be sent, and what they need of each balance.
#[derive(Debug)]
pub(crate) struct OperationGrant {
    pub(crate) orders: Vec<Arc<OperationOrder>>,
    pub(crate) needs: BTreeMap<KeyIx, Decimal>,
}

impl Judgement<'_> {
    /// Operations that stand or fall together: a single one, or all members of an atomic group.
    ///
    /// The error names the intent at fault by its place.
    pub(crate) fn operated(
        &self,
        intents: &[&OperationIntent],
        rules: Option<&OperationRules>,
    ) -> Result<OperationGrant, (usize, Refusal)> {
        for (place, intent) in intents.iter().enumerate() {
            let request = &intent.request;
            check_terms(request, self.instruments)
                .and_then(|()| check_ltv(request, rules))
                .map_err(|refusal| (place, refusal))?;
        }
        check_group(intents, self.instruments)?;
        let needs = rules.map(|rules| needs(intents, rules)).unwrap_or_default();
        for (key, need) in &needs {
            self.check_need(*key, *need, rules).map_err(|refusal| (0, refusal))?;
        }
        let ts = self.account.ts();
        let order = |intent: &&OperationIntent| {
            Arc::new(OperationOrder {
                order_id: intent.order_id,
                client_order_id: intent.client_order_id.clone(),
                request: intent.request.clone(),
                ts_decided: ts,
                ts_eligible: ts,
            })
        };
        let mut ordered = intents.to_vec();
        ordered.sort_by_key(|intent| intent.request.atomic.map(|slot| slot.sequence));
        Ok(OperationGrant { orders: ordered.iter().map(order).collect(), needs })
    }

    /// Rule 8: what reservations and promises leave of a balance covers the need.
    fn check_need(
        &self,
        key: KeyIx,
        need: Decimal,
        rules: Option<&OperationRules>,
    ) -> Result<(), Refusal> {
        let held = self.account.book.balances[key.index()];
        let free =
            held - self.account.book.reserved[key.index()] - self.promises.amounts[key.index()];
        if need <= free {
            return Ok(());
        }
        let pays_gas = rules.is_some_and(|rules| rules.protocols.gas == key);
        let code =
            if pays_gas && free <= Decimal::ZERO { RefusalCode::Gas } else { RefusalCode::Balance };
        let (need, free, key) = (need.normalize(), free.normalize(), self.instruments.key(key));
        Err(Refusal::new(code, format!("needs {need} of {key}, {free} free")))
    }
}

/// Rule 3: the tokens, keys and amounts that the operation needs.
fn check_terms(request: &OperationRequest, table: &InstrumentTable) -> Result<(), Refusal> {
    let name = request.operation.name();
    match request.operation {
        Operation::SpotTrade | Operation::PerpTrade => {
            let detail = format!("a {name} is an order on a market, with instrument and side");
            return Err(Refusal::new(RefusalCode::Instrument, detail));
        }
        Operation::Transfer => check_transfer(request, table)?,
        Operation::Swap => check_swap(request)?,
        Operation::Supply
        | Operation::Withdraw
        | Operation::Borrow
        | Operation::Repay
        | Operation::Stake
        | Operation::Unstake
        | Operation::FlashBorrow
        | Operation::FlashRepay
        | Operation::ClaimReward
        | Operation::Unwrap => {
            if request.token_in.is_none() {
                let detail = format!("no token_in, which a {name} needs");
                return Err(Refusal::new(RefusalCode::Token, detail));
            }
        }
    }
    let has_max = !matches!(request.operation, Operation::Borrow | Operation::FlashBorrow);
    match request.amount {
        Amount::Max if !has_max => {
            Err(Refusal::new(RefusalCode::Amount, format!("max, but a {name} has no whole")))
        }
        Amount::Units(units) if units <= Decimal::ZERO => {
            Err(Refusal::new(RefusalCode::Amount, format!("{units}, expected more than 0")))
        }
        Amount::Max | Amount::Units(_) => match request.min_out {
            Some(least) if least < Decimal::ZERO => Err(Refusal::new(
                RefusalCode::Amount,
                format!("min_out {least}, expected 0 or more"),
            )),
            Some(_) | None => Ok(()),
        },
    }
}

fn check_swap(request: &OperationRequest) -> Result<(), Refusal> {
    let (Some(from), Some(to)) = (&request.token_in, &request.token_out) else {
        let detail = "a swap needs token_in and token_out";
        return Err(Refusal::new(RefusalCode::Token, detail));
    };
    if from == to {
        let detail = format!("{from} for itself, expected two tokens");
        return Err(Refusal::new(RefusalCode::SwapTokens, detail));
    }
    Ok(())
}

fn check_transfer(request: &OperationRequest, table: &InstrumentTable) -> Result<(), Refusal> {
    let refused = |detail: String| Err(Refusal::new(RefusalCode::Transfer, detail));
    let (Some(source), Some(target)) = (request.source, request.target) else {
        return refused("a transfer needs source_key and target_key".to_owned());
    };
    let (from, to) = (table.key(source), table.key(target));
    if source == target {
        return refused(format!("from {from} to itself"));
    }
    if from.symbol() != to.symbol() || from.kind() != to.kind() {
        return refused(format!("from {from} to {to}, expected the same asset"));
    }
    Ok(())
}

/// Rule 12.
fn check_ltv(request: &OperationRequest, rules: Option<&OperationRules>) -> Result<(), Refusal> {
    let most = rules.map_or(Decimal::ONE, |rules| rules.max_ltv);
    match request.ltv_target {
        Some(target) if target <= Decimal::ZERO || target > most => {
            let detail = format!("{target}, expected more than 0 and at most {most}");
            Err(Refusal::new(RefusalCode::LtvTarget, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// Rule 4: slots from 1 without gaps, all on chain, and flash loans in groups alone (02 §3.6).
fn check_group(
    intents: &[&OperationIntent],
    table: &InstrumentTable,
) -> Result<(), (usize, Refusal)> {
    let refused =
        |place, detail: String| Err((place, Refusal::new(RefusalCode::AtomicGroup, detail)));
    let mut sequences = Vec::new();
    for (place, intent) in intents.iter().enumerate() {
        let request = &intent.request;
        let Some(slot) = request.atomic else {
            if matches!(request.operation, Operation::FlashBorrow | Operation::FlashRepay) {
                return refused(place, "a flash loan outside an atomic group".to_owned());
            }
            return Ok(());
        };
        let is_exchange = table.instruments().any(|(_, known)| {
            matches!(known.id.market, MarketType::Spot | MarketType::Perp)
                && known.id.venue == request.venue
        });
        if is_exchange {
            return refused(place, format!("{} is no chain", request.venue));
        }
        if matches!(request.operation, Operation::Transfer | Operation::Unstake) {
            let name = request.operation.name();
            return refused(place, format!("a {name} takes time: no group can hold it"));
        }
        sequences.push(slot.sequence);
    }
    sequences.sort_unstable();
    if sequences.iter().copied().ne((1..).take(sequences.len())) {
        return refused(0, format!("slots {sequences:?}, expected 1 to {}", sequences.len()));
    }
    Ok(())
}

/// The most that a sequence of operations is short of each balance on its way, gas included.
///
/// Amounts that only the venue knows (`max`, what a swap or a stake yields) count as enough: the venue
/// checks them when it executes.
fn needs(intents: &[&OperationIntent], rules: &OperationRules) -> BTreeMap<KeyIx, Decimal> {
    let protocols = &rules.protocols;
    let mut running: BTreeMap<KeyIx, Option<Decimal>> = BTreeMap::new();
    let mut needs: BTreeMap<KeyIx, Decimal> = BTreeMap::new();
    let mut ordered = intents.to_vec();
    ordered.sort_by_key(|intent| intent.request.atomic.map(|slot| slot.sequence));
    let operations: Vec<Operation> =
        ordered.iter().map(|intent| intent.request.operation).collect();
    let units = gas::group_units(&operations);
    let cost = gas::cost(units, rules.gas_gwei, Decimal::ONE).eth;
    let on_chain = ordered.iter().all(|intent| is_on_chain(&intent.request, protocols));
    let mut change = |key: Option<KeyIx>, amount: Option<Decimal>| {
        let Some(key) = key else { return };
        let balance = running.entry(key).or_insert(Some(Decimal::ZERO));
        *balance = balance.zip(amount).map(|(balance, amount)| balance + amount);
        if let Some(short) = balance.filter(|balance| *balance < Decimal::ZERO) {
            let need = needs.entry(key).or_default();
            *need = (*need).max(-short);
        }
    };
    if on_chain && !cost.is_zero() {
        change(Some(protocols.gas), Some(-cost));
    }
    for intent in ordered {
        let request = &intent.request;
        let units = match request.amount {
            Amount::Units(units) => Some(units),
            Amount::Max => None,
        };
        let token = |symbol: &Option<Box<str>>| {
            symbol.as_deref().and_then(|symbol| protocols.token(symbol)).map(|token| token.key)
        };
        let (from, to) = (token(&request.token_in), token(&request.token_out));
        match request.operation {
            Operation::Supply
            | Operation::Repay
            | Operation::Stake
            | Operation::Unstake
            | Operation::Unwrap
            | Operation::FlashRepay => {
                change(from, units.map(|units| -units));
                if request.operation == Operation::Stake {
                    let staking = request
                        .token_in
                        .as_deref()
                        .and_then(|coin| protocols.staking_of_coin(&request.venue, coin));
                    let minted = staking.and_then(|staking| protocols.token(&staking.token));
                    change(minted.map(|token| token.key), None);
                }
            }
            Operation::Withdraw | Operation::Borrow | Operation::FlashBorrow => {
                change(from, units);
            }
            Operation::Swap => {
                change(from, units.map(|units| -units));
                change(to, None);
            }
            Operation::Transfer => {
                change(request.source, units.map(|units| -units));
            }
            Operation::ClaimReward | Operation::SpotTrade | Operation::PerpTrade => {}
        }
    }
    needs
}

fn is_on_chain(request: &OperationRequest, protocols: &Protocols) -> bool {
    request.operation != Operation::Transfer
        || request
            .source
            .is_some_and(|source| protocols.tokens.iter().any(|token| token.key == source))
}

#[cfg(test)]
mod tests;
