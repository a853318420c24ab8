//! The risk monitor: measures every risk that can be computed, and judges it by the ladder.

use std::rc::Rc;

use model::exposure::{ExposureLayout, ExposureSnapshot, VenueIx};
use model::instrument::{InstrumentIx, InstrumentTable};
use model::ladder::{Ladder, RiskLevel, RiskLimits};
use model::lending::Reserve;
use model::margin::MarginTiers;
use model::market::{DataProvider, Market, StaleMarket};
use model::risk::{
    Binding, RISK_TYPES, RiskAlert, RiskDetail, RiskReading, RiskSnapshot, RiskType,
};
use model::time::{Interval, UtcMillis};

use crate::staged::{History, Staged};

mod breaker;
mod margin;
mod measures;
mod pool;

use breaker::Breaker;
use measures::Measures;

/// Why risk cannot be measured. Every variant ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum RiskError {
    #[error("the market is not that of the risk")]
    Market(#[from] StaleMarket),

    #[error("RISK-UNKNOWN: {kind} at {ts} is not a number", kind = .kind.name())]
    Unknown { kind: RiskType, ts: UtcMillis },
}

/// What risk is measured by.
#[derive(Clone, Debug)]
pub struct RiskTerms {
    /// The ladder.
    pub limits: RiskLimits,
    /// Length of a frame, in which the age of data is counted.
    pub interval: Interval,
    /// Terms of the reserve behind a supply or a debt, by key; nothing beyond the end.
    pub reserves: Vec<Option<Reserve>>,
    /// Margin tiers of a perpetual over time, by [`InstrumentIx`]; nothing beyond the end.
    pub tiers: Vec<Vec<MarginTiers>>,
    /// Taker fee that counts into the maintenance margin, by [`InstrumentIx`]; nothing beyond the end.
    pub fees_in_mmr: Vec<f64>,
}

impl RiskTerms {
    /// The default ladder over frames of `interval`, with no terms of markets.
    pub fn new(interval: Interval) -> Self {
        let limits = RiskLimits::default();
        let (reserves, tiers, fees_in_mmr) = (vec![], vec![], vec![]);
        Self { limits, interval, reserves, tiers, fees_in_mmr }
    }
}

/// Headline figures of one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RiskFigures {
    /// The instant.
    pub ts: UtcMillis,
    /// Highest level of the enabled types.
    pub level: RiskLevel,
    /// Fall from the highest equity.
    pub drawdown: f64,
    /// Whether the breaker was latched.
    pub breaker: bool,
}

/// Second step of the chain: exposure → risk. Source: 04 §6.
///
/// Levels are written with what is latched, but latches move only by [`judge`](Self::judge), once per
/// tick on the snapshot that the tick publishes (D64).
#[derive(Debug)]
pub struct RiskMonitor {
    provider: Rc<DataProvider>,
    terms: RiskTerms,
    measures: Measures,
    latched: [RiskLevel; RISK_TYPES],
    judged_at: UtcMillis,
    /// Judged, committed and staged.
    breakers: [Breaker; 3],
    peaks: Peaks,
    staged_peaks: Peaks,
    alerts: Vec<RiskAlert>,
    staged_summary: Summary,
    summary: Summary,
    /// Whether the committed and the staged readings are what is latched, and would be found again.
    is_calm: bool,
    staged_is_calm: bool,
    snapshots: Staged<RiskSnapshot>,
    history: History<RiskFigures>,
}

/// What a pass need not look for again.
#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    /// Highest level of the enabled types.
    worst: RiskLevel,
    /// Whether a level is not the latched one.
    has_changed: bool,
    /// Number of types that could be computed.
    known: u32,
}

impl Summary {
    fn take(&mut self, level: RiskLevel, latched: RiskLevel, is_enabled: bool) {
        self.known += 1;
        self.has_changed |= level != latched;
        if is_enabled {
            self.worst = self.worst.max(level);
        }
    }
}

/// Equity that losses are measured from.
#[derive(Clone, Copy, Debug)]
struct Peaks {
    highest: f64,
    day: i64,
    day_before: f64,
    last: f64,
}

impl RiskMonitor {
    /// A monitor of the exposures that have this `layout`.
    pub fn new(
        instruments: &InstrumentTable,
        provider: Rc<DataProvider>,
        layout: &ExposureLayout,
        terms: RiskTerms,
    ) -> Self {
        let peaks = Peaks { highest: f64::MIN, day: i64::MIN, day_before: 0.0, last: 0.0 };
        Self {
            measures: Measures::new(instruments, layout, &terms),
            provider,
            terms,
            latched: [RiskLevel::Ok; RISK_TYPES],
            judged_at: UtcMillis::new(i64::MIN),
            breakers: [Breaker::default(); 3],
            peaks,
            staged_peaks: peaks,
            alerts: Vec::new(),
            staged_summary: Summary::default(),
            summary: Summary::default(),
            is_calm: false,
            staged_is_calm: false,
            snapshots: Staged::new(RiskSnapshot::default()),
            history: History::new(),
        }
    }

    /// Measures the risk of an exposure into the buffer of the next snapshot.
    ///
    /// # Errors
    ///
    /// A metric that is not a number. The committed snapshot stays.
    pub fn stage(
        &mut self,
        ts: UtcMillis,
        exposure: &ExposureSnapshot,
    ) -> Result<&RiskSnapshot, RiskError> {
        let market = self.provider.at(ts)?;
        self.staged_peaks = self.peaks.after(ts, exposure.equity);
        let (_, next) = self.snapshots.both();
        (next.number, next.ts) = (exposure.number, ts);
        next.enabled = self.terms.limits.enabled;
        let RiskSnapshot { readings, detail, .. } = next;
        if self.measures.are_some() {
            // What nothing in the run can carry is never written, so it stays absent by itself.
            *readings = [None; RISK_TYPES];
            *detail = RiskDetail::default();
        }
        let limits = &self.terms.limits;
        let mut judge = Judge {
            limits,
            latched: &self.latched,
            is_first: ts != self.judged_at,
            readings,
            summary: Summary::default(),
            unknown: None,
        };
        judge.put(RiskType::DeltaRisk, exposure.delta_share.abs(), Binding::Account);
        judge.put(RiskType::Leverage, exposure.leverage, Binding::Account);
        match concentration(exposure) {
            Some((share, venue)) => {
                judge.put(RiskType::Concentration, share, Binding::Venue(venue));
            }
            None => judge.clear(RiskType::Concentration),
        }
        let drawdown = self.staged_peaks.drawdown(exposure.equity);
        judge.put(RiskType::Drawdown, drawdown, Binding::Account);
        match staleness(ts, self.terms.interval, &market) {
            Some((age, place)) => {
                judge.put(RiskType::DataStaleness, age, Binding::Instrument(place));
            }
            None => judge.clear(RiskType::DataStaleness),
        }
        if self.measures.are_some() {
            self.measures.measure(exposure, &market, detail, &mut judge);
        }
        if let Some(kind) = judge.unknown {
            return Err(RiskError::Unknown { kind, ts });
        }
        detail.daily_loss = self.staged_peaks.daily_loss(exposure.equity);
        if let Some(usage) = detail.margin_usage {
            judge.judge_usage(usage);
        }
        let Judge { is_first, mut summary, .. } = judge;
        drop(market);
        // A type that could be computed before and cannot now is no risk any more.
        summary.has_changed |= summary.known != self.summary.known;
        self.staged_summary = summary;
        let mut breaker = self.breakers[0];
        if summary.worst == RiskLevel::Critical || breaker.is_latched() {
            breaker = breaker.after(readings, limits, is_first);
        }
        next.breaker = breaker.is_latched();
        self.breakers[2] = breaker;
        let is_open = summary.worst != RiskLevel::Critical && !breaker.is_latched();
        self.staged_is_calm = is_first && is_open && !summary.has_changed;
        Ok(self.snapshots.staged())
    }

    /// Takes the committed readings over, if measuring an exposure of the same figures would find just
    /// them again: then the levels were what is latched, and no figure hangs on the market.
    ///
    /// # Errors
    ///
    /// The market is not that of `ts`.
    pub(crate) fn carry(
        &mut self,
        ts: UtcMillis,
        exposure: &ExposureSnapshot,
    ) -> Result<bool, RiskError> {
        let breaker = self.breakers[0];
        if !self.is_calm
            || ts == self.judged_at
            || breaker.is_latched()
            || self.measures.follow_the_market()
            || staleness(ts, self.terms.interval, &*self.provider.at(ts)?).is_some()
        {
            return Ok(false);
        }
        if self.snapshots.latest().reading(RiskType::DataStaleness).is_some() {
            return Ok(false);
        }
        let (_, next) = self.snapshots.carry(|next, latest| *next = *latest);
        (next.number, next.ts, next.breaker) = (exposure.number, ts, false);
        self.staged_peaks = self.peaks.after(ts, exposure.equity);
        next.detail.daily_loss = self.staged_peaks.daily_loss(exposure.equity);
        self.staged_summary = Summary { has_changed: false, ..self.summary };
        self.breakers[2] = breaker;
        self.staged_is_calm = true;
        Ok(true)
    }

    /// Publishes what was staged.
    pub fn commit(&mut self) {
        self.snapshots.commit();
        let had_changed = self.summary.has_changed;
        self.summary = self.staged_summary;
        self.is_calm = self.staged_is_calm;
        // Until it is judged, what an earlier pass has changed stays changed.
        self.summary.has_changed |= had_changed;
        self.peaks = self.staged_peaks;
        self.breakers[1] = self.breakers[2];
        let latest = self.snapshots.latest();
        let level = self.summary.worst;
        let drawdown = latest.reading(RiskType::Drawdown).map_or(0.0, |reading| reading.value);
        let (ts, breaker) = (latest.ts, latest.breaker);
        self.history.push(RiskFigures { ts, level, drawdown, breaker });
    }

    /// Latches the levels of the committed snapshot, which the tick publishes; returns those that
    /// have changed.
    ///
    /// A second call in one tick may only escalate (D64).
    pub fn judge(&mut self) -> &[RiskAlert] {
        self.alerts.clear();
        let latest = self.snapshots.latest();
        self.judged_at = latest.ts;
        self.breakers[0] = self.breakers[1];
        if !self.summary.has_changed {
            return &self.alerts;
        }
        self.summary.has_changed = false;
        for kind in RiskType::ALL {
            let (before, after) = (self.latched[kind.index()], latest.level(kind));
            if before != after {
                self.latched[kind.index()] = after;
                let value = latest.reading(kind).map(|reading| reading.value);
                let is_enabled = self.terms.limits.enabled.has(kind);
                self.alerts.push(RiskAlert { kind, before, after, value, is_enabled });
            }
        }
        &self.alerts
    }

    /// Latches the breaker as a critical level does: after a liquidation (04 §6.5).
    pub fn trip(&mut self) {
        self.breakers.iter_mut().for_each(Breaker::trip);
    }

    /// Latches the breaker until it is reset by hand: the kill switch.
    pub fn halt(&mut self) {
        self.breakers.iter_mut().for_each(Breaker::halt);
    }

    /// Opens the breaker by hand.
    pub fn reset(&mut self) {
        self.breakers.iter_mut().for_each(Breaker::reset);
    }

    /// What risk is judged by.
    pub const fn limits(&self) -> &RiskLimits {
        &self.terms.limits
    }

    /// The risk as last staged, whether committed or not.
    pub fn staged(&self) -> &RiskSnapshot {
        self.snapshots.staged()
    }

    /// The risk as last committed.
    pub fn latest(&self) -> &Rc<RiskSnapshot> {
        self.snapshots.latest()
    }

    /// Figures of the last passes, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &RiskFigures> {
        self.history.iter()
    }
}

/// What a pass writes its readings with.
struct Judge<'a> {
    limits: &'a RiskLimits,
    latched: &'a [RiskLevel; RISK_TYPES],
    is_first: bool,
    readings: &'a mut [Option<RiskReading>; RISK_TYPES],
    summary: Summary,
    /// The first value that is not a number.
    unknown: Option<RiskType>,
}

impl Judge<'_> {
    /// Takes the value of a type.
    #[inline]
    fn put(&mut self, kind: RiskType, value: f64, binding: Binding) {
        if value.is_nan() {
            self.unknown = self.unknown.or(Some(kind));
        }
        let latched = self.latched[kind.index()];
        // Most have no ladder, or are before its first threshold as they were at the tick before.
        let distance = match self.limits.ladder(kind) {
            None => None,
            Some(ladder) => match ladder.distance_to_first(value) {
                Some(distance) if latched == RiskLevel::Ok => Some(distance),
                _ => return self.put_by_ladder(kind, ladder, value, binding),
            },
        };
        let level = RiskLevel::Ok;
        // Whether it is enabled makes no difference to a level that is none.
        self.summary.take(level, latched, false);
        self.readings[kind.index()] = Some(RiskReading { value, level, distance, binding });
    }

    /// Notes that a type cannot be computed.
    #[inline]
    fn clear(&mut self, kind: RiskType) {
        self.readings[kind.index()] = None;
    }

    /// The same for a value that stands on a ladder. A second one in a tick never falls below what
    /// the first has latched.
    fn put_by_ladder(&mut self, kind: RiskType, ladder: &Ladder, value: f64, binding: Binding) {
        let before = self.latched[kind.index()];
        let level = match (before, self.is_first) {
            (RiskLevel::Ok, _) => ladder.level(value),
            (_, true) => ladder.level_after(value, before, self.limits.hysteresis),
            (_, false) => ladder.level(value).max(before),
        };
        let distance = ladder.distance(value);
        self.summary.take(level, before, self.limits.enabled.has(kind));
        self.readings[kind.index()] = Some(RiskReading { value, level, distance, binding });
    }

    /// Raises the margin ratio to the level that the use of margin has.
    fn judge_usage(&mut self, usage: f64) {
        let kind = RiskType::CexMarginRatio;
        let Some(reading) = &mut self.readings[kind.index()] else { return };
        let (ladder, latched) = (&self.limits.margin_usage, self.latched[kind.index()]);
        let by_usage = if self.is_first {
            ladder.level_after(usage, latched, self.limits.hysteresis)
        } else {
            ladder.level(usage)
        };
        if by_usage > reading.level {
            reading.level = by_usage;
            // Changed if it differs from what is latched, whatever the fraction alone says.
            self.summary.has_changed = true;
            if self.limits.enabled.has(kind) {
                self.summary.worst = self.summary.worst.max(by_usage);
            }
        }
    }
}

/// The largest share of equity at one venue; `None` without equity.
fn concentration(exposure: &ExposureSnapshot) -> Option<(f64, VenueIx)> {
    let mut largest = (f64::MIN, VenueIx(0));
    for (venue, value) in (0u16..).map(VenueIx).zip(&exposure.venues) {
        if *value > largest.0 {
            largest = (*value, venue);
        }
    }
    (exposure.equity > 0.0).then(|| (largest.0 / exposure.equity, largest.1))
}

/// The age of the oldest observation, in intervals; `None` where nobody says when they were made.
fn staleness(ts: UtcMillis, interval: Interval, market: &Market) -> Option<(f64, InstrumentIx)> {
    let mut oldest: Option<(UtcMillis, InstrumentIx)> = None;
    for (place, observed) in (0u16..).map(InstrumentIx).zip(&market.observed) {
        if let Some(observed) = observed
            && oldest.is_none_or(|(oldest, _)| *observed < oldest)
        {
            oldest = Some((*observed, place));
        }
    }
    let (observed, place) = oldest?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run are far below 2^53")]
    let age = (ts.millis() - observed.millis()) as f64 / interval.millis() as f64;
    Some((age, place))
}

impl Peaks {
    fn after(mut self, ts: UtcMillis, equity: f64) -> Self {
        let day = ts.day_closed();
        if day != self.day {
            self.day_before = if self.day == i64::MIN { equity } else { self.last };
            self.day = day;
        }
        self.highest = self.highest.max(equity);
        self.last = equity;
        self
    }

    fn drawdown(&self, equity: f64) -> f64 {
        if self.highest > 0.0 { 1.0 - equity / self.highest } else { 0.0 }
    }

    fn daily_loss(&self, equity: f64) -> Option<f64> {
        (self.day_before > 0.0).then(|| 1.0 - equity / self.day_before)
    }
}

#[cfg(test)]
mod tests;
