//! The clerk: books what the exchange says, one event at a time, and tells the bus.

use std::sync::Arc;

use engine::delivery::Outbox;
use ledger::{Account, AccountError};
use model::Decimal;
use model::event::Payload;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::money::Quantity;
use model::order::OrderUpdate;
use model::snapshot::Reservation;
use venues::exchange::{Clearing, VenueEvent};

/// Our account and the bus, as the exchange sees them while it matches.
#[derive(Debug)]
pub(crate) struct Clerk<'a> {
    pub(crate) instruments: &'a InstrumentTable,
    pub(crate) account: &'a mut Account,
    pub(crate) outbox: &'a mut Outbox,
    /// Executions so far.
    pub(crate) fills: &'a mut i64,
}

impl Clerk<'_> {
    /// Follows an order in the account, then publishes the news.
    pub(crate) fn follow(&mut self, update: Arc<OrderUpdate>) {
        let known = self.account.book().working(update.order_id).map(|known| known.reserved);
        if update.status.is_final() {
            self.account.end(update.order_id);
        } else {
            match (known, update.terms.clone()) {
                (Some(reserved), terms) => {
                    self.account.rework(update.order_id, terms, update.cum_qty, reserved);
                }
                // An exit that its entry's fill has armed: what it trades is the position.
                (None, Some(order)) => {
                    let key = self.instruments.cash_key(order.instrument);
                    self.account.accept(order, Reservation { key, amount: Decimal::ZERO });
                }
                (None, None) => {}
            }
        }
        self.outbox.publish(Payload::OrderUpdate(update));
    }
}

impl Clearing for Clerk<'_> {
    type Error = AccountError;

    fn free(&self, key: KeyIx) -> Decimal {
        self.account.free_margin(key)
    }

    fn balance(&self, key: KeyIx) -> Decimal {
        self.account.balance(key)
    }

    fn position(&self, instrument: InstrumentIx) -> Quantity {
        self.account.position(instrument)
    }

    fn take(&mut self, event: VenueEvent) -> Result<(), AccountError> {
        match event {
            VenueEvent::Fill(mut fill) => {
                let booked = Arc::get_mut(&mut fill).expect("nobody else holds a fill yet");
                self.account.book_fill(booked)?;
                *self.fills += 1;
                self.outbox.publish(Payload::Fill(fill));
            }
            VenueEvent::Update(update) => self.follow(update),
            VenueEvent::Locked { order_id, reserved } => {
                if let Some(known) = self.account.book().working(order_id) {
                    let cum_qty = known.cum_qty;
                    self.account.rework(order_id, None, cum_qty, reserved);
                }
            }
        }
        Ok(())
    }
}
