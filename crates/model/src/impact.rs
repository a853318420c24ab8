//! What a group of orders would do to the account in the worst case, as the gate judged it.

use rust_decimal::Decimal;

use crate::exposure::ExposureSnapshot;
use crate::instrument::KeyIx;
use crate::risk::RiskImpact;

/// What a group of orders would do: to positions, exposure, risk and profit.
///
/// In the worst case: every order fills in full, at a price no better than the last close and as a
/// taker. Recorded before any of them is sent. Source: 04 §6.4.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupImpact {
    /// Net change of each balance, in units of its key; zero changes are left out.
    pub positions: Vec<(KeyIx, Decimal)>,
    /// Exposure without the group, with what was accepted in this tick before it (D80).
    pub before: AccountFigures,
    /// Exposure with it.
    pub after: AccountFigures,
    /// Every metric, in the order of [`RiskType`](crate::risk::RiskType).
    pub metrics: Vec<RiskImpact>,
    /// The metric that denies the group, else the enabled one with the highest level after it;
    /// `None` if no type is enabled.
    pub binding: Option<RiskImpact>,
    /// Largest delta on the way through the group, as a share of equity; zero or more. `None` if no
    /// two of its orders hedge each other.
    pub leg_delta: Option<f64>,
    /// Expected cost of each request, in its place, in share class: the taker's fee, and the distance
    /// from the last close. Positive is a cost; `None` for what was not counted.
    pub costs: Vec<Option<f64>>,
}

impl GroupImpact {
    /// Expected cost of the whole group, in share class; positive is a cost.
    pub fn cost(&self) -> f64 {
        self.costs.iter().flatten().sum()
    }
}

/// Headline figures of an exposure, in share class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AccountFigures {
    /// See [`ExposureSnapshot::equity`].
    pub equity: f64,
    /// See [`ExposureSnapshot::gross`].
    pub gross: f64,
    /// See [`ExposureSnapshot::net`]; negative if short.
    pub net: f64,
    /// See [`ExposureSnapshot::delta_share`]; negative if short.
    pub delta_share: f64,
}

impl AccountFigures {
    /// The figures of a snapshot.
    pub const fn of(exposure: &ExposureSnapshot) -> Self {
        let ExposureSnapshot { equity, gross, net, delta_share, .. } = *exposure;
        Self { equity, gross, net, delta_share }
    }
}
