//! What operations change: every delta at the prices of the last pass, split by where it came from.

use model::delta::{Cause, Delta};
use model::money::Price;
use model::numeric::float_of;
use model::pnl::PnlComponent;

use super::{PnlMonitor, Unpriced};

impl PnlMonitor {
    pub(super) fn note_delta(&mut self, delta: &Delta) {
        let holding = self.holdings[delta.key.index()];
        match (holding.perpetual, delta.cause) {
            (Some(place), _) => self.note_contracts(place, delta),
            // Gain moves from the position to its cash: the position is worth that much less.
            (None, Cause::Realized | Cause::MarginPnl) => {}
            (
                None,
                Cause::Trade
                | Cause::Gas
                | Cause::Fee
                | Cause::Funding
                | Cause::Reward
                | Cause::Seasonal
                | Cause::TransferLeg
                | Cause::Claim
                | Cause::Liquidation
                | Cause::Initial
                | Cause::Dust
                | Cause::Correction,
            ) => self.note_amount(holding.sign, delta),
        }
    }

    /// Contracts bought or sold: they are worth nothing but their distance to the last mark.
    ///
    /// `gap = −dq · (p_ref − m0)`, `transaction_costs = −dq · (p_fill − p_ref)`, in the asset of the
    /// cash; of an inverse one with what a contract is worth at a price in place of the price.
    fn note_contracts(&mut self, place: usize, delta: &Delta) {
        let perpetual = &self.perpetuals[place];
        let mark = &mut self.start.perpetuals[place].0;
        let float = |px: Price| float_of(px.value());
        let reference = delta.px_ref.or(delta.px).map_or(*mark, float);
        let filled = delta.px.map_or(reference, float);
        if mark.is_nan() {
            *mark = reference;
        }
        let units = float_of(delta.amount) * perpetual.size;
        let worth = |px: f64| if perpetual.is_inverse { -units / px } else { units * px };
        let price = self.start.keys[perpetual.cash.index()].price;
        let gap = (worth(*mark) - worth(reference)) * price;
        let costs = (worth(reference) - worth(filled)) * price;
        self.pending.attribution.add(PnlComponent::GapPnl, gap);
        self.pending.attribution.add(PnlComponent::TransactionCosts, costs);
    }

    /// An amount of a balance: its component is what it was worth where the market was, and the way
    /// there from the last pass is the gap (D88).
    fn note_amount(&mut self, sign: f64, delta: &Delta) {
        let amount = sign * float_of(delta.amount);
        let reference = self.reference(delta);
        let known = &mut self.start.keys[delta.key.index()];
        let per_price = known.index * known.rate;
        if let Some(reference) = reference.filter(|_| known.price.is_nan()) {
            known.price = reference / per_price;
        }
        let last = per_price * known.price;
        let component = component_of(delta.cause);
        if last.is_nan() {
            self.unpriced.push(Unpriced { key: delta.key, amount, component });
            return;
        }
        let Some(component) = component else {
            self.pending.flows += amount * last;
            return;
        };
        let reference = reference.unwrap_or(last);
        self.pending.attribution.add(component, amount * reference);
        let is_staked = self.instruments.key(delta.key).kind() == model::key::PositionType::Lst;
        let gap = if is_staked { PnlComponent::PegPnl } else { PnlComponent::GapPnl };
        self.pending.attribution.add(gap, amount * (last - reference));
    }

    /// Where the market of a balance was, in share class per unit of the key; `None` where the delta
    /// does not say: it is taken at its last valuation.
    ///
    /// Without an instrument the reference price is in share class.
    fn reference(&self, delta: &Delta) -> Option<f64> {
        let px = float_of(delta.px_ref?.value());
        let Some(place) = delta.instrument else { return Some(px) };
        let cash = self.instruments.cash_key(place);
        if self.instruments.instrument(place).is_perpetual() {
            // Coin that an inverse perpetual settles in is priced by the perpetual.
            let mut known = self.perpetuals.iter();
            let perpetual = known.find(|known| known.place == place && known.is_inverse)?;
            let quote = perpetual.quote.as_ref().filter(|_| delta.key == cash)?;
            return Some(px * quote.quote(&self.provider.present()).price);
        }
        if delta.key != self.instruments.base_key(place) {
            return None;
        }
        let quote = self.start.keys[cash.index()].price;
        (!quote.is_nan()).then_some(px * quote)
    }
}

/// What an amount counts to; `None` if it came from outside.
const fn component_of(cause: Cause) -> Option<PnlComponent> {
    match cause {
        Cause::Initial => None,
        // Gain moves between a position and its cash, and is noted nowhere.
        Cause::Trade
        | Cause::Gas
        | Cause::Fee
        | Cause::TransferLeg
        | Cause::Realized
        | Cause::MarginPnl => Some(PnlComponent::TransactionCosts),
        Cause::Funding => Some(PnlComponent::FundingPnl),
        Cause::Reward | Cause::Seasonal => Some(PnlComponent::StakingYieldRewards),
        // What a claim brings less than was asked for is a loss of stake.
        Cause::Claim => Some(PnlComponent::StakingYieldOracle),
        Cause::Liquidation => Some(PnlComponent::LiquidationPnl),
        Cause::Dust => Some(PnlComponent::DustPnl),
        Cause::Correction => Some(PnlComponent::Correction),
    }
}
