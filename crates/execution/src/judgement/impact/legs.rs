//! Leg risk: how far off target an account is while a group is half-way through (04 §6.4).

use ledger::chain::Chain;
use model::exposure::AssetIx;
use model::instrument::InstrumentTable;
use model::order::{Refusal, RefusalCode};
use model::snapshot::AccountSnapshot;

use super::expected::ExpectedTrade;

/// The delta on the way through a group whose orders may hedge each other, as shares of equity, without
/// sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Legs {
    /// Largest between two orders.
    pub(super) largest: f64,
    /// That before the first order, of the same asset.
    start: f64,
}

impl Legs {
    /// Goes through a group after what was accepted before; the last state of an asset is no
    /// intermediate one. `None` if no two orders trade one base on different instruments, or if they
    /// only leave what is held: leaving is never too large.
    pub(super) fn of(
        account: &AccountSnapshot,
        accepted: &[ExpectedTrade],
        group: &[ExpectedTrade],
        (chain, instruments, share_class): (&Chain, &InstrumentTable, &str),
    ) -> Option<Self> {
        let exposure = &account.chain.exposure;
        let layout = chain.exposure.layout();
        let asset_of = |trade: &ExpectedTrade| layout.asset(instruments.base_key(trade.place));
        let delta_of = |trade: &ExpectedTrade| {
            let key = exposure.key(instruments.base_key(trade.place));
            trade.delta(instruments, key.index * key.rate)
        };
        let is_replaced = |old: &&ExpectedTrade| group.iter().any(|it| it.order_id == old.order_id);
        let of_asset = |asset: AssetIx| {
            let is_one = move |trade: &&ExpectedTrade| asset_of(trade) == Some(asset);
            let mut orders = group.iter().filter(is_one).peekable();
            let first = orders.peek()?.place;
            if group.iter().filter(is_one).all(|trade| trade.place == first) {
                return None;
            }
            let held =
                |trade: &ExpectedTrade| exposure.key(instruments.base_key(trade.place)).underlying;
            let change = |place| group.iter().filter(move |it| it.place == place).map(delta_of);
            let leaves = |trade: &ExpectedTrade| {
                let before = held(trade);
                (before + change(trade.place).sum::<f64>()).abs() <= before.abs()
            };
            if group.iter().filter(is_one).all(leaves) {
                return None;
            }
            let figures = exposure.assets[asset.index()];
            let is_own = *layout.assets[asset.index()] == *instruments.asset(share_class);
            let own = if is_own { exposure.equity } else { 0.0 };
            let share = |net: f64| share_of((net * figures.price - own).abs(), exposure.equity);
            let earlier = accepted.iter().filter(is_one).filter(|old| !is_replaced(old));
            let mut net = figures.net_delta + earlier.map(delta_of).sum::<f64>();
            let mut legs = Self { largest: 0.0, start: share(net) };
            while let Some(trade) = orders.next() {
                net += delta_of(trade);
                if orders.peek().is_some() {
                    legs.largest = legs.largest.max(share(net));
                }
            }
            Some(legs)
        };
        let assets = (0u16..).map(AssetIx).take(layout.assets.len());
        assets.filter_map(of_asset).max_by(|a, b| a.largest.total_cmp(&b.largest))
    }

    /// Why the group is denied, if it is: too large, and larger than before it.
    pub(super) fn refusal(&self, most: f64) -> Option<Refusal> {
        (self.largest > most && self.largest > self.start).then(|| {
            let detail = format!("a delta of {:.6} of equity, at most {most}", self.largest);
            Refusal::new(RefusalCode::Leg, detail)
        })
    }
}

/// Without equity, whatever there is weighs infinitely.
fn share_of(amount: f64, equity: f64) -> f64 {
    match (amount > 0.0, equity > 0.0) {
        (false, _) => 0.0,
        (true, true) => amount / equity,
        (true, false) => f64::INFINITY,
    }
}
