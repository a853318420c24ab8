//! What must hold inside an exchange between two bars: its indices name the orders that there are.

use std::collections::BTreeSet;

use model::Decimal;
use model::money::Price;

use crate::exchange::Exchange;
use crate::exchange::resting::{Behaviour, Resting, Stage};

/// Checks every index of an exchange against its orders.
pub(super) fn audit(exchange: &Exchange) {
    let mut locked = vec![Decimal::ZERO; exchange.locked.len()];
    for (seq, resting) in exchange.orders.iter() {
        assert_eq!(exchange.places.get(&resting.order.order_id), Some(seq), "{resting:?}");
        if resting.is_holding {
            locked[resting.lock.key.index()] += resting.lock.amount;
        }
        audit_order(exchange, *seq, resting);
    }
    assert_eq!(exchange.places.len(), exchange.orders.len(), "no place without an order");
    assert_eq!(locked, exchange.locked, "what is held back is what the orders hold");
    audit_books(exchange);
}

/// An order waits where it has to, and nowhere else.
fn audit_order(exchange: &Exchange, seq: u64, resting: &Resting) {
    let book = &exchange.books[resting.order.instrument.index()];
    let waits = resting.stage == Stage::Working && !resting.is_done();
    let takes = resting.behaviour() == Behaviour::Takes;
    assert_eq!(resting.rung.is_some(), waits && !takes, "{resting:?}");
    assert_eq!(book.takers.contains(&seq), waits && takes, "{resting:?}");
    let travels = matches!(resting.stage, Stage::Traveling(_));
    assert_eq!(book.traveling.contains(&seq), travels, "{resting:?}");
    if let Some((_, (price, _))) = resting.rung {
        assert_eq!(resting.place().map(|(_, price)| price), Some(price), "{resting:?}");
    }
    if let (Some(last), false) = (resting.order.expire_at, travels) {
        assert!(book.expiries.contains(&(last, seq)), "{resting:?}");
    }
}

/// No book names an order that has ended.
fn audit_books(exchange: &Exchange) {
    let most = Price::new(Decimal::MAX).expect("positive");
    let least = Price::new(Decimal::new(1, 28)).expect("positive");
    for book in &exchange.books {
        let rungs = book.up.reached(most).into_iter().chain(book.down.reached(least));
        let rungs: Vec<u64> = rungs.map(|(_, seq)| seq).collect();
        let named = rungs.iter().chain(&book.takers).chain(&book.traveling).chain(&book.reducers);
        let named = named.copied().chain(book.trailers.iter().map(|trailer| trailer.seq));
        let named: BTreeSet<u64> = named.chain(book.expiries.iter().map(|(_, seq)| *seq)).collect();
        for seq in named {
            assert!(exchange.orders.contains_key(&seq), "{seq} has ended");
        }
        for seq in rungs {
            assert!(exchange.orders[&seq].rung.is_some(), "{seq} waits elsewhere");
        }
    }
}
