//! What a pool checks at the end of a call: loan-to-value and health, with its own numbers (02 §3.6).

use model::Decimal;
use model::lending::{Rounding, balance};
use model::order::{Refusal, RefusalCode};

use super::effects::View;
use super::market::{no_market, of_pair};

/// Collateral and debt of one pool at its oracle.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PoolAccount {
    /// Σ collateral · LTV.
    borrowable: Decimal,
    /// Σ collateral · liquidation threshold.
    safe: Decimal,
    debt: Decimal,
}

impl PoolAccount {
    /// The account at `venue`.
    pub(super) fn of(view: &View<'_>, venue: &str) -> Result<Self, Refusal> {
        let mut account = Self::default();
        for reserve in view.protocols.reserves.iter().filter(|known| &*known.venue == venue) {
            let held = view.ledger.balance(reserve.a_token);
            let owed = reserve.debt.map_or(Decimal::ZERO, |debt| view.ledger.balance(debt));
            if held.is_zero() && owed.is_zero() {
                continue;
            }
            let token = view.token(Some(&reserve.token))?;
            let price = view.market.oracle.get(&reserve.token);
            let price = *price.ok_or_else(|| no_market("price", &[&reserve.token]))?;
            let worth = |scaled: Decimal, indices, rounding| {
                if scaled.is_zero() {
                    return Ok(Decimal::ZERO);
                }
                let index = of_pair(indices, venue, &reserve.token);
                let index = *index.ok_or_else(|| no_market("index", &[venue, &reserve.token]))?;
                let amount = balance(scaled, index, token.decimals, rounding)
                    .and_then(|amount| amount.checked_mul(price));
                let detail = "28 digits cannot hold it";
                amount.ok_or_else(|| Refusal::new(RefusalCode::VenueAmount, detail))
            };
            let collateral = worth(held, &view.market.supply_index, Rounding::Down)?;
            account.borrowable += collateral * reserve.ltv;
            account.safe += collateral * reserve.liquidation_threshold;
            account.debt += worth(owed, &view.market.borrow_index, Rounding::Up)?;
        }
        Ok(account)
    }

    /// After a borrow: debt within the loan-to-value of the collateral.
    pub(super) fn check_ltv(&self) -> Result<(), Refusal> {
        if self.debt <= self.borrowable {
            return Ok(());
        }
        let (debt, most) = (self.debt.normalize(), self.borrowable.normalize());
        Err(Refusal::new(RefusalCode::VenueLtv, format!("a debt of {debt}, at most {most}")))
    }

    /// After a borrow or a withdrawal: a health factor of 1 or more.
    pub(super) fn check_health(&self) -> Result<(), Refusal> {
        if self.debt <= self.safe {
            return Ok(());
        }
        let (debt, safe) = (self.debt.normalize(), self.safe.normalize());
        Err(Refusal::new(RefusalCode::VenueHealth, format!("a debt of {debt} on {safe}")))
    }
}
