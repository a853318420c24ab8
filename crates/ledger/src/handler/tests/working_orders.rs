use model::money::Price;
use model::order::{Exits, OrderSide, Origin, Pricing, Size, StrategyIx, TimeInForce};
use model::time::UtcMillis;

use super::super::*;
use super::scenario::{account, decimal, instrument, key};

fn name(number: u32) -> OrderId {
    OrderId { strategy: StrategyIx(0), number }
}

fn order(number: u32, price: &str) -> Arc<Order> {
    Arc::new(Order {
        order_id: name(number),
        client_order_id: None,
        instrument: instrument("spot:BTCUSDT"),
        side: OrderSide::Buy,
        pricing: Pricing::Limit { price: Price::new(decimal(price)).unwrap() },
        tif: TimeInForce::Gtc,
        expire_at: None,
        size: Size::ALL,
        post_only: false,
        reduce_only: false,
        oco_group: None,
        parent: None,
        exits: Exits::default(),
        origin: Origin::Strategy,
        ts_decided: UtcMillis::new(0),
        ts_eligible: UtcMillis::new(0),
    })
}

#[test]
fn working_orders_keep_their_order_and_reserve_what_they_say() {
    let mut account = account(&[(key("USDT"), decimal("100"))]);
    let (usdt, btc) = (key("USDT"), key("BaseToken:BTC"));
    let reserve = |key, amount| Reservation { key, amount: decimal(amount) };
    for (number, amount) in [(1, "10"), (2, "20"), (3, "30")] {
        account.accept_order(order(number, "100"), reserve(usdt, amount));
    }
    let seen = Rc::clone(account.book());
    assert_eq!(account.book().reserved[usdt.index()], decimal("60"));

    let half = Quantity(decimal("0.5"));
    account.rework_order(name(1), None, half, reserve(usdt, "4"));
    account.rework_order(name(2), Some(order(2, "90")), Quantity::ZERO, reserve(btc, "1"));
    let book = account.book();
    assert_eq!(book.reserved[usdt.index()], decimal("34"));
    assert_eq!(book.reserved[btc.index()], decimal("1"));
    assert_eq!(book.working(name(1)).map(|working| working.cum_qty), Some(half));
    let repriced = book.working(name(2)).and_then(|working| working.order.pricing.price());
    assert_eq!(repriced.map(Price::value), Some(decimal("90")));

    account.end_order(name(1));
    account.end_order(name(1));
    account.end_order(name(7));
    let numbers: Vec<u32> =
        account.book().working.iter().map(|working| working.order.order_id.number).collect();
    assert_eq!(numbers, [2, 3]);
    account.end_order(name(3));
    account.end_order(name(2));
    assert!(account.book().reserved.iter().all(Decimal::is_zero));
    assert_eq!(account.positions.balance(usdt), decimal("100"), "a reservation moves nothing");
    assert_eq!(seen.working.len(), 3, "who holds the book keeps what it saw");
}
