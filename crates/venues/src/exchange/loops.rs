//! Loops: what the venue answers on an order, one operation at a time (07 §9.1).

use std::sync::Arc;

use model::delta::{Delta, OperationId, Source, Subject};
use model::fill::Fill;
use model::handshake::{Handshake, HandshakeStatus, VenueReport};
use model::interface::{Desk, Stopped};
use model::order::{OrderStatus, Refusal, TimeInForce};
use model::time::UtcMillis;

use super::resting::{Behaviour, Resting};
use super::{Exchange, Step};

impl Exchange {
    /// Answers with a fill and what it changed.
    pub(super) fn answer_fill(
        &mut self,
        seq: u64,
        status: HandshakeStatus,
        fill: Fill,
        deltas: Vec<Delta>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let resting = self.orders.get_mut(&seq).expect("an order that fills is working");
        let ts_event = fill.ts;
        desk.take(VenueReport::Handshake(Handshake {
            source: Source::Trade,
            deltas,
            fill: Some(Arc::new(fill)),
            ..resting.answer(status, None, ts_event)
        }))
    }

    /// Answers that an order has come to rest, if it was sent and nothing was said of it yet.
    pub(super) fn answer_rest(
        &mut self,
        seq: u64,
        ts_event: UtcMillis,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(resting) = self.orders.get_mut(&seq).filter(|resting| resting.loops == 0) else {
            return Ok(());
        };
        let answer = resting.answer(HandshakeStatus::Working, None, ts_event);
        desk.take(VenueReport::Handshake(answer))
    }

    /// How a fill leaves its order: complete, with a rest that works, or with one that ends at once.
    pub(super) fn status_after(
        &self,
        resting: &Resting,
        is_filled: bool,
        is_dust: bool,
        step: Step,
    ) -> HandshakeStatus {
        let is_at_price = matches!(step, Step::Open | Step::Close);
        let is_immediate =
            is_at_price && matches!(resting.order.tif, TimeInForce::Ioc | TimeInForce::Fok);
        let is_left = resting.behaviour() == Behaviour::Takes && !self.settings.rules.market_carry;
        if is_filled {
            HandshakeStatus::Confirmed
        } else if is_dust || is_immediate || is_left {
            HandshakeStatus::Canceled
        } else {
            HandshakeStatus::Partial
        }
    }
}

impl Resting {
    /// The next answer on this order.
    pub(super) fn answer(
        &mut self,
        status: HandshakeStatus,
        refusal: Option<Refusal>,
        ts_event: UtcMillis,
    ) -> Handshake {
        let subject = Subject::Order(self.order.order_id);
        let op_id = OperationId { subject, number: self.loops };
        self.loops += 1;
        self.is_over = matches!(
            status,
            HandshakeStatus::Confirmed
                | HandshakeStatus::Canceled
                | HandshakeStatus::Expired
                | HandshakeStatus::Rejected
        );
        Handshake { refusal, ..Handshake::without_deltas(op_id, status, ts_event) }
    }

    /// The last answer on an order that ends without a fill; none where the venue has said so
    /// already, or never had the order.
    pub(super) fn last_answer(
        &mut self,
        status: OrderStatus,
        refusal: Option<&Refusal>,
        ts_event: UtcMillis,
    ) -> Option<Handshake> {
        let status = match status {
            OrderStatus::Canceled => HandshakeStatus::Canceled,
            OrderStatus::Expired => HandshakeStatus::Expired,
            OrderStatus::Rejected => HandshakeStatus::Rejected,
            OrderStatus::Submitted
            | OrderStatus::Accepted
            | OrderStatus::PartiallyFilled
            | OrderStatus::Filled
            | OrderStatus::Denied => return None,
        };
        let is_at_venue = self.stage == super::Stage::Working;
        let is_due = is_at_venue && !self.is_over;
        is_due.then(|| self.answer(status, refusal.cloned(), ts_event))
    }
}
