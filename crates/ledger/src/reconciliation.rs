//! Reconciliation: both books compared, position by position.

use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::interface::Holding;
use model::reconciliation::{Mismatch, Reconciliation, Tolerance};
use model::snapshot::AccountBook;

/// Compares simulated with real positions. Pure: it changes nothing, retries nothing and raises
/// nothing.
#[derive(Clone, Debug)]
pub struct ReconciliationComponent {
    /// By key.
    tolerances: Vec<Tolerance>,
    /// The perpetual that a key is the position of.
    perps: Vec<Option<InstrumentIx>>,
}

impl ReconciliationComponent {
    /// A comparison that allows no difference.
    pub fn exact(instruments: &InstrumentTable) -> Self {
        let perps = instruments.perpetuals_by_key();
        Self { tolerances: vec![Tolerance::EXACT; perps.len()], perps }
    }

    /// The same with a tolerance for a key.
    #[must_use]
    pub fn tolerate(mut self, key: KeyIx, tolerance: Tolerance) -> Self {
        self.tolerances[key.index()] = tolerance;
        self
    }

    /// Compares all positions: amounts, and of perpetuals what they were entered at.
    pub fn compare(&self, simulated: &AccountBook, real: &[Holding]) -> Reconciliation {
        let mut mismatches = Vec::new();
        let keys = (0u16..).map(KeyIx).zip(&simulated.balances).zip(real);
        for ((key, amount), real) in keys {
            let cost = self.perps[key.index()].map(|place| simulated.costs[place.index()]);
            // What venues state as an average price has lost the last digits of a cost.
            let simulated = Holding { amount: *amount, cost: cost.unwrap_or(real.cost) };
            if simulated == *real {
                continue;
            }
            let tolerance = self.tolerances[key.index()].around(real.amount);
            let is_far = |ours: model::Decimal, theirs: model::Decimal, tolerance| {
                (ours - theirs).abs() > tolerance
            };
            let cost_tolerance = self.tolerances[key.index()].around(real.cost);
            if is_far(simulated.amount, real.amount, tolerance)
                || is_far(simulated.cost, real.cost, cost_tolerance)
            {
                mismatches.push(Mismatch { key, simulated, real: *real, tolerance });
            }
        }
        Reconciliation { compared: real.len(), mismatches }
    }
}

#[cfg(test)]
mod tests {
    use model::Decimal;
    use model::instrument::Instrument;

    use super::*;

    fn table() -> InstrumentTable {
        let mut table = InstrumentTable::new();
        table.add(Instrument::spot("x:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT"));
        table
    }

    fn compared(component: &ReconciliationComponent, real: [&str; 2]) -> Vec<(u16, Decimal)> {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let book =
            AccountBook { balances: vec![decimal("100"), decimal("2")], ..AccountBook::default() };
        let real = real.map(|amount| Holding { amount: decimal(amount), ..Holding::default() });
        let report = component.compare(&book, &real);
        assert_eq!(report.compared, 2);
        report.mismatches.iter().map(|found| (found.key.0, found.difference())).collect()
    }

    #[test]
    fn books_agree_to_the_last_digit_or_within_the_tolerance_of_a_key() {
        let exact = ReconciliationComponent::exact(&table());
        let ulp = Decimal::new(1, 12);
        assert_eq!(compared(&exact, ["100", "2"]), []);
        assert_eq!(compared(&exact, ["99.999999999999", "2"]), [(0, ulp)]);
        assert_eq!(compared(&exact, ["100", "3"]), [(1, -Decimal::ONE)]);
        let tolerance = Tolerance { absolute: Decimal::ONE, relative: Decimal::new(1, 1) };
        let loose = exact.tolerate(KeyIx(0), tolerance).tolerate(KeyIx(1), tolerance);
        // The larger of one unit and a tenth of what the venue says.
        assert_eq!(compared(&loose, ["91", "3"]), []);
        assert_eq!(
            compared(&loose, ["90", "3.1"]),
            [(0, Decimal::TEN), (1, "-1.1".parse().unwrap())]
        );
    }
}
