//! Transfers: the one interface that moves an asset from one venue to another.
//!
//! What is sent leaves its source at once and is in transit until it arrives; the arrival is settled
//! from the books' list of what is pending (03 §4.1).

use std::sync::Arc;

use model::Decimal;
use model::delta::{Arrival, OperationId, Source};
use model::gas;
use model::handshake::{Gas, Handshake, HandshakeStatus};
use model::instrument::KeyIx;
use model::interface::{Desk, ExecutionInterface, InterfaceError, Submission};
use model::operation::{Amount, Operation, OperationOrder};
use model::operation_deltas::{Effect, gas_delta};
use model::order::{Refusal, RefusalCode};
use model::time::UtcMillis;

use crate::books::SharedBooks;
use crate::interfaces::EVERYWHERE;
use crate::on_chain::MarketScript;

/// How an asset gets from one position to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it starts.
    pub source: KeyIx,
    /// What holds it on its way.
    pub transit: KeyIx,
    /// Where it ends.
    pub target: KeyIx,
    /// From the sending to the arrival, in milliseconds; 15 minutes by default, zero if instant.
    pub delay_ms: i64,
    /// Fee out of what is sent, in its own units: of a withdrawal or a bridge.
    pub fee: Decimal,
    /// Units of gas that the sender pays; zero where it leaves an exchange.
    pub gas_units: u64,
}

/// Default time of a transfer, in milliseconds (02 §3.2).
pub const DEFAULT_DELAY_MS: i64 = 15 * 60 * 1_000;

impl Route {
    /// A route with the default delay, no fee and the gas of a hop on chain.
    pub const fn on_chain(source: KeyIx, transit: KeyIx, target: KeyIx) -> Self {
        let gas_units = gas::units(Operation::Transfer);
        let (delay_ms, fee) = (DEFAULT_DELAY_MS, Decimal::ZERO);
        Self { source, transit, target, delay_ms, fee, gas_units }
    }
}

/// Carries out every transfer of a run.
#[derive(Debug)]
pub struct TransferInterface {
    routes: Vec<Route>,
    /// ETH that pays the gas, and its price; `None` in a run without it.
    gas: Option<(KeyIx, MarketScript)>,
    books: SharedBooks,
}

impl TransferInterface {
    /// An interface over `routes` between positions of `books`.
    pub const fn new(
        routes: Vec<Route>,
        gas: Option<(KeyIx, MarketScript)>,
        books: SharedBooks,
    ) -> Self {
        Self { routes, gas, books }
    }

    fn transfer(&self, ts: UtcMillis, order: &OperationOrder) -> Handshake {
        let op_id = OperationId::submission(order.order_id);
        let answer = |status| Handshake {
            source: Source::Transfer,
            ..Handshake::without_deltas(op_id, status, ts)
        };
        match self.sent(ts, order) {
            Ok((deltas, gas)) => Handshake { deltas, gas, ..answer(HandshakeStatus::Confirmed) },
            Err(refusal) => answer(HandshakeStatus::Rejected).because(refusal),
        }
    }

    fn sent(
        &self,
        ts: UtcMillis,
        order: &OperationOrder,
    ) -> Result<(Vec<model::delta::Delta>, Option<Gas>), Refusal> {
        let request = &order.request;
        let route = self.routes.iter().find(|route| {
            request.source == Some(route.source) && request.target == Some(route.target)
        });
        let no_route = || Refusal::new(RefusalCode::NoRoute, "no route between these positions");
        let route = route.filter(|_| request.operation == Operation::Transfer);
        let route = route.ok_or_else(no_route)?;
        let market = self.gas.as_ref().and_then(|(_, script)| script.at(ts));
        let gwei = market.map(|market| market.gas_gwei);
        let gas = match (route.gas_units, gwei) {
            (0, _) => None,
            (units, Some(gwei)) => Some(gas::cost(units, gwei, Decimal::ONE)),
            (_, None) => return Err(Refusal::new(RefusalCode::VenueMarket, "no price of gas")),
        };
        let paid = gas.as_ref().filter(|gas| !gas.eth.is_zero());
        let gas_key = self.gas.as_ref().map(|(key, _)| *key);
        let paid = paid.zip(gas_key).map(|(gas, key)| gas_delta(key, gas));
        let amount = match request.amount {
            Amount::Units(units) => units,
            Amount::Max => {
                let spent = paid.as_ref().filter(|paid| paid.key == route.source);
                let held = self.books.read(|books| books.balance(route.source));
                held + spent.map_or(Decimal::ZERO, |paid| paid.amount)
            }
        };
        let at = UtcMillis::new(ts.millis() + route.delay_ms);
        let arrival = Arrival { at, target: route.target };
        let (source, transit, fee) = (route.source, route.transit, route.fee);
        let effect = Effect::Transfer { source, transit, amount, fee, arrival };
        let refused = |fault: model::operation_deltas::NoEffect| {
            Refusal::new(RefusalCode::VenueAmount, fault.to_string())
        };
        let mut deltas = effect.deltas().map_err(refused)?;
        deltas.extend(paid);
        self.books.change(|books| books.book_all(&deltas)).map_err(|_key| {
            let detail = format!("{} with its gas, more than there is", amount.normalize());
            Refusal::new(RefusalCode::VenueBalance, detail)
        })?;
        Ok((deltas, gas))
    }
}

impl ExecutionInterface for TransferInterface {
    /// All venues: whatever the venue of a transfer, this is where it goes.
    fn takes(&self) -> (&str, &[Operation]) {
        (EVERYWHERE, &[Operation::Transfer])
    }

    fn execute(
        &mut self,
        ts: UtcMillis,
        submission: &Submission,
        desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError> {
        let Submission::Operation(order) = submission else {
            let reason = "only single operations are transfers".into();
            return Err(InterfaceError::Unreachable { venue: "transfer".into(), reason });
        };
        let handshake = self.transfer(ts, order);
        crate::on_chain::report(handshake, std::slice::from_ref::<Arc<_>>(order), desk)
    }
}
