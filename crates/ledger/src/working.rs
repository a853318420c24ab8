//! Working orders in the book, and what they have reserved.

use std::sync::Arc;

use model::money::Quantity;
use model::order::{Order, OrderId};
use model::snapshot::{AccountBook, Reservation, WorkingOrder};

/// Appends an order and reserves what it may need.
pub(crate) fn accept(book: &mut AccountBook, order: Arc<Order>, reserved: Reservation) {
    book.reserved[reserved.key.index()] += reserved.amount;
    book.working.push(WorkingOrder { order, cum_qty: Quantity::ZERO, reserved });
}

/// Gives an order new terms, if there are any, its progress and a new reservation.
pub(crate) fn rework(
    book: &mut AccountBook,
    order_id: OrderId,
    terms: Option<Arc<Order>>,
    cum_qty: Quantity,
    reserved: Reservation,
) {
    let place = place_of(book, order_id).expect("an order that is reworked is working");
    let working = &mut book.working[place];
    let released = std::mem::replace(&mut working.reserved, reserved);
    working.cum_qty = cum_qty;
    if let Some(terms) = terms {
        working.order = terms;
    }
    book.reserved[released.key.index()] -= released.amount;
    book.reserved[reserved.key.index()] += reserved.amount;
}

/// Removes an order and gives back what it has reserved.
pub(crate) fn end(book: &mut AccountBook, place: usize) {
    let WorkingOrder { reserved, .. } = book.working.remove(place);
    book.reserved[reserved.key.index()] -= reserved.amount;
}

/// Where in the book an order is.
pub(crate) fn place_of(book: &AccountBook, order_id: OrderId) -> Option<usize> {
    book.working.iter().position(|working| working.order.order_id == order_id)
}
