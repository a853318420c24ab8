//! The law of valuation.

use store::audit::Kind;
use store::audit::commit::Terms;
use store::audit::reading::{Event, Record, Units};

use super::{Law, Tally};
use crate::replay::State;

/// Floats of a sum may differ by this share of the largest of them.
const ROUNDING: f64 = 1e-9;

/// Columns of profit that are no components of it.
const SUMS: [&str; 3] = ["unexplained", "total", "flows"];

/// In the name of a position, what says that it is a balance.
const BALANCE: &str = ":BaseToken:";

/// What the valuation of a frame is compared with.
#[derive(Clone, Debug)]
pub(super) struct Valuation {
    /// Balances in share class and what is on its way to them, where these are all the cash there is.
    cash_keys: Option<Vec<String>>,
    /// Equity, profit and flows where profit began.
    origin: Option<(f64, f64, f64)>,
}

impl Valuation {
    pub(super) fn new(terms: &Terms) -> Self {
        let is_share_class = |key: &str| key.rsplit(':').next() == Some(terms.share_class.as_str());
        let cash = terms.instruments.iter().map(|terms| terms.cash_key.clone());
        let held = terms.opening.iter().map(|holding| holding.position_key.clone());
        let mut keys: Vec<String> = cash.chain(held).collect();
        keys.sort_unstable();
        keys.dedup();
        let is_simple = keys.iter().all(|key| is_share_class(key) && key.contains(BALANCE));
        let on_the_way: Vec<String> =
            keys.iter().map(|key| key.replacen(BALANCE, ":Transit:", 1)).collect();
        keys.extend(on_the_way);
        Self { cash_keys: is_simple.then_some(keys), origin: None }
    }

    pub(super) fn check(&mut self, event: &Event<'_>, state: &State, tally: &mut Tally) {
        let Some(account) = &state.account else { return };
        if let Some(keys) = &self.cash_keys {
            let mut held = keys.iter().map(|key| state.position(key));
            let sum = held.try_fold(Units::ZERO, Units::plus);
            // What no run can hold is close to nothing.
            let expected = sum.map_or(f64::NAN, Units::to_f64);
            tally.check(Law::Valuation, event, is_close(account.cash, expected, 0.0), || {
                format!("cash is {}; the positions say {expected}", account.cash)
            });
        }
        if let Some(profit) = event.attached(Kind::Pnl).next() {
            self.profit(event, profit, account.equity, tally);
        }
    }

    fn profit(&mut self, event: &Event<'_>, profit: Record<'_>, equity: f64, tally: &mut Tally) {
        let figure = |name| profit.float(name).unwrap_or(f64::NAN);
        let (total, flows) = (figure("total"), figure("flows"));
        let is_component =
            |name: &str| !SUMS.contains(&name) && !matches!(name, "seq" | "ts" | "cause_seq");
        let components = profit.fields().filter(|(name, _)| is_component(name));
        let (mut explained, mut largest) = (0.0, equity.abs());
        for value in components.filter_map(|(_, value)| value.to_f64()) {
            explained += value;
            largest = value.abs().max(largest);
        }
        let rest = total - explained;
        let told = figure("unexplained");
        tally.check(Law::Valuation, event, is_close(rest, told, largest), || {
            format!("{total} less its components leaves {rest}; the record says {told}")
        });
        let (first, before, flows_before) = *self.origin.get_or_insert((equity, total, flows));
        let expected = equity - first - (flows - flows_before);
        let gained = total - before;
        tally.check(Law::Valuation, event, is_close(gained, expected, largest.max(first)), || {
            format!("profit is {gained}; equity says {expected}")
        });
    }
}

fn is_close(found: f64, expected: f64, size: f64) -> bool {
    (found - expected).abs() <= ROUNDING * found.abs().max(expected.abs()).max(size).max(1.0)
}
