//! The balances and positions as last recorded, to tell what changed.

use std::rc::Rc;

use model::Decimal;
use model::exposure::KeyExposure;
use model::instrument::InstrumentTable;
use model::key::PositionType;
use model::numeric::decimal_of;
use model::snapshot::{AccountBook, AccountSnapshot};
use model::time::UtcMillis;

use super::records::PositionRow;

/// What was held at the end of the last frames.
#[derive(Debug)]
pub(crate) struct Holdings {
    instruments: Rc<InstrumentTable>,
    /// The book of the last snapshot, and its instant.
    book: Option<Rc<AccountBook>>,
    ts: Option<UtcMillis>,
    /// The last book of the frame before.
    before: Option<Rc<AccountBook>>,
}

impl Holdings {
    pub(crate) const fn new(instruments: Rc<InstrumentTable>) -> Self {
        Self { instruments, book: None, ts: None, before: None }
    }

    /// One row per key whose quantity is not what it was at the end of the frame before; whether the
    /// book is another one than that of the last snapshot.
    ///
    /// A second snapshot of a frame takes the place of the first.
    pub(crate) fn note_changes(
        &mut self,
        account: &AccountSnapshot,
        rows: &mut Vec<PositionRow>,
    ) -> bool {
        if self.book.as_ref().is_some_and(|book| Rc::ptr_eq(book, &account.book)) {
            return false;
        }
        let ts = account.ts();
        if self.ts.replace(ts) == Some(ts) {
            while rows.pop_if(|row| row.ts == ts).is_some() {}
        } else {
            self.before = self.book.take();
        }
        for (key, name) in self.instruments.keys() {
            let quantity = account.book.balances[key.index()];
            let before = self.before.as_ref().map(|book| book.balances[key.index()]);
            if before.map_or(!quantity.is_zero(), |before| before != quantity) {
                let held = account.chain.exposure.key(key);
                let value = worth(held, name.kind());
                rows.push(PositionRow { ts, key, quantity, amount: amount(quantity, held), value });
            }
        }
        self.book = Some(Rc::clone(&account.book));
        true
    }
}

/// Units of the key's own token. What is too much for a decimal is the largest one, which no column
/// takes.
fn amount(quantity: Decimal, held: &KeyExposure) -> Decimal {
    if (held.index - 1.0).abs() <= 0.0 {
        return quantity;
    }
    let index = decimal_of(held.index);
    index.and_then(|index| quantity.checked_mul(index)).unwrap_or(Decimal::MAX)
}

/// In share class: a balance, or the notional of a perpetual; absent where there is no price yet.
fn worth(held: &KeyExposure, kind: PositionType) -> Option<f64> {
    let value = if kind == PositionType::Perp { held.notional } else { held.value };
    (!held.price.is_nan() && !value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fixtures::{chain, decimal, instruments, snapshot};

    /// Price and index of each key.
    const PRICES: [(f64, f64); 4] =
        [(1.0, 1.0), (50_000.0, 1.02), (40_000.0, 1.0), (f64::NAN, 1.0)];

    /// The rows of snapshots, each with its minute and its amounts per key.
    fn rows(snapshots: &[(i64, [&str; 4])]) -> Vec<String> {
        let instruments = Rc::new(instruments());
        let names: Vec<String> = instruments.keys().map(|(_, key)| key.to_string()).collect();
        let mut holdings = Holdings::new(Rc::clone(&instruments));
        let mut rows = Vec::new();
        for (ts, balances) in snapshots {
            let mut chain = chain();
            let exposure = Rc::get_mut(&mut chain.exposure).unwrap();
            let amounts = balances.iter().map(|amount| amount.parse::<f64>().unwrap());
            for (place, (amount, (price, index))) in amounts.zip(PRICES).enumerate() {
                let worth = amount * index * price;
                // A perpetual is worth what it has gained, which is not what the table shows.
                let (value, notional) = if place >= 2 { (7.0, worth) } else { (worth, 0.0) };
                let key = &mut exposure.keys[place];
                *key = KeyExposure { index, price, value, notional, ..*key };
            }
            let balances = balances.iter().map(|amount| decimal(amount)).collect();
            let book = Rc::new(AccountBook { balances, ..AccountBook::default() });
            assert!(holdings.note_changes(&snapshot(*ts, false, &book, chain.clone()), &mut rows));
            assert!(!holdings.note_changes(&snapshot(*ts, false, &book, chain), &mut rows));
        }
        let row = |row: &PositionRow| {
            let (minutes, name) = (row.ts.millis() / 60_000, &names[row.key.index()]);
            format!("{minutes} {name} {} {} {:?}", row.quantity, row.amount, row.value)
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn positions_are_worth_their_notional_and_balances_what_they_are() {
        // Keys in the order in which instruments bring them; the last one has no price.
        assert_eq!(
            rows(&[(1, ["1000", "2", "-1", "0.5"])]),
            [
                "1 binance:BaseToken:USDT 1000 1000 Some(1000.0)",
                "1 binance:BaseToken:BTC 2 2.04 Some(102000.0)",
                "1 binance:Perp:BTCUSDT -1 -1 Some(-40000.0)",
                "1 binance:Perp:BTCUSD 0.5 0.5 None",
            ]
        );
    }

    #[test]
    fn a_second_snapshot_of_a_frame_takes_the_place_of_the_first() {
        assert_eq!(
            rows(&[
                (1, ["1000", "0", "0", "0"]),
                (2, ["900", "1", "0", "0"]),
                (2, ["950", "0", "0", "0"]),
                (3, ["950", "0", "0", "0"]),
            ]),
            [
                "1 binance:BaseToken:USDT 1000 1000 Some(1000.0)",
                "2 binance:BaseToken:USDT 950 950 Some(950.0)",
            ]
        );
    }
}
