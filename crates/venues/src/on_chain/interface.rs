//! One venue of a chain as an execution interface.

use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::handshake::{Handshake, HandshakeStatus, VenueReport};
use model::interface::{Desk, ExecutionInterface, InterfaceError, Submission};
use model::money::Quantity;
use model::operation::{Amount, Operation, OperationOrder};
use model::order::{OrderStatus, OrderUpdate, Refusal};
use model::time::UtcMillis;

use super::chain::Chain;

/// What one protocol of a chain takes. A group goes to the interface for groups, or to the one that
/// takes all its members.
#[derive(Clone, Debug)]
pub struct ChainInterface {
    venue: Box<str>,
    operations: Vec<Operation>,
    chain: Rc<Chain>,
}

impl ChainInterface {
    /// An interface for these operations at a venue of the chain.
    pub fn new(venue: &str, operations: Vec<Operation>, chain: Rc<Chain>) -> Self {
        Self { venue: venue.into(), operations, chain }
    }
}

impl ExecutionInterface for ChainInterface {
    fn takes(&self) -> (&str, &[Operation]) {
        (&self.venue, &self.operations)
    }

    fn execute(
        &mut self,
        ts: UtcMillis,
        submission: &Submission,
        desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError> {
        let (handshake, members) = match submission {
            Submission::Operation(order) => {
                (self.chain.execute(ts, order), std::slice::from_ref(order))
            }
            Submission::Group(members) => (self.chain.execute_group(ts, members), &members[..]),
            Submission::Trade(_) => {
                let (venue, reason) = (self.venue.clone(), "a chain takes no trades".into());
                return Err(InterfaceError::Unreachable { venue, reason });
            }
        };
        report(handshake, members, desk)
    }
}

/// Reports a handshake, then what became of each operation in it.
pub(crate) fn report(
    handshake: Handshake,
    members: &[Arc<OperationOrder>],
    desk: &mut dyn Desk,
) -> Result<(), InterfaceError> {
    let is_done = handshake.status == HandshakeStatus::Confirmed;
    let refusal = handshake.refusal.clone();
    desk.take(VenueReport::Handshake(handshake))?;
    for order in members {
        let update = update(order, is_done, refusal.clone());
        desk.take(VenueReport::Update(Arc::new(update)))?;
    }
    Ok(())
}

fn update(order: &OperationOrder, is_done: bool, refusal: Option<Refusal>) -> OrderUpdate {
    let asked = match order.request.amount {
        Amount::Units(units) => units,
        Amount::Max => Decimal::ZERO,
    };
    OrderUpdate {
        order_id: order.order_id,
        status: if is_done { OrderStatus::Filled } else { OrderStatus::Rejected },
        order_qty: (!asked.is_zero()).then_some(Quantity(asked)),
        cum_qty: if is_done { Quantity(asked) } else { Quantity::ZERO },
        avg_px: None,
        refusal,
        terms: None,
        repeats: None,
    }
}
