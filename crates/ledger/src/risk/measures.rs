//! What each risk type measures on an exposure. Source: 04 §6.1.

use model::exposure::{ExposureLayout, ExposureSnapshot, VenueIx};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx, MarginMode};
use model::key::PositionType;
use model::lending::{LendingLoad, fall_to_liquidation, years_to_liquidation};
use model::margin::MarginLoad;
use model::market::Market;
use model::risk::{Binding, RiskDetail, RiskType};

use super::margin::{MarginAccount, Perpetual};
use super::pool::Pool;
use super::{Judge, RiskTerms};

/// Events of funding in a year, at one every eight hours.
const FUNDINGS_PER_YEAR: f64 = 1_095.0;

/// What of a run can carry each kind of risk; fixed before the first frame.
#[derive(Debug, Default)]
pub(super) struct Measures {
    pools: Vec<Pool>,
    accounts: Vec<MarginAccount>,
    stakes: Vec<(KeyIx, KeyIx)>,
    /// Supplies and staking tokens: what its venue has to turn into cash.
    illiquid: Vec<KeyIx>,
}

/// The worst value so far, and what has it.
#[derive(Clone, Copy, Debug)]
struct Worst {
    kind: RiskType,
    found: Option<(f64, Binding)>,
}

impl Worst {
    const fn of(kind: RiskType) -> Self {
        Self { kind, found: None }
    }

    fn take(&mut self, value: f64, binding: Binding) {
        let side = self.kind.worse_side();
        if self.found.is_none_or(|(worst, _)| side.is_worse(value, worst)) {
            self.found = Some((value, binding));
        }
    }
}

impl Measures {
    pub(super) fn new(
        instruments: &InstrumentTable,
        layout: &ExposureLayout,
        terms: &RiskTerms,
    ) -> Self {
        let mut measures = Self::default();
        for (key, name) in instruments.keys() {
            let reserve = terms.reserves.get(key.index()).copied().flatten();
            let staked = instruments.token(key).and_then(|token| instruments.staked(token));
            let staked = staked.map(|(rate, _)| rate);
            match name.kind() {
                PositionType::AToken => {
                    let pool = measures.pool(layout.venue(key));
                    pool.supplies.push((key, reserve));
                    pool.staked.push(staked);
                }
                PositionType::DebtToken => {
                    let category = reserve.and_then(|reserve| reserve.emode);
                    let category = category.map(|(category, _)| category);
                    measures.pool(layout.venue(key)).debts.push((key, category));
                }
                PositionType::BaseToken
                | PositionType::Lst
                | PositionType::Perp
                | PositionType::Claim
                | PositionType::Transit
                | PositionType::FlashDebt => {}
            }
            if matches!(name.kind(), PositionType::AToken | PositionType::Lst) {
                measures.illiquid.push(key);
            }
            if let Some(rate) = staked.filter(|_| name.kind() != PositionType::DebtToken) {
                measures.stakes.push((key, rate));
            }
        }
        for (place, instrument) in instruments.instruments() {
            if instrument.is_perpetual() {
                let perpetual = Perpetual::new(instruments, place, terms);
                let venue = Binding::Venue(layout.venue(perpetual.key));
                measures.add(perpetual, instrument.margin_mode, venue);
            }
        }
        measures
    }

    fn pool(&mut self, venue: VenueIx) -> &mut Pool {
        let place = self.pools.iter().position(|pool| pool.venue == venue);
        let place = place.unwrap_or_else(|| {
            let (supplies, debts, staked) = (vec![], vec![], vec![]);
            self.pools.push(Pool { venue, supplies, debts, staked });
            self.pools.len() - 1
        });
        &mut self.pools[place]
    }

    fn add(&mut self, perpetual: Perpetual, mode: MarginMode, venue: Binding) {
        let (cash, is_isolated) = (perpetual.cash, mode == MarginMode::Isolated);
        let binding = if is_isolated { Binding::Instrument(perpetual.place) } else { venue };
        let is_same = |account: &MarginAccount| account.binding == binding && account.cash == cash;
        let place = self.accounts.iter().position(is_same).unwrap_or_else(|| {
            let perpetuals = vec![];
            self.accounts.push(MarginAccount { binding, is_isolated, cash, perpetuals });
            self.accounts.len() - 1
        });
        self.accounts[place].perpetuals.push(perpetual);
    }

    /// Whether the run has anything whose risk hangs on single positions.
    pub(super) fn are_some(&self) -> bool {
        let Self { pools, accounts, stakes, illiquid } = self;
        !(pools.is_empty() && accounts.is_empty() && stakes.is_empty() && illiquid.is_empty())
    }

    /// Whether something is measured on the market alone, whatever is held: rates of pools.
    pub(super) fn follow_the_market(&self) -> bool {
        !self.pools.is_empty()
    }

    /// Everything that hangs on single positions.
    pub(super) fn measure(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        detail: &mut RiskDetail,
        judge: &mut Judge<'_>,
    ) {
        if !self.pools.is_empty() {
            self.measure_lending(exposure, market, detail, judge);
        }
        if !self.accounts.is_empty() {
            self.measure_margin(exposure, market, detail, judge);
        }
        if !self.stakes.is_empty() {
            self.measure_pegs(exposure, market, detail, judge);
        }
        if !self.illiquid.is_empty() {
            self.measure_liquidity(exposure, market, judge);
        }
    }

    fn measure_lending(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        detail: &mut RiskDetail,
        judge: &mut Judge<'_>,
    ) {
        let mut worst: Option<(f64, &Pool, LendingLoad)> = None;
        for pool in &self.pools {
            let load = pool.load(exposure);
            let health = load.health_factor();
            if worst.as_ref().is_none_or(|(worst, _, _)| health < *worst) {
                worst = Some((health, pool, load));
            }
        }
        let Some((health, pool, load)) = worst else { return };
        let binding = Binding::Venue(pool.venue);
        judge.put(RiskType::HealthFactor, health, binding);
        judge.put(RiskType::LtvRatio, load.ltv(), binding);
        judge.put(RiskType::LiquidationThreshold, fall_to_liquidation(health), binding);
        detail.borrow_power = Some(load.borrow_power());
        detail.drift_years =
            pool.carry(exposure, market).and_then(|carry| years_to_liquidation(health, carry));
    }

    fn measure_margin(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        detail: &mut RiskDetail,
        judge: &mut Judge<'_>,
    ) {
        let mut fraction = Worst::of(RiskType::CexMarginRatio);
        let mut distance = Worst::of(RiskType::LiqPrice);
        let mut basis = Worst::of(RiskType::BasisRisk);
        let mut overall = MarginLoad::default();
        let mut usage: f64 = 0.0;
        let mut funding = Funding::default();
        for account in &self.accounts {
            let load = account.load(exposure, market);
            fraction.take(load.fraction(), account.binding);
            if load.notional <= 0.0 {
                continue;
            }
            usage = usage.max(load.usage());
            overall.equity += load.equity;
            overall.notional += load.notional;
            for perpetual in &account.perpetuals {
                let held = exposure.key(perpetual.key);
                if held.notional.abs() <= 0.0 {
                    continue;
                }
                if let Some(found) = perpetual.distance(exposure, market, account, &load) {
                    distance.take(found.0, Binding::Instrument(perpetual.place));
                    if distance.found.is_some_and(|(worst, _)| worst >= found.0) {
                        detail.liquidation_px = Some(found.1);
                    }
                }
                if let Some(found) = perpetual.basis(market) {
                    basis.take(found.abs(), Binding::Instrument(perpetual.place));
                }
                funding.take(perpetual.place, held.notional, market);
            }
        }
        detail.margin_usage = Some(usage);
        detail.overall_margin = Some(overall.fraction());
        for worst in [basis, distance, fraction] {
            if let Some((value, binding)) = worst.found {
                judge.put(worst.kind, value, binding);
            }
        }
        if funding.notional > 0.0 {
            judge.put(RiskType::FundingRisk, funding.earned / funding.notional, Binding::Account);
            detail.carry_per_year = Some(funding.earned * FUNDINGS_PER_YEAR);
            detail.negative_funding = Some(funding.negative / funding.notional);
        }
    }

    fn measure_pegs(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        detail: &mut RiskDetail,
        judge: &mut Judge<'_>,
    ) {
        let mut peg = Worst::of(RiskType::PegRisk);
        let mut loss = 0.0;
        for (key, rate) in &self.stakes {
            let prices = (market.rates[rate.index()], market.market_rates[rate.index()]);
            let (held, (Some(oracle), Some(brings))) = (exposure.key(*key), prices) else {
                continue;
            };
            if held.quantity.abs() > 0.0 {
                let spread = 1.0 - brings / oracle;
                peg.take(spread, Binding::Key(*key));
                loss += held.value * spread;
            }
        }
        if let Some((value, binding)) = peg.found {
            judge.put(RiskType::PegRisk, value, binding);
            detail.exit_loss = Some(loss);
        }
    }
}

impl Measures {
    /// The largest share of a holding that its venue could not turn into cash at once.
    fn measure_liquidity(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        judge: &mut Judge<'_>,
    ) {
        let mut worst = Worst::of(RiskType::LiquidityRisk);
        for key in &self.illiquid {
            let held = exposure.key(*key).native;
            if let (Some(available), true) = (market.liquidity[key.index()], held > 0.0) {
                worst.take(1.0 - available.min(held) / held, Binding::Key(*key));
            }
        }
        if let Some((share, binding)) = worst.found {
            judge.put(RiskType::LiquidityRisk, share, binding);
        }
    }
}

/// Funding of all positions, weighted by notional; earned is positive.
#[derive(Clone, Copy, Debug, Default)]
struct Funding {
    earned: f64,
    negative: f64,
    notional: f64,
}

impl Funding {
    fn take(&mut self, place: InstrumentIx, notional: f64, market: &Market) {
        if let Some(trail) = market.funding[place.index()] {
            self.earned -= notional * trail.mean_8h;
            self.negative += notional.abs() * trail.negative_share;
            self.notional += notional.abs();
        }
    }
}
