//! `[pnl]`: how profit is attributed, and whether what cannot be ends the run.

use super::field::{Choice, Field, Flag, OneOrMany};
use super::reader::TableReader;

/// A component of profit (specification 05 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table of the specification says what each is")]
pub enum AttributionType {
    SupplyYield,
    StakingYieldOracle,
    StakingYieldRewards,
    BorrowCosts,
    FundingPnl,
    DeltaPnl,
    BasisPnl,
    TransactionCosts,
    GapPnl,
    PegPnl,
    LiquidationPnl,
    DustPnl,
    Correction,
}

const TYPES: Choice<'static, AttributionType> = Choice(&[
    ("supply_yield", AttributionType::SupplyYield),
    ("staking_yield_oracle", AttributionType::StakingYieldOracle),
    ("staking_yield_rewards", AttributionType::StakingYieldRewards),
    ("borrow_costs", AttributionType::BorrowCosts),
    ("funding_pnl", AttributionType::FundingPnl),
    ("delta_pnl", AttributionType::DeltaPnl),
    ("basis_pnl", AttributionType::BasisPnl),
    ("transaction_costs", AttributionType::TransactionCosts),
    ("gap_pnl", AttributionType::GapPnl),
    ("peg_pnl", AttributionType::PegPnl),
    ("liquidation_pnl", AttributionType::LiquidationPnl),
    ("dust_pnl", AttributionType::DustPnl),
    ("correction", AttributionType::Correction),
]);

impl AttributionType {
    /// The component as files spell it.
    pub fn name(self) -> &'static str {
        TYPES.word(self)
    }
}

/// How profit is attributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PnlConfig {
    /// Components that are shown by name; others that are not zero are shown together.
    pub attribution_types: Vec<AttributionType>,
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
