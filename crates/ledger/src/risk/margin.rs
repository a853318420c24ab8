//! Margin accounts: perpetuals, and what stands behind them.

use model::exposure::ExposureSnapshot;
use model::instrument::{Contract, InstrumentIx, InstrumentTable, KeyIx};
use model::margin::{MarginLoad, MarginTiers, MarginedPosition, tiers_at};
use model::market::Market;
use model::numeric::float_of;
use model::risk::Binding;

use super::RiskTerms;

/// Perpetuals that share their margin: those of a venue that settle in one asset, or one that is
/// isolated.
#[derive(Debug)]
pub(super) struct MarginAccount {
    pub(super) binding: Binding,
    pub(super) is_isolated: bool,
    pub(super) cash: KeyIx,
    pub(super) perpetuals: Vec<Perpetual>,
}

#[derive(Debug)]
pub(super) struct Perpetual {
    pub(super) place: InstrumentIx,
    pub(super) key: KeyIx,
    pub(super) cash: KeyIx,
    pub(super) spot: Option<InstrumentIx>,
    pub(super) is_inverse: bool,
    pub(super) leverage: f64,
    pub(super) fee_in_mmr: f64,
    pub(super) tiers: Vec<MarginTiers>,
}

impl MarginAccount {
    /// In share class.
    pub(super) fn load(&self, exposure: &ExposureSnapshot, market: &Market) -> MarginLoad {
        let mut load = MarginLoad::default();
        if !self.is_isolated {
            load.equity = exposure.key(self.cash).value;
        }
        for perpetual in &self.perpetuals {
            let held = exposure.key(perpetual.key);
            if held.notional.abs() <= 0.0 {
                continue;
            }
            if self.is_isolated {
                load.equity += perpetual.own_margin(held.notional, held.value);
            }
            load.equity += held.value;
            load.notional += held.notional.abs();
            if let Some(tiers) = tiers_at(&perpetual.tiers, exposure.ts) {
                let px = market.marks[perpetual.place.index()].unwrap_or(f64::NAN);
                let notional = held.native.abs() * if perpetual.is_inverse { 1.0 } else { px };
                load.maintenance += tiers.maintenance(notional) * held.price;
            }
        }
        load
    }
}

impl Perpetual {
    pub(super) fn new(
        instruments: &InstrumentTable,
        place: InstrumentIx,
        terms: &RiskTerms,
    ) -> Self {
        let instrument = instruments.instrument(place);
        Self {
            place,
            key: instruments.base_key(place),
            cash: instruments.cash_key(place),
            spot: instruments.spot_of(place),
            is_inverse: matches!(instrument.contract, Contract::Inverse { .. }),
            leverage: float_of(instrument.leverage),
            fee_in_mmr: terms.fees_in_mmr.get(place.index()).copied().unwrap_or_default(),
            tiers: terms.tiers.get(place.index()).cloned().unwrap_or_default(),
        }
    }

    /// Initial margin at entry of an isolated position, in share class.
    pub(super) fn own_margin(&self, notional: f64, gain: f64) -> f64 {
        let entry = if self.is_inverse { notional + gain } else { notional - gain };
        entry.abs() / self.leverage
    }

    /// How far the mark is from liquidation, as a fraction of it, and the price; linear ones only.
    pub(super) fn distance(
        &self,
        exposure: &ExposureSnapshot,
        market: &Market,
        account: &MarginAccount,
        load: &MarginLoad,
    ) -> Option<(f64, f64)> {
        if self.is_inverse {
            return None;
        }
        let tiers = tiers_at(&self.tiers, exposure.ts)?;
        let (held, mark) = (exposure.key(self.key), market.marks[self.place.index()]?);
        let margin = if account.is_isolated {
            self.own_margin(held.notional, held.value)
        } else {
            load.equity - held.value
        };
        let position = MarginedPosition {
            quantity: held.native,
            entry: mark - held.value / held.price / held.native,
            margin: margin / held.price,
            fee_in_mmr: self.fee_in_mmr,
        };
        let px = position.liquidation_px(tiers)?;
        let fall = if held.native > 0.0 { mark - px } else { px - mark };
        Some((fall / mark, px))
    }

    /// Mark over spot less one.
    pub(super) fn basis(&self, market: &Market) -> Option<f64> {
        let (mark, spot) = (market.marks[self.place.index()]?, market.marks[self.spot?.index()]?);
        Some(mark / spot - 1.0)
    }
}
