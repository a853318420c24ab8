//! Execution on a chain: single operations, and groups on a staged copy of its books (02 §3.6).

use std::rc::Rc;

use model::Decimal;
use model::delta::{Delta, OperationId, Subject};
use model::gas;
use model::handshake::{Gas, GroupStep, Handshake, HandshakeStatus};
use model::instrument::{InstrumentTable, KeyIx};
use model::key::PositionType;
use model::operation::{Operation, OperationOrder};
use model::operation_deltas::{gas_delta, net_per_key};
use model::order::{Refusal, RefusalCode};
use model::protocol::Protocols;
use model::time::UtcMillis;

use super::effects::View;
use super::ledger::{ChainLedger, SharedLedger};
use super::market::{ChainMarket, MarketScript, no_market};
use super::pool::PoolAccount;

/// What a chain is made of.
#[derive(Clone, Debug)]
pub struct ChainSettings {
    /// Its protocols.
    pub protocols: Protocols,
    /// What it quotes.
    pub script: MarketScript,
    /// Factor on the price of gas; 1 by default.
    pub gas_multiplier: Decimal,
    /// Most ETH that a transaction may cost.
    pub max_gas_eth: Option<Decimal>,
    /// Whether the first borrow enters an e-mode.
    pub has_emode: bool,
}

/// A chain with its books.
#[derive(Debug)]
pub struct Chain {
    instruments: Rc<InstrumentTable>,
    settings: ChainSettings,
    ledger: SharedLedger,
}

/// What one member did on a stage.
struct Member {
    deltas: Vec<Delta>,
    units: u64,
}

impl Chain {
    /// A chain that keeps its books in `ledger`.
    pub const fn new(
        instruments: Rc<InstrumentTable>,
        settings: ChainSettings,
        ledger: SharedLedger,
    ) -> Self {
        Self { instruments, settings, ledger }
    }

    /// Its books.
    pub const fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }

    /// Executes an operation that stands alone; what cannot succeed is rejected without gas.
    pub fn execute(&self, ts: UtcMillis, order: &OperationOrder) -> Handshake {
        let op_id = OperationId::submission(order.order_id);
        let rejected = |refusal| {
            Handshake::without_deltas(op_id, HandshakeStatus::Rejected, ts).because(refusal)
        };
        if matches!(order.request.operation, Operation::FlashBorrow | Operation::FlashRepay) {
            let detail = "a flash loan outside an atomic group";
            return rejected(Refusal::new(RefusalCode::VenueFlashDebt, detail));
        }
        let Some(market) = self.settings.script.at(ts) else {
            return rejected(no_market("quotes", &[]));
        };
        let mut stage = self.ledger.borrow().clone();
        let single = self.single(ts, order, market, &mut stage);
        let (deltas, gas) = match single {
            Ok(done) => done,
            Err(refusal) => return rejected(refusal),
        };
        *self.ledger.borrow_mut() = stage;
        let confirmed = Handshake::without_deltas(op_id, HandshakeStatus::Confirmed, ts);
        Handshake { deltas, gas: Some(gas), ..confirmed }
    }

    fn single(
        &self,
        ts: UtcMillis,
        order: &OperationOrder,
        market: &ChainMarket,
        stage: &mut ChainLedger,
    ) -> Result<(Vec<Delta>, Gas), Refusal> {
        // Who sends pays first: what the operation moves is what the gas leaves.
        let units = self.units(order, stage);
        let gas = gas::cost(units, market.gas_gwei, self.settings.gas_multiplier);
        self.check_gas(&gas)?;
        let paid = self.pay(&gas, stage)?;
        let mut deltas = self.member(ts, order, market, stage)?;
        deltas.extend(paid);
        Ok((deltas, gas))
    }

    /// Executes a group: all of it on one view of the market, or nothing but its gas.
    pub fn execute_group(&self, ts: UtcMillis, group: &[impl AsRef<OperationOrder>]) -> Handshake {
        let members: Vec<&OperationOrder> = group.iter().map(AsRef::as_ref).collect();
        let slot = members.first().and_then(|first| first.request.atomic);
        let subject = slot.map_or(Subject::Initial, |slot| Subject::Group(slot.group));
        let op_id = OperationId { subject, number: 0 };
        let rejected = |refusal| {
            Handshake::without_deltas(op_id, HandshakeStatus::Rejected, ts).because(refusal)
        };
        if let Err(refusal) = check_slots(&members) {
            return rejected(refusal);
        }
        let Some(market) = self.settings.script.at(ts) else {
            return rejected(no_market("quotes", &[]));
        };
        let mut stage = self.ledger.borrow().clone();
        let operations: Vec<Operation> =
            members.iter().map(|member| member.request.operation).collect();
        let alone: u64 = {
            let mut probe = stage.clone();
            members.iter().map(|member| self.units(member, &mut probe)).sum()
        };
        let class = gas::group_units(&operations);
        let listed: u64 = operations.iter().copied().map(gas::units).sum();
        // A class has its approvals in it; a group without one pays for each of its own.
        let whole = if class == listed { alone } else { class };
        let cost = |units| gas::cost(units, market.gas_gwei, self.settings.gas_multiplier);
        let gas = cost(whole);
        let paid = match self.pay(&gas, &mut stage) {
            Ok(paid) => paid,
            Err(refusal) => return rejected(refusal),
        };
        let (steps, units, fault) = self.members(ts, &members, market, &mut stage);
        let fault = fault.or_else(|| self.check_flash_debt(&stage).err());
        let fault = fault.or_else(|| self.check_gas(&gas).err());
        if let Some(refusal) = fault {
            let spent = cost(units.min(whole));
            // It is no more than the gas of the whole group, which the wallet had.
            let paid = match self.pay(&spent, &mut self.ledger.borrow_mut()) {
                Ok(paid) => paid,
                Err(refusal) => return rejected(refusal),
            };
            let deltas = paid.into_iter().collect();
            let rolled_back = Handshake::without_deltas(op_id, HandshakeStatus::RolledBack, ts);
            return Handshake { deltas, gas: Some(spent), steps, ..rolled_back }.because(refusal);
        }
        *self.ledger.borrow_mut() = stage;
        let mut deltas = net_per_key(steps.iter().flat_map(|step| &step.deltas));
        deltas.extend(paid);
        let confirmed = Handshake::without_deltas(op_id, HandshakeStatus::Confirmed, ts);
        Handshake { deltas, gas: Some(gas), steps, ..confirmed }
    }

    /// The members in sequence, each of which sees what those before it did; up to the first fault.
    fn members(
        &self,
        ts: UtcMillis,
        members: &[&OperationOrder],
        market: &ChainMarket,
        stage: &mut ChainLedger,
    ) -> (Vec<GroupStep>, u64, Option<Refusal>) {
        let (mut steps, mut units) = (Vec::new(), 0);
        for order in members {
            let mut done = Member { deltas: Vec::new(), units: self.units(order, stage) };
            let fault = match self.member(ts, order, market, stage) {
                Ok(deltas) => {
                    done.deltas = deltas;
                    None
                }
                Err(refusal) => Some(refusal),
            };
            units += done.units;
            let status = match fault {
                None => HandshakeStatus::Confirmed,
                Some(_) => HandshakeStatus::Failed,
            };
            steps.push(GroupStep { order_id: order.order_id, status, deltas: done.deltas });
            if fault.is_some() {
                return (steps, units, fault);
            }
        }
        (steps, units, None)
    }

    /// One operation on a stage, with the checks at the end of its call.
    fn member(
        &self,
        ts: UtcMillis,
        order: &OperationOrder,
        market: &ChainMarket,
        stage: &mut ChainLedger,
    ) -> Result<Vec<Delta>, Refusal> {
        let request = &order.request;
        if request.deadline.is_some_and(|deadline| ts > deadline) {
            let detail = format!("{ts} is past the deadline");
            return Err(Refusal::new(RefusalCode::VenueDeadline, detail));
        }
        let protocols = &self.settings.protocols;
        let view = View { protocols, market, ledger: stage, ts };
        let effect = view.effect(request)?;
        let deltas = effect
            .deltas()
            .map_err(|fault| Refusal::new(RefusalCode::VenueAmount, fault.to_string()))?;
        let out = deltas.iter().map(|delta| delta.amount).rfind(|amount| *amount > Decimal::ZERO);
        if let Some((least, out)) = request.min_out.zip(out).filter(|(least, out)| out < least) {
            let detail = format!("{out} would come out, at least {least}");
            return Err(Refusal::new(RefusalCode::VenueMinOut, detail));
        }
        if request.operation == Operation::Withdraw || request.operation == Operation::Borrow {
            check_pool_cash(order, &deltas, market)?;
        }
        stage.book(&deltas).map_err(|key| self.short(key))?;
        let view = View { protocols, market, ledger: stage, ts };
        if request.operation == Operation::Borrow {
            let account = PoolAccount::of(&view, &request.venue)?;
            account.check_ltv()?;
            account.check_health()?;
        }
        if request.operation == Operation::Withdraw {
            PoolAccount::of(&view, &request.venue)?.check_health()?;
        }
        Ok(deltas)
    }

    /// Units of an operation, with what it needs once: approvals of its token, and the e-mode.
    fn units(&self, order: &OperationOrder, stage: &mut ChainLedger) -> u64 {
        let request = &order.request;
        let spends = matches!(
            request.operation,
            Operation::Supply
                | Operation::Repay
                | Operation::Stake
                | Operation::Unstake
                | Operation::Swap
                | Operation::FlashRepay
        );
        let mut units = gas::units(request.operation);
        if let Some(token) = request.token_in.as_deref().filter(|_| spends) {
            // The coin that pays the gas is no contract: nobody has to be approved for it.
            let known = self.settings.protocols.token(token);
            let is_coin = known.is_some_and(|token| token.key == self.settings.protocols.gas);
            if !is_coin && stage.approve(token, &request.venue) {
                units += gas::APPROVAL_UNITS;
            }
        }
        let is_borrow = request.operation == Operation::Borrow;
        if is_borrow && self.settings.has_emode && stage.enter_emode() {
            units += gas::EMODE_UNITS;
        }
        units
    }

    fn pay(&self, gas: &Gas, stage: &mut ChainLedger) -> Result<Option<Delta>, Refusal> {
        if gas.eth.is_zero() {
            return Ok(None);
        }
        let paid = gas_delta(self.settings.protocols.gas, gas);
        let booked = stage.book(std::slice::from_ref(&paid));
        booked.map_err(|_key| {
            let detail = format!("gas of {} ETH, more than there is", gas.eth);
            Refusal::new(RefusalCode::VenueGas, detail)
        })?;
        Ok(Some(paid))
    }

    fn check_gas(&self, gas: &Gas) -> Result<(), Refusal> {
        match self.settings.max_gas_eth {
            Some(most) if gas.eth > most => {
                let detail = format!("gas of {} ETH, at most {most}", gas.eth);
                Err(Refusal::new(RefusalCode::VenueGas, detail))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_flash_debt(&self, stage: &ChainLedger) -> Result<(), Refusal> {
        let left = self.instruments.keys().find(|(place, key)| {
            key.kind() == PositionType::FlashDebt && !stage.balance(*place).is_zero()
        });
        let Some((place, key)) = left else { return Ok(()) };
        let detail = format!("{} of {key} is left", stage.balance(place).normalize());
        Err(Refusal::new(RefusalCode::VenueFlashDebt, detail))
    }

    fn short(&self, key: KeyIx) -> Refusal {
        let detail = format!("more of {} than there is", self.instruments.key(key));
        Refusal::new(RefusalCode::VenueBalance, detail)
    }
}

/// A group has members, in slots from 1 without gaps, none of which takes time.
fn check_slots(members: &[&OperationOrder]) -> Result<(), Refusal> {
    let refused = |detail: &str| Err(Refusal::new(RefusalCode::VenueGroup, detail));
    if members.is_empty() {
        return refused("an atomic group without members");
    }
    let mut expected = 1..;
    let in_order = members
        .iter()
        .all(|member| member.request.atomic.map(|slot| slot.sequence) == expected.next());
    if !in_order {
        return refused("slots that are not 1, 2, … in this order");
    }
    let takes_time = |member: &&OperationOrder| {
        matches!(member.request.operation, Operation::Unstake | Operation::Transfer)
    };
    if members.iter().any(takes_time) {
        return refused("a member that takes time");
    }
    Ok(())
}

/// What a pool pays out is there.
fn check_pool_cash(
    order: &OperationOrder,
    deltas: &[Delta],
    market: &ChainMarket,
) -> Result<(), Refusal> {
    let token = order.request.token_in.as_deref().unwrap_or_default();
    let cash = super::market::of_pair(&market.pool_cash, &order.request.venue, token);
    let paid = deltas.iter().map(|delta| delta.amount).rfind(|amount| *amount > Decimal::ZERO);
    match cash.zip(paid) {
        Some((cash, paid)) if paid > *cash => {
            let detail = format!("{paid} of {token}, the pool has {cash}");
            Err(Refusal::new(RefusalCode::VenueLiquidity, detail))
        }
        Some(_) | None => Ok(()),
    }
}
