//! Time of a pass of the chain: `cargo bench -p ledger`.
//!
//! Target: at most 20 µs over eight venues with ten assets each, 5 µs if possible; with one spot
//! instrument well under 300 instructions.

use std::rc::Rc;

use divan::Bencher;
use ledger::chain::Chain;
use ledger::exposure::ExposureTerms;
use ledger::pnl::Strictness;
use ledger::risk::RiskTerms;
use model::Decimal;
use model::instrument::{Contract, Instrument, InstrumentTable};
use model::margin::{MarginTier, MarginTiers};
use model::market::DataProvider;
use model::money::Quantity;
use model::snapshot::AccountBook;
use model::time::{Interval, UtcMillis};

fn main() {
    divan::main();
}

/// A chain with the book that it values.
struct Desk {
    chain: Chain,
    provider: Rc<DataProvider>,
    book: AccountBook,
    ts: UtcMillis,
}

impl Desk {
    /// `venues` with `assets` of which the first is cash, and a short perpetual against each other one
    /// if `hedged`.
    fn new(venues: usize, assets: usize, hedged: bool) -> Self {
        let mut table = InstrumentTable::new();
        for venue in 0..venues {
            for asset in 1..assets {
                let base = format!("A{asset}");
                let spot = |market: &str| {
                    let id = format!("v{venue}:{market}:{base}USDT").parse().expect("an id");
                    Instrument::spot(id, &base, "USDT")
                };
                table.add(spot("spot"));
                if hedged {
                    let contract = Contract::Linear { settle: "USDT".into(), size: Decimal::ONE };
                    table.add(Instrument { contract, ..spot("perp") });
                }
            }
        }
        let table = Rc::new(table);
        let provider = Rc::new(DataProvider::new(&table));
        let (keys, width) = (table.keys().count(), table.len());
        let mut book = AccountBook {
            balances: vec![Decimal::new(1_000_000, 2); keys],
            reserved: vec![Decimal::ZERO; keys],
            positions: vec![Quantity::ZERO; width],
            costs: vec![Decimal::ZERO; width],
            working: Vec::new(),
        };
        for (place, instrument) in table.instruments() {
            let px = 100.0;
            provider.change().marks[place.index()] = Some(px);
            let key = table.base_key(place).index();
            let held = Decimal::from(if instrument.is_perpetual() { -5 } else { 5 });
            book.balances[key] = held;
            book.positions[place.index()] = Quantity(held);
            book.costs[place.index()] = held * Decimal::ONE_HUNDRED;
        }
        let exposure = ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() };
        let tiers = MarginTiers::new(UtcMillis::new(0), &[MarginTier::new(0.0, 0.01, 0.1)]);
        let mut risk = RiskTerms::new(Interval::HOUR);
        risk.tiers = vec![vec![tiers.expect("tiers")]; width];
        let chain = Chain::new(&table, &provider, exposure, risk, Strictness::Strict);
        Self { chain, provider, book, ts: UtcMillis::new(0) }
    }

    /// A frame in which every price moves.
    fn frame(&mut self) {
        self.ts = self.ts.after(Interval::HOUR);
        let mut market = self.provider.change();
        market.ts = self.ts;
        for px in market.marks.iter_mut().flatten() {
            *px *= 1.000_001;
        }
    }

    fn pass(&mut self) {
        self.chain.update(self.ts, &self.book).expect("a pass");
        self.chain.risk.judge();
    }
}

#[divan::bench(args = [(1, 2, false), (1, 2, true), (8, 10, false), (8, 10, true)])]
fn pass(bencher: Bencher, (venues, assets, hedged): (usize, usize, bool)) {
    let mut desk = Desk::new(venues, assets, hedged);
    bencher.bench_local(|| {
        desk.frame();
        desk.pass();
    });
}

/// The same after a trade: positions are weighed anew.
#[divan::bench(args = [(1, 2, false), (8, 10, true)])]
fn pass_after_a_trade(bencher: Bencher, (venues, assets, hedged): (usize, usize, bool)) {
    let mut desk = Desk::new(venues, assets, hedged);
    bencher.bench_local(|| {
        desk.frame();
        desk.chain.exposure.positions_changed();
        desk.pass();
    });
}
