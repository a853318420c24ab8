use std::rc::Rc;
use std::sync::Arc;

use expect_test::expect;
use model::Decimal;
use model::handshake::VenueReport;
use model::instrument::InstrumentTable;
use model::interface::{Desk, ExecutionInterface, Holding, Stopped, Submission};
use model::operation::{Amount, OperationOrder, OperationRequest};
use model::order::{OrderId, StrategyIx};

use super::scenario::{KEYS, at, decimal, key, market, shown};
use crate::books::{SharedBooks, VenueBooks};
use crate::on_chain::MarketScript;
use crate::transfer::{Route, TransferInterface};

#[derive(Default)]
struct Reports(Vec<VenueReport>);

impl Desk for Reports {
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped> {
        self.0.push(report);
        Ok(())
    }
}

/// AL-32 to AL-34: wallet to venue, venue to venue, over a bridge; amounts in USDT.
#[test]
fn what_is_sent_is_in_transit_until_it_arrives() {
    let [wallet, binance, bybit] =
        ["wallet:BaseToken:USDT", "binance:BaseToken:USDT", "bybit:BaseToken:USDT"].map(key);
    let initial = [(wallet, "1000"), (binance, "500"), (key("wallet:BaseToken:ETH"), "1")]
        .map(|(place, amount)| (place, decimal(amount)));
    let mut table = InstrumentTable::new();
    for key in KEYS {
        table.add_key(key.parse().unwrap());
    }
    let held = initial.map(|(key, amount)| (key, Holding { amount, ..Holding::default() }));
    let books = SharedBooks::new(VenueBooks::new(Rc::new(table), &held));
    let between = |source, target, fee: &str, delay_ms, gas_units| {
        let transit = if target == binance { "binance:Transit:USDT" } else { "bybit:Transit:USDT" };
        let route = Route::on_chain(source, key(transit), target);
        Route { fee: decimal(fee), delay_ms, gas_units, ..route }
    };
    let routes = vec![
        Route::on_chain(wallet, key("binance:Transit:USDT"), binance),
        between(binance, bybit, "1.5", 30 * 60_000, 0),
        between(wallet, bybit, "4", 3_600_000, 120_000),
    ];
    let gas = key("wallet:BaseToken:ETH");
    let script = MarketScript::constant(market());
    let mut transfers = TransferInterface::new(routes, Some((gas, script)), books.clone());
    let mut text = String::new();
    for (number, (source, target, amount)) in (1..).zip([
        (wallet, binance, Amount::Units(decimal("100"))),
        (binance, bybit, Amount::Units(decimal("200"))),
        (wallet, bybit, Amount::Max),
        (wallet, bybit, Amount::Units(decimal("1"))),
        (bybit, wallet, Amount::Units(decimal("1"))),
        (binance, bybit, Amount::Units(decimal("300.000001"))),
    ]) {
        let request = OperationRequest::transfer(source, target, "wallet", amount);
        let order_id = OrderId { strategy: StrategyIx(0), number };
        let order = OperationOrder {
            order_id,
            client_order_id: None,
            request,
            ts_decided: at(0),
            ts_eligible: at(0),
        };
        let mut desk = Reports::default();
        let total = |books: &VenueBooks| -> Decimal {
            (0..15)
                .filter(|place| KEYS[*place].ends_with("USDT"))
                .map(|place| books.balance(key(KEYS[place])))
                .sum()
        };
        let before = books.read(total);
        transfers.execute(at(0), &Submission::Operation(Arc::new(order)), &mut desk).unwrap();
        let Some(VenueReport::Handshake(handshake)) = desk.0.first() else { unreachable!() };
        handshake.check().unwrap();
        let fees: Decimal =
            handshake.deltas.iter().filter_map(|delta| Some(delta.fee?.amount)).sum();
        assert_eq!(books.read(total), before - fees, "in flight it is worth what it was");
        text += &shown(handshake);
    }
    expect![[r#"
        confirmed gas 65000
          wallet:BaseToken:USDT -100
          binance:Transit:USDT +100 until 900000
          wallet:BaseToken:ETH -0.00065
        confirmed
          binance:BaseToken:USDT -200
          bybit:Transit:USDT +198.5 until 1800000
        confirmed gas 120000
          wallet:BaseToken:USDT -900
          bybit:Transit:USDT +896 until 3600000
          wallet:BaseToken:ETH -0.0012
        rejected VEN-AMOUNT: nothing is left of the amount after rounding, or 28 digits cannot hold what follows from it
        rejected EXEC-NO-ROUTE: no route between these positions
        rejected VEN-BALANCE: 300.000001 with its gas, more than there is
    "#]].assert_eq(&text);
    assert_eq!(books.read(|books| books.pending().len()), 3);
    books.change(|books| books.settle_arrivals(at(900_000)));
    assert_eq!(books.read(|books| books.pending().len()), 2);
    assert_eq!(books.read(|books| books.balance(binance)), decimal("400"));
}
