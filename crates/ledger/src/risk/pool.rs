//! A lending venue: what the account holds and owes there.

use model::exposure::{ExposureSnapshot, VenueIx};
use model::instrument::KeyIx;
use model::lending::{LendingLoad, Reserve};
use model::market::Market;

/// What one lending venue holds and is owed.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) venue: VenueIx,
    pub(super) supplies: Vec<(KeyIx, Option<Reserve>)>,
    pub(super) debts: Vec<(KeyIx, Option<u8>)>,
    /// Token whose protocol pays on top, by supply.
    pub(super) staked: Vec<Option<KeyIx>>,
}

impl Pool {
    /// A supply without terms secures nothing; its value counts to the loan-to-value all the same.
    pub(super) fn load(&self, exposure: &ExposureSnapshot) -> LendingLoad {
        let mut load = LendingLoad::default();
        let mut category = None;
        let mut is_common = true;
        for (key, own) in &self.debts {
            let owed = -exposure.key(*key).value;
            if owed > 0.0 {
                load.debt += owed;
                is_common &= own.is_some() && category.is_none_or(|known| Some(known) == *own);
                category = *own;
            }
        }
        let category = category.filter(|_| is_common);
        for (key, reserve) in &self.supplies {
            if let Some(reserve) = reserve {
                load.supply(exposure.key(*key).value, reserve.terms_in(category));
            } else {
                load.collateral += exposure.key(*key).value;
            }
        }
        load
    }

    /// What interest takes from the health factor in a year, if all rates are known.
    pub(super) fn carry(&self, exposure: &ExposureSnapshot, market: &Market) -> Option<f64> {
        let (mut owed, mut debt) = (0.0, 0.0);
        for (key, _) in &self.debts {
            let value = -exposure.key(*key).value;
            if value > 0.0 {
                owed += value * market.yearly_rates[key.index()]?;
                debt += value;
            }
        }
        let (mut earned, mut supplied) = (0.0, 0.0);
        for ((key, _), staked) in self.supplies.iter().zip(&self.staked) {
            let value = exposure.key(*key).value;
            if value > 0.0 {
                let own = market.yearly_rates[key.index()]?;
                let on_top = match staked {
                    Some(rate) => market.yearly_rates[rate.index()]?,
                    None => 0.0,
                };
                earned += value * (own + on_top);
                supplied += value;
            }
        }
        (debt > 0.0 && supplied > 0.0).then(|| owed / debt - earned / supplied)
    }
}
