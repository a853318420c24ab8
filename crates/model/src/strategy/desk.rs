//! The desk: where a strategy asks for orders.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::InstructionSequence;
use crate::instrument::{InstrumentIx, InstrumentTable};
use crate::operation::{GroupId, OperationRequest};
use crate::order::{
    OcoGroup, OperationIntent, OrderId, OrderIntent, OrderRequest, OrderSide, Origin, Request,
    Size, StrategyIx,
};

/// What a strategy has counted so far: its orders and its groups of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskNumbers {
    /// Number of the last order.
    pub orders: u32,
    /// Number of the last group of which one order cancels the other.
    pub groups: u32,
    /// Number of the last atomic group.
    pub atomic_groups: u32,
}

/// Where a strategy asks for orders.
///
/// Every request is kept from the moment it is made: a strategy that fails afterwards still leaves
/// it in the log.
#[derive(Debug)]
pub struct OrderDesk<'a> {
    strategy: StrategyIx,
    numbers: &'a mut DeskNumbers,
    requests: &'a mut Vec<Request>,
    limit: usize,
    instruments: Option<&'a InstrumentTable>,
    origin: Origin,
    sequence: Option<InstructionSequence>,
}

impl<'a> OrderDesk<'a> {
    /// A desk that counts on from `numbers` and collects in `requests`, at most `limit` of them.
    pub fn new(
        strategy: StrategyIx,
        numbers: &'a mut DeskNumbers,
        requests: &'a mut Vec<Request>,
        limit: usize,
    ) -> Self {
        let (instruments, origin, sequence) = (None, Origin::Strategy, None);
        Self { strategy, numbers, requests, limit, instruments, origin, sequence }
    }

    /// The same desk for orders in `instruments`.
    #[must_use]
    pub fn with_instruments(self, instruments: &'a InstrumentTable) -> Self {
        Self { instruments: Some(instruments), ..self }
    }

    /// The instruments of the run, where the host has said them.
    pub const fn instruments(&self) -> Option<&'a InstrumentTable> {
        self.instruments
    }

    /// Asks for a sequence of steps, carried out over as many frames as they need (08 §10.2).
    ///
    /// Its first steps go out with the orders of this decision. Until it ends the strategy is not
    /// called; it is called again in the frame in which the sequence has been completed or given up.
    /// A second sequence of the same decision goes on where the first ends.
    pub fn sequence(&mut self, sequence: InstructionSequence) {
        match &mut self.sequence {
            Some(first) => first.steps.extend(sequence.steps),
            None => self.sequence = Some(sequence),
        }
    }

    /// The sequence that was asked for, if one was.
    pub const fn take_sequence(&mut self) -> Option<InstructionSequence> {
        self.sequence.take()
    }

    /// Where its requests come from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Says where the requests that follow come from.
    pub const fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Buys at the next open.
    pub fn buy(&mut self, instrument: InstrumentIx, size: Size) -> OrderId {
        self.submit(OrderRequest::market(instrument, OrderSide::Buy, size))
    }

    /// Sells at the next open.
    pub fn sell(&mut self, instrument: InstrumentIx, size: Size) -> OrderId {
        self.submit(OrderRequest::market(instrument, OrderSide::Sell, size))
    }

    /// Asks for any order.
    ///
    /// # Panics
    ///
    /// When one decision asks for more orders than a tick may hold: the strategy does not stop.
    pub fn submit(&mut self, mut request: OrderRequest) -> OrderId {
        request.origin = self.origin;
        let order_id = OrderId { strategy: self.strategy, number: self.numbers.orders + 1 };
        let intent = OrderIntent { order_id, request };
        self.numbers.orders += intent.names();
        self.ask(Request::Submit(intent));
        order_id
    }

    /// Asks for an operation that is no trade.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn operate(&mut self, request: OperationRequest) -> OrderId {
        self.operate_as(request, None)
    }

    /// As [`operate`](Self::operate), with a name of the strategy's own.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn operate_as(
        &mut self,
        mut request: OperationRequest,
        client_order_id: Option<Arc<str>>,
    ) -> OrderId {
        request.origin = self.origin;
        self.numbers.orders += 1;
        let order_id = OrderId { strategy: self.strategy, number: self.numbers.orders };
        self.ask(Request::Operate(OperationIntent { order_id, client_order_id, request }));
        order_id
    }

    /// A new group of operations that succeed together or not at all.
    ///
    /// All of its members are asked for in one decision, in slots from 1 without gaps.
    pub const fn atomic_group(&mut self) -> GroupId {
        self.numbers.atomic_groups += 1;
        GroupId { strategy: self.strategy, number: self.numbers.atomic_groups }
    }

    /// Asks for the end of an order; nothing happens if it has ended.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn cancel(&mut self, order_id: OrderId) {
        self.ask(Request::Cancel(order_id));
    }

    /// Asks for new terms of an order, all of them; it keeps its name.
    ///
    /// The order loses its place among others unless only its quantity gets smaller.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn replace(&mut self, order_id: OrderId, request: OrderRequest) {
        self.ask(Request::Replace(OrderIntent { order_id, request }));
    }

    /// A new group of orders of which one cancels the other.
    pub const fn oco_group(&mut self) -> OcoGroup {
        self.numbers.groups += 1;
        OcoGroup { strategy: self.strategy, number: self.numbers.groups }
    }

    /// Attaches a profit target and a stop to a position: two reduce-only orders of which one
    /// cancels the other. `side` is the side that closes the position.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn attach_exits(
        &mut self,
        instrument: InstrumentIx,
        side: OrderSide,
        size: Size,
        take_profit: Decimal,
        stop_loss: Decimal,
    ) -> (OrderId, OrderId) {
        let group = self.oco_group();
        let exit = |request: OrderRequest| request.reduce_only().one_cancels_other(group);
        let target = exit(OrderRequest::limit(instrument, side, size, take_profit));
        let stop = exit(OrderRequest::stop(instrument, side, size, stop_loss));
        (self.submit(target), self.submit(stop))
    }

    fn ask(&mut self, request: Request) {
        assert!(
            self.requests.len() < self.limit,
            "BUS-LOOP: one decision asked for more than {} orders (engine.max_events_per_tick)",
            self.limit
        );
        self.requests.push(request);
    }
}
