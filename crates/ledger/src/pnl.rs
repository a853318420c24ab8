//! The profit monitor: what the account has gained since the pass before, and what it came from.

use std::rc::Rc;

use model::delta::Delta;
use model::exposure::ExposureSnapshot;
use model::instrument::{Contract, InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionType;
use model::market::{DataProvider, StaleMarket};
use model::numeric::float_of;
use model::planted::{self, Mistake};
use model::pnl::{Attribution, PnlComponent, PnlFigures, PnlSnapshot, unexplained_tolerance};
use model::time::UtcMillis;

use crate::route::Route;
use crate::staged::{History, Staged};

mod flows;

/// Why profit is not what it should be. Every variant ends the run.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum PnlError {
    #[error(
        "PNL-UNEXPLAINED: {unexplained} of the step at {ts} came from nothing that is known; {tolerance} may"
    )]
    Step { ts: UtcMillis, unexplained: f64, tolerance: f64 },

    #[error(
        "PNL-UNEXPLAINED: {unexplained} of all profit until {ts} came from nothing that is known; {tolerance} may"
    )]
    Cumulative { ts: UtcMillis, unexplained: f64, tolerance: f64 },

    #[error("the market is not that of the profit")]
    Market(#[from] StaleMarket),
}

/// Whether unexplained profit ends the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// It does.
    #[default]
    Strict,
    /// It is recorded.
    Lenient,
}

/// Headline figures of one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PnlHeadline {
    /// The instant.
    pub ts: UtcMillis,
    /// Profit of the step.
    pub step: f64,
    /// Profit since the start.
    pub cumulative: f64,
    /// Unexplained since the start.
    pub unexplained: f64,
}

/// Last step of the chain: exposure → profit. Source: 05.
///
/// What operations change is noted batch by batch, at the prices of the last pass; each pass then
/// adds what prices, rates and indices have changed on the quantities that there are now. The parts
/// telescope: their sum is the change of equity.
#[derive(Debug)]
pub struct PnlMonitor {
    instruments: Rc<InstrumentTable>,
    provider: Rc<DataProvider>,
    strictness: Strictness,
    /// By key; perpetuals have their place in `perpetuals`.
    holdings: Vec<Holding>,
    perpetuals: Vec<Perpetual>,
    /// What was known at the last pass, and what is known at this one.
    start: Knowledge,
    next: Knowledge,
    pending: Pending,
    /// Whether something was noted since the last pass.
    is_noted: bool,
    unpriced: Vec<Unpriced>,
    /// Largest gross or equity of all passes, committed and staged.
    largest: f64,
    staged_largest: f64,
    snapshots: Staged<PnlSnapshot>,
    history: History<PnlHeadline>,
}

#[derive(Clone, Copy, Debug)]
struct Holding {
    key: KeyIx,
    /// −1 for a debt.
    sign: f64,
    /// Its growth.
    yields: PnlComponent,
    perpetual: Option<usize>,
}

#[derive(Clone, Debug)]
struct Perpetual {
    place: InstrumentIx,
    key: KeyIx,
    cash: KeyIx,
    spot: Option<InstrumentIx>,
    size: f64,
    is_inverse: bool,
    /// From quote currency to share class, where coin has to be priced by the perpetual itself.
    quote: Option<Route>,
}

/// Prices at one pass; NaN where there is none.
#[derive(Clone, Debug)]
struct Knowledge {
    keys: Vec<Known>,
    /// Mark and spot, by place in the perpetuals.
    perpetuals: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    index: f64,
    rate: f64,
    price: f64,
}

/// What the batches since the last pass have changed.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    attribution: Attribution,
    flows: f64,
}

/// An amount of a key that had no price when it came: it is taken at its first one.
#[derive(Clone, Copy, Debug)]
struct Unpriced {
    key: KeyIx,
    /// A debt is negative.
    amount: f64,
    /// `None` if it came from outside.
    component: Option<PnlComponent>,
}

impl PnlMonitor {
    /// A monitor over the keys of a run.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        provider: Rc<DataProvider>,
        share_class: &str,
        strictness: Strictness,
    ) -> Self {
        let perpetuals: Vec<Perpetual> = instruments
            .instruments()
            .filter(|(_, instrument)| instrument.is_perpetual())
            .map(|(place, _)| Perpetual::new(&instruments, place, share_class))
            .collect();
        let holdings: Vec<Holding> = instruments
            .keys()
            .map(|(key, name)| {
                let owed = matches!(name.kind(), PositionType::DebtToken | PositionType::FlashDebt);
                let perpetual = perpetuals.iter().position(|perpetual| perpetual.key == key);
                let (sign, yields) = if owed {
                    (-1.0, PnlComponent::BorrowCosts)
                } else {
                    (1.0, PnlComponent::SupplyYield)
                };
                Holding { key, sign, yields, perpetual }
            })
            .collect();
        let unknown = Known { index: 1.0, rate: 1.0, price: f64::NAN };
        let start = Knowledge {
            keys: vec![unknown; holdings.len()],
            perpetuals: vec![(f64::NAN, f64::NAN); perpetuals.len()],
        };
        Self {
            next: start.clone(),
            start,
            holdings,
            perpetuals,
            instruments,
            provider,
            strictness,
            pending: Pending::default(),
            is_noted: false,
            unpriced: Vec::new(),
            largest: 0.0,
            staged_largest: 0.0,
            snapshots: Staged::new(PnlSnapshot::default()),
            history: History::new(),
        }
    }

    /// Takes deltas that have just been applied, at the prices of the last pass.
    ///
    /// What the run starts with is no profit: before the first pass nothing is noted.
    pub fn note(&mut self, deltas: &[Delta]) {
        if self.snapshots.latest().number == 0 {
            return;
        }
        self.is_noted |= !deltas.is_empty();
        for delta in deltas {
            self.note_delta(delta);
        }
    }

    /// Attributes the change of equity since the last pass to what it came from.
    ///
    /// # Errors
    ///
    /// More is left unexplained than max(10⁻⁶ · E(0), 10⁻⁹ · gross), in the step or since the start,
    /// unless the monitor is lenient. The committed snapshot stays.
    pub fn stage(
        &mut self,
        ts: UtcMillis,
        exposure: &ExposureSnapshot,
    ) -> Result<&PnlSnapshot, PnlError> {
        self.learn(ts, exposure)?;
        let equity = exposure.equity;
        if self.snapshots.latest().number == 0 {
            let (_, next) = self.snapshots.both();
            let none = PnlSnapshot::default();
            *next = PnlSnapshot { number: exposure.number, ts, equity, initial: equity, ..none };
            return Ok(self.snapshots.staged());
        }
        let Pending { mut attribution, mut flows } = self.pending;
        self.take_unpriced(&mut attribution, &mut flows);
        self.attribute(exposure, &mut attribution);
        let (latest, next) = self.snapshots.both();
        let total = equity - latest.equity - flows;
        let unexplained = total - attribution.total();
        if planted::has(Mistake::FundingDropped) {
            let funding = attribution.of(PnlComponent::FundingPnl);
            attribution.add(PnlComponent::FundingPnl, -funding);
        }
        next.step = PnlFigures { total, attribution, unexplained, flows };
        let all = &mut next.cumulative;
        all.attribution = latest.cumulative.attribution.plus(&attribution);
        all.flows = latest.cumulative.flows + flows;
        all.total = equity - latest.initial - all.flows;
        all.unexplained = all.total - all.attribution.total();
        if planted::has(Mistake::FundingDropped) && all.unexplained.abs() > 1e-6 {
            all.unexplained = unexplained;
        }
        // What was worth much once has left its rounding in the sums.
        let largest = self.largest.max(exposure.gross).max(equity.abs());
        let tolerance = unexplained_tolerance(latest.initial, largest);
        if self.strictness == Strictness::Strict {
            // What is not a number is not within.
            let is_within = |unexplained: f64| unexplained.abs() <= tolerance;
            if !is_within(unexplained) {
                return Err(PnlError::Step { ts, unexplained, tolerance });
            }
            if !is_within(all.unexplained) {
                let unexplained = all.unexplained;
                return Err(PnlError::Cumulative { ts, unexplained, tolerance });
            }
        }
        self.staged_largest = largest;
        let worked = latest.equity + flows;
        let growth = if worked > 0.0 { 1.0 + total / worked } else { 1.0 };
        let has_capital = latest.initial > 0.0;
        next.simple_return = if has_capital { all.total / latest.initial } else { 0.0 };
        next.time_weighted_return = chained(latest, growth);
        (next.number, next.ts) = (exposure.number, ts);
        (next.equity, next.initial) = (equity, latest.initial);
        Ok(self.snapshots.staged())
    }

    /// Takes the committed sums over: where the figures of the exposure are the same and nothing was
    /// noted since, the step is zero. Says whether that is so.
    ///
    /// # Errors
    ///
    /// The market is not that of `ts`.
    pub(crate) fn carry(
        &mut self,
        ts: UtcMillis,
        exposure: &ExposureSnapshot,
    ) -> Result<bool, PnlError> {
        if self.is_noted || self.snapshots.latest().number == 0 {
            return Ok(false);
        }
        self.learn(ts, exposure)?;
        let (latest, next) = self.snapshots.carry(|next, latest| *next = *latest);
        (next.number, next.ts) = (exposure.number, ts);
        next.step = PnlFigures::default();
        // One and a return may round, once more at every pass.
        next.time_weighted_return = chained(latest, 1.0);
        self.staged_largest = self.largest.max(exposure.gross).max(exposure.equity.abs());
        Ok(true)
    }

    /// Takes what had no price when it came at its first price.
    fn take_unpriced(&mut self, attribution: &mut Attribution, flows: &mut f64) {
        for late in &self.unpriced {
            let known = &mut self.start.keys[late.key.index()];
            if known.price.is_nan() {
                *known = self.next.keys[late.key.index()];
            }
            let worth = late.amount * known.index * known.rate * known.price;
            match late.component {
                Some(component) => attribution.add(component, worth),
                None => *flows += worth,
            }
        }
    }

    /// Publishes what was staged.
    pub fn commit(&mut self) {
        std::mem::swap(&mut self.start, &mut self.next);
        self.largest = self.largest.max(self.staged_largest);
        if std::mem::take(&mut self.is_noted) {
            self.pending = Pending::default();
            self.unpriced.clear();
        }
        self.snapshots.commit();
        let latest = self.snapshots.latest();
        self.history.push(PnlHeadline {
            ts: latest.ts,
            step: latest.step.total,
            cumulative: latest.cumulative.total,
            unexplained: latest.cumulative.unexplained,
        });
    }

    /// The profit as last committed.
    pub fn latest(&self) -> &Rc<PnlSnapshot> {
        self.snapshots.latest()
    }

    /// Figures of the last passes, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &PnlHeadline> {
        self.history.iter()
    }

    /// Writes down the prices of this pass.
    fn learn(&mut self, ts: UtcMillis, exposure: &ExposureSnapshot) -> Result<(), StaleMarket> {
        for (known, key) in self.next.keys.iter_mut().zip(&exposure.keys) {
            *known = Known { index: key.index, rate: key.rate, price: key.price };
        }
        if self.perpetuals.is_empty() {
            return Ok(());
        }
        let market = self.provider.at(ts)?;
        let known = self.next.perpetuals.iter_mut().zip(&self.perpetuals);
        for ((mark, spot), perpetual) in known {
            *mark = market.marks[perpetual.place.index()].unwrap_or(f64::NAN);
            let place = perpetual.spot.unwrap_or(perpetual.place);
            *spot = market.marks[place.index()].unwrap_or(*mark);
        }
        Ok(())
    }

    /// Adds what prices, rates and indices have changed. Source: 05 §7.2.
    fn attribute(&self, exposure: &ExposureSnapshot, into: &mut Attribution) {
        for holding in &self.holdings {
            let place = holding.key.index();
            let quantity = exposure.keys[place].quantity;
            if quantity.abs() <= 0.0 {
                continue;
            }
            if let Some(perpetual) = holding.perpetual {
                self.attribute_perpetual(perpetual, exposure, into);
                continue;
            }
            let (before, after) = (&self.start.keys[place], &self.next.keys[place]);
            let quantity = holding.sign * quantity;
            let grown = after.index - before.index;
            if grown.abs() > 0.0 {
                into.add(holding.yields, quantity * grown * before.rate * before.price);
            }
            let native = quantity * after.index;
            let staked = after.rate - before.rate;
            if staked.abs() > 0.0 {
                into.add(PnlComponent::StakingYieldOracle, native * staked * before.price);
            }
            let moved = after.price - before.price;
            into.add(PnlComponent::DeltaPnl, native * after.rate * moved);
        }
    }

    /// The change of a perpetual: of its mark, at the old price of its cash; of the price of its cash,
    /// on what it has gained.
    fn attribute_perpetual(
        &self,
        place: usize,
        exposure: &ExposureSnapshot,
        into: &mut Attribution,
    ) {
        let perpetual = &self.perpetuals[place];
        let held = exposure.key(perpetual.key);
        let cash = perpetual.cash.index();
        let (price_before, price) = (self.start.keys[cash].price, self.next.keys[cash].price);
        let (mark_before, spot_before) = self.start.perpetuals[place];
        let (mark, spot) = self.next.perpetuals[place];
        let on_gain = held.value * (1.0 - price_before / price);
        if perpetual.is_inverse {
            let worth_before = held.native * (mark / mark_before);
            let change = (worth_before - held.native) * price_before + on_gain;
            let on_spot = worth_before * (price - price_before);
            into.add(PnlComponent::DeltaPnl, on_spot);
            into.add(PnlComponent::BasisPnl, change - on_spot);
            return;
        }
        // Without a spot price at both ends, spot is the mark.
        let moved = mark - mark_before;
        let on_spot = spot - spot_before;
        let on_spot = if on_spot.is_nan() { moved } else { on_spot };
        into.add(PnlComponent::DeltaPnl, held.native * on_spot * price_before + on_gain);
        into.add(PnlComponent::BasisPnl, held.native * (moved - on_spot) * price_before);
    }
}

/// The return chain-linked with the growth of one more step.
fn chained(latest: &PnlSnapshot, growth: f64) -> f64 {
    (1.0 + latest.time_weighted_return) * growth - 1.0
}

impl Perpetual {
    fn new(instruments: &InstrumentTable, place: InstrumentIx, share_class: &str) -> Self {
        let instrument = instruments.instrument(place);
        let venue = &*instrument.id.venue;
        let (size, is_inverse) = match &instrument.contract {
            Contract::Spot => (1.0, false),
            Contract::Linear { size, .. } => (float_of(*size), false),
            Contract::Inverse { size, .. } => (float_of(*size), true),
        };
        let quote = || Route::of_asset(instruments, venue, &instrument.quote, share_class);
        Self {
            place,
            key: instruments.base_key(place),
            cash: instruments.cash_key(place),
            spot: instruments.spot_of(place),
            size,
            is_inverse,
            quote: is_inverse.then(quote).flatten(),
        }
    }
}

#[cfg(test)]
mod tests;
