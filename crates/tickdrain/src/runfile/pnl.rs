//! `[pnl]`: how profit is attributed, and whether what cannot be ends the run.

use model::pnl::PnlComponent;

use super::field::{Choice, Field, Flag, OneOrMany};
use super::reader::TableReader;

const TYPES: Choice<'static, PnlComponent> = Choice(&[
    ("supply_yield", PnlComponent::SupplyYield),
    ("staking_yield_oracle", PnlComponent::StakingYieldOracle),
    ("staking_yield_rewards", PnlComponent::StakingYieldRewards),
    ("borrow_costs", PnlComponent::BorrowCosts),
    ("funding_pnl", PnlComponent::FundingPnl),
    ("delta_pnl", PnlComponent::DeltaPnl),
    ("basis_pnl", PnlComponent::BasisPnl),
    ("transaction_costs", PnlComponent::TransactionCosts),
    ("gap_pnl", PnlComponent::GapPnl),
    ("peg_pnl", PnlComponent::PegPnl),
    ("liquidation_pnl", PnlComponent::LiquidationPnl),
    ("dust_pnl", PnlComponent::DustPnl),
    ("correction", PnlComponent::Correction),
]);

/// How profit is attributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PnlConfig {
    /// Components that are shown by name; others that are not zero are shown together.
    pub attribution_types: Vec<PnlComponent>,
    /// Whether profit that no component explains ends the run.
    pub strict: bool,
}

/// Reads `[pnl]`.
pub(super) fn read(root: &mut TableReader<'_>) -> PnlConfig {
    let mut reader = root.table("pnl");
    let key = "attribution_types";
    let all = TYPES.0.iter().map(|(_, kind)| *kind).collect();
    let mut attribution_types = reader.or_default(key, &OneOrMany(TYPES), all);
    attribution_types.sort_unstable();
    attribution_types.dedup();
    let written = attribution_types.iter().map(|kind| TYPES.write(kind)).collect();
    reader.put(key, toml::Value::Array(written));
    let strict = reader.or_default("strict", &Flag, true);
    root.put("pnl", toml::Value::Table(reader.finish()));
    PnlConfig { attribution_types, strict }
}
